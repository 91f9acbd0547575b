package main

changed(before, after) := {name |
	some name in object.keys(object.union(before, after))
	object.get(before, name, null) != object.get(after, name, null)
}

warn contains msg if {
	some change in input.resource_changes
	change.change.actions == ["update"]
	names := changed(change.change.before, change.change.after)
	msg := sprintf("%s: %s", [change.address, concat(",", sort(names))])
}
