output "address" {
  description = "Where the site is"
  value       = "https://${module.site.host}/"
}

output "files" {
  description = "The pages that were written"
  value       = module.site.files
}

output "token" {
  description = "The token of the status page"
  value       = random_password.token.result
  sensitive   = true
}

output "token_until" {
  description = "When the token is made anew"
  value       = time_rotating.token.rotation_rfc3339
}
