package main

deny contains msg if {
	some change in input.resource_changes
	not regex.match(`^[a-z][a-z0-9_]*$`, change.name)
	msg := sprintf("%q is no name for %s", [change.name, change.type])
}
