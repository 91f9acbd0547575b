variable "directory" {
  description = "Where the files go"
  type        = string
}

variable "title" {
  description = "What the site is called"
  type        = string
}

variable "host" {
  description = "The name under which it is delivered"
  type        = string
}

variable "token" {
  description = "The token of the status page"
  type        = string
  sensitive   = true
}

variable "pages" {
  description = "The pages beside the first: their text by their name"
  type        = map(string)
}

variable "replicas" {
  description = "How many servers deliver it"
  type        = number
}
