package terraform.buckets

deny contains msg if {
	some name, _ in buckets
	not startswith(name, "acme-")
	msg := sprintf("bucket %s has no prefix", [name])
}

buckets[change.change.after.bucket] := change.address if {
	some change in input.resource_changes
	change.type == "aws_s3_bucket"
}
