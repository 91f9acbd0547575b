output "state_bucket" {
  description = "The bucket of the states."
  value       = aws_s3_bucket.state.bucket

  # Who learns of the bucket may use it, and must find it as it is meant to be.
  depends_on = [
    aws_s3_bucket_ownership_controls.state,
    aws_s3_bucket_policy.state,
    aws_s3_bucket_server_side_encryption_configuration.state,
    aws_s3_bucket_versioning.state,
  ]
}

output "state_key_arn" {
  description = "The key by which states are encrypted."
  value       = aws_kms_key.state.arn
}

output "lock_table" {
  description = "The table of the locks, where they are kept in one."
  value       = one(aws_dynamodb_table.lock[*].name)
}

output "backends" {
  description = "The arguments of each environment's `s3` backend."
  value = { for environment, key in local.keys : environment => {
    bucket         = aws_s3_bucket.state.bucket
    key            = key
    region         = local.region
    encrypt        = true
    kms_key_id     = aws_kms_key.state.arn
    use_lockfile   = var.lock == "object"
    dynamodb_table = one(aws_dynamodb_table.lock[*].name)
  } }
}

output "plan_roles" {
  description = "By environment, the role that plans it."
  value       = { for environment, role in aws_iam_role.plan : environment => role.arn }
}

output "apply_roles" {
  description = "By environment, the role that applies it."
  value       = { for environment, role in aws_iam_role.apply : environment => role.arn }
}

output "boundaries" {
  description = "By environment, the policy that every role that is made in it must have as its permissions boundary."
  value       = { for environment, policy in aws_iam_policy.boundary : environment => policy.arn }
}

output "repositories" {
  description = "By name, the address of each repository of images."
  value       = { for name, repository in aws_ecr_repository.image : name => repository.repository_url }
}

output "parameter_roots" {
  description = "By environment, what the names of its parameters begin with."
  value       = { for environment in var.environments : environment => "/${var.project}/${environment}" }
}
