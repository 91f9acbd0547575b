package main

deny contains msg if {
	walk(input.planned_values, [path, value])
	is_string(value)
	regex.match(`AKIA[0-9A-Z]{16}`, value)
	msg := sprintf("an access key lies at %s", [concat(".", [sprintf("%v", [step]) | some step in path])])
}
