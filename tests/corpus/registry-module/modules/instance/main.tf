variable "image" { type = string }
variable "subnet_id" { type = string }
variable "group_id" { type = string }
variable "profile" { type = string }

resource "aws_instance" "this" {
  count = 1

  ami                    = var.image
  instance_type          = "t3.large"
  subnet_id              = var.subnet_id
  vpc_security_group_ids = [var.group_id]
  iam_instance_profile   = var.profile
}

output "private_ip" { value = aws_instance.this[0].private_ip }
