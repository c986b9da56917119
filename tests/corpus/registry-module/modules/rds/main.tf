variable "identifier" { type = string }
variable "username" { type = string }
variable "group_id" { type = string }

module "db_instance" {
  source     = "./db_instance"
  identifier = var.identifier
  username   = var.username
  group_id   = var.group_id
}

output "db_instance_address" { value = module.db_instance.this.address }
output "db_instance_endpoint" { value = module.db_instance.this.endpoint }
output "db_instance_master_user_secret_arn" { value = module.db_instance.this.master_user_secret[0].secret_arn }
