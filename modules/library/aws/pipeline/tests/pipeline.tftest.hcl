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
  name = "shop-dev-orders"
  table = {
    hash_key   = "order"
    attributes = { order = "S", customer = "S", placed = "N" }
    ttl        = "gone"
    indices = {
      by-customer = { hash_key = "customer", range_key = "placed" }
    }
  }
}

run "everything_but_the_function_is_there_before_the_first_build" {
  variables {
    schedule = "rate(1 hour)"
  }

  assert {
    condition     = output.function_arn == null && length(aws_cloudwatch_event_target.call) == 0 && length(aws_lambda_event_source_mapping.work) == 0
    error_message = "Without code there is no function, and nothing that calls it."
  }

  assert {
    condition     = one(aws_dynamodb_table.items.point_in_time_recovery).enabled && aws_dynamodb_table.items.deletion_protection_enabled
    error_message = "Items must be protected."
  }

  assert {
    condition     = one(aws_dynamodb_table.items.global_secondary_index).name == "by-customer"
    error_message = "The table must have its index."
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.backups.versioning_configuration).status == "Enabled"
    error_message = "Backups must have versions."
  }
}

run "events_and_messages_call_the_function" {
  variables {
    code          = { image_uri = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/orders:4f2a9c1" }
    schedule      = "rate(1 hour)"
    event_pattern = { source = ["shop"] }
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_event_target.call)) == toset(["schedule", "events"])
    error_message = "Schedule and events must call the function."
  }

  assert {
    condition     = aws_lambda_function.function["function"].package_type == "Image"
    error_message = "An image is what runs."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.work.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead.arn
    error_message = "What fails too often must go to the dead letters."
  }

  assert {
    condition     = one(aws_lambda_function.function["function"].environment).variables["TABLE"] == "shop-dev-orders-items"
    error_message = "The function must know its table."
  }
}

run "runtime_memory_and_throttling_raise_alarms" {
  variables {
    timeout       = 60
    alarm_actions = ["arn:aws:sns:eu-central-1:123456789012:on-call"]
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["runtime"].threshold == 48000
    error_message = "The alarm on the runtime must be at 80 % of the timeout, in milliseconds."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["memory"].threshold == 85 && aws_cloudwatch_metric_alarm.this["throttles"].metric_name == "Throttles"
    error_message = "Memory and throttling must raise alarms."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 1])
    error_message = "Somebody must be told of every alarm."
  }
}

run "archives_are_run_too" {
  variables {
    code = { s3_bucket = "builds", s3_key = "orders.zip", handler = "orders.handle", runtime = "python3.13" }
  }

  assert {
    condition     = aws_lambda_function.function["function"].package_type == "Zip"
    error_message = "An archive is what runs."
  }
}

run "refuses_code_that_cannot_run" {
  command = plan

  variables {
    code = { s3_bucket = "builds", s3_key = "orders.zip" }
  }

  expect_failures = [var.code]
}

run "refuses_attributes_that_are_no_key" {
  command = plan

  variables {
    table = {
      hash_key   = "order"
      attributes = { order = "S", colour = "S" }
    }
    schedule           = "hourly"
    log_retention_days = 31
  }

  expect_failures = [var.table, var.schedule, var.log_retention_days]
}
