variable "bucket" {
  type = string
}

variable "force_destroy" {
  type = bool
}
