data "aws_partition" "current" {}

locals {
  tags = merge(var.tags, { module = "service-image" })

  pulling = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

  statements = concat(
    var.functions_may_pull ? [{
      Sid       = "FunctionsPull"
      Effect    = "Allow"
      Principal = { Service = ["lambda.amazonaws.com"] }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }] : [],
    length(var.pull_accounts) > 0 ? [{
      Sid       = "AccountsPull"
      Effect    = "Allow"
      Principal = { AWS = [for account in var.pull_accounts : "arn:${data.aws_partition.current.partition}:iam::${account}:root"] }
      Action    = local.pulling
    }] : [],
  )

  # An image goes by the first rule that selects it: those of environments come before the one for all others.
  releases = [for index, environment in sort(var.environments) : {
    rulePriority = 10 + index
    description  = "What ${environment} has run"
    selection = {
      tagStatus     = "tagged"
      tagPrefixList = ["${environment}-"]
      countType     = "imageCountMoreThan"
      countNumber   = var.keep_releases
    }
    action = { type = "expire" }
  }]
}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.destroy_images
  tags                 = local.tags

  image_scanning_configuration {
    scan_on_push = true
  }

  dynamic "encryption_configuration" {
    for_each = var.key_arn[*]

    content {
      encryption_type = "KMS"
      kms_key         = encryption_configuration.value
    }
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = concat(
      [{
        rulePriority = 1
        description  = "Left over from builds"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = var.keep_untagged_days
        }
        action = { type = "expire" }
      }],
      local.releases,
      [{
        rulePriority = 900
        description  = "Built and not released"
        selection = {
          tagStatus   = "any"
          countType   = "imageCountMoreThan"
          countNumber = var.keep_commits + var.keep_releases * length(var.environments)
        }
        action = { type = "expire" }
      }],
    )
  })
}

resource "aws_ecr_repository_policy" "this" {
  count = length(local.statements) > 0 ? 1 : 0

  repository = aws_ecr_repository.this.name
  policy     = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
