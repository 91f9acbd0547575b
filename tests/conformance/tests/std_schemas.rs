//! Schemas of the native providers against those of the well-known ones: the same types, versions, attributes and
//! flags. Descriptions are Terrace's own and are not compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::executor::block_on;
use serde_json::{Map, Value as Json, json};
use terrace_addr::ProviderAddr;
use terrace_port::{Clock, Entropy};
use terrace_provider_std::Outside;
use terrace_schema::{Attribute, Block, ResourceSchema, SchemaTable};

const FACTS: &str = include_str!("../schemas/std-facts.json");

/// What the well-known providers have and the native ones have not, with which they stand in only in part: a list that
/// only shrinks.
const NOT_NATIVE: [(&str, &str); 8] = [
    ("local", "data_sources.local_command"),
    ("local", "ephemeral_resources.local_command"),
    ("local", "functions.direxists"),
    ("random", "ephemeral_resources.random_bytes"),
    ("random", "ephemeral_resources.random_password"),
    ("time", "functions.duration_parse"),
    ("time", "functions.rfc3339_parse"),
    ("time", "functions.unix_timestamp_parse"),
];

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

fn attribute(attribute: &Attribute) -> Json {
    let ty = terrace_value::json::encode_type(&attribute.value_type());
    let mut facts = Map::new();
    facts.insert(
        "type".into(),
        serde_json::from_str(&ty).expect("a type's encoding is JSON"),
    );
    for (name, set) in [
        ("required", attribute.required),
        ("optional", attribute.optional),
        ("computed", attribute.computed),
        ("sensitive", attribute.sensitive),
        ("deprecated", attribute.deprecated),
    ] {
        if set {
            facts.insert(name.into(), true.into());
        }
    }
    Json::Object(facts)
}

fn block(block: &Block) -> Map<String, Json> {
    assert!(block.blocks.is_empty(), "none of these has nested blocks");
    let attributes: Map<String, Json> = block
        .attributes
        .iter()
        .map(|(name, found)| (name.to_string(), attribute(found)))
        .collect();
    let mut facts = Map::new();
    facts.insert("attributes".into(), attributes.into());
    if block.deprecated {
        facts.insert("deprecated".into(), true.into());
    }
    facts
}

fn table(resources: &SchemaTable<ResourceSchema>) -> Map<String, Json> {
    let facts = |schema: &ResourceSchema| {
        let mut facts = block(&schema.block);
        facts.insert("version".into(), schema.version.into());
        Json::Object(facts)
    };
    resources
        .iter()
        .map(|(name, schema)| (name.to_string(), facts(schema)))
        .collect()
}

#[test]
fn native_schemas_are_those_of_the_well_known_providers() {
    let facts: BTreeMap<String, Json> = serde_json::from_str(FACTS).expect("the facts are JSON");
    let mut missing = BTreeSet::new();
    for (name, expected) in &facts {
        let outside = Outside {
            clock: Arc::new(Nothing),
            entropy: Arc::new(Nothing),
        };
        let provider = terrace_provider_std::open(&ProviderAddr::default_for(name), outside);
        let schema = block_on(provider.expect("it is native").schema()).expect("a schema");
        assert_eq!(
            Json::Object(block(&schema.provider.block)),
            expected["provider"],
            "{name}"
        );
        let native = [
            ("resources", table(&schema.resources)),
            ("data_sources", table(&schema.data_sources)),
        ];
        for (kind, native) in native {
            let expected = expected[kind].as_object().expect("a table");
            for type_name in native.keys() {
                assert!(
                    expected.contains_key(type_name),
                    "{name} has no {type_name}"
                );
            }
            for (type_name, expected) in expected {
                match native.get(type_name) {
                    Some(found) => assert_eq!(found, expected, "{kind} {type_name}"),
                    None => drop(missing.insert((name.clone(), format!("{kind}.{type_name}")))),
                }
            }
        }
        for kind in ["ephemeral_resources", "functions"] {
            for found in expected[kind].as_array().expect("a list") {
                let found = found.as_str().expect("a name");
                missing.insert((name.clone(), format!("{kind}.{found}")));
            }
        }
        assert_eq!(
            json!(schema.functions.len() + schema.ephemeral_resources.len()),
            json!(0)
        );
    }
    let known: BTreeSet<(String, String)> = NOT_NATIVE
        .iter()
        .map(|(name, what)| ((*name).to_owned(), (*what).to_owned()))
        .collect();
    assert_eq!(missing, known);
    assert_eq!(facts.len(), 4);
}
