variable "name" {
  description = "The name of the pipeline. All that it is made of has a name that begins with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,40}$", var.name))
    error_message = "The name must begin with a letter and hold 2 to 41 lower-case letters, digits and dashes."
  }
}

variable "code" {
  description = "What the function runs: an image (`image_uri`), an archive here (`filename`), or one in a bucket (`s3_bucket`, `s3_key`). Archives need a `handler` and a `runtime`. Null makes all but the function, for the time before the first build."
  type = object({
    image_uri         = optional(string)
    filename          = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
    handler           = optional(string)
    runtime           = optional(string)
  })
  default = null

  validation {
    condition     = var.code == null ? true : (var.code.filename != null || var.code.s3_bucket != null) == (var.code.handler != null && var.code.runtime != null)
    error_message = "Archives need a handler and a runtime, and images have their own."
  }

  validation {
    condition     = var.code == null ? true : !(var.code.filename != null && var.code.s3_bucket != null) && (var.code.s3_bucket == null) == (var.code.s3_key == null)
    error_message = "The code comes from one place: a file, or a key in a bucket."
  }
}

variable "memory_size" {
  description = "How many megabytes of memory the function has."
  type        = number
  default     = 256
  nullable    = false

  validation {
    condition     = var.memory_size >= 128 && var.memory_size <= 10240
    error_message = "A function has 128 to 10240 MB."
  }
}

variable "timeout" {
  description = "After how many seconds the function is ended."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.timeout >= 1 && var.timeout <= 900
    error_message = "A function runs for 1 to 900 seconds."
  }
}

variable "concurrency" {
  description = "How many of the function run at most at the same time; -1 for as many as the account allows."
  type        = number
  default     = -1
  nullable    = false

  validation {
    condition     = var.concurrency >= -1
    error_message = "The least is 0, by which nothing runs; -1 is without a limit."
  }
}

variable "variables" {
  description = "Variables of the function's environment, beside `TABLE`, `QUEUE_URL` and `BACKUPS`, which name what is made here."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "parameters_arn" {
  description = "The parameters of SSM that the function may read, such as the `arn` of the module `parameters`."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "The policy that bounds what the function's role may do, as the module `bootstrap` makes one for each environment."
  type        = string
  default     = null
}

variable "insights_layer_arn" {
  description = "The layer of Lambda Insights of this region, by which the memory that is used is measured. An image brings the extension itself."
  type        = string
  default     = null
}

variable "schedule" {
  description = "When the function is called, as `rate(1 hour)` or `cron(0 3 * * ? *)`."
  type        = string
  default     = null

  validation {
    condition     = var.schedule == null || can(regex("^(rate|cron)\\(.+\\)$", var.schedule))
    error_message = "A schedule is rate(...) or cron(...)."
  }
}

variable "event_pattern" {
  description = "Which events of the account's bus the function is called with."
  type        = any
  default     = null
}

variable "table" {
  description = "The table: its keys, the type of each attribute that is a key (`S`, `N` or `B`), its indices by name, and the attribute that says when an item goes. An index has all attributes unless it names some."
  type = object({
    hash_key   = string
    range_key  = optional(string)
    attributes = map(string)
    ttl        = optional(string)
    indices = optional(map(object({
      hash_key   = string
      range_key  = optional(string)
      attributes = optional(set(string))
    })), {})
  })
  nullable = false

  validation {
    condition     = alltrue([for type in values(var.table.attributes) : contains(["S", "N", "B"], type)])
    error_message = "The type of an attribute is S, N or B."
  }

  validation {
    condition = toset(keys(var.table.attributes)) == toset(compact(concat(
      [var.table.hash_key, var.table.range_key],
      flatten([for index in values(var.table.indices) : [index.hash_key, index.range_key]]),
    )))
    error_message = "The attributes are those that are keys of the table or of an index, all of them and no others."
  }
}

variable "attempts" {
  description = "How often a message is tried before it goes to the dead letters."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.attempts >= 1 && var.attempts <= 1000
    error_message = "A message is tried 1 to 1000 times."
  }
}

variable "batch_size" {
  description = "How many messages the function is given at most at once."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10
    error_message = "The function is given 1 to 10 messages at once."
  }
}

variable "log_retention_days" {
  description = "For how many days logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "Logs are kept for one of the numbers of days that CloudWatch has, such as 7, 30, 90 or 365."
  }
}

variable "backup_days" {
  description = "For how many days overwritten and deleted backups can be had back, and to which second of the last 35 days, or of as many, the table can be restored."
  type        = number
  default     = 35
  nullable    = false

  validation {
    condition     = var.backup_days >= 1
    error_message = "Backups are kept for at least one day."
  }
}

variable "alarm_actions" {
  description = "Who is told of an alarm and of its end, such as the ARN of a topic of SNS."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "alarm_memory_percent" {
  description = "From which use of its memory on, in percent, the function raises an alarm."
  type        = number
  default     = 85
  nullable    = false

  validation {
    condition     = var.alarm_memory_percent > 0 && var.alarm_memory_percent <= 100
    error_message = "The use of memory is above 0 and at most 100 percent."
  }
}

variable "alarm_runtime_percent" {
  description = "From which part of its timeout on, in percent, the function raises an alarm."
  type        = number
  default     = 80
  nullable    = false

  validation {
    condition     = var.alarm_runtime_percent > 0 && var.alarm_runtime_percent <= 100
    error_message = "The part of the timeout is above 0 and at most 100 percent."
  }
}

variable "destroy_data" {
  description = "Whether destroying the pipeline may destroy its items and backups."
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
