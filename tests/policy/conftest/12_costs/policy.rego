package main

price := {"aws_db_instance": 120, "aws_sqs_queue": 0.4, "aws_s3_bucket": 1.5}

total := sum([price[change.type] |
	some change in input.resource_changes
	"create" in change.change.actions
])

deny contains msg if {
	total > 100
	msg := sprintf("it costs %v a month", [total])
}

warn contains msg if {
	total > 1
	msg := sprintf("it costs about %d a month", [ceil(total)])
}
