locals {
  labels = merge(var.labels, { module = "MODULE_NAME" })
}

# Something to begin with, which needs no provider: put your resources in its place.
resource "terraform_data" "this" {
  input = {
    name   = var.name
    labels = local.labels
  }
}
