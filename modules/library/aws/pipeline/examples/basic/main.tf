provider "aws" {
  region = "eu-central-1"
}

module "orders" {
  source = "../../"

  name     = "shop-dev-orders"
  code     = { image_uri = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop-dev-orders:4f2a9c1" }
  schedule = "rate(1 hour)"

  table = {
    hash_key   = "order"
    attributes = { order = "S", customer = "S" }
    indices    = { by-customer = { hash_key = "customer" } }
  }
}

output "inspect_command" {
  description = "A command that shows dead letters."
  value       = module.orders.inspect_command
}
