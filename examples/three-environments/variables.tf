variable "environment" {
  description = "The environment's name, which begins the host's"
  type        = string

  validation {
    condition     = contains(["dev", "stg", "prd"], var.environment)
    error_message = "The environment is dev, stg or prd."
  }
}

variable "title" {
  description = "What the site is called"
  type        = string
}

variable "pages" {
  description = "The pages beside the first: their text by their name"
  type        = map(string)
  default     = {}
}

variable "replicas" {
  description = "How many servers deliver the site"
  type        = number
  default     = 1

  validation {
    condition     = var.replicas >= 1 && floor(var.replicas) == var.replicas
    error_message = "The number of replicas is a whole number from 1."
  }
}

variable "generation" {
  description = "Raise it to give the host a new name"
  type        = number
  default     = 1
}

variable "token_days" {
  description = "How many days a token of the status page lives"
  type        = number
  default     = 30
}
