package main

calls[name] := call if {
	walk(input.configuration.root_module, [path, value])
	path[count(path) - 2] == "module_calls"
	name := path[count(path) - 1]
	call := value
}

deny contains msg if {
	some name, call in calls
	not startswith(call.source, "./")
	not call.version_constraint
	msg := sprintf("module %s has no version", [name])
}
