variable "contract" {
  description = "The stack's `orchestrator` output, schema 1. Names and ARNs only. What it refers to is destroyed after the backup; name the rest in the module's `depends_on`."
  type        = any
}

variable "command" {
  description = "How to call the orchestrator: a command line for /bin/sh (`python -m orchestrator` works too)."
  type        = string
  default     = "orchestrate"
}

variable "arguments" {
  description = "Additional arguments of `orchestrate backup`, each passed as is (`[\"--dump\"]`)."
  type        = list(string)
  default     = ["--stop-services"]
}

variable "environment" {
  description = "Additional environment variables, but no secrets: they are kept in the state. The process inherits its parent's."
  type        = map(string)
  default     = {}
}
