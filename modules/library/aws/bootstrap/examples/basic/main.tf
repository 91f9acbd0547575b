provider "aws" {
  region = "eu-central-1"
}

module "bootstrap" {
  source = "../../"

  project           = "shop"
  github_repository = "acme/shop"
  repositories      = ["worker"]
}

output "backends" {
  description = "The arguments of each environment's backend."
  value       = module.bootstrap.backends
}
