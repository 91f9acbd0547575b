//! Schemas of the native providers against those of the well-known ones: types, versions, attributes, flags, nested
//! blocks and functions, as `providers schema -json` gives them. Descriptions are there where theirs are, in words of our
//! own.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use flate2::read::GzDecoder;
use futures::executor::block_on;
use serde_json::{Map, Value as Json};
use terrace_addr::ProviderAddr;
use terrace_port::{Clock, Entropy, Surroundings};
use terrace_provider_std::{Outside, open, versions};
use terrace_schema::{
    Attribute, Block, BlockNesting, FunctionParameter, FunctionSchema, NestedBlock, ProviderSchema,
    ResourceSchema, StringKind,
};
use terrace_value::{Text, Type};

const SCHEMAS: &[u8] = include_bytes!("../schemas/std.json.gz");

/// Providers that are native and not among the schemas.
const NOT_COMPARED: [&str; 1] = ["external"];

struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

impl Entropy for Nothing {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn schema_of(name: &str) -> Arc<ProviderSchema> {
    let outside = Outside {
        clock: Arc::new(Nothing),
        entropy: Arc::new(Nothing),
        surroundings: Surroundings::default(),
    };
    let provider = open(&ProviderAddr::default_for(name), outside).expect("it is native");
    block_on(provider.schema()).expect("a schema")
}

fn type_json(ty: &Type) -> Json {
    let encoded = terrace_value::json::encode_type(ty);
    serde_json::from_str(&encoded).expect("a type's encoding is JSON")
}

fn set_flags(facts: &mut Map<String, Json>, flags: &[(&str, bool)]) {
    for (name, _) in flags.iter().filter(|(_, set)| *set) {
        facts.insert((*name).into(), true.into());
    }
}

fn describe(facts: &mut Map<String, Json>, description: &str, kind: StringKind) {
    let kind = match kind {
        StringKind::Plain => "plain",
        StringKind::Markdown => "markdown",
    };
    facts.insert("description_kind".into(), kind.into());
    if !description.is_empty() {
        facts.insert("description".into(), description.into());
    }
}

fn attribute(attribute: &Attribute) -> Json {
    assert!(attribute.nested().is_none(), "none of these is nested");
    let mut facts = Map::new();
    facts.insert("type".into(), type_json(&attribute.value_type()));
    describe(
        &mut facts,
        &attribute.description,
        attribute.description_kind,
    );
    set_flags(
        &mut facts,
        &[
            ("required", attribute.required),
            ("optional", attribute.optional),
            ("computed", attribute.computed),
            ("sensitive", attribute.sensitive),
            ("deprecated", attribute.deprecated),
            ("write_only", attribute.write_only),
        ],
    );
    Json::Object(facts)
}

fn nested(nested: &NestedBlock) -> Json {
    let mode = match nested.nesting {
        BlockNesting::Single => "single",
        BlockNesting::Group => "group",
        BlockNesting::List => "list",
        BlockNesting::Set => "set",
        BlockNesting::Map => "map",
    };
    let mut facts = Map::new();
    facts.insert("nesting_mode".into(), mode.into());
    facts.insert("block".into(), block(&nested.block));
    for (name, count) in [
        ("min_items", nested.min_items),
        ("max_items", nested.max_items),
    ] {
        if count > 0 {
            facts.insert(name.into(), count.into());
        }
    }
    Json::Object(facts)
}

fn block(block: &Block) -> Json {
    let mut facts = Map::new();
    let attributes: Map<String, Json> = block
        .attributes
        .iter()
        .map(|(name, found)| (name.to_string(), attribute(found)))
        .collect();
    let blocks: Map<String, Json> = block
        .blocks
        .iter()
        .map(|(name, found)| (name.to_string(), nested(found)))
        .collect();
    for (name, table) in [("attributes", attributes), ("block_types", blocks)] {
        if !table.is_empty() {
            facts.insert(name.into(), table.into());
        }
    }
    describe(&mut facts, &block.description, block.description_kind);
    set_flags(&mut facts, &[("deprecated", block.deprecated)]);
    Json::Object(facts)
}

fn resource(schema: &ResourceSchema) -> Json {
    let mut facts = Map::new();
    facts.insert("version".into(), schema.version.into());
    facts.insert("block".into(), block(&schema.block));
    Json::Object(facts)
}

fn parameter(parameter: &FunctionParameter) -> Json {
    let mut facts = Map::new();
    facts.insert("name".into(), parameter.name.to_string().into());
    facts.insert("type".into(), type_json(&parameter.ty));
    facts.insert(
        "description".into(),
        parameter.description.to_string().into(),
    );
    set_flags(&mut facts, &[("is_nullable", parameter.allow_null)]);
    Json::Object(facts)
}

fn function(function: &FunctionSchema) -> Json {
    let mut facts = Map::new();
    facts.insert("summary".into(), function.summary.to_string().into());
    facts.insert(
        "description".into(),
        function.description.to_string().into(),
    );
    facts.insert("return_type".into(), type_json(&function.result));
    let parameters: Vec<Json> = function.parameters.iter().map(parameter).collect();
    facts.insert("parameters".into(), parameters.into());
    Json::Object(facts)
}

fn table<'t, T: 't>(
    entries: impl Iterator<Item = (&'t Text, &'t Arc<T>)>,
    facts: impl Fn(&T) -> Json,
) -> Map<String, Json> {
    entries
        .map(|(name, found)| (name.to_string(), facts(found)))
        .collect()
}

/// A provider's schema, in the form of `providers schema -json`.
fn provider(schema: &ProviderSchema) -> BTreeMap<&'static str, Map<String, Json>> {
    BTreeMap::from([
        ("resource_schemas", table(schema.resources.iter(), resource)),
        (
            "data_source_schemas",
            table(schema.data_sources.iter(), resource),
        ),
        (
            "ephemeral_resource_schemas",
            table(schema.ephemeral_resources.iter(), resource),
        ),
        ("functions", table(schema.functions.iter(), function)),
    ])
}

fn expected() -> Json {
    let mut text = String::new();
    GzDecoder::new(SCHEMAS)
        .read_to_string(&mut text)
        .expect("the schemas unpack");
    let mut whole: Json = serde_json::from_str(&text).expect("the schemas are JSON");
    whole["provider_schemas"].take()
}

/// The members that are texts for people.
const TEXTS: [&str; 2] = ["description", "summary"];

/// Takes the texts for people out of a schema: what is left, and the texts by where they were.
fn split(schema: &Json) -> (Json, BTreeMap<String, String>) {
    let mut left = schema.clone();
    let mut texts = BTreeMap::new();
    take_texts(&mut left, "", &mut texts);
    (left, texts)
}

fn take_texts(schema: &mut Json, at: &str, texts: &mut BTreeMap<String, String>) {
    match schema {
        Json::Object(members) => {
            // An attribute may be called like a text; it is no string.
            for name in TEXTS {
                if let Some(Json::String(_)) = members.get(name)
                    && let Some(Json::String(text)) = members.remove(name)
                {
                    texts.insert(format!("{at}.{name}"), text);
                }
            }
            for (name, member) in members {
                take_texts(member, &format!("{at}.{name}"), texts);
            }
        }
        Json::Array(elements) => {
            for (place, element) in elements.iter_mut().enumerate() {
                take_texts(element, &format!("{at}[{place}]"), texts);
            }
        }
        _ => {}
    }
}

/// All but the texts is the same; whatever has a text there has one here, and not that one.
fn compare(found: &Json, expected: &Json, what: &str) {
    let (found, ours) = split(found);
    let (expected, theirs) = split(expected);
    assert_eq!(found, expected, "{what}");
    for (at, text) in theirs.iter().filter(|(_, text)| !text.trim().is_empty()) {
        let own = ours.get(at).map_or("", |own| own.trim());
        assert!(!own.is_empty(), "{what}{at} has no text");
        assert_ne!(own, text.trim(), "{what}{at} has words of others");
    }
}

#[test]
fn native_schemas_are_those_of_the_well_known_providers() {
    let expected = expected();
    let expected = expected.as_object().expect("a table");
    for (address, expected) in expected {
        let name = address.rsplit('/').next().expect("an address has a name");
        let schema = schema_of(name);
        compare(&resource(&schema.provider), &expected["provider"], name);
        for (kind, native) in provider(&schema) {
            let none = Map::new();
            let expected = expected
                .get(kind)
                .map_or(&none, |table| table.as_object().expect("a table"));
            for (type_name, expected) in expected {
                let found = native.get(type_name).unwrap_or(&Json::Null);
                compare(found, expected, &format!("{name} {kind} {type_name}"));
            }
            assert_eq!(native.len(), expected.len(), "{name} {kind}");
        }
    }
    assert_eq!(expected.len() + NOT_COMPARED.len(), versions().len());
}
