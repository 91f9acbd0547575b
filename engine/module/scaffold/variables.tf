variable "name" {
  description = "The name of what the module makes."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,30}$", var.name))
    error_message = "The name must begin with a letter and hold at most 31 lower-case letters, digits and dashes."
  }
}

variable "labels" {
  description = "Labels that everything carries which can carry some."
  type        = map(string)
  default     = {}
  nullable    = false
}
