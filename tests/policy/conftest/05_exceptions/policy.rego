package main

deny_queue contains msg if {
	some change in input.resource_changes
	change.type == "aws_sqs_queue"
	msg := sprintf("no queues: %s", [change.address])
}

violation_bucket contains {"msg": msg} if {
	some change in input.resource_changes
	change.type == "aws_s3_bucket"
	msg := sprintf("no buckets: %s", [change.address])
}

exception contains rules if {
	some change in input.resource_changes
	change.change.after.tags.Owner == "platform"
	rules := ["queue"]
}
