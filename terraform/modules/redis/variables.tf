variable "name" {
  type = string
}

variable "node_type" {
  type = string
}

variable "parameter_group" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "security_group_id" {
  type = string
}
