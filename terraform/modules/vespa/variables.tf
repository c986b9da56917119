variable "name" {
  description = "The instance's Name tag."
  type        = string
}

variable "role_name" {
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

variable "volume_gb" {
  type = number
}

variable "snapshot" {
  description = "What a new index volume is made from; null: an empty one."
  type        = string
  default     = null
}

variable "image" {
  type = string
}

variable "runner" {
  description = "Whether SSM commands of the orchestrator run here."
  type        = bool
}

variable "secret_arns" {
  description = "What the runner may read."
  type        = list(string)
}

variable "postgres_group_id" {
  type = string
}

variable "redis_group_id" {
  type = string
}
