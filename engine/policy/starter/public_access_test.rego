package terrace.public_access_test

import data.terrace.public_access

changed(type, after) := {"resource_changes": [{
	"address": sprintf("%s.this", [type]),
	"mode": "managed",
	"type": type,
	"change": {"actions": ["update"], "after": after, "after_unknown": {}},
}]}

test_access_lists_of_buckets if {
	count(public_access.deny) == 1 with input as changed("aws_s3_bucket_acl", {"acl": "public-read"})
	count(public_access.deny) == 0 with input as changed("aws_s3_bucket_acl", {"acl": "private"})
}

test_a_block_blocks_everything if {
	half := {"block_public_acls": true, "block_public_policy": true}
	count(public_access.deny) == 2 with input as changed("aws_s3_bucket_public_access_block", half)
	whole := object.union(half, {"ignore_public_acls": true, "restrict_public_buckets": true})
	count(public_access.deny) == 0 with input as changed("aws_s3_bucket_public_access_block", whole)
}

test_databases_are_not_public if {
	count(public_access.deny) == 1 with input as changed("aws_db_instance", {"publicly_accessible": true})
	count(public_access.deny) == 0 with input as changed("aws_db_instance", {"publicly_accessible": false})
}

test_ports_of_security_groups if {
	open := {"from_port": 20, "to_port": 25, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}
	count(public_access.deny) == 2 with input as changed("aws_security_group", {"ingress": [open]})
	inside := object.union(open, {"cidr_blocks": ["10.0.0.0/8"]})
	count(public_access.deny) == 0 with input as changed("aws_security_group", {"ingress": [inside]})
	web := object.union(open, {"from_port": 443, "to_port": 443})
	count(public_access.deny) == 0 with input as changed("aws_security_group_rule", object.union(web, {"type": "ingress"}))
}

test_ports_of_single_rules if {
	rule := {"cidr_ipv4": "0.0.0.0/0", "cidr_ipv6": null, "from_port": 22, "to_port": 22, "ip_protocol": "tcp"}
	count(public_access.deny) == 1 with input as changed("aws_vpc_security_group_ingress_rule", rule)
	count(public_access.deny) == 0 with input as changed("aws_vpc_security_group_ingress_rule", object.union(rule, {"cidr_ipv4": "10.0.0.0/8"}))
}

test_ports_of_azure if {
	rule := {"direction": "Inbound", "access": "Allow", "source_address_prefix": "*", "destination_port_range": "3380-3390"}
	count(public_access.deny) == 1 with input as changed("azurerm_network_security_rule", rule)
	count(public_access.deny) == 0 with input as changed("azurerm_network_security_rule", object.union(rule, {"destination_port_range": "443"}))
	count(public_access.deny) == 0 with input as changed("azurerm_network_security_rule", object.union(rule, {"access": "Deny"}))
}

test_load_balancers_are_told if {
	count(public_access.warn) == 1 with input as changed("kubernetes_service", {"spec": [{"type": "LoadBalancer"}]})
	count(public_access.warn) == 0 with input as changed("kubernetes_service", {"spec": [{"type": "ClusterIP"}]})
}
