package main

edges[resource.address] := targets if {
	some resource in input.configuration.root_module.resources
	targets := {target |
		walk(object.get(resource, "expressions", {}), [_, value])
		some reference in value.references
		parts := split(reference, ".")
		count(parts) == 2
		target := reference
	}
}

deny contains msg if {
	some from, _ in edges
	reached := graph.reachable(edges, {from})
	count(reached) > 2
	msg := sprintf("%s hangs on %d others", [from, count(reached) - 1])
}
