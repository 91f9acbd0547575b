module "MODULE_IDENTIFIER" {
  source = "../../"

  name = "basic"
}

output "id" {
  description = "The id of what the module has made."
  value       = module.MODULE_IDENTIFIER.id
}
