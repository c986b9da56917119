variable "cluster_name" { type = string }
variable "subnet_ids" { type = list(string) }
variable "role_arn" { type = string }
variable "services" { type = any }

module "cluster" {
  source = "./cluster"
  name   = var.cluster_name
}

module "service" {
  source   = "./service"
  for_each = var.services

  name       = each.key
  cluster    = module.cluster.arn
  subnet_ids = var.subnet_ids
  role_arn   = var.role_arn
  service    = each.value
}
