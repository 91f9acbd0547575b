locals {
  of_function = { FunctionName = var.name }

  alarms = {
    errors = {
      description = "The function fails"
      namespace   = "AWS/Lambda"
      metric      = "Errors"
      dimensions  = local.of_function
      statistic   = "Sum"
      threshold   = 0
    }
    throttles = {
      description = "The function is called more often than it may run"
      namespace   = "AWS/Lambda"
      metric      = "Throttles"
      dimensions  = local.of_function
      statistic   = "Sum"
      threshold   = 0
    }
    runtime = {
      description = "The function takes more than ${var.alarm_runtime_percent} % of its time"
      namespace   = "AWS/Lambda"
      metric      = "Duration"
      dimensions  = local.of_function
      statistic   = "Maximum"
      threshold   = var.timeout * 10 * var.alarm_runtime_percent # milliseconds
    }
    memory = {
      description = "The function uses more than ${var.alarm_memory_percent} % of its memory"
      namespace   = "LambdaInsights"
      metric      = "memory_utilization"
      dimensions  = { function_name = var.name }
      statistic   = "Maximum"
      threshold   = var.alarm_memory_percent
    }
    dead = {
      description = "There are dead letters"
      namespace   = "AWS/SQS"
      metric      = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.dead.name }
      statistic   = "Maximum"
      threshold   = 0
    }
    waiting = {
      description = "Messages wait for more than a quarter of an hour"
      namespace   = "AWS/SQS"
      metric      = "ApproximateAgeOfOldestMessage"
      dimensions  = { QueueName = aws_sqs_queue.work.name }
      statistic   = "Maximum"
      threshold   = 900
    }
    table = {
      description = "The table refuses requests for being too many"
      namespace   = "AWS/DynamoDB"
      metric      = "ThrottledRequests"
      dimensions  = { TableName = aws_dynamodb_table.items.name }
      statistic   = "Sum"
      threshold   = 0
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_actions
  ok_actions          = var.alarm_actions
  tags                = local.tags
}
