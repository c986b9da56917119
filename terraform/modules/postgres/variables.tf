variable "name" {
  type = string
}

variable "engine_version" {
  type = string
}

variable "instance_class" {
  type = string
}

variable "storage_gb" {
  type = number
}

variable "multi_az" {
  type = bool
}

variable "subnet_ids" {
  type = list(string)
}

variable "security_group_id" {
  type = string
}

variable "admin_user" {
  type = string
}

variable "admin_secret_id" {
  type = string
}

variable "snapshot" {
  type = string
}

variable "final_snapshot" {
  type = bool
}

variable "deletion_protection" {
  type = bool
}
