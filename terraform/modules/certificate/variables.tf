variable "hostnames" {
  type = list(string)
}

variable "wait" {
  type = bool
}

# null: somebody else publishes the validation records.
variable "publish" {
  type = object({
    command    = string
    region     = string
    account_id = string
    dns = object({
      provider = string
      zone     = string
      ttl      = number
    })
    names = map(object({ # hostnames whose DNS is elsewhere
      provider = string
      zone     = string
      ttl      = number
    }))
  })
  default = null
}
