# METADATA
# title: Tags
# description: |
#   Every object that can have tags has those of data.settings.required_tags, whatever they were set by: tags_all holds what
#   a provider's default_tags add.
package terrace.tags

import data.terrace.changes

required := {tag | some tag in data.settings.required_tags}

deny contains result if {
	some change in changes.after
	tagged := tags(change)
	missing := required - {tag | some tag, value in tagged; value != ""}
	count(missing) > 0
	result := {
		"msg": sprintf("%s lacks the tags %s", [change.address, concat(", ", sort(missing))]),
		"address": change.address,
	}
}

# The tags of an object that can have some; undefined where it cannot, or where they are not known yet.
tags(change) := change.change.after.tags_all if {
	is_object(change.change.after.tags_all)
	not changes.unknown(change, "tags_all")
} else := change.change.after.tags if {
	is_object(change.change.after.tags)
	not changes.unknown(change, "tags")
} else := {} if {
	"tags" in object.keys(change.change.after)
	change.change.after.tags == null
	not changes.unknown(change, "tags")
	not changes.unknown(change, "tags_all")
}
