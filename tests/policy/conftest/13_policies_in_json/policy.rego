package main

deny contains msg if {
	some change in input.resource_changes
	change.type == "aws_iam_policy"
	document := json.unmarshal(change.change.after.policy)
	some index, statement in document.Statement
	statement.Action == "*"
	msg := sprintf("%s: statement %d allows everything", [change.address, index])
}
