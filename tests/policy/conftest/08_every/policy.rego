package main

default compliant := false

compliant if {
	every change in input.resource_changes {
		startswith(change.provider_name, "registry.terraform.io/hashicorp/")
	}
}

deny contains "a provider of somebody else" if not compliant
