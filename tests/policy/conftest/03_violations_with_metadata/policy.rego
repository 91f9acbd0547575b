package main

violation contains {"msg": msg, "address": change.address, "actions": change.change.actions} if {
	some change in input.resource_changes
	"delete" in change.change.actions
	msg := sprintf("%s would be destroyed", [change.address])
}
