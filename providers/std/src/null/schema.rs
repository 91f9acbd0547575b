//! Schemas of null.

use terrace_provider_sdk::{Attribute, Schema, Type};

/// The schema of the resource type `null_resource`.
pub(super) fn null_resource() -> Schema {
    Schema::new().describe(r#"The `null_resource` resource implements the standard resource lifecycle but takes no further action. On Terraform 1.4 and later, use the [`terraform_data` resource type](https://developer.hashicorp.com/terraform/language/resources/terraform-data) instead. Terraform 1.9 and later support the `moved` configuration block from `null_resource` to `terraform_data`.

The `triggers` argument allows specifying an arbitrary set of values that, when changed, will cause the resource to be replaced."#).plain().attribute("id", Attribute::string().computed().keep().describe_plain("This is set to a random value at create time.")).attribute("triggers", Attribute::map(Type::String).optional().replace().describe_plain("A map of arbitrary strings that, when changed, will force the null resource to be replaced, re-running any associated provisioners."))
}

/// The schema of the data source `null_data_source`.
pub(super) fn null_data_source_data() -> Schema {
    Schema::new().describe(r#"The `null_data_source` data source implements the standard data source lifecycle but does not
interact with any external APIs.

Historically, the `null_data_source` was typically used to construct intermediate values to re-use elsewhere in configuration. The
same can now be achieved using [locals](https://developer.hashicorp.com/terraform/language/values/locals) or the [terraform_data resource type](https://developer.hashicorp.com/terraform/language/resources/terraform-data) in Terraform 1.4 and later."#).plain().deprecated().attribute("has_computed_default", Attribute::string().optional().computed().describe_plain(r#"If set, its literal value will be stored and returned. If not, its value defaults to `"default"`. This argument exists primarily for testing and has little practical use."#)).attribute("id", Attribute::string().computed().deprecated().describe_plain("This attribute is only present for some legacy compatibility issues and should not be used. It will be removed in a future version.")).attribute("inputs", Attribute::map(Type::String).optional().describe_plain("A map of arbitrary strings that is copied into the `outputs` attribute, and accessible directly for interpolation.")).attribute("outputs", Attribute::map(Type::String).computed().describe_plain(r#"After the data source is "read", a copy of the `inputs` map."#)).attribute("random", Attribute::string().computed().describe_plain("A random value. This is primarily for testing and has little practical use; prefer the [hashicorp/random provider](https://registry.terraform.io/providers/hashicorp/random) for more practical random number use-cases."))
}
