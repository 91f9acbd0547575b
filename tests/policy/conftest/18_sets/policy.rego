package main

used := {change.type | some change in input.resource_changes}

allowed := {"aws_s3_bucket", "aws_sqs_queue", "aws_iam_policy"}

deny contains msg if {
	surplus := used - allowed
	count(surplus) > 0
	msg := sprintf("not allowed: %s", [concat(", ", sort(surplus))])
}
