variable "contract" {
  description = "The stack's `orchestrator` output, schema 1. Names and ARNs only."
  type        = any
}

variable "command" {
  description = "How to call the orchestrator: words for /bin/sh (`python -m orchestrator` will do)."
  type        = string
  default     = "orchestrate"
}

variable "arguments" {
  description = "Further arguments of `orchestrate run`, each passed as it is (`[\"--tenant\", \"customer-a\"]`)."
  type        = list(string)
  default     = []
}

variable "environment" {
  description = "Further environment variables, not secret ones: Terraform would hide the run's output. The process inherits its parent's."
  type        = map(string)
  default     = {}
}

variable "triggers" {
  description = "Further reasons to run again: load balancer, database, runner and tenants are always ones."
  type        = map(string)
  default     = {}
}
