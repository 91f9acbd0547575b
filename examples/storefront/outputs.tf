output "site" {
  description = "Where the site is."
  value       = module.site.url
}

output "image_repository" {
  description = "Where images are pushed to."
  value       = module.image.repository_url
}

output "image" {
  description = "The image that runs."
  value       = module.image.image_uri
}

output "orders_table" {
  description = "The table of the orders."
  value       = module.orders.table_name
}

output "inspect_command" {
  description = "A command that shows dead letters."
  value       = module.orders.inspect_command
}

output "redrive_command" {
  description = "A command that has dead letters worked again."
  value       = module.orders.redrive_command
}
