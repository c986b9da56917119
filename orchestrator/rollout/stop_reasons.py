"""What ECS says of a task that it stopped or could not start: stopped reasons, container reasons and stop codes.

Source: ECS developer guide, "Stopped tasks error messages" and "CannotPullContainer task errors".
"""

from __future__ import annotations

from orchestrator.rollout.causes import RepairedBy
from orchestrator.rollout.log_rules.rule import LogRule

FIRST = (
    LogRule(
        r"toomanyrequests|429 Too Many Requests|pull rate limit",
        "registry-rate-limited",
        "the registry's rate limit was reached",
        "sign in to the registry (repositoryCredentials in the container definition), or use an ECR pull-through cache",
        RepairedBy.TIME,
    ),
    LogRule(
        r"no matching manifest for|does not contain descriptor matching platform|no match for platform in manifest",
        "image-other-architecture",
        "the image is built for another processor than the task's",
        "build it for linux/amd64 (docker buildx --platform), or set runtimePlatform.cpuArchitecture = ARM64",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"CannotPull\w*:.*no space left on device",
        "disk-full",
        "the task's own disk is too small for its images",
        "give the task definition more ephemeralStorage (Fargate: 20 GiB unless it says more, up to 200; EC2: a larger "
        "volume for the instance)",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"failed to invoke EFS utils commands|mount\.nfs4?:|failed to mount .*(efs|EFS)",
        "volume-mount-failed",
        "ECS could not mount the task's EFS volume",
        "check the file system's mount targets (one in each of the tasks' availability zones), that their security "
        "group admits the tasks' group on 2049, the root directory, and elasticfilesystem:ClientMount in the task role",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"unable to assume the role",
        "role-not-assumable",
        "ECS may not assume a role of the task definition",
        "let ecs-tasks.amazonaws.com assume it: sts:AssumeRole in its trust policy (if the role is new, register the "
        "task definition again)",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"connection issue between the task and|i/o timeout|context deadline exceeded|lookup \S+ on \S+: no such host",
        "network-unreachable",
        "the task did not reach what it needs to start (registry, Secrets Manager or CloudWatch Logs)",
        "give its subnets a default route (NAT gateway) or VPC endpoints with private DNS, and let its security group "
        "out on 443",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"not authorized to perform: ecr:|CannotPull\w*: .*(pull access denied|403 Forbidden|no basic auth credentials"
        r"|Check that the role has the permissions)",
        "image-pull-denied",
        "the registry denies the image to the task's execution role",
        "attach AmazonECSTaskExecutionRolePolicy to it, or give repositoryCredentials; check the repository's name and "
        "its policy",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"ResourceInitializationError.*(Access to KMS is not allowed|kms:Decrypt|KMS\.AccessDenied)",
        "kms-denied",
        "the execution role may not decrypt a secret of the task definition",
        "allow kms:Decrypt on the secret's key in the execution role's policy, and the role in the key's policy",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"ResourceInitializationError.*(DecryptionFailure|can't decrypt the protected secret|DisabledException"
        r"|KMSInvalidState|is pending deletion|:key/\S+ is disabled)",
        "kms-key-unusable",
        "the KMS key of a secret in the task definition is disabled, or scheduled for deletion",
        "enable that key again (aws kms enable-key; before that, where it is to be deleted, aws kms "
        "cancel-key-deletion): `orchestrate doctor` names the secret",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"failed to download env files",
        "environment-file-unreadable",
        "ECS could not read an environmentFiles object of the task definition",
        "check that the object exists, that the execution role may read it (s3:GetObject, s3:GetBucketLocation), and "
        "the task's route to S3",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"(log group|[Ll]ogger|logging driver|log stream).*(does not exist|ResourceNotFound|cannot find)"
        r"|(ResourceNotFound|cannot find).*log group",
        "log-group-missing",
        "the log group of the task definition does not exist",
        "create the log group that awslogs-group names, in the region that awslogs-region names",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"([Ll]og stream|[Ll]ogger|logging driver).*(AccessDenied|not authorized)|not authorized to perform: logs:",
        "log-group-denied",
        "the execution role may not write to the log group of the task definition",
        "allow logs:CreateLogStream and logs:PutLogEvents (logs:CreateLogGroup where awslogs-create-group is true)",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"InsufficientFreeAddressesInSubnet",
        "subnet-full",
        "the subnet had no free address for the task",
        "give the service a larger subnet, or one more; to see what uses the addresses: `aws ec2 "
        "describe-network-interfaces`",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"error while attempting to (C|c)reate (N|n)etwork (I|i)nterface",
        "network-interface-refused",
        "EC2 refused the task's network interface",
        "check the service's subnets and security groups (do they exist, in one VPC?) and the account's quotas",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"[Rr]eached the limit on the number of (vCPUs|tasks)|vCPU-based quota",
        "quota-reached",
        "the account may run no more tasks of this kind at the same time",
        "ask for a higher quota (aws service-quotas list-service-quotas --service-code fargate), or stop other tasks",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"RESOURCE:(CPU|MEMORY)|[Cc]apacity is unavailable",
        "no-capacity",
        "there was no capacity to place the task",
        "add capacity, or make the task smaller",
        RepairedBy.TIME,
    ),
    LogRule(
        r"Timeout waiting for \S.* provisioning to complete",
        "provisioning-slow",
        "AWS did not provide the task's network interface or storage in time",
        "none needed: ECS starts another task; if it continues, see AWS Health for the region",
        RepairedBy.TIME,
    ),
    LogRule(
        r"(ContainerRuntime|Docker)TimeoutError",
        "container-start-slow",
        "the container did not start in time",
        "on EC2, look at the instance's load and disk; on Fargate, make the image smaller or the task larger",
        RepairedBy.TIME,
    ),
    LogRule(
        r"failed ELB health checks|is unhealthy in \(target-group",
        "target-unhealthy",
        "the load balancer's health check failed and ECS stopped the task",
        "check the health path and port, the grace period (600 s or more) and the application's log",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"container health checks",
        "container-unhealthy",
        "a container's own health check failed and ECS stopped the task",
        "check its healthCheck: the command's port and path, whether its program is in the image, the startPeriod",
        RepairedBy.TASK_DEFINITION,
    ),
    LogRule(
        r"[Ss]pot (interruption|[Tt]ask was interrupted)|^SpotInterruption$",
        "spot-interruption",
        "AWS reclaimed the Spot capacity",
        "none needed: ECS starts another task; to see fewer of these, give FARGATE a base in the strategy",
        RepairedBy.TIME,
    ),
    LogRule(
        r"performing maintenance on the underlying|Host EC2 .*(terminated|stopped)|^TerminationNotice$",
        "host-taken-away",
        "AWS retired the task's host",
        "none needed: ECS starts another task elsewhere",
        RepairedBy.TIME,
    ),
)
"""Each names one thing that went wrong; the most telling first."""
LAST = (
    LogRule(
        r"CannotPullContainerError|CannotPullImage|CannotPullECRContainerError",
        "image-pull-failed",
        "the container image could not be pulled",
        "check that the tag exists and that the task can reach the registry (NAT, rate limit, permissions)",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"ResourceInitializationError.*(secret|ssm|Secrets)",
        "secret-unreadable",
        "ECS could not read a secret of the task definition",
        "check that the secret has a value and that the execution role may read it",
        RepairedBy.OUTSIDE,
    ),
    LogRule(
        r"ResourceInitializationError",
        "task-resources-failed",
        "ECS could not prepare the task (network, log group, volumes)",
        "check the log group, the execution role and the subnets' default route",
        RepairedBy.OUTSIDE,
    ),
)
"""What kind of thing went wrong, where nothing more is said."""
EXITS = {
    126: LogRule(
        "",
        "command-not-executable",
        "the command of the container may not be executed",
        "make the file executable in the image (chmod +x), and check its interpreter and the container's user",
        RepairedBy.TASK_DEFINITION,
    ),
    127: LogRule(
        "",
        "command-missing",
        "the command of the container is not in its image",
        "check command and entryPoint in the container definition; a script needs Unix line endings and its "
        "interpreter",
        RepairedBy.TASK_DEFINITION,
    ),
    132: LogRule(
        "",
        "processor-too-old",
        "the program uses instructions that this processor lacks",
        "use a newer instance type, or an image that is built for older processors",
        RepairedBy.OUTSIDE,
    ),
}
"""What a shell's and the kernel's exit codes mean, where no log line is understood."""
