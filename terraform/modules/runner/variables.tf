variable "name" {
  type = string
}

variable "vpc_id" {
  type = string
}

variable "subnet" {
  type = object({ id = string, zone = string })
}

variable "instance_type" {
  type = string
}

variable "secret_arns" {
  description = "Secrets that the runner may read."
  type        = list(string)
}

variable "postgres_group_id" {
  type = string
}

variable "redis_group_id" {
  type = string
}
