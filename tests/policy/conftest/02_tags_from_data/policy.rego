package main

missing(tags) := {name | some name in data.required; not tags[name]}

deny_tags contains msg if {
	some change in input.resource_changes
	change.mode == "managed"
	tags := object.get(change.change.after, "tags", {})
	is_object(tags)
	some name in missing(tags)
	msg := sprintf("%s lacks %s", [change.address, name])
}
