package main

weight(actions) := 10 if {
	"delete" in actions
} else := 3 if {
	"update" in actions
} else := 1 if {
	"create" in actions
} else := 0

deny contains msg if {
	score := sum([weight(change.change.actions) | some change in input.resource_changes])
	score >= 10
	msg := sprintf("score %d", [score])
}
