data "aws_partition" "this" {}

resource "aws_iam_role" "this" {
  name = var.role_name

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "ssm" {
  role       = aws_iam_role.this.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

locals {
  readable = sort(concat(var.runner ? var.secret_arns : [], var.secret_arn == null ? [] : [var.secret_arn]))
}

# Instances fetch passwords themselves: they are never in a command, where the command history would show them. The runner
# needs all of the stack's, OpenSearch its own.
resource "aws_iam_role_policy" "secrets" {
  count = var.runner || var.kind == "opensearch" ? 1 : 0

  name = "read-stack-secrets"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = distinct(local.readable)
      },
      {
        # Many in one call: it gives only those that GetSecretValue is allowed for, and knows no resources of its own.
        Effect   = "Allow"
        Action   = "secretsmanager:BatchGetSecretValue"
        Resource = "*"
      }
    ]
  })
}

resource "aws_iam_instance_profile" "this" {
  name = var.role_name
  role = aws_iam_role.this.name
}
