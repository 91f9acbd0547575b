//! Schemas against those of hashicorp/azurerm 5.2.0, as `providers schema -json` gives them.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value as Json;
use terrace_provider_sdk::schema_of_json;
use terrace_schema::{Attribute, AttributeType, Block, NestedBlock, ResourceSchema};

use crate::driver::Driver;

const SCHEMAS: &[u8] =
    include_bytes!("../../../../tests/conformance/schemas/azurerm-5.2.0-cut.json.gz");

fn theirs() -> Json {
    let mut text = String::new();
    GzDecoder::new(SCHEMAS).read_to_string(&mut text).unwrap();
    let whole: Json = serde_json::from_str(&text).unwrap();
    whole["provider_schemas"]["registry.terraform.io/hashicorp/azurerm"].clone()
}

/// A schema without texts for people.
fn bare(block: &Block) -> Block {
    let attributes = block.attributes.iter().map(|(name, found)| {
        assert!(found.nested().is_none(), "none of these is nested");
        let bare = Attribute {
            description: "".into(),
            description_kind: Attribute::of(terrace_value::Type::Dynamic).description_kind,
            ty: AttributeType::Plain(found.value_type()),
            ..found.clone()
        };
        (name.clone(), bare)
    });
    let blocks = block.blocks.iter().map(|(name, found)| {
        let bare = NestedBlock {
            block: bare(&found.block),
            ..found.clone()
        };
        (name.clone(), bare)
    });
    Block {
        attributes: attributes.collect(),
        blocks: blocks.collect(),
        deprecated: block.deprecated,
        ..Block::default()
    }
}

fn compare(ours: &ResourceSchema, theirs: &ResourceSchema, what: &str) {
    assert_eq!(ours.version, theirs.version, "{what}");
    let (ours, theirs) = (bare(&ours.block), bare(&theirs.block));
    let names = |block: &Block| -> Vec<String> {
        let attributes = block.attributes.keys().map(ToString::to_string);
        attributes
            .chain(block.blocks.keys().map(ToString::to_string))
            .collect()
    };
    assert_eq!(names(&ours), names(&theirs), "{what}");
    for (name, attribute) in &theirs.attributes {
        assert_eq!(&ours.attributes[name], attribute, "{what}.{name}");
    }
    for (name, block) in &theirs.blocks {
        assert_eq!(&ours.blocks[name], block, "{what}.{name}");
    }
}

#[test]
fn schemas_are_those_of_azurerm() {
    let driver = Driver::new();
    let ours = driver.schema();
    let theirs = schema_of_json(&theirs()).unwrap();
    compare(&ours.provider, &theirs.provider, "provider");
    let types: Vec<String> = ours
        .resources
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(
        types,
        [
            "azurerm_resource_group",
            "azurerm_storage_account",
            "azurerm_storage_container"
        ]
    );
    for (name, schema) in ours.resources.iter() {
        compare(schema, &theirs.resources[name], name);
    }
}

/// Texts of descriptions by where they are.
fn texts(block: &Block, at: &str, found: &mut BTreeMap<String, String>) {
    for (name, attribute) in &block.attributes {
        found.insert(format!("{at}.{name}"), attribute.description.to_string());
    }
    for (name, nested) in &block.blocks {
        texts(&nested.block, &format!("{at}.{name}"), found);
    }
}

fn texts_of(json: &Json, at: &str, found: &mut BTreeMap<String, String>) {
    for (name, attribute) in json["attributes"].as_object().into_iter().flatten() {
        let text = attribute["description"].as_str().unwrap_or_default();
        found.insert(format!("{at}.{name}"), text.to_owned());
    }
    for (name, nested) in json["block_types"].as_object().into_iter().flatten() {
        texts_of(&nested["block"], &format!("{at}.{name}"), found);
    }
}

#[test]
fn what_is_described_there_is_described_here_in_other_words() {
    let driver = Driver::new();
    let (mut ours, mut theirs_texts) = (BTreeMap::new(), BTreeMap::new());
    texts(&driver.schema().provider.block, "", &mut ours);
    texts_of(&theirs()["provider"]["block"], "", &mut theirs_texts);
    for (at, text) in theirs_texts.iter().filter(|(_, text)| !text.is_empty()) {
        assert_ne!(ours[at], "", "{at}");
        assert_ne!(&ours[at], text, "{at}");
    }
}
