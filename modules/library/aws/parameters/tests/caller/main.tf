# A module that hands out ephemeral values is called by another one, also in tests.

variable "settings" {
  description = "As the module's."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "As the module's."
  type        = map(number)
  default     = {}
}

variable "existing_secrets" {
  description = "As the module's."
  type        = set(string)
  default     = []
}

module "parameters" {
  source = "../../"

  project          = "shop"
  environment      = "dev"
  settings         = var.settings
  secrets          = var.secrets
  secret_values    = { for name in keys(var.secrets) : name => "correct horse" }
  existing_secrets = var.existing_secrets
}

resource "aws_ssm_parameter" "copy" {
  for_each = var.secrets

  name             = "/copy/${each.key}"
  type             = "SecureString"
  value_wo         = module.parameters.secrets[each.key].value
  value_wo_version = each.value
}

output "root" {
  description = "As the module's."
  value       = module.parameters.root
}

output "arn" {
  description = "As the module's."
  value       = module.parameters.arn
}

output "names" {
  description = "As the module's."
  value       = module.parameters.names
}

output "copies" {
  description = "What is kept of secrets that were read."
  sensitive   = true
  value       = [for copy in aws_ssm_parameter.copy : copy.value_wo]
}
