# One tenant on stand-in neighbours: all that the guide asks of a task, its service and its target group. Plans only.

provider "aws" {
  region = "us-west-2"
}

variables {
  name              = "customer-a"
  stack             = "onyx-prod"
  environment       = "prod"
  region            = "us-west-2"
  cluster_arn       = "arn:aws:ecs:us-west-2:123456789012:cluster/onyx-prod-cluster"
  hostname          = "demo.vigilon.app"
  cpu               = 1024
  memory            = 3072
  extra             = { LOG_LEVEL = "debug" }
  vpc_id            = "vpc-1"
  subnet_ids        = ["subnet-1", "subnet-2"]
  public_address    = false
  allow             = { load_balancer = "sg-1", postgres = "sg-2", redis = "sg-3", vespa = "sg-4" }
  listener_arn      = "arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/onyx-prod-alb/1/2"
  listener_priority = 102
  images            = { backend = "onyxdotapp/onyx-backend:v2.0.0", web = "onyxdotapp/onyx-web-server:v2.0.0", nginx = "nginx:1.27.5-alpine" }
  postgres          = { host = "db.us-west-2.rds.amazonaws.com", port = 5432, database = "onyx_customer_a", secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:a" }
  redis             = { host = "master.redis", port = 6379, secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:r", first_database = 6 }
  vespa             = { host = "10.0.0.4" }
  bucket            = { name = "onyx-prod-file-store-123456789012", arn = "arn:aws:s3:::onyx-prod-file-store-123456789012" }
}

run "a_tenant" {
  command = plan

  module {
    source = "./modules/tenant"
  }

  assert {
    condition     = aws_ecs_service.this.name == "customer-a-prod-service" && aws_cloudwatch_log_group.this.name == "/ecs/customer-a" && aws_lb_target_group.this.name == "customer-a-prod-tg"
    error_message = "The guide's names."
  }

  assert {
    condition     = aws_ecs_service.this.health_check_grace_period_seconds == 600
    error_message = "Migrations need ten minutes before health checks count."
  }

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && !aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "Circuit breaker on, rollback off."
  }

  assert {
    condition     = [for balancer in aws_ecs_service.this.load_balancer : "${balancer.container_name}:${balancer.container_port}"] == ["nginx:80"]
    error_message = "The load balancer talks to nginx."
  }

  assert {
    condition = {
      path      = aws_lb_target_group.this.health_check[0].path
      healthy   = aws_lb_target_group.this.health_check[0].healthy_threshold
      unhealthy = aws_lb_target_group.this.health_check[0].unhealthy_threshold
      timeout   = aws_lb_target_group.this.health_check[0].timeout
      interval  = aws_lb_target_group.this.health_check[0].interval
    } == { path = "/api/health", healthy = 2, unhealthy = 10, timeout = 30, interval = 60 }
    error_message = "Health check 2/10/30/60 on /api/health."
  }

  assert {
    condition     = aws_ecs_task_definition.this.cpu == "1024" && aws_ecs_task_definition.this.memory == "3072"
    error_message = "1 vCPU, 3 GB."
  }

  assert {
    condition     = { for container in local.containers : container.name => container.memory } == { api = 768, background = 768, web = 512, nginx = 128 }
    error_message = "The guide's limits, and room for nginx."
  }

  assert {
    condition = alltrue([for container in local.containers : contains(
      [for variable in container.environment : "${variable.name}=${variable.value}"],
      "POSTGRES_HOST=db.us-west-2.rds.amazonaws.com",
    ) if contains(["api", "background"], container.name)])
    error_message = "POSTGRES_HOST is an address."
  }

  assert {
    condition = { for name, value in local.backend_environment : name => value if startswith(name, "REDIS_") || startswith(name, "VESPA_") || startswith(name, "S3_") || name == "AWS_REGION_NAME" || name == "LOG_LEVEL" } == {
      REDIS_HOST                            = "master.redis"
      REDIS_PORT                            = "6379"
      REDIS_SSL                             = "true"
      REDIS_DB_NUMBER                       = "6"
      REDIS_DB_NUMBER_CELERY_RESULT_BACKEND = "7"
      REDIS_DB_NUMBER_CELERY                = "8"
      VESPA_HOST                            = "10.0.0.4"
      VESPA_PORT                            = "8081"
      VESPA_TENANT_PORT                     = "19071"
      S3_FILE_STORE_BUCKET_NAME             = "onyx-prod-file-store-123456789012"
      S3_FILE_STORE_PREFIX                  = "onyx-files/customer-a"
      AWS_REGION_NAME                       = "us-west-2"
      LOG_LEVEL                             = "debug"
    }
    error_message = "What Onyx is told."
  }

  assert {
    condition = local.backend_secrets == {
      POSTGRES_USER     = "arn:aws:secretsmanager:us-west-2:123456789012:secret:a:username::"
      POSTGRES_PASSWORD = "arn:aws:secretsmanager:us-west-2:123456789012:secret:a:password::"
      REDIS_PASSWORD    = "arn:aws:secretsmanager:us-west-2:123456789012:secret:r"
    }
    error_message = "Secrets come from Secrets Manager."
  }

  assert {
    condition = {
      for name, rule in aws_vpc_security_group_ingress_rule.from_tasks : name => "${rule.security_group_id}:${rule.from_port}"
    } == { postgres = "sg-2:5432", redis = "sg-3:6379", vespa = "sg-4:8081", vespa-config = "sg-4:19071" }
    error_message = "Tasks reach PostgreSQL, Redis and Vespa's 8081 and 19071."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.bucket.policy).Statement[0].Resource == "arn:aws:s3:::onyx-prod-file-store-123456789012/onyx-files/customer-a/*"
    error_message = "A task touches its own prefix only."
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.secrets.policy).Statement[0].Resource == ["arn:aws:secretsmanager:us-west-2:123456789012:secret:a", "arn:aws:secretsmanager:us-west-2:123456789012:secret:r"]
    error_message = "A task is given its own secret and the Redis token, never the admin's."
  }
}

run "limits_beyond_the_task" {
  command = plan

  module {
    source = "./modules/tenant"
  }

  variables {
    container_memory = {
      api        = { limit = 2048, reservation = 512 }
      background = { limit = 1024, reservation = 512 }
      web        = { limit = 512, reservation = 256 }
      nginx      = { limit = 128, reservation = 64 }
    }
  }

  expect_failures = [var.container_memory]
}

run "onyx_3_with_both_indexes" {
  command = plan

  module {
    source = "./modules/tenant"
  }

  variables {
    major                = 3
    images               = { backend = "onyxdotapp/onyx-backend:v3.2.1", web = "onyxdotapp/onyx-web-server:v3.2.1", nginx = "nginx:1.27.5-alpine" }
    allow                = { load_balancer = "sg-1", postgres = "sg-2", redis = "sg-3", vespa = "sg-4", opensearch = "sg-5" }
    opensearch           = { host = "10.0.0.5", secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:o" }
    user_auth_secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:u"
  }

  assert {
    condition     = local.backend_environment.VESPA_HOST == "10.0.0.4" && local.backend_environment.OPENSEARCH_HOST == "10.0.0.5" && local.backend_environment.ENABLE_OPENSEARCH_INDEXING_FOR_ONYX == "true"
    error_message = "Documents are written to both, and copied from the one to the other."
  }

  assert {
    condition     = [for name in ["vespa", "vespa-config", "opensearch"] : aws_vpc_security_group_ingress_rule.from_tasks[name].from_port] == [8081, 19071, 9200]
    error_message = "Tasks reach both."
  }
}

run "onyx_4" {
  command = plan

  module {
    source = "./modules/tenant"
  }

  variables {
    major                = 4
    images               = { backend = "onyxdotapp/onyx-backend:v4.6.1", web = "onyxdotapp/onyx-web-server:v4.6.1", nginx = "nginx:1.27.5-alpine" }
    allow                = { load_balancer = "sg-1", postgres = "sg-2", redis = "sg-3", opensearch = "sg-5" }
    vespa                = null
    opensearch           = { host = "10.0.0.5", secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:o" }
    user_auth_secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:u"
  }

  assert {
    condition = { for name, value in local.backend_environment : name => value if startswith(name, "VESPA_") || startswith(name, "OPENSEARCH_") } == {
      OPENSEARCH_HOST           = "10.0.0.5"
      OPENSEARCH_REST_API_PORT  = "9200"
      OPENSEARCH_ADMIN_USERNAME = "admin"
      OPENSEARCH_USE_SSL        = "true"
      OPENSEARCH_VERIFY_CERTS   = "false"
    }
    error_message = "Onyx 4 knows OpenSearch alone."
  }

  assert {
    condition = local.backend_secrets == {
      POSTGRES_USER             = "arn:aws:secretsmanager:us-west-2:123456789012:secret:a:username::"
      POSTGRES_PASSWORD         = "arn:aws:secretsmanager:us-west-2:123456789012:secret:a:password::"
      REDIS_PASSWORD            = "arn:aws:secretsmanager:us-west-2:123456789012:secret:r"
      OPENSEARCH_ADMIN_PASSWORD = "arn:aws:secretsmanager:us-west-2:123456789012:secret:o:password::"
      USER_AUTH_SECRET          = "arn:aws:secretsmanager:us-west-2:123456789012:secret:u"
    }
    error_message = "Secrets come from Secrets Manager."
  }

  assert {
    condition     = toset(jsondecode(aws_iam_role_policy.secrets.policy).Statement[0].Resource) == toset([for name in ["a", "r", "o", "u"] : "arn:aws:secretsmanager:us-west-2:123456789012:secret:${name}"])
    error_message = "A task is given its own secrets, never the admin's."
  }

  assert {
    condition     = { for container in local.containers : container.name => container.memory } == { api = 2048, web = 512, nginx = 128 }
    error_message = "What Onyx 3 and 4 need."
  }

  assert {
    condition     = [for one in jsondecode(aws_ecs_task_definition.worker["background"].container_definitions) : [one.name, one.memory]] == [["background", 8192]] && aws_ecs_task_definition.worker["background"].memory == "8192"
    error_message = "background is in a task of its own."
  }

  assert {
    condition     = aws_ecs_service.worker["background"].name == "customer-a-prod-background" && length(aws_ecs_service.worker["background"].load_balancer) == 0
    error_message = "Nothing leads to background."
  }

  assert {
    condition     = { for name, rule in aws_vpc_security_group_ingress_rule.from_tasks : name => "${rule.security_group_id}:${rule.from_port}" } == { postgres = "sg-2:5432", redis = "sg-3:6379", opensearch = "sg-5:9200" }
    error_message = "Tasks reach PostgreSQL, Redis and OpenSearch."
  }
}

run "onyx_lite" {
  command = plan

  module {
    source = "./modules/tenant"
  }

  variables {
    major                = 4
    images               = { backend = "onyxdotapp/onyx-backend:v4.6.1", web = "onyxdotapp/onyx-web-server:v4.6.1", nginx = "nginx:1.27.5-alpine" }
    allow                = { load_balancer = "sg-1", postgres = "sg-2", redis = "sg-3" }
    vespa                = null
    user_auth_secret_arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:u"
  }

  assert {
    condition     = [for container in local.containers : container.name] == ["api", "web", "nginx"] && length(aws_ecs_service.worker) == 0
    error_message = "Without an index nothing works in the background."
  }

  assert {
    condition     = local.backend_environment.DISABLE_VECTOR_DB == "true" && local.backend_environment.FILE_STORE_BACKEND == "postgres" && !contains(keys(local.backend_environment), "REDIS_HOST") && !contains(keys(local.backend_environment), "S3_FILE_STORE_BUCKET_NAME")
    error_message = "PostgreSQL alone."
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.from_tasks) == ["postgres"]
    error_message = "Tasks reach PostgreSQL alone."
  }
}
