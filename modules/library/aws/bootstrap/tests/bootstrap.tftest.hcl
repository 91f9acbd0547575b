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

variables {
  project = "shop"
}

run "states_are_encrypted_versioned_and_private" {
  assert {
    condition     = output.state_bucket == "shop-state-123456789012"
    error_message = "The bucket's name must hold the project and the account."
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.state.versioning_configuration).status == "Enabled"
    error_message = "States must have versions."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default).kms_master_key_id == aws_kms_key.state.arn
    error_message = "States must be encrypted by the project's key."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.state.restrict_public_buckets && aws_s3_bucket_public_access_block.state.block_public_policy
    error_message = "The bucket must not be public."
  }

  assert {
    condition     = output.backends["prd"].key == "prd/terraform.tfstate" && output.backends["prd"].use_lockfile
    error_message = "Each environment must have a state of its own, with a lock."
  }
}

run "nobody_is_trusted_without_a_repository" {
  command = plan

  assert {
    condition     = length(aws_iam_role.plan) == 0 && length(aws_iam_role.apply) == 0 && length(aws_iam_openid_connect_provider.github) == 0
    error_message = "Without a repository no role may be made."
  }
}

run "workflows_have_roles_of_their_environment" {
  variables {
    github_repository = "acme/shop"
    repositories      = ["worker"]
  }

  assert {
    condition     = toset(keys(output.plan_roles)) == toset(["dev", "prd", "stg"])
    error_message = "Each environment must have its role for planning."
  }

  assert {
    condition     = jsondecode(aws_iam_role.apply["prd"].assume_role_policy).Statement[0].Condition.StringEquals["token.actions.githubusercontent.com:sub"] == "repo:acme/shop:environment:prd"
    error_message = "Only jobs of the environment may apply it."
  }

  assert {
    condition = !anytrue(flatten([for statement in jsondecode(aws_iam_role_policy.plan["prd"].policy).Statement : [
      for action in statement.Action : endswith(action, ":*") || contains(["iam:CreateRole", "iam:PassRole"], action)
    ]]))
    error_message = "Planning must not be allowed to change things."
  }

  assert {
    condition = !anytrue(flatten([for statement in jsondecode(aws_iam_role_policy.apply["dev"].policy).Statement : [
      for resource in statement.Resource : strcontains(resource, "shop-prd-")
    ]]))
    error_message = "A role of dev must not reach what is prd's."
  }

  assert {
    condition     = alltrue([for policy in concat(values(aws_iam_role_policy.apply), values(aws_iam_role_policy.plan)) : length(policy.policy) < 10240])
    error_message = "A role's own policies may have 10,240 characters."
  }

  assert {
    condition     = alltrue([for policy in values(aws_iam_policy.boundary) : length(policy.policy) < 6144])
    error_message = "A policy may have 6,144 characters."
  }

  assert {
    condition     = aws_ecr_repository.image["worker"].name == "shop/worker" && aws_ecr_repository.image["worker"].image_tag_mutability == "IMMUTABLE"
    error_message = "A tag of an image must mean the same for ever."
  }
}

run "locks_can_be_in_a_table" {
  variables {
    lock = "table"
  }

  assert {
    condition     = output.lock_table == "shop-state-lock" && !output.backends["dev"].use_lockfile
    error_message = "The backends must lock in the table."
  }
}

run "refuses_what_is_no_name" {
  command = plan

  variables {
    project           = "Shop"
    environments      = ["dev", "dev"]
    github_repository = "acme"
    lock              = "file"
  }

  expect_failures = [var.project, var.environments, var.github_repository, var.lock]
}
