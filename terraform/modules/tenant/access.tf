data "aws_partition" "this" {}

locals {
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

locals {
  readable = concat(
    [var.postgres.secret_arn],
    local.lite ? [] : [var.redis.secret_arn],
    var.opensearch == null ? [] : [var.opensearch.secret_arn],
    var.major == 2 ? [] : [var.user_auth_secret_arn],
  )
}

# What ECS does before the containers run: pull, log, and fetch this tenant's secrets only.
resource "aws_iam_role" "execution" {
  name               = "${local.role}-execution"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role_policy" "secrets" {
  name = "read-tenant-secrets"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = local.readable
    }]
  })
}

# What Onyx itself does: its own files.
resource "aws_iam_role" "task" {
  name               = "${local.role}-task"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "bucket" {
  name = "own-files"
  role = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = "${var.bucket.arn}/${local.prefix}/*"
      },
      {
        # IfExists: Onyx looks at the bucket itself when it starts (HeadBucket, which is s3:ListBucket without a prefix).
        # A listing without a prefix shows other tenants' keys, which are random identifiers, and never their content.
        Effect    = "Allow"
        Action    = "s3:ListBucket"
        Resource  = var.bucket.arn
        Condition = { StringLikeIfExists = { "s3:prefix" = "${local.prefix}/*" } }
      },
    ]
  })
}
