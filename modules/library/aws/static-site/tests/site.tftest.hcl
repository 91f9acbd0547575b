mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }

  mock_data "aws_region" {
    defaults = {
      region = "eu-central-1"
    }
  }

  mock_resource "aws_cloudfront_distribution" {
    defaults = {
      arn         = "arn:aws:cloudfront::123456789012:distribution/E1"
      domain_name = "d1.cloudfront.net"
    }
  }
}

variables {
  name      = "shop-dev-web"
  directory = "examples/basic/site"
}

run "cloudfront_alone_reads_the_bucket" {
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.site[0].policy).Statement[0].Condition.StringEquals["AWS:SourceArn"] == "arn:aws:cloudfront::123456789012:distribution/E1"
    error_message = "Nobody but the distribution may read the bucket."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.site.restrict_public_buckets
    error_message = "The bucket must not be public."
  }

  assert {
    condition     = aws_s3_object.file["index.html"].content_type == "text/html; charset=utf-8" && length(aws_s3_object.file) == 2
    error_message = "The files must be there, with their types."
  }

  assert {
    condition     = output.url == "https://d1.cloudfront.net/" && output.function_arn == null
    error_message = "The site must be where CloudFront serves it."
  }
}

run "it_can_have_a_name_of_its_own" {
  variables {
    domain = {
      names           = ["www.example.com", "example.com"]
      certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    }
  }

  assert {
    condition     = output.url == "https://example.com/" && one(aws_cloudfront_distribution.site[0].viewer_certificate).ssl_support_method == "sni-only"
    error_message = "The site must be under its own name, with its certificate."
  }
}

run "programs_in_the_browser_have_one_page" {
  variables {
    single_page = true
  }

  assert {
    condition     = alltrue([for response in aws_cloudfront_distribution.site[0].custom_error_response : response.response_code == 200 && response.response_page_path == "/index.html"])
    error_message = "What is no file must be the index document."
  }
}

run "a_function_can_serve_it" {
  variables {
    served_by = "lambda"
    invoker   = { principal = "elasticloadbalancing.amazonaws.com", source_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/1" }
  }

  assert {
    condition     = length(aws_cloudfront_distribution.site) == 0 && output.url == null && output.function_arn != null
    error_message = "Then there must be no distribution."
  }

  assert {
    condition     = aws_lambda_permission.invoker[0].principal == "elasticloadbalancing.amazonaws.com"
    error_message = "Who may call it must be able to."
  }
}

run "refuses_what_cannot_be" {
  command = plan

  variables {
    name      = "Web"
    served_by = "nginx"
    domain = {
      names           = []
      certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    }
  }

  expect_failures = [var.name, var.served_by, var.domain]
}
