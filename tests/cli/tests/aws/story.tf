# What the story needs of AWS, as far as moto goes.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "3.39.0"
    }
  }
}

variable "endpoint" {
  type = string
}

variable "revision" {
  type    = number
  default = 1
}

variable "suffix" {
  type    = string
  default = "a"
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  s3_force_path_style         = true
  max_retries                 = 1
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true

  endpoints {
    cloudfront       = var.endpoint
    cloudwatchevents = var.endpoint
    cloudwatchlogs   = var.endpoint
    dynamodb         = var.endpoint
    ecr              = var.endpoint
    iam              = var.endpoint
    lambda           = var.endpoint
    s3               = var.endpoint
    sqs              = var.endpoint
    ssm              = var.endpoint
    sts              = var.endpoint
  }
}

locals {
  tags = {
    owner    = "terrace"
    revision = tostring(var.revision)
  }
}

resource "aws_s3_bucket" "artifacts" {
  bucket        = "terrace-artifacts"
  force_destroy = true
  tags          = local.tags

  versioning {
    enabled = true
  }

  lifecycle_rule {
    id      = "old"
    enabled = true
    prefix  = "old/"

    expiration {
      days = 30
    }
  }
}

resource "aws_s3_bucket_object" "index" {
  bucket       = aws_s3_bucket.artifacts.id
  key          = "index.html"
  content      = "revision ${var.revision}"
  content_type = "text/html"
}

resource "aws_dynamodb_table" "orders" {
  name         = "orders-${var.suffix}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  range_key    = "at"
  tags         = local.tags

  dynamic "attribute" {
    for_each = { id = "S", at = "N", customer = "S" }
    content {
      name = attribute.key
      type = attribute.value
    }
  }

  global_secondary_index {
    name               = "by-customer"
    hash_key           = "customer"
    range_key          = "at"
    projection_type    = "INCLUDE"
    non_key_attributes = ["total"]
  }
}

resource "aws_ssm_parameter" "settings" {
  for_each = {
    bucket = aws_s3_bucket.artifacts.bucket
    table  = aws_dynamodb_table.orders.arn
    secret = "correct horse battery staple ${var.revision}"
  }

  name  = "/shop/${each.key}"
  type  = each.key == "secret" ? "SecureString" : "String"
  value = each.value
}

resource "aws_ecr_repository" "images" {
  name                 = "shop/images"
  image_tag_mutability = var.revision == 1 ? "MUTABLE" : "IMMUTABLE"
}

resource "aws_ecr_lifecycle_policy" "images" {
  repository = aws_ecr_repository.images.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      selection    = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 5 }
      action       = { type = "expire" }
    }]
  })
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "table" {
  statement {
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem"]
    resources = [aws_dynamodb_table.orders.arn]
  }
}

resource "aws_iam_role" "worker" {
  name               = "worker"
  assume_role_policy = data.aws_iam_policy_document.assume.json
  tags               = local.tags
}

resource "aws_iam_policy" "table" {
  name   = "table"
  policy = data.aws_iam_policy_document.table.json
}

resource "aws_iam_role_policy_attachment" "table" {
  role       = aws_iam_role.worker.name
  policy_arn = aws_iam_policy.table.arn
}

resource "aws_iam_openid_connect_provider" "actions" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = ["sts.amazonaws.com"]
  thumbprint_list = ["6938fd4d98bab03faadb97b34396831e3780aea1"]
}

resource "aws_sqs_queue" "dead" {
  name = "orders-dead"
}

resource "aws_sqs_queue" "orders" {
  name                       = "orders"
  visibility_timeout_seconds = 30 * var.revision
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = 3
  })

  lifecycle {
    ignore_changes = [redrive_policy]
  }
}

resource "aws_cloudwatch_log_group" "worker" {
  name              = "/aws/lambda/worker"
  retention_in_days = var.revision == 1 ? 7 : 14
}

resource "aws_lambda_function" "worker" {
  function_name    = "worker"
  role             = aws_iam_role.worker.arn
  handler          = "index.handler"
  runtime          = "nodejs12.x"
  filename         = "${path.module}/worker.zip"
  source_code_hash = filebase64sha256("${path.module}/worker.zip")

  environment {
    variables = {
      QUEUE    = aws_sqs_queue.orders.id
      REVISION = var.revision
    }
  }

  depends_on = [aws_cloudwatch_log_group.worker]
}

resource "aws_cloudwatch_event_rule" "nightly" {
  name                = "nightly"
  schedule_expression = "rate(1 day)"
}

resource "aws_cloudwatch_event_target" "nightly" {
  rule      = aws_cloudwatch_event_rule.nightly.name
  target_id = "worker"
  arn       = aws_lambda_function.worker.arn
}

resource "aws_lambda_permission" "nightly" {
  statement_id  = "nightly"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.worker.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.nightly.arn
}

resource "aws_cloudfront_distribution" "site" {
  enabled             = true
  comment             = "revision ${var.revision}"
  default_root_object = "index.html"
  wait_for_deployment = false

  origin {
    domain_name = aws_s3_bucket.artifacts.bucket_regional_domain_name
    origin_id   = "artifacts"
  }

  default_cache_behavior {
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    target_origin_id       = "artifacts"
    viewer_protocol_policy = "redirect-to-https"

    forwarded_values {
      query_string = false

      cookies {
        forward = "none"
      }
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
    minimum_protocol_version       = "TLSv1"
    ssl_support_method             = "sni-only"
  }
}

output "repository" {
  value = aws_ecr_repository.images.repository_url
}

output "site" {
  value = aws_cloudfront_distribution.site.domain_name
}
