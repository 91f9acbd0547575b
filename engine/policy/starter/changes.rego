# METADATA
# title: What a plan changes
# description: Helpers that the other policies share.
package terrace.changes

# The changes that leave an object behind: creations, updates and replacements of managed resources.
after contains change if {
	some change in input.resource_changes
	change.mode == "managed"
	some action in change.change.actions
	action in {"create", "update"}
}

# The changes that destroy an object, replacements included.
destroyed contains change if {
	some change in input.resource_changes
	change.mode == "managed"
	"delete" in change.change.actions
}

# Whether an attribute will be known after the apply only.
unknown(change, name) if change.change.after_unknown[name] == true
