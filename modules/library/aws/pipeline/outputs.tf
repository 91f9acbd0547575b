output "function_arn" {
  description = "The function; null before the first build."
  value       = one(values(aws_lambda_function.function)[*].arn)
}

output "function_name" {
  description = "The name of the function, whether or not it is there yet."
  value       = var.name
}

output "table_name" {
  description = "The table that the function writes."
  value       = aws_dynamodb_table.items.name
}

output "table_arn" {
  description = "The table, for policies."
  value       = aws_dynamodb_table.items.arn
}

output "queue_url" {
  description = "Where work is sent to."
  value       = aws_sqs_queue.work.id
}

output "queue_arn" {
  description = "The queue of work, for policies."
  value       = aws_sqs_queue.work.arn
}

output "dead_queue_url" {
  description = "Where the dead letters are."
  value       = aws_sqs_queue.dead.id
}

output "backup_bucket" {
  description = "The bucket of the backups."
  value       = aws_s3_bucket.backups.bucket
}

output "log_group" {
  description = "Where the function's logs are."
  value       = aws_cloudwatch_log_group.function.name
}

output "alarms" {
  description = "By what they watch, the names of the alarms."
  value       = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.alarm_name }
}

output "inspect_command" {
  description = "A command that shows dead letters without taking them away."
  value       = "aws sqs receive-message --region ${local.region} --queue-url ${aws_sqs_queue.dead.id} --visibility-timeout 0 --max-number-of-messages 10 --message-attribute-names All --attribute-names All"
}

output "redrive_command" {
  description = "A command that sends the dead letters to the queue once more, once their cause is mended."
  value       = "aws sqs start-message-move-task --region ${local.region} --source-arn ${aws_sqs_queue.dead.arn} --destination-arn ${aws_sqs_queue.work.arn}"
}
