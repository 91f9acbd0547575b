//! The types' schemas against hashicorp/aws 6.48, whose own is in `tests/conformance/schemas`, as `providers schema -json` gives it.
//!
//! `TERRACE_SHAPES_UPDATE=aws_sns_topic,data.aws_sns_topic,ephemeral.aws_kms_secrets` writes what that says of these into
//! `src/shapes.json`, beside what is there. They are then to be written, or named in [`NOT_YET`].
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what a test sets up must succeed, or the test fails"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the clock is that of the machine, and shapes are written to the sources"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde_json::{Map, Value as Json};
use terrace_port::{Clock, Provider as _, Surroundings};
use terrace_provider_aws::{Outside, Pace, VERSION, provider};
use terrace_provider_sdk::schema_of_json;
use terrace_schema::{
    Attribute, AttributeType, Block, NestedObject, ProviderSchema, ResourceSchema, SchemaTable,
};

/// The tables of a schema, and how their types are named here.
const TABLES: [(&str, &str); 3] = [
    ("resource_schemas", ""),
    ("data_source_schemas", "data."),
    ("ephemeral_resource_schemas", "ephemeral."),
];

/// Types that have a shape and no calls yet.
const NOT_YET: &[&str] = &[];

struct At1970;

impl Clock for At1970 {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn shapes() -> Json {
    serde_json::from_str(&std::fs::read_to_string(sources().join("shapes.json")).unwrap()).unwrap()
}

/// What is said of hashicorp/aws: alarms' service is not among those that the first file was cut to.
fn published() -> Json {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/schemas");
    let file = directory.join(format!("aws-{VERSION}-cut.json.gz"));
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(file).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let mut all = of_aws(&text);
    let alarm = std::fs::read_to_string(directory.join("aws-alarm.json")).unwrap();
    for (table, types) in of_aws(&alarm).as_object().unwrap() {
        let types = types.as_object().unwrap().clone();
        all[table].as_object_mut().unwrap().extend(types);
    }
    all
}

fn of_aws(text: &str) -> Json {
    let all: Json = serde_json::from_str(text).unwrap();
    all["provider_schemas"]["registry.terraform.io/hashicorp/aws"].clone()
}

/// A schema without its words, which are our own.
fn shape(json: &Json) -> Json {
    const WORDS: [&str; 3] = ["description", "description_kind", "deprecation_message"];
    match json {
        Json::Object(parts) => parts
            .iter()
            // An attribute of such a name would be an object.
            .filter(|(name, part)| part.is_object() || !WORDS.contains(&name.as_str()))
            .map(|(name, part)| (name.clone(), shape(part)))
            .collect::<Map<_, _>>()
            .into(),
        Json::Array(items) => items.iter().map(shape).collect(),
        _ => json.clone(),
    }
}

/// The parts of a type, one a line: where each is, and what is said of it.
fn parts(schema: &ResourceSchema) -> BTreeMap<String, String> {
    let mut found = BTreeMap::from([("version".to_owned(), schema.version.to_string())]);
    of_block(&schema.block, "", &mut found);
    found
}

fn of_block(block: &Block, within: &str, found: &mut BTreeMap<String, String>) {
    found.insert(
        format!("{within}(block)"),
        format!("deprecated={}", block.deprecated),
    );
    of_attributes(&block.attributes, within, found);
    for (name, nested) in &block.blocks {
        found.insert(
            format!("{within}{name}(blocks)"),
            format!(
                "{:?} of {} to {}",
                nested.nesting, nested.min_items, nested.max_items
            ),
        );
        of_block(&nested.block, &format!("{within}{name}."), found);
    }
}

fn of_attributes(
    attributes: &BTreeMap<terrace_value::Text, Attribute>,
    within: &str,
    found: &mut BTreeMap<String, String>,
) {
    for (name, attribute) in attributes {
        let ty = match &attribute.ty {
            AttributeType::Plain(ty) => format!("{ty:?}"),
            AttributeType::Nested(NestedObject {
                attributes,
                nesting,
            }) => {
                of_attributes(attributes, &format!("{within}{name}."), found);
                format!("{nesting:?} of attributes")
            }
        };
        let flags: Vec<&str> = [
            ("required", attribute.required),
            ("optional", attribute.optional),
            ("computed", attribute.computed),
            ("sensitive", attribute.sensitive),
            ("deprecated", attribute.deprecated),
            ("write_only", attribute.write_only),
        ]
        .into_iter()
        .filter_map(|(flag, set)| set.then_some(flag))
        .collect();
        found.insert(
            format!("{within}{name}"),
            format!("{ty} {}", flags.join(" ")),
        );
    }
}

/// What a type is by one schema and not by the other.
fn differences(name: &str, ours: &ResourceSchema, theirs: &ResourceSchema) -> Vec<String> {
    let (ours, theirs) = (parts(ours), parts(theirs));
    let all: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let said = |parts: &BTreeMap<String, String>, part: &String| {
        parts
            .get(part)
            .cloned()
            .unwrap_or_else(|| "nothing".to_owned())
    };
    all.into_iter()
        .filter(|part| ours.get(*part) != theirs.get(*part))
        .map(|part| {
            let (ours, theirs) = (said(&ours, part), said(&theirs, part));
            format!("{name}: {part} is {ours}, and {theirs} in hashicorp/aws")
        })
        .collect()
}

fn tables(schema: &ProviderSchema) -> [(&'static str, &SchemaTable<ResourceSchema>); 3] {
    let found = [
        &schema.resources,
        &schema.data_sources,
        &schema.ephemeral_resources,
    ];
    std::array::from_fn(|place| (TABLES[place].1, found[place]))
}

fn names(schema: &ProviderSchema) -> BTreeSet<String> {
    tables(schema)
        .into_iter()
        .flat_map(|(prefix, table)| table.keys().map(move |name| format!("{prefix}{name}")))
        .collect()
}

async fn ours() -> Arc<ProviderSchema> {
    let provider = provider(Outside {
        clock: Arc::new(At1970),
        surroundings: Surroundings::default(),
        user_agent: "terrace-schema".into(),
        log: None,
        pace: Pace::default(),
    });
    provider.schema().await.unwrap()
}

#[tokio::test]
async fn every_type_has_the_schema_of_hashicorp_aws() {
    let ours = ours().await;
    let theirs = schema_of_json(&published()).unwrap();
    let mut wrong = Vec::new();
    let mut compared = 0;
    for ((prefix, ours), (_, theirs)) in tables(&ours).into_iter().zip(tables(&theirs)) {
        for (name, ours) in ours.iter() {
            compared += 1;
            let full = format!("{prefix}{name}");
            match theirs.get(&**name) {
                Some(theirs) => wrong.extend(differences(&full, ours, theirs)),
                None => wrong.push(format!("{full}: hashicorp/aws {VERSION} has none")),
            }
        }
    }
    println!("{compared} types have the schema of hashicorp/aws {VERSION}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 0, "the provider has types");
}

#[tokio::test]
async fn every_shape_has_its_type() {
    let schema = ours().await;
    let ours = names(&schema);
    let shapes = names(&schema_of_json(&shapes()).unwrap());
    let later: BTreeSet<String> = NOT_YET.iter().map(|name| (*name).to_owned()).collect();
    let missing: Vec<&String> = shapes
        .difference(&ours)
        .filter(|name| !later.contains(*name))
        .collect();
    assert!(
        missing.is_empty(),
        "shapes.json has them and no service registers them: {missing:?}"
    );
    let there: Vec<&String> = later
        .iter()
        .filter(|name| ours.contains(*name) || !shapes.contains(*name))
        .collect();
    assert!(
        there.is_empty(),
        "NOT_YET names what is there by now, or has no shape: {there:?}"
    );
    println!("{} types, {} not yet", ours.len(), later.len());
}

#[test]
fn shapes_are_what_hashicorp_aws_says() {
    let published = published();
    if let Ok(wanted) = std::env::var("TERRACE_SHAPES_UPDATE") {
        let updated = with(shapes(), &published, wanted.split(','));
        std::fs::write(sources().join("shapes.json"), written(&updated)).unwrap();
    }
    let shapes = shapes();
    let mut wrong = Vec::new();
    for (table, prefix) in TABLES {
        for (name, ours) in shapes[table].as_object().unwrap() {
            let theirs = &published[table][name];
            if shape(theirs) != *ours {
                wrong.push(format!("{prefix}{name}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "shapes.json says something else than hashicorp/aws {VERSION} of these; TERRACE_SHAPES_UPDATE={} rewrites them",
        wrong.join(",")
    );
    let text = std::fs::read_to_string(sources().join("shapes.json")).unwrap();
    assert!(
        text == written(&shapes),
        "shapes.json is not in its order, one type a line; TERRACE_SHAPES_UPDATE= rewrites it"
    );
}

/// Shapes, and those of further types.
fn with<'n>(mut shapes: Json, published: &Json, wanted: impl Iterator<Item = &'n str>) -> Json {
    for name in wanted.map(str::trim).filter(|name| !name.is_empty()) {
        let (table, prefix) = TABLES
            .into_iter()
            .rev()
            .find(|(_, prefix)| name.starts_with(prefix))
            .unwrap_or(TABLES[0]);
        let name = &name[prefix.len()..];
        let found = published[table]
            .get(name)
            .unwrap_or_else(|| panic!("{table} of hashicorp/aws {VERSION} has no {name}"));
        shapes[table][name] = shape(found);
    }
    shapes
}

/// Shapes as text: one type a line, so that changes can be read.
fn written(shapes: &Json) -> String {
    let tables = TABLES.map(|(table, _)| {
        let types = sorted(&shapes[table]);
        let lines: Vec<String> = types
            .into_iter()
            .map(|(name, shape)| format!("\"{name}\": {}", line(shape)))
            .collect();
        format!("\"{table}\": {{\n{}\n}}", lines.join(",\n"))
    });
    format!("{{\n{}\n}}\n", tables.join(",\n"))
}

fn sorted(object: &Json) -> BTreeMap<&String, &Json> {
    object.as_object().into_iter().flatten().collect()
}

fn line(json: &Json) -> String {
    match json {
        Json::Object(_) => {
            let parts: Vec<String> = sorted(json)
                .into_iter()
                .map(|(name, part)| format!("\"{name}\": {}", line(part)))
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(line).collect();
            format!("[{}]", items.join(", "))
        }
        _ => json.to_string(),
    }
}
