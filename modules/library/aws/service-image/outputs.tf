output "repository_url" {
  description = "Where images are pushed to and pulled from."
  value       = aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "The repository, for policies."
  value       = aws_ecr_repository.this.arn
}

output "image_uri" {
  description = "The image that is to run; null as long as there is none."
  value       = var.image_tag == null ? null : "${aws_ecr_repository.this.repository_url}:${var.image_tag}"

  # Who makes something of the image must be able to pull it.
  depends_on = [aws_ecr_repository_policy.this]
}
