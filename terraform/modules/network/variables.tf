variable "name" {
  type = string
}

variable "cidr" {
  type = string
}

variable "region" {
  type = string
}

variable "nat_gateway" {
  type = bool
}
