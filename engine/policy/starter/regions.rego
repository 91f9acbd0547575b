# METADATA
# title: Regions
# description: Objects are where data.settings.allowed_regions has them; an empty list allows every region.
package terrace.regions

import data.terrace.changes

allowed := {region | some region in data.settings.allowed_regions}

deny contains result if {
	count(allowed) > 0
	some change in changes.after
	some name in {"region", "location"}
	region := change.change.after[name]
	is_string(region)
	not normal(region) in {normal(other) | some other in allowed}
	result := {
		"msg": sprintf("%s is in %s, which is not one of %s", [change.address, region, concat(", ", sort(allowed))]),
		"address": change.address,
	}
}

# Azure names the same region "West Europe" and "westeurope".
normal(region) := lower(replace(region, " ", ""))

# Regions that provider blocks name as constants.
deny contains result if {
	count(allowed) > 0
	some key, provider in input.configuration.provider_config
	region := provider.expressions.region.constant_value
	not normal(region) in {normal(other) | some other in allowed}
	result := {"msg": sprintf("provider %s works in %s, which is not one of %s", [key, region, concat(", ", sort(allowed))])}
}
