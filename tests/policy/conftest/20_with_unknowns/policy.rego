package main

deny contains msg if {
	some change in input.resource_changes
	change.type == "aws_sqs_queue"
	not change.change.after.kms_master_key_id
	not change.change.after_unknown.kms_master_key_id
	msg := sprintf("%s has no key", [change.address])
}

violation_outputs contains {"msg": msg, "output": name} if {
	some name, output in input.output_changes
	output.after_sensitive == true
	msg := sprintf("output %s is secret", [name])
}
