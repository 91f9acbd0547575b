package terrace.tags_test

import data.terrace.tags

changed(after, unknown) := {"resource_changes": [{
	"address": "aws_sqs_queue.this",
	"mode": "managed",
	"type": "aws_sqs_queue",
	"change": {"actions": ["create"], "after": after, "after_unknown": unknown},
}]}

settings := {"required_tags": ["Owner"]}

test_a_missing_tag_is_denied if {
	count(tags.deny) == 1 with input as changed({"tags": {"Name": "x"}}, {}) with data.settings as settings
	count(tags.deny) == 1 with input as changed({"tags": null}, {}) with data.settings as settings
	count(tags.deny) == 1 with input as changed({"tags": {"Owner": ""}}, {}) with data.settings as settings
}

test_default_tags_count if {
	count(tags.deny) == 0 with input as changed({"tags": null, "tags_all": {"Owner": "team"}}, {}) with data.settings as settings
}

test_what_has_no_tags_or_unknown_ones_passes if {
	count(tags.deny) == 0 with input as changed({"name": "x"}, {}) with data.settings as settings
	count(tags.deny) == 0 with input as changed({"tags": null}, {"tags_all": true}) with data.settings as settings
}
