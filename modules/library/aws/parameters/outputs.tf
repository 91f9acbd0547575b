output "root" {
  description = "What the names of all parameters of this environment begin with."
  value       = local.root
}

output "arn" {
  description = "All parameters of this environment, for policies."
  value       = "${local.arn}/*"
}

output "names" {
  description = "The whole name of each parameter, by its name here."
  value = merge(
    { for name, parameter in aws_ssm_parameter.setting : name => parameter.name },
    { for name, parameter in aws_ssm_parameter.secret : name => parameter.name },
    { for name in var.existing_secrets : name => "${local.root}/${name}" },
  )
}

output "secrets" {
  description = "The secrets, by name, each with its `value`, for write-only arguments and configurations of providers. They are in no plan and no state."
  ephemeral   = true
  sensitive   = true
  # All of them together count as ephemeral only by the condition, which always fails; there may be none.
  value = var.secret_values == null ? null : ephemeral.aws_ssm_parameter.secret
}
