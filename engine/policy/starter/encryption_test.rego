package terrace.encryption_test

import data.terrace.encryption

changed(type, after) := {"resource_changes": [{
	"address": sprintf("%s.this", [type]),
	"mode": "managed",
	"type": type,
	"change": {"actions": ["create"], "after": after, "after_unknown": {}},
}]}

test_a_volume_must_be_encrypted if {
	count(encryption.deny) == 1 with input as changed("aws_ebs_volume", {"encrypted": false})
	count(encryption.deny) == 1 with input as changed("aws_ebs_volume", {"size": 1})
	count(encryption.deny) == 0 with input as changed("aws_ebs_volume", {"encrypted": true})
}

test_what_is_unknown_is_not_denied if {
	plan := {"resource_changes": [{
		"address": "aws_ebs_volume.this",
		"mode": "managed",
		"type": "aws_ebs_volume",
		"change": {"actions": ["create"], "after": {}, "after_unknown": {"encrypted": true}},
	}]}
	count(encryption.deny) == 0 with input as plan
}

test_old_tls_is_denied if {
	count(encryption.deny) == 1 with input as changed("azurerm_redis_cache", {"minimum_tls_version": "1.1"})
	count(encryption.deny) == 0 with input as changed("azurerm_redis_cache", {"minimum_tls_version": "1.2"})
}

test_http_may_redirect if {
	count(encryption.deny) == 1 with input as changed("aws_lb_listener", {"protocol": "HTTP", "default_action": [{"type": "forward"}]})
	count(encryption.deny) == 0 with input as changed("aws_lb_listener", {"protocol": "HTTP", "default_action": [{"type": "redirect"}]})
}

test_a_queue_keeps_its_encryption if {
	count(encryption.deny) == 1 with input as changed("aws_sqs_queue", {"sqs_managed_sse_enabled": false})
	count(encryption.deny) == 0 with input as changed("aws_sqs_queue", {"sqs_managed_sse_enabled": false, "kms_master_key_id": "alias/own"})
	count(encryption.deny) == 0 with input as changed("aws_sqs_queue", {})
}

test_a_log_group_without_own_key_is_told if {
	count(encryption.warn) == 1 with input as changed("aws_cloudwatch_log_group", {"name": "x"})
	count(encryption.warn) == 0 with input as changed("aws_cloudwatch_log_group", {"kms_key_id": "arn"})
}
