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

variable "background" {
  description = "Size of the task of background, where that is a service of its own: from Onyx 3 on."
  type        = object({ cpu = number, memory = number })
  default     = { cpu = 2048, memory = 8192 }
}

variable "extra" {
  description = "More environment variables for api and background."
  type        = map(string)
}

variable "major" {
  description = "Major version of Onyx: 2, 3 or 4."
  type        = number
  default     = 2
}

variable "container_memory" {
  description = <<-EOT
    Hard limit and reservation (MB) of each container; null: what the version needs. Onyx 2: the guide's three add up to
    2048, and nginx comes on top. From Onyx 3 on an idle api has 1.1 GB, and background, eight workers, a scheduler and
    two bots, is in a task of its own.
  EOT
  type        = map(object({ limit = number, reservation = number }))
  default     = null

  validation {
    condition     = var.container_memory == null || try(sum([for name, container in var.container_memory : container.limit if name != "background" || var.major == 2]), 0) <= var.memory
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
  description = "Security groups that requests come from, and those that the tasks must reach."
  type        = object({ load_balancer = string, postgres = string, redis = string, vespa = optional(string), opensearch = optional(string) })
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
  description = "The tenant's Vespa; null: it has none."
  type        = object({ host = string })
  default     = null
}

variable "opensearch" {
  description = "The tenant's OpenSearch; null: it has none. Without either, it is Onyx Lite, which needs only PostgreSQL."
  type        = object({ host = string, secret_arn = string })
  default     = null
}

variable "user_auth_secret_arn" {
  description = "Secret with which Onyx 3 and 4 sign sessions and reset links; null: Onyx 2 doesn't need one."
  type        = string
  default     = null
}

variable "bucket" {
  type = object({ name = string, arn = string })
}

variable "log_prefix" {
  type    = string
  default = "/ecs"
}
