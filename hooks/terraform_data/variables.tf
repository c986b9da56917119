variable "contract" {
  description = "The stack's `orchestrator` output, schema 1. Names and ARNs only."
  type        = any
}

variable "command" {
  description = "How to call the orchestrator: a command line for /bin/sh (`python -m orchestrator` works too)."
  type        = string
  default     = "orchestrate"
}

variable "arguments" {
  description = "Additional arguments of `orchestrate run`, each passed as is (`[\"--tenant\", \"customer-a\"]`)."
  type        = list(string)
  default     = []
}

variable "environment" {
  description = "Additional environment variables, but no secrets: Terraform would hide the run's output. The process inherits its parent's."
  type        = map(string)
  default     = {}
}

variable "triggers" {
  description = "Additional reasons to run again, besides changes of load balancer, database, runner and tenants."
  type        = map(string)
  default     = {}
}
