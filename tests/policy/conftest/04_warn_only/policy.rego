package main

warn contains msg if {
	count(input.resource_changes) > 3
	msg := sprintf("%d objects change at once", [count(input.resource_changes)])
}

warn_old_version contains msg if {
	semver.compare(trim_prefix(input.terraform_version, "v"), "99.0.0") < 0
	msg := sprintf("version %s", [input.terraform_version])
}
