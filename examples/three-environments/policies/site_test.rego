package site_test

import data.site

page(environment, filename) := {
	"resource_changes": [{
		"address": "module.site.local_file.page[\"index\"]",
		"type": "local_file",
		"change": {"actions": ["create"], "after": {"filename": filename}},
	}],
	"variables": {"replicas": {"value": 1}},
	"terrace": {"environment": environment},
}

test_an_environment_writes_its_own_directory if {
	count(site.deny) == 0 with input as page("dev", "./site/dev/index.html")
}

test_and_no_others if {
	count(site.deny) == 1 with input as page("dev", "./site/prd/index.html")
}

test_one_server_is_enough_for_dev_alone if {
	count(site.warn) == 0 with input as page("dev", "./site/dev/index.html")
	count(site.warn) == 1 with input as page("prd", "./site/prd/index.html")
}
