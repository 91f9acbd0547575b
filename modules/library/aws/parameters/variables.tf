variable "project" {
  description = "What the project is called."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.project))
    error_message = "The name of the project must begin with a letter and hold lower-case letters, digits and dashes."
  }
}

variable "environment" {
  description = "The environment whose parameters these are."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*$", var.environment))
    error_message = "The name of an environment must begin with a letter and hold lower-case letters and digits."
  }
}

variable "settings" {
  description = "What is no secret, by name. It is in the state, and in plans for everybody to read."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", name))])
    error_message = "The name of a parameter holds letters, digits, dots, dashes and underscores, in parts with slashes between them."
  }
}

variable "secrets" {
  description = "Secrets that are written here, by name, with their version: their value is written when the version changes."
  type        = map(number)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.secrets) : can(regex("^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", name))])
    error_message = "The name of a parameter holds letters, digits, dots, dashes and underscores, in parts with slashes between them."
  }

  validation {
    condition     = alltrue([for version in values(var.secrets) : version >= 1 && floor(version) == version])
    error_message = "The versions of secrets are whole numbers from 1."
  }
}

variable "secret_values" {
  description = "The values of secrets whose version changes, by name. They are in no plan and no state; those of other secrets can be left out."
  type        = map(string)
  default     = {}
  nullable    = false
  ephemeral   = true
  sensitive   = true
}

variable "existing_secrets" {
  description = "Names of secrets that somebody else writes, by hand or by another program, and that are only read here."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "key_arn" {
  description = "The KMS key by which secrets are encrypted. Without it the account's own for parameters is used."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags that everything carries."
  type        = map(string)
  default     = {}
  nullable    = false
}
