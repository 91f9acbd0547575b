//! Providers' schemas for other programs, in the reference's form.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::ProviderAddr;
use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema,
    IdentitySchema, NestedBlock, Nesting, ProviderSchema, ResourceSchema, StringKind,
};
use terrace_value::json::{encode_type, quote_onto};
use terrace_value::{Text, Type};

/// The form that schemas are given in.
const FORMAT_VERSION: &str = "1.0";

/// The schemas of these providers as one line of JSON.
pub(crate) fn provider_schemas(schemas: &BTreeMap<ProviderAddr, Arc<ProviderSchema>>) -> String {
    let mut out = Object::default();
    out.text("format_version", FORMAT_VERSION);
    let providers = schemas
        .iter()
        .map(|(provider, schema)| (provider.to_string(), provider_schema(schema)))
        .collect::<BTreeMap<_, _>>();
    out.table("provider_schemas", providers);
    out.finish()
}

/// An object whose fields keep their order.
#[derive(Default)]
struct Object(String);

impl Object {
    fn field(&mut self, name: &str, json: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        quote_onto(name, &mut self.0);
        self.0.push(':');
        self.0.push_str(json);
    }

    fn text(&mut self, name: &str, text: &str) {
        let mut json = String::new();
        quote_onto(text, &mut json);
        self.field(name, &json);
    }

    fn text_if_any(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    fn flag(&mut self, name: &str, set: bool) {
        if set {
            self.field(name, "true");
        }
    }

    /// An object of objects, where there is one.
    fn table<N: AsRef<str>>(&mut self, name: &str, items: impl IntoIterator<Item = (N, String)>) {
        let mut table = Self::default();
        for (name, json) in items {
            table.field(name.as_ref(), &json);
        }
        if !table.0.is_empty() {
            self.field(name, &table.finish());
        }
    }

    fn finish(mut self) -> String {
        if self.0.is_empty() {
            self.0.push('{');
        }
        self.0.push('}');
        self.0
    }
}

fn provider_schema(schema: &ProviderSchema) -> String {
    let mut out = Object::default();
    out.field("provider", &resource(&schema.provider));
    let table =
        |(name, schema): (&Text, &Arc<ResourceSchema>)| (name.to_string(), resource(schema));
    out.table("resource_schemas", schema.resources.iter().map(table));
    out.table("data_source_schemas", schema.data_sources.iter().map(table));
    out.table(
        "ephemeral_resource_schemas",
        schema.ephemeral_resources.iter().map(table),
    );
    out.table(
        "list_resource_schemas",
        schema.list_resources.iter().map(table),
    );
    out.table(
        "functions",
        schema
            .functions
            .iter()
            .map(|(name, schema)| (name.to_string(), function(schema))),
    );
    out.table(
        "resource_identity_schemas",
        schema
            .identities
            .iter()
            .map(|(name, schema)| (name.to_string(), identity(schema))),
    );
    out.table("action_schemas", schema.actions.iter().map(action));
    out.finish()
}

fn resource(schema: &ResourceSchema) -> String {
    let mut out = Object::default();
    out.field("version", &schema.version.to_string());
    out.field("block", &block(&schema.block));
    out.finish()
}

/// Actions keep nothing, so that their schemas have no version.
fn action((name, schema): (&Text, &Arc<ResourceSchema>)) -> (String, String) {
    let mut out = Object::default();
    out.field("block", &block(&schema.block));
    (name.to_string(), out.finish())
}

fn block(block: &Block) -> String {
    let mut out = Object::default();
    out.table("attributes", attributes(&block.attributes));
    out.table(
        "block_types",
        block
            .blocks
            .iter()
            .map(|(name, nested)| (name.to_string(), nested_block(nested))),
    );
    out.text_if_any("description", &block.description);
    out.text("description_kind", kind(block.description_kind));
    out.flag("deprecated", block.deprecated);
    out.finish()
}

fn attributes(
    attributes: &BTreeMap<Text, Attribute>,
) -> impl Iterator<Item = (String, String)> + '_ {
    attributes
        .iter()
        .map(|(name, found)| (name.to_string(), attribute(found)))
}

fn attribute(attribute: &Attribute) -> String {
    let mut out = Object::default();
    match &attribute.ty {
        AttributeType::Plain(ty) => out.field("type", &type_of(ty)),
        AttributeType::Nested(nested) => {
            let mut object = Object::default();
            object.table("attributes", attributes(&nested.attributes));
            object.text(
                "nesting_mode",
                match nested.nesting {
                    Nesting::Single => "single",
                    Nesting::List => "list",
                    Nesting::Set => "set",
                    Nesting::Map => "map",
                },
            );
            out.field("nested_type", &object.finish());
        }
    }
    out.text_if_any("description", &attribute.description);
    out.text("description_kind", kind(attribute.description_kind));
    out.flag("deprecated", attribute.deprecated);
    out.flag("required", attribute.required);
    out.flag("optional", attribute.optional);
    out.flag("computed", attribute.computed);
    out.flag("sensitive", attribute.sensitive);
    out.flag("write_only", attribute.write_only);
    out.finish()
}

fn nested_block(nested: &NestedBlock) -> String {
    let mut out = Object::default();
    out.text(
        "nesting_mode",
        match nested.nesting {
            BlockNesting::Single => "single",
            BlockNesting::Group => "group",
            BlockNesting::List => "list",
            BlockNesting::Set => "set",
            BlockNesting::Map => "map",
        },
    );
    out.field("block", &block(&nested.block));
    if nested.min_items > 0 {
        out.field("min_items", &nested.min_items.to_string());
    }
    if nested.max_items > 0 {
        out.field("max_items", &nested.max_items.to_string());
    }
    out.finish()
}

fn function(function: &FunctionSchema) -> String {
    let mut out = Object::default();
    out.text_if_any("description", &function.description);
    out.text_if_any("summary", &function.summary);
    out.text_if_any("deprecation_message", &function.deprecation_message);
    out.field("return_type", &type_of(&function.result));
    let parameters: Vec<String> = function.parameters.iter().map(parameter).collect();
    if !parameters.is_empty() {
        out.field("parameters", &format!("[{}]", parameters.join(",")));
    }
    if let Some(variadic) = &function.variadic {
        out.field("variadic_parameter", &parameter(variadic));
    }
    out.finish()
}

fn parameter(parameter: &FunctionParameter) -> String {
    let mut out = Object::default();
    out.text_if_any("name", &parameter.name);
    out.text_if_any("description", &parameter.description);
    out.flag("is_nullable", parameter.allow_null);
    out.field("type", &type_of(&parameter.ty));
    out.finish()
}

fn identity(schema: &IdentitySchema) -> String {
    let mut out = Object::default();
    out.field("version", &schema.version.to_string());
    out.table(
        "attributes",
        schema.attributes.iter().map(|(name, attribute)| {
            let mut out = Object::default();
            out.field("type", &type_of(&attribute.ty));
            out.text_if_any("description", &attribute.description);
            out.flag("required_for_import", attribute.required_for_import);
            out.flag("optional_for_import", !attribute.required_for_import);
            (name.to_string(), out.finish())
        }),
    );
    out.finish()
}

fn type_of(ty: &Type) -> String {
    encode_type(ty)
}

const fn kind(kind: StringKind) -> &'static str {
    match kind {
        StringKind::Plain => "plain",
        StringKind::Markdown => "markdown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_the_reference_s_order() {
        let mut token = Attribute::optional(Type::String).sensitive();
        token.write_only = true;
        token.deprecated = true;
        token.description = "a <b>".into();
        let schema = ProviderSchema {
            provider: ResourceSchema {
                version: 2,
                block: Block {
                    attributes: [("token".into(), token)].into(),
                    blocks: [(
                        "assume".into(),
                        NestedBlock {
                            block: Block::default(),
                            nesting: BlockNesting::List,
                            min_items: 0,
                            max_items: 1,
                        },
                    )]
                    .into(),
                    ..Block::default()
                },
            },
            ..ProviderSchema::default()
        };
        let schemas = BTreeMap::from([(ProviderAddr::default_for("x"), Arc::new(schema))]);
        assert_eq!(
            provider_schemas(&schemas),
            r#"{"format_version":"1.0","provider_schemas":{"registry.terraform.io/hashicorp/x":{"provider":{"version":2,"block":{"attributes":{"token":{"type":"string","description":"a \u003cb\u003e","description_kind":"plain","deprecated":true,"optional":true,"sensitive":true,"write_only":true}},"block_types":{"assume":{"nesting_mode":"list","block":{"description_kind":"plain"},"max_items":1}},"description_kind":"plain"}}}}}"#
        );
        assert_eq!(
            provider_schemas(&BTreeMap::new()),
            r#"{"format_version":"1.0"}"#
        );
    }
}
