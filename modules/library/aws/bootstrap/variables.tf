variable "project" {
  description = "What the project is called. Everything that its environments make has a name that begins with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.project))
    error_message = "The name of the project must begin with a letter and hold 3 to 20 lower-case letters, digits and dashes."
  }
}

variable "environments" {
  description = "The environments, in the order in which changes go through them."
  type        = list(string)
  default     = ["dev", "stg", "prd"]
  nullable    = false

  validation {
    condition     = length(var.environments) > 0 && length(distinct(var.environments)) == length(var.environments)
    error_message = "There must be at least one environment, and each must be named once."
  }

  validation {
    condition     = alltrue([for name in var.environments : can(regex("^[a-z][a-z0-9]{1,9}$", name))])
    error_message = "The name of an environment must begin with a letter and hold 2 to 10 lower-case letters and digits."
  }
}

variable "state_bucket" {
  description = "The name of the bucket of states. By default the project's name, `-state-` and the account's number, which no one else has."
  type        = string
  default     = null

  validation {
    condition     = var.state_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "The name of a bucket holds 3 to 63 lower-case letters, digits, dots and dashes."
  }
}

variable "state_history_days" {
  description = "For how many days overwritten states can be had back."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.state_history_days >= 1 && floor(var.state_history_days) == var.state_history_days
    error_message = "Overwritten states must be kept for at least one whole day."
  }
}

variable "lock" {
  description = "Where runs lock a state: `object`, beside it in the bucket, or `table`, in a DynamoDB table, for tools that know no other way."
  type        = string
  default     = "object"
  nullable    = false

  validation {
    condition     = contains(["object", "table"], var.lock)
    error_message = "The lock is kept as an \"object\" or in a \"table\"."
  }
}

variable "github_repository" {
  description = "The repository whose workflows may sign in, as `owner/name`. Without it nobody may but who can already: no roles are made."
  type        = string
  default     = null

  validation {
    condition     = var.github_repository == null || can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "A repository is named by its owner and its name, as in acme/storefront."
  }
}

variable "github_branch" {
  description = "The branch whose workflows may plan, beside those of pull requests."
  type        = string
  default     = "main"
  nullable    = false
}

variable "create_github_provider" {
  description = "Whether the account is to trust GitHub's tokens. An account has this trust once: set it to false where another project has brought it."
  type        = bool
  default     = true
  nullable    = false
}

variable "repositories" {
  description = "Repositories of images that all environments pull from. Each is named after the project, a slash and its own name."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.repositories : can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", name))])
    error_message = "The name of a repository of images holds lower-case letters, digits, and single dots, dashes and underscores between them."
  }
}

variable "apply_policy_arns" {
  description = "Policies that each role for applying has beside its own, for services that this module does not know."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "key_deletion_days" {
  description = "How many days the key of the states can be had back after it was destroyed."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "A key can be had back for 7 to 30 days."
  }
}

variable "destroy_states" {
  description = "Whether destroying this module may destroy states. Leave it at false but for trials."
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
