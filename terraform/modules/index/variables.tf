variable "kind" {
  description = "Kind of search index: `vespa` (Onyx 2 and 3) or `opensearch` (Onyx 3 and 4)."
  type        = string

  validation {
    condition     = contains(["vespa", "opensearch"], var.kind)
    error_message = "kind: vespa or opensearch."
  }
}

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
  description = "Snapshot that a new index volume is created from; null: an empty volume."
  type        = string
  default     = null
}

variable "image" {
  type = string
}

variable "secret_arn" {
  description = "OpenSearch's own login ({username, password}), which its instance reads at its first boot and at every check; null: Vespa has none."
  type        = string
  default     = null
}

variable "heap_gb" {
  description = "OpenSearch's Java heap: half of the instance's memory at most."
  type        = number
  default     = 2
}

variable "runner" {
  description = "Whether the orchestrator's SSM commands run on this instance."
  type        = bool
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
