variable "project" {
  description = "What the project is called."
  type        = string
  default     = "shop"
}

variable "environment" {
  description = "The environment."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
  default     = "eu-central-1"
}

variable "permissions_boundary" {
  description = "The policy that bounds what roles made here may do, as the bootstrap made it for the environment."
  type        = string
  default     = null
}

variable "parameter_root" {
  description = "What the names of the environment's parameters begin with, as the bootstrap made it."
  type        = string
  default     = null
}

variable "image_tag" {
  description = "The commit whose image is to run. `hooks/post-build.sh` says it after each build."
  type        = string
  default     = null
}

variable "site_served_by" {
  description = "Who serves the site: cloudfront or lambda."
  type        = string
  default     = "cloudfront"
}

variable "schedule" {
  description = "When open orders are looked at."
  type        = string
  default     = "rate(1 hour)"
}

variable "colour" {
  description = "The colour of the site, a parameter that programs read."
  type        = string
  default     = "green"
}

variable "log_retention_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30
}
