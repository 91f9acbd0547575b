locals {
  # One or none: before the first build there is nothing to run.
  function = var.code == null ? {} : { function = var.code }

  rules = merge(
    var.schedule == null ? {} : { schedule = { schedule = var.schedule, pattern = null } },
    var.event_pattern == null ? {} : { events = { schedule = null, pattern = jsonencode(var.event_pattern) } },
  )
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

resource "aws_iam_role" "function" {
  name                 = "${var.name}-function"
  description          = "What the function ${var.name} may do"
  permissions_boundary = var.permissions_boundary
  tags                 = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "pipeline"
  role = aws_iam_role.function.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda/${var.name}:*"]
        },
        {
          Effect   = "Allow"
          Action   = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"]
          Resource = [aws_dynamodb_table.items.arn, "${aws_dynamodb_table.items.arn}/index/*"]
        },
        {
          Effect   = "Allow"
          Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
          Resource = [aws_sqs_queue.work.arn]
        },
        {
          Effect   = "Allow"
          Action   = ["sqs:SendMessage"]
          Resource = [aws_sqs_queue.dead.arn]
        },
        {
          Effect   = "Allow"
          Action   = ["s3:GetObject", "s3:PutObject"]
          Resource = ["${aws_s3_bucket.backups.arn}/*"]
        },
      ],
      [for arn in var.parameters_arn[*] : {
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"]
        Resource = [arn]
      }],
      [for arn in var.insights_layer_arn[*] : {
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws/lambda-insights:*"]
      }],
    )
  })
}

resource "aws_lambda_function" "function" {
  for_each = local.function

  function_name                  = var.name
  role                           = aws_iam_role.function.arn
  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.concurrency
  tags                           = local.tags

  package_type      = each.value.runtime == null ? "Image" : "Zip"
  image_uri         = each.value.image_uri
  filename          = each.value.filename
  source_code_hash  = each.value.filename == null ? null : filebase64sha256(each.value.filename)
  s3_bucket         = each.value.s3_bucket
  s3_key            = each.value.s3_key
  s3_object_version = each.value.s3_object_version
  handler           = each.value.handler
  runtime           = each.value.runtime
  layers            = var.insights_layer_arn[*]

  environment {
    variables = merge(var.variables, {
      TABLE     = aws_dynamodb_table.items.name
      QUEUE_URL = aws_sqs_queue.work.id
      BACKUPS   = aws_s3_bucket.backups.bucket
    })
  }

  dead_letter_config {
    target_arn = aws_sqs_queue.dead.arn
  }

  # A function that runs before its log group is there makes one that is kept for ever, and without its rights it fails.
  depends_on = [aws_cloudwatch_log_group.function, aws_iam_role_policy.function]
}

resource "aws_lambda_event_source_mapping" "work" {
  for_each = aws_lambda_function.function

  event_source_arn        = aws_sqs_queue.work.arn
  function_name           = each.value.arn
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"]
}

resource "aws_cloudwatch_event_rule" "call" {
  for_each = local.rules

  name                = "${var.name}-${each.key}"
  description         = "Calls ${var.name}"
  schedule_expression = each.value.schedule
  event_pattern       = each.value.pattern
  tags                = local.tags
}

resource "aws_cloudwatch_event_target" "call" {
  for_each = length(local.function) == 0 ? {} : aws_cloudwatch_event_rule.call

  rule      = each.value.name
  target_id = "function"
  arn       = aws_lambda_function.function["function"].arn

  retry_policy {
    maximum_retry_attempts       = var.attempts
    maximum_event_age_in_seconds = 3600
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead.arn
  }
}

resource "aws_lambda_permission" "call" {
  for_each = length(local.function) == 0 ? {} : aws_cloudwatch_event_rule.call

  statement_id  = "rule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function["function"].function_name
  principal     = "events.amazonaws.com"
  source_arn    = each.value.arn
}
