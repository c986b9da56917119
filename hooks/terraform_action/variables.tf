variable "contract" {
  description = "The stack's `orchestrator` output, schema 1. Names and ARNs only."
  type        = any
}

variable "command" {
  description = "How to call the orchestrator: the program and its first arguments (`[\"python\", \"-m\", \"orchestrator\"]` works too), each passed as is."
  type        = list(string)
  default     = ["orchestrate"]

  validation {
    condition     = length(var.command) > 0
    error_message = "Name a program."
  }
}

variable "arguments" {
  description = "Additional arguments of `orchestrate run` (`[\"--tenant\", \"customer-a\"]`)."
  type        = list(string)
  default     = []
}

variable "triggers" {
  description = "Additional reasons to run again, besides changes of load balancer, database, runner and tenants."
  type        = map(string)
  default     = {}
}
