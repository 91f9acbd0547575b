package terrace.regions_test

import data.terrace.regions

settings := {"allowed_regions": ["eu-west-1", "westeurope"]}

changed(after) := {"resource_changes": [{
	"address": "example.this",
	"mode": "managed",
	"type": "example",
	"change": {"actions": ["create"], "after": after, "after_unknown": {}},
}]}

test_other_regions_are_denied if {
	count(regions.deny) == 1 with input as changed({"region": "us-east-1"}) with data.settings as settings
	count(regions.deny) == 0 with input as changed({"region": "eu-west-1"}) with data.settings as settings
	count(regions.deny) == 0 with input as changed({"location": "West Europe"}) with data.settings as settings
}

test_an_empty_list_allows_all if {
	count(regions.deny) == 0 with input as changed({"region": "us-east-1"}) with data.settings as {"allowed_regions": []}
}

test_providers_are_judged_too if {
	plan := {"configuration": {"provider_config": {"aws": {"expressions": {"region": {"constant_value": "us-east-1"}}}}}}
	count(regions.deny) == 1 with input as plan with data.settings as settings
}
