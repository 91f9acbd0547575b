package terrace.deletion_protection_test

import data.terrace.deletion_protection

changed(actions, after, circumstances) := {
	"terrace": circumstances,
	"resource_changes": [{
		"address": "aws_dynamodb_table.this",
		"mode": "managed",
		"type": "aws_dynamodb_table",
		"change": {"actions": actions, "after": after, "after_unknown": {}},
	}],
}

settings := {"protected_types": ["aws_dynamodb_table"]}

test_production_is_protected if {
	plan := changed(["create"], {"name": "x"}, {"environment": "prd"})
	count(deletion_protection.deny) == 1 with input as plan
	count(deletion_protection.warn) == 0 with input as plan
}

test_elsewhere_it_is_told if {
	plan := changed(["create"], {"name": "x"}, {"environment": "dev"})
	count(deletion_protection.deny) == 0 with input as plan
	count(deletion_protection.warn) == 1 with input as plan
}

test_data_is_not_destroyed_in_passing if {
	gone := changed(["delete"], null, {"environment": "dev", "change": "normal"})
	count(deletion_protection.deny) == 1 with input as gone with data.settings as settings
	replaced := changed(["delete", "create"], {"deletion_protection_enabled": true}, {"change": "normal"})
	count(deletion_protection.deny) == 1 with input as replaced with data.settings as settings
	emergency := changed(["delete"], null, {"change": "emergency"})
	count(deletion_protection.deny) == 0 with input as emergency with data.settings as settings
}
