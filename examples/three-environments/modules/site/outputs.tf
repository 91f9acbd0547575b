output "host" {
  description = "The name under which the site is delivered"
  value       = var.host
}

output "files" {
  description = "The pages that were written"
  value       = sort([for page in local_file.page : page.filename])
}
