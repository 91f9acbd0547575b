data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  tags   = merge(var.tags, { project = var.project, module = "bootstrap" })
  bucket = coalesce(var.state_bucket, "${var.project}-state-${local.account}")

  # What each environment's things are called: the permissions of its roles rest on it.
  prefixes = { for environment in var.environments : environment => "${var.project}-${environment}-" }
}

# The key of the states.

resource "aws_kms_key" "state" {
  description             = "States of ${var.project}"
  deletion_window_in_days = var.key_deletion_days
  enable_key_rotation     = true
  tags                    = local.tags
}

resource "aws_kms_alias" "state" {
  name          = "alias/${var.project}-state"
  target_key_id = aws_kms_key.state.key_id
}

# The bucket of the states.

resource "aws_s3_bucket" "state" {
  bucket        = local.bucket
  force_destroy = var.destroy_states
  tags          = local.tags
}

resource "aws_s3_bucket_ownership_controls" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = aws_s3_bucket.state.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.state.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  # Old versions are there once there are versions.
  bucket = aws_s3_bucket_versioning.state.bucket

  rule {
    id     = "overwritten"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = var.state_history_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "state" {
  # A policy that is being checked for being public must not meet the wall against public policies half built.
  bucket = aws_s3_bucket_public_access_block.state.bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NothingInTheClear"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_dynamodb_table" "lock" {
  count = var.lock == "table" ? 1 : 0

  name         = "${var.project}-state-lock"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "LockID"
  tags         = local.tags

  attribute {
    name = "LockID"
    type = "S"
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = aws_kms_key.state.arn
  }
}

# Images that all environments run.

resource "aws_ecr_repository" "image" {
  for_each = var.repositories

  name                 = "${var.project}/${each.key}"
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.destroy_states
  tags                 = local.tags

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "image" {
  for_each = aws_ecr_repository.image

  repository = each.value.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "What has no tag is left over from a build."
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = 7
        }
        action = { type = "expire" }
      },
    ]
  })
}

# Where the parameters of each environment begin.

resource "aws_ssm_parameter" "root" {
  for_each = local.prefixes

  name        = "/${var.project}/${each.key}/terrace"
  description = "What ${each.key} of ${var.project} is made with"
  type        = "String"
  tags        = merge(local.tags, { environment = each.key })

  value = jsonencode({
    environment = each.key
    state       = "s3://${local.bucket}/${local.keys[each.key]}"
  })
}
