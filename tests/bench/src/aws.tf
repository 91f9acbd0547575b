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
    dynamodb       = var.endpoint
    ecr            = var.endpoint
    iam            = var.endpoint
    sqs            = var.endpoint
    ssm            = var.endpoint
    sts            = var.endpoint
    cloudwatchlogs = var.endpoint
  }
}

resource "aws_dynamodb_table" "orders" {
  name         = "orders"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_ssm_parameter" "settings" {
  for_each = {
    table = aws_dynamodb_table.orders.arn
    queue = aws_sqs_queue.orders.arn
    role  = aws_iam_role.worker.arn
  }

  name  = "/shop/${each.key}"
  type  = "String"
  value = each.value
}

resource "aws_ecr_repository" "images" {
  name = "shop/images"
}

resource "aws_sqs_queue" "orders" {
  name = "orders"
}

resource "aws_cloudwatch_log_group" "orders" {
  name = "orders"
}

resource "aws_iam_role" "worker" {
  name = "worker"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

output "repository" {
  value = aws_ecr_repository.images.repository_url
}
