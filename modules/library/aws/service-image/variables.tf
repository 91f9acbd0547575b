variable "name" {
  description = "The name of the repository, such as `shop-dev-worker`. It may have parts with slashes between them."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 256
    error_message = "The name of a repository of images holds lower-case letters, digits, and single dots, dashes, underscores and slashes between them."
  }
}

variable "image_tag" {
  description = "The tag of the image that is to run: the commit that it was built from, or an environment, a dash and the commit. Null as long as there is none."
  type        = string
  default     = null

  validation {
    condition     = var.image_tag == null || can(regex("^([a-z][a-z0-9]{1,9}-)?[0-9a-f]{7,40}$", var.image_tag))
    error_message = "The tag of an image is a commit (7 to 40 hexadecimal digits), perhaps after an environment and a dash, as in prd-4f2a9c1."
  }
}

variable "environments" {
  description = "The environments that images are tagged for, as in `prd-4f2a9c1`. Their images outlive those that are tagged by a commit alone."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "keep_commits" {
  description = "How many images are kept that no environment has been tagged on."
  type        = number
  default     = 50
  nullable    = false

  validation {
    condition     = var.keep_commits >= 1
    error_message = "At least one image must be kept."
  }
}

variable "keep_releases" {
  description = "How many images are kept of each environment, to go back to."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = var.keep_releases >= 1
    error_message = "At least one image of each environment must be kept."
  }
}

variable "keep_untagged_days" {
  description = "After how many days images go that have no tag."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.keep_untagged_days >= 1
    error_message = "Images without a tag are kept for at least one day."
  }
}

variable "pull_accounts" {
  description = "Other accounts that may pull."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for account in var.pull_accounts : can(regex("^[0-9]{12}$", account))])
    error_message = "An account is a number of 12 digits."
  }
}

variable "functions_may_pull" {
  description = "Whether Lambda functions of this account are made from the images."
  type        = bool
  default     = true
  nullable    = false
}

variable "key_arn" {
  description = "The KMS key by which images are encrypted. Without it ECR's own is used."
  type        = string
  default     = null
}

variable "destroy_images" {
  description = "Whether destroying the repository may destroy images."
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
