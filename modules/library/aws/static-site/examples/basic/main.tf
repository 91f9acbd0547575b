provider "aws" {
  region = "eu-central-1"
}

module "web" {
  source = "../../"

  name      = "shop-dev-web"
  directory = "${path.module}/site"
}

output "url" {
  description = "Where the site is."
  value       = module.web.url
}
