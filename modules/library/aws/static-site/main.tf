data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  tags = merge(var.tags, { module = "static-site", site = var.name })

  by_cloudfront = var.served_by == "cloudfront" ? 1 : 0
  by_lambda     = var.served_by == "lambda" ? 1 : 0

  files = var.directory == null ? toset([]) : fileset(var.directory, "**")

  types = {
    css   = "text/css; charset=utf-8"
    gif   = "image/gif"
    html  = "text/html; charset=utf-8"
    ico   = "image/x-icon"
    jpeg  = "image/jpeg"
    jpg   = "image/jpeg"
    js    = "text/javascript; charset=utf-8"
    json  = "application/json"
    map   = "application/json"
    mjs   = "text/javascript; charset=utf-8"
    pdf   = "application/pdf"
    png   = "image/png"
    svg   = "image/svg+xml"
    txt   = "text/plain; charset=utf-8"
    wasm  = "application/wasm"
    webp  = "image/webp"
    woff2 = "font/woff2"
    xml   = "application/xml"
  }
}

resource "aws_s3_bucket" "site" {
  bucket        = "${var.name}-${local.account}"
  force_destroy = var.destroy_files
  tags          = local.tags
}

resource "aws_s3_bucket_ownership_controls" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "site" {
  bucket                  = aws_s3_bucket.site.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "site" {
  bucket = aws_s3_bucket.site.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "site" {
  bucket = aws_s3_bucket.site.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "site" {
  # Old versions are there once there are versions.
  bucket = aws_s3_bucket_versioning.site.bucket

  rule {
    id     = "overwritten"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = var.history_days
    }
  }
}

resource "aws_s3_object" "file" {
  for_each = local.files

  bucket        = aws_s3_bucket_versioning.site.bucket
  key           = each.value
  source        = "${var.directory}/${each.value}"
  source_hash   = filemd5("${var.directory}/${each.value}")
  content_type  = lookup(local.types, lower(element(split(".", each.value), length(split(".", each.value)) - 1)), "application/octet-stream")
  cache_control = endswith(each.value, ".html") ? "max-age=60" : "max-age=3600"
}
