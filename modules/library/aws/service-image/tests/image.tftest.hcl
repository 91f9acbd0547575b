mock_provider "aws" {
  mock_resource "aws_ecr_repository" {
    defaults = {
      repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop-dev-worker"
    }
  }
}

variables {
  name         = "shop-dev-worker"
  environments = ["dev", "prd"]
}

run "tags_never_move" {
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "A tag must mean the same for ever."
  }

  assert {
    condition     = output.image_uri == null
    error_message = "As long as nothing was built there is no image."
  }
}

run "the_image_is_that_of_the_commit" {
  variables {
    image_tag = "prd-4f2a9c1"
  }

  assert {
    condition     = output.image_uri == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop-dev-worker:prd-4f2a9c1"
    error_message = "The image must be the one that is tagged so."
  }
}

run "releases_outlive_builds" {
  variables {
    keep_commits  = 5
    keep_releases = 3
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.rulePriority] == [1, 10, 11, 900]
    error_message = "Rules of environments must come before the one for all."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[1].selection.tagPrefixList == ["dev-"]
    error_message = "The images of dev are those whose tag begins with it."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this.policy).rules[3].selection.countNumber == 11
    error_message = "Releases must not be counted among the builds."
  }
}

run "nobody_pulls_unasked" {
  variables {
    functions_may_pull = false
  }

  assert {
    condition     = length(aws_ecr_repository_policy.this) == 0
    error_message = "Without anybody to pull there must be no policy."
  }
}

run "refuses_tags_that_are_no_commit" {
  command = plan

  variables {
    image_tag = "latest"
    name      = "Worker"
  }

  expect_failures = [var.image_tag, var.name]
}
