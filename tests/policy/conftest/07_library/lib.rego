package lib.changes

created contains change.address if {
	some change in input.resource_changes
	change.change.actions == ["create"]
}
