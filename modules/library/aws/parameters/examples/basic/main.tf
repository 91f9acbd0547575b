provider "aws" {
  region = "eu-central-1"
}

variable "database_password" {
  description = "The password that is written once."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
}

module "parameters" {
  source = "../../"

  project     = "shop"
  environment = "dev"

  settings      = { "web/colour" = "green" }
  secrets       = { "database/password" = 1 }
  secret_values = { "database/password" = var.database_password }
}

output "names" {
  description = "The names of the parameters."
  value       = module.parameters.names
}
