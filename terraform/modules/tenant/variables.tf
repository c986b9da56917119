variable "name" {
  type = string
}

variable "stack" {
  type = string
}

variable "environment" {
  type = string
}

variable "region" {
  type = string
}

variable "cluster_arn" {
  type = string
}

variable "hostname" {
  type = string
}

variable "cpu" {
  type = number
}

variable "memory" {
  type = number
}

variable "extra" {
  description = "More environment variables for api and background."
  type        = map(string)
}

variable "container_memory" {
  description = "Hard limit and reservation (MB) of each container. The guide's three add up to 2048; nginx comes on top."
  type        = map(object({ limit = number, reservation = number }))
  default = {
    api        = { limit = 768, reservation = 512 }
    background = { limit = 768, reservation = 512 }
    web        = { limit = 512, reservation = 256 }
    nginx      = { limit = 128, reservation = 64 }
  }

  validation {
    condition     = sum([for container in var.container_memory : container.limit]) <= var.memory
    error_message = "container_memory: the limits add up to more than the task's memory."
  }
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "public_address" {
  type = bool
}

variable "allow" {
  description = "Security groups: where requests come from, and what the tasks must reach."
  type        = object({ load_balancer = string, postgres = string, redis = string, vespa = string })
}

variable "listener_arn" {
  type = string
}

variable "listener_priority" {
  type = number
}

variable "images" {
  type = object({ backend = string, web = string, nginx = string })
}

variable "postgres" {
  type = object({ host = string, port = number, database = string, secret_arn = string })
}

variable "redis" {
  type = object({ host = string, port = number, secret_arn = string, first_database = number })
}

variable "vespa" {
  type = object({ host = string })
}

variable "bucket" {
  type = object({ name = string, arn = string })
}

variable "log_prefix" {
  type    = string
  default = "/ecs"
}
