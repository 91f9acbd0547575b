# METADATA
# title: Encryption
# description: What stores data keeps it encrypted, and what moves data does so over TLS.
package terrace.encryption

import data.terrace.changes

# Attributes that must be true, by type.
must_be_true := {
	"aws_db_instance": {"storage_encrypted"},
	"aws_ebs_volume": {"encrypted"},
	"aws_efs_file_system": {"encrypted"},
	"aws_neptune_cluster": {"storage_encrypted"},
	"aws_rds_cluster": {"storage_encrypted"},
	"aws_redshift_cluster": {"encrypted"},
	"azurerm_mssql_database": {"transparent_data_encryption_enabled"},
	"azurerm_storage_account": {"https_traffic_only_enabled"},
}

deny contains result if {
	some change in changes.after
	some name in must_be_true[change.type]
	not changes.unknown(change, name)
	not change.change.after[name] == true
	result := {
		"msg": sprintf("%s keeps or moves data without encryption: %s must be true", [change.address, name]),
		"address": change.address,
	}
}

# Versions of TLS that are too old, by type and attribute.
oldest := {
	"azurerm_mssql_server": {"minimum_tls_version": {"1.0", "1.1", "Disabled"}},
	"azurerm_redis_cache": {"minimum_tls_version": {"1.0", "1.1"}},
	"azurerm_storage_account": {"min_tls_version": {"TLS1_0", "TLS1_1"}},
}

deny contains result if {
	some change in changes.after
	some name, versions in oldest[change.type]
	change.change.after[name] in versions
	result := {
		"msg": sprintf("%s accepts %s of %s", [change.address, name, change.change.after[name]]),
		"address": change.address,
	}
}

deny contains result if {
	some change in changes.after
	change.type in {"aws_lb_listener", "aws_alb_listener"}
	change.change.after.protocol == "HTTP"
	not redirects(change)
	result := {
		"msg": sprintf("%s serves plain HTTP: use HTTPS, or redirect to it", [change.address]),
		"address": change.address,
	}
}

redirects(change) if {
	some action in change.change.after.default_action
	action.type == "redirect"
}

deny contains result if {
	some change in changes.after
	change.type == "aws_sqs_queue"
	change.change.after.sqs_managed_sse_enabled == false
	not change.change.after.kms_master_key_id
	not changes.unknown(change, "kms_master_key_id")
	result := {
		"msg": sprintf("%s switches its encryption off: leave sqs_managed_sse_enabled out, or set kms_master_key_id", [change.address]),
		"address": change.address,
	}
}

warn contains result if {
	some change in changes.after
	change.type == "aws_cloudwatch_log_group"
	not change.change.after.kms_key_id
	not changes.unknown(change, "kms_key_id")
	result := {
		"msg": sprintf("%s is encrypted with a key of AWS, not with your own", [change.address]),
		"address": change.address,
	}
}
