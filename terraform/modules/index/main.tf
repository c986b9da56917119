data "aws_ssm_parameter" "image" {
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

locals {
  title = { vespa = "Vespa", opensearch = "OpenSearch" }[var.kind]
}

# The tenant whose index this is defines the access (modules/tenant): Vespa itself requires no password.
resource "aws_security_group" "this" {
  name        = var.role_name
  description = "${local.title}: the tenant's tasks come in"
  vpc_id      = var.vpc_id

  tags = { Name = var.role_name }
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.this.id
  description       = "Packages, images, AWS and the database"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_ingress_rule" "postgres" {
  count = var.runner ? 1 : 0

  security_group_id            = var.postgres_group_id
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

# Only a client inside the network can tell whether Redis accepts the token in its secret.
resource "aws_vpc_security_group_ingress_rule" "redis" {
  count = var.runner ? 1 : 0

  security_group_id            = var.redis_group_id
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# The index lives on a volume of its own and outlasts its instance.
resource "aws_ebs_volume" "index" {
  availability_zone = var.subnet.zone
  size              = var.volume_gb
  type              = "gp3"
  encrypted         = true
  snapshot_id       = var.snapshot

  tags = { Name = "${var.name}-index" }

  lifecycle {
    # The snapshot matters only at creation: naming another one, or none, must never replace an existing volume.
    ignore_changes = [snapshot_id]
  }
}

resource "aws_instance" "this" {
  ami                    = data.aws_ssm_parameter.image.insecure_value
  instance_type          = var.instance_type
  subnet_id              = var.subnet.id
  vpc_security_group_ids = [aws_security_group.this.id]
  iam_instance_profile   = aws_iam_instance_profile.this.name

  # user_data runs at first boot only: a changed one means a new instance, with the same index.
  user_data_replace_on_change = true
  user_data = templatefile("${path.module}/${var.kind}.sh.tftpl", {
    image  = var.image
    volume = replace(aws_ebs_volume.index.id, "-", "")
    secret = coalesce(var.secret_arn, "none")
    region = var.secret_arn == null ? "none" : split(":", var.secret_arn)[3]
    heap   = var.heap_gb
  })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required" # IMDSv2
    http_put_response_hop_limit = 1          # the container needs no AWS credentials
  }

  root_block_device {
    volume_size = 30 # the image and its logs
    volume_type = "gp3"
    encrypted   = true
  }

  tags = { Name = var.name }

  lifecycle {
    ignore_changes = [ami] # a new Amazon Linux release is no reason to replace a search index's host
  }

  depends_on = [aws_iam_role_policy_attachment.ssm, aws_iam_role_policy.secrets, aws_vpc_security_group_egress_rule.all]
}

resource "aws_volume_attachment" "index" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.index.id
  instance_id = aws_instance.this.id

  stop_instance_before_detaching = true # it is mounted: detaching from a running instance would hang
}
