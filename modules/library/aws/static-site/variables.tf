variable "name" {
  description = "The name of the site. All that it is made of has a name that begins with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "The name must begin with a letter and hold 2 to 41 lower-case letters, digits and dashes."
  }
}

variable "served_by" {
  description = "Who serves the site: `cloudfront`, to everybody, or `lambda`, to those whom `invoker` lets in."
  type        = string
  default     = "cloudfront"
  nullable    = false

  validation {
    condition     = contains(["cloudfront", "lambda"], var.served_by)
    error_message = "The site is served by \"cloudfront\" or by \"lambda\"."
  }
}

variable "directory" {
  description = "The directory whose files are the site. Without one somebody else puts files into the bucket."
  type        = string
  default     = null
}

variable "index_document" {
  description = "What is shown for a directory."
  type        = string
  default     = "index.html"
  nullable    = false
}

variable "error_document" {
  description = "What is shown instead of what is not there."
  type        = string
  default     = "404.html"
  nullable    = false
}

variable "single_page" {
  description = "Whether paths that are no file are the index document, as programs in the browser want it."
  type        = bool
  default     = false
  nullable    = false
}

variable "domain" {
  description = "The names under which CloudFront serves the site, with their certificate in us-east-1. Without it the site has the name that CloudFront gives it."
  type = object({
    names           = set(string)
    certificate_arn = string
  })
  default = null

  validation {
    condition     = var.domain == null ? true : length(var.domain.names) > 0 && can(regex("^arn:[a-z-]+:acm:us-east-1:[0-9]{12}:certificate/", var.domain.certificate_arn))
    error_message = "A domain has at least one name, and a certificate of ACM in us-east-1."
  }
}

variable "price_class" {
  description = "From where CloudFront serves: `PriceClass_100`, `PriceClass_200` or `PriceClass_All`."
  type        = string
  default     = "PriceClass_100"
  nullable    = false

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "The price class is PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}

variable "wait_for_deployment" {
  description = "Whether an apply waits until CloudFront has carried a change to all places, which takes minutes."
  type        = bool
  default     = false
  nullable    = false
}

variable "invoker" {
  description = "Who may call the function that serves the site: a service, and which of its things, such as a target group of a load balancer."
  type = object({
    principal  = string
    source_arn = string
  })
  default = null
}

variable "permissions_boundary" {
  description = "The policy that bounds what the function's role may do, as the module `bootstrap` makes one for each environment."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "For how many days the function's logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "Logs are kept for one of the numbers of days that CloudWatch has, such as 7, 30, 90 or 365."
  }
}

variable "history_days" {
  description = "For how many days overwritten files can be had back."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.history_days >= 1
    error_message = "Overwritten files are kept for at least one day."
  }
}

variable "destroy_files" {
  description = "Whether destroying the site may destroy files that somebody else has put into its bucket."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags that everything carries."
  type        = map(string)
  default     = {}
  nullable    = false
}
