"""ECS on Fargate: the scheduler, services, tasks, their logs and their autoscaling."""
