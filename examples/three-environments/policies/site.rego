# METADATA
# title: The site
# description: What no plan of this project may do, in whatever environment.
package site

# An environment writes its own directory, and no other's.
deny contains result if {
	some change in input.resource_changes
	change.type in {"local_file", "local_sensitive_file"}
	some action in change.change.actions
	action in {"create", "update"}
	own := sprintf("./site/%s/", [input.terrace.environment])
	not startswith(change.change.after.filename, own)
	result := {
		"msg": sprintf("%s writes %s, which is not below %s", [change.address, change.change.after.filename, own]),
		"address": change.address,
	}
}

# One server is enough to try things, and not enough for customers.
warn contains "production runs on one server only" if {
	input.terrace.environment == "prd"
	input.variables.replicas.value < 2
}
