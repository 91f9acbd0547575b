//! The definitions say what the published ones say, and the generated code is theirs.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tonic_prost_build as _;

#[path = "../examples/generate/generator.rs"]
mod generator;

#[test]
fn generated_code_is_up_to_date() {
    let fresh = tempfile::tempdir().unwrap();
    generator::generate(fresh.path()).unwrap();
    let committed = generator::crate_root().join("src/generated");
    let mut count = 0;
    for entry in std::fs::read_dir(fresh.path()).unwrap() {
        let name = entry.unwrap().file_name();
        let (new, old) = (fresh.path().join(&name), committed.join(&name));
        assert!(
            std::fs::read(new).unwrap() == std::fs::read(old).unwrap_or_default(),
            "{} differs from its definition; run: cargo run -p terrace-provider-protocol --example generate",
            name.display()
        );
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn definitions_say_what_the_published_ones_say() {
    let published = include_str!("facts/tfplugin.txt");
    let published: BTreeSet<String> = published.lines().map(String::from).collect();
    let ours = our_facts();
    let missing: Vec<&String> = published.difference(&ours).collect();
    let invented: Vec<&String> = ours.difference(&published).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "missing: {missing:#?}\ninvented: {invented:#?}"
    );
    assert!(ours.len() > 900, "only {} facts", ours.len());
}

fn our_facts() -> BTreeSet<String> {
    let proto = generator::crate_root().join("proto");
    let descriptors = protox::compile(["tfplugin5.proto", "tfplugin6.proto"], [proto]).unwrap();
    let mut facts = BTreeSet::new();
    for file in descriptors
        .file
        .iter()
        .filter(|file| file.package().starts_with("tfplugin"))
    {
        let package = file.package();
        for message in &file.message_type {
            message_facts(package, message, &mut facts);
        }
        for values in &file.enum_type {
            enum_facts(package, values, &mut facts);
        }
        for service in &file.service {
            for method in &service.method {
                let mut fact = format!(
                    "rpc {package}.{}.{} {} {}",
                    service.name(),
                    method.name(),
                    method.input_type().trim_start_matches('.'),
                    method.output_type().trim_start_matches('.')
                );
                if method.client_streaming() {
                    fact.push_str(" client-stream");
                }
                if method.server_streaming() {
                    fact.push_str(" server-stream");
                }
                facts.insert(fact);
            }
        }
    }
    facts
}

fn message_facts(
    scope: &str,
    message: &prost_types::DescriptorProto,
    facts: &mut BTreeSet<String>,
) {
    let name = format!("{scope}.{}", message.name());
    facts.insert(format!("message {name}"));
    for field in &message.field {
        let mut ty = type_name(field);
        let entry = message.nested_type.iter().find(|nested| {
            nested
                .options
                .as_ref()
                .is_some_and(prost_types::MessageOptions::map_entry)
                && ty == format!("{name}.{}", nested.name())
        });
        let label = if let Some(entry) = entry {
            ty = entry
                .field
                .iter()
                .map(type_name)
                .collect::<Vec<_>>()
                .join(",");
            "map".to_owned()
        } else if field.label() == prost_types::field_descriptor_proto::Label::Repeated {
            "many".to_owned()
        } else if field.proto3_optional() {
            "optional".to_owned()
        } else if let Some(index) = field.oneof_index {
            format!(
                "oneof:{}",
                message.oneof_decl[usize::try_from(index).unwrap()].name()
            )
        } else {
            "one".to_owned()
        };
        facts.insert(format!(
            "field {name}.{} {} {label} {ty}",
            field.name(),
            field.number()
        ));
    }
    for nested in &message.nested_type {
        if !nested
            .options
            .as_ref()
            .is_some_and(prost_types::MessageOptions::map_entry)
        {
            message_facts(&name, nested, facts);
        }
    }
    for values in &message.enum_type {
        enum_facts(&name, values, facts);
    }
}

fn enum_facts(
    scope: &str,
    values: &prost_types::EnumDescriptorProto,
    facts: &mut BTreeSet<String>,
) {
    for value in &values.value {
        let mut fact = format!("value {scope}.{}", values.name());
        write!(fact, ".{} {}", value.name(), value.number()).unwrap();
        facts.insert(fact);
    }
}

fn type_name(field: &prost_types::FieldDescriptorProto) -> String {
    match field.type_name() {
        "" => format!("{:?}", field.r#type()).to_lowercase(),
        name => name.trim_start_matches('.').to_owned(),
    }
}
