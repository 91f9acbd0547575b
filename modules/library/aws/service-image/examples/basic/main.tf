provider "aws" {
  region = "eu-central-1"
}

variable "image_tag" {
  description = "The commit whose image is to run."
  type        = string
  default     = null
}

module "service_image" {
  source = "../../"

  name         = "shop-dev-worker"
  image_tag    = var.image_tag
  environments = ["dev"]
}

output "image_uri" {
  description = "The image that is to run."
  value       = module.service_image.image_uri
}
