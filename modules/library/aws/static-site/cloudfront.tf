resource "aws_cloudfront_origin_access_control" "site" {
  count = local.by_cloudfront

  name                              = var.name
  description                       = "Signs what CloudFront asks the bucket of ${var.name} for"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_function" "request" {
  count = var.single_page ? 0 : local.by_cloudfront

  name    = "${var.name}-request"
  comment = "Directories are asked for by their index"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = file("${path.module}/functions/request.js")
}

resource "aws_cloudfront_distribution" "site" {
  count = local.by_cloudfront

  comment             = var.name
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  default_root_object = var.index_document
  price_class         = var.price_class
  aliases             = try(var.domain.names, null)
  wait_for_deployment = var.wait_for_deployment
  tags                = local.tags

  origin {
    origin_id                = "bucket"
    domain_name              = aws_s3_bucket.site.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.site[0].id
  }

  default_cache_behavior {
    target_origin_id       = "bucket"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true
    cache_policy_id        = "658327ea-f89d-4fab-a63d-7e88639e58f6" # AWS's own CachingOptimized

    dynamic "function_association" {
      for_each = aws_cloudfront_function.request

      content {
        event_type   = "viewer-request"
        function_arn = function_association.value.arn
      }
    }
  }

  # A bucket that may not be listed says 403 for what is not there.
  dynamic "custom_error_response" {
    for_each = [403, 404]

    content {
      error_code            = custom_error_response.value
      response_code         = var.single_page ? 200 : 404
      response_page_path    = "/${var.single_page ? var.index_document : var.error_document}"
      error_caching_min_ttl = 10
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain == null
    acm_certificate_arn            = try(var.domain.certificate_arn, null)
    minimum_protocol_version       = var.domain == null ? "TLSv1" : "TLSv1.2_2021"
    ssl_support_method             = var.domain == null ? null : "sni-only"
  }
}

resource "aws_s3_bucket_policy" "site" {
  count = local.by_cloudfront

  # A policy that is being checked for being public must not meet the wall against public policies half built.
  bucket = aws_s3_bucket_public_access_block.site.bucket

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "CloudFrontReads"
      Effect    = "Allow"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.site.arn}/*"
      Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.site[0].arn } }
    }]
  })
}
