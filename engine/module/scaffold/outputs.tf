output "id" {
  description = "The id of what the module has made."
  value       = terraform_data.this.id
}

output "name" {
  description = "Its name."
  value       = terraform_data.this.output.name
}
