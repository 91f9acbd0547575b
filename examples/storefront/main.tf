# A shop on AWS: a site, an image, a pipeline that works its orders, and its parameters. One configuration for every environment.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0, < 7.0"
    }
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = {
      project     = var.project
      environment = var.environment
    }
  }
}

locals {
  name = "${var.project}-${var.environment}"
}

module "site" {
  source = "../../modules/library/aws/static-site"

  name                 = "${local.name}-web"
  served_by            = var.site_served_by
  directory            = "${path.module}/site"
  permissions_boundary = var.permissions_boundary
}

module "image" {
  source = "../../modules/library/aws/service-image"

  name         = "${local.name}-orders"
  image_tag    = var.image_tag
  environments = [var.environment]
}

module "orders" {
  source = "../../modules/library/aws/pipeline"

  name                 = "${local.name}-orders"
  schedule             = var.schedule
  parameters_arn       = module.parameters.arn
  permissions_boundary = var.permissions_boundary
  log_retention_days   = var.log_retention_days

  # The image of the commit; before the first build there is all but the function.
  code      = var.image_tag == null ? null : { image_uri = module.image.image_uri }
  variables = { COMMIT = coalesce(var.image_tag, "none") }

  table = {
    hash_key   = "order"
    attributes = { order = "S", customer = "S" }
    indices    = { by-customer = { hash_key = "customer" } }
  }
}

module "parameters" {
  source = "../../modules/library/aws/parameters"

  project     = var.project
  environment = var.environment
  settings    = { "web/colour" = var.colour }
}
