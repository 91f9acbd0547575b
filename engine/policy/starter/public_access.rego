# METADATA
# title: Public access
# description: Nothing is open to everybody unless somebody says so.
package terrace.public_access

import data.terrace.changes

everybody := {"0.0.0.0/0", "::/0"}

# Ports that nobody opens to everybody on purpose.
guarded := {22, 23, 1433, 1521, 2379, 3306, 3389, 5432, 6379, 9200, 11211, 27017}

deny contains result if {
	some change in changes.after
	change.type in {"aws_s3_bucket", "aws_s3_bucket_acl"}
	change.change.after.acl in {"public-read", "public-read-write", "authenticated-read"}
	result := finding(change, sprintf("has the access list %q", [change.change.after.acl]))
}

deny contains result if {
	some change in changes.after
	change.type in {"aws_s3_bucket_public_access_block", "aws_s3_account_public_access_block"}
	some name in {"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"}
	not changes.unknown(change, name)
	not change.change.after[name] == true
	result := finding(change, sprintf("leaves %s off", [name]))
}

# Attributes that must not be true, by type.
open := {
	"aws_db_instance": "publicly_accessible",
	"aws_rds_cluster_instance": "publicly_accessible",
	"aws_redshift_cluster": "publicly_accessible",
	"azurerm_kubernetes_cluster": "public_network_access_enabled",
	"azurerm_mssql_server": "public_network_access_enabled",
	"azurerm_postgresql_flexible_server": "public_network_access_enabled",
	"azurerm_storage_account": "allow_nested_items_to_be_public",
}

deny contains result if {
	some change in changes.after
	name := open[change.type]
	change.change.after[name] == true
	result := finding(change, sprintf("sets %s", [name]))
}

# Rules inside of a security group, and rules of their own.
ingress contains {"change": change, "rule": rule} if {
	some change in changes.after
	change.type in {"aws_security_group", "aws_default_security_group"}
	some rule in change.change.after.ingress
}

ingress contains {"change": change, "rule": change.change.after} if {
	some change in changes.after
	change.type == "aws_security_group_rule"
	change.change.after.type == "ingress"
}

deny contains result if {
	some found in ingress
	sources := {source |
		some list in ["cidr_blocks", "ipv6_cidr_blocks"]
		some source in found.rule[list]
	}
	count(sources & everybody) > 0
	some port in guarded
	reaches(found.rule, port)
	result := finding(found.change, sprintf("opens port %d to everybody", [port]))
}

reaches(rule, _) if rule.protocol in {"-1", "all"}

reaches(rule, port) if {
	rule.from_port <= port
	rule.to_port >= port
}

deny contains result if {
	some change in changes.after
	change.type == "aws_vpc_security_group_ingress_rule"
	some name in {"cidr_ipv4", "cidr_ipv6"}
	change.change.after[name] in everybody
	some port in guarded
	reaches({"protocol": change.change.after.ip_protocol, "from_port": change.change.after.from_port, "to_port": change.change.after.to_port}, port)
	result := finding(change, sprintf("opens port %d to everybody", [port]))
}

deny contains result if {
	some change in changes.after
	change.type == "azurerm_network_security_rule"
	rule := change.change.after
	rule.direction == "Inbound"
	rule.access == "Allow"
	rule.source_address_prefix in {"*", "Internet", "0.0.0.0/0"}
	some port in guarded
	azure_port(rule.destination_port_range, port)
	result := finding(change, sprintf("opens port %d to everybody", [port]))
}

azure_port(range, _) if range == "*"

azure_port(range, port) if range == sprintf("%d", [port])

azure_port(range, port) if {
	[from, to] := split(range, "-")
	to_number(from) <= port
	to_number(to) >= port
}

warn contains result if {
	some change in changes.after
	change.type in {"kubernetes_service", "kubernetes_service_v1"}
	some spec in change.change.after.spec
	spec.type == "LoadBalancer"
	not spec.load_balancer_source_ranges
	result := finding(change, "is a load balancer without load_balancer_source_ranges")
}

finding(change, what) := {
	"msg": sprintf("%s is open to everybody: it %s", [change.address, what]),
	"address": change.address,
}
