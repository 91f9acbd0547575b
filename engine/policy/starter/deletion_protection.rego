# METADATA
# title: Deletion protection
# description: What holds data is protected, and is not destroyed in passing.
package terrace.deletion_protection

import data.terrace.changes

# The attribute that protects, by type.
protects := {
	"aws_db_instance": "deletion_protection",
	"aws_rds_cluster": "deletion_protection",
	"aws_dynamodb_table": "deletion_protection_enabled",
	"aws_lb": "enable_deletion_protection",
	"azurerm_key_vault": "purge_protection_enabled",
}

# Production alone must be protected; elsewhere it is told.
is_production if input.terrace.environment in {"prd", "prod", "production"}

deny contains result if {
	is_production
	some result in unprotected
}

warn contains result if {
	not is_production
	some result in unprotected
}

unprotected contains result if {
	some change in changes.after
	name := protects[change.type]
	not changes.unknown(change, name)
	not change.change.after[name] == true
	result := {
		"msg": sprintf("%s can be destroyed by accident: %s is not true", [change.address, name]),
		"address": change.address,
	}
}

# An emergency may destroy what holds data: its gate asks for more people.
deny contains result if {
	object.get(object.get(input, "terrace", {}), "change", "normal") != "emergency"
	some change in changes.destroyed
	change.type in data.settings.protected_types
	result := {
		"msg": sprintf("%s holds data and would be %s: take its type out of data.settings.protected_types, or make an emergency change", [change.address, what(change)]),
		"address": change.address,
	}
}

what(change) := "replaced" if "create" in change.change.actions

what(change) := "destroyed" if not "create" in change.change.actions
