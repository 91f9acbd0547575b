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
}

run "names_lie_below_the_environment" {
  module {
    source = "./tests/caller"
  }

  variables {
    settings         = { "web/colour" = "green" }
    secrets          = { "database/password" = 1 }
    existing_secrets = ["payment/key"]
  }

  assert {
    condition = output.names == {
      "web/colour"        = "/shop/dev/web/colour"
      "database/password" = "/shop/dev/database/password"
      "payment/key"       = "/shop/dev/payment/key"
    }
    error_message = "Parameters must lie below the project and the environment."
  }

  assert {
    condition     = output.arn == "arn:aws:ssm:eu-central-1:123456789012:parameter/shop/dev/*"
    error_message = "The parameters must be named for policies."
  }
}

run "secrets_are_read_and_not_kept" {
  module {
    source = "./tests/caller"
  }

  variables {
    secrets = { "database/password" = 2 }
  }

  assert {
    condition     = one(output.copies) == null
    error_message = "The value of a secret must not be kept."
  }
}

run "there_may_be_no_secrets" {
  module {
    source = "./tests/caller"
  }

  variables {
    settings = { "web/colour" = "green" }
  }

  assert {
    condition     = keys(output.names) == ["web/colour"]
    error_message = "There must be settings alone."
  }
}
