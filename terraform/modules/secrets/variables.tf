variable "name" {
  description = "The stack's name: the first part of every secret's name."
  type        = string
}

variable "logins" {
  description = "Secrets of the form {username, password}: key → user name."
  type        = map(string)
}

variable "tokens" {
  description = "Secrets that are one plain string."
  type        = set(string)
}

variable "strict" {
  description = "Keys of logins whose password must contain every kind of character."
  type        = set(string)
  default     = []
}

variable "recovery_days" {
  type = number

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "recovery_days: 0, or 7 to 30."
  }
}
