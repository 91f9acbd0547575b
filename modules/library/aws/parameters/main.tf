data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  root = "/${var.project}/${var.environment}"
  arn  = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:parameter${local.root}"
  tags = merge(var.tags, { project = var.project, environment = var.environment, module = "parameters" })
}

resource "aws_ssm_parameter" "setting" {
  for_each = var.settings

  name  = "${local.root}/${each.key}"
  type  = "String"
  value = each.value
  tags  = local.tags
}

resource "aws_ssm_parameter" "secret" {
  for_each = var.secrets

  name   = "${local.root}/${each.key}"
  type   = "SecureString"
  key_id = var.key_arn
  tags   = local.tags

  # Written when the version changes, and never kept. Who raises a version gives the value with it.
  value_wo         = lookup(var.secret_values, each.key, "not set yet")
  value_wo_version = each.value
}

# Read when they are needed, by plans and applies alike, and kept by neither.

ephemeral "aws_ssm_parameter" "secret" {
  for_each = merge(
    { for name, parameter in aws_ssm_parameter.secret : name => parameter.arn },
    { for name in var.existing_secrets : name => "${local.arn}/${name}" },
  )

  arn = each.value
}
