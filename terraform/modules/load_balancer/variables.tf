variable "name" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "security_group_id" {
  type = string
}

variable "certificate_arn" {
  type = string
}

# By any name: certificates beside that one, of ten names each.
variable "further" {
  type    = map(string)
  default = {}
}

variable "deletion_protection" {
  type = bool
}
