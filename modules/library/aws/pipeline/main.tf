data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  tags = merge(var.tags, { module = "pipeline", pipeline = var.name })
}

# What the function writes.

resource "aws_dynamodb_table" "items" {
  name                        = "${var.name}-items"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = var.table.hash_key
  range_key                   = var.table.range_key
  deletion_protection_enabled = !var.destroy_data
  tags                        = local.tags

  dynamic "attribute" {
    for_each = var.table.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.table.indices

    content {
      name               = global_secondary_index.key
      hash_key           = global_secondary_index.value.hash_key
      range_key          = global_secondary_index.value.range_key
      projection_type    = global_secondary_index.value.attributes == null ? "ALL" : "INCLUDE"
      non_key_attributes = global_secondary_index.value.attributes
    }
  }

  dynamic "ttl" {
    for_each = var.table.ttl[*]

    content {
      attribute_name = ttl.value
      enabled        = true
    }
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = min(var.backup_days, 35)
  }

  server_side_encryption {
    enabled = true
  }
}

# Backups that leave the table: exports, and what the function puts away.

resource "aws_s3_bucket" "backups" {
  bucket        = "${var.name}-backups-${local.account}"
  force_destroy = var.destroy_data
  tags          = local.tags
}

resource "aws_s3_bucket_public_access_block" "backups" {
  bucket                  = aws_s3_bucket.backups.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "backups" {
  bucket = aws_s3_bucket.backups.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "backups" {
  bucket = aws_s3_bucket.backups.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "backups" {
  # Old versions are there once there are versions.
  bucket = aws_s3_bucket_versioning.backups.bucket

  rule {
    id     = "overwritten"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = var.backup_days
    }
  }
}

# Work that waits, and work that failed too often.

resource "aws_sqs_queue" "dead" {
  name                      = "${var.name}-dead"
  message_retention_seconds = 1209600 # the longest that there is: 14 days
  sqs_managed_sse_enabled   = true
  tags                      = local.tags
}

resource "aws_sqs_queue" "work" {
  name                       = "${var.name}-work"
  visibility_timeout_seconds = 6 * var.timeout # so that a batch is not given out again while the function still tries
  sqs_managed_sse_enabled    = true
  tags                       = local.tags

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.attempts
  })
}

resource "aws_sqs_queue_policy" "dead" {
  queue_url = aws_sqs_queue.dead.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "EventsThatCouldNotBeDelivered"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.dead.arn
      Condition = { ArnLike = { "aws:SourceArn" = "arn:${local.partition}:events:${local.region}:${local.account}:rule/${var.name}-*" } }
    }]
  })
}
