package main

inside(range) if {
	some allowed in ["10.0.0.0/8", "192.168.0.0/16"]
	net.cidr_contains(allowed, range)
}

deny contains msg if {
	some change in input.resource_changes
	some rule in change.change.after.ingress
	some range in rule.cidr_blocks
	not inside(range)
	msg := sprintf("%s lets in %s at %d-%d", [change.address, range, rule.from_port, rule.to_port])
}
