package main

deny contains msg if {
	some change in input.resource_changes
	size := change.change.after.memory_size
	size * 1048576 > units.parse_bytes("1GiB")
	msg := sprintf("%s takes %d MiB", [change.address, size])
}
