output "bucket" {
  description = "The bucket of the files."
  value       = aws_s3_bucket.site.bucket
}

output "url" {
  description = "Where CloudFront serves the site; null where it does not."
  value       = local.by_cloudfront == 0 ? null : "https://${try(sort(var.domain.names)[0], aws_cloudfront_distribution.site[0].domain_name)}/"
}

output "distribution_id" {
  description = "The distribution, for invalidations; null where CloudFront does not serve the site."
  value       = one(aws_cloudfront_distribution.site[*].id)
}

output "distribution_domain" {
  description = "What a record of DNS must point to; null where CloudFront does not serve the site."
  value       = one(aws_cloudfront_distribution.site[*].domain_name)
}

output "function_arn" {
  description = "The function that serves the site, for load balancers and API gateways; null where none does."
  value       = one(aws_lambda_function.server[*].arn)
}
