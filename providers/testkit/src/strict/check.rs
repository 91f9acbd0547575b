//! What the strict provider refuses.

use sha2::{Digest, Sha256};
use terrace_port::ProviderDiagnostic;
use terrace_schema::Block;
use terrace_value::{Kind, Marks, Path, Type, Value};

/// A broken rule of the protocol, told as an error.
pub(crate) fn broken(detail: impl Into<String>) -> ProviderDiagnostic {
    ProviderDiagnostic::error("The engine broke a rule of the provider protocol", detail)
}

/// Refuses a value that carries marks or is not of the block's type.
pub(crate) fn conforming(
    what: &str,
    value: &Value,
    block: &Block,
) -> Result<(), ProviderDiagnostic> {
    if value.has_marks_deep(Marks::SENSITIVE | Marks::EPHEMERAL) {
        return Err(broken(format!("The {what} carries marks.")));
    }
    let (actual, expected) = (value.ty(), block.implied_type());
    if matches(&actual, &expected) {
        return Ok(());
    }
    Err(broken(format!(
        "The {what} is of type {actual}, not {expected}."
    )))
}

fn matches(actual: &Type, expected: &Type) -> bool {
    match (actual, expected) {
        (_, Type::Dynamic) => true,
        (Type::List(actual), Type::List(expected))
        | (Type::Set(actual), Type::Set(expected))
        | (Type::Map(actual), Type::Map(expected)) => matches(actual, expected),
        (Type::Tuple(actual), Type::Tuple(expected)) => {
            actual.len() == expected.len()
                && actual
                    .iter()
                    .zip(expected.iter())
                    .all(|(actual, expected)| matches(actual, expected))
        }
        (Type::Object(actual), Type::Object(expected)) => {
            actual.attributes.len() == expected.attributes.len()
                && expected.attributes.iter().all(|(name, expected)| {
                    actual
                        .attributes
                        .get(name)
                        .is_some_and(|actual| matches(actual, expected))
                })
        }
        (actual, expected) => actual == expected,
    }
}

/// Refuses a value with unknown parts.
pub(crate) fn known(what: &str, value: &Value) -> Result<(), ProviderDiagnostic> {
    match first_unknown(value, &Path::root()) {
        None => Ok(()),
        Some(path) => Err(broken(format!("The {what} is unknown at {}.", name_of(&path))).at(path)),
    }
}

fn name_of(path: &Path) -> String {
    if path.is_root() {
        "its root".into()
    } else {
        path.to_string()
    }
}

/// The place of the first unknown part.
pub(crate) fn first_unknown(value: &Value, path: &Path) -> Option<Path> {
    match value.kind() {
        Kind::Unknown(_) => Some(path.clone()),
        Kind::List(_, items) | Kind::Set(_, items) | Kind::Tuple(items) => (0..)
            .zip(items.iter())
            .find_map(|(index, item)| first_unknown(item, &path.index(Value::int(index)))),
        Kind::Map(_, entries) => entries
            .iter()
            .find_map(|(key, item)| first_unknown(item, &path.index(Value::string(key.clone())))),
        Kind::Object(entries) => entries
            .iter()
            .find_map(|(name, item)| first_unknown(item, &path.attribute(name.clone()))),
        _ => None,
    }
}

/// Refuses a configuration that sets what only the provider sets, or leaves out what is required.
pub(crate) fn settable(config: &Value, block: &Block) -> Result<(), ProviderDiagnostic> {
    for (name, attribute) in &block.attributes {
        let Some(value) = config.get(name) else {
            continue;
        };
        if !attribute.required && !attribute.optional && !value.is_null() {
            return Err(broken(format!(
                "The configuration sets {name:?}, which only the provider sets."
            ))
            .at(Path::root().attribute(name.clone())));
        }
        if attribute.required && value.is_null() {
            return Err(broken(format!(
                "The configuration lacks {name:?}, which is required."
            ))
            .at(Path::root().attribute(name.clone())));
        }
    }
    Ok(())
}

/// Refuses a stored value that holds what must never be stored.
pub(crate) fn without_write_only(
    what: &str,
    value: &Value,
    block: &Block,
) -> Result<(), ProviderDiagnostic> {
    for (name, _) in block
        .attributes
        .iter()
        .filter(|(_, attribute)| attribute.write_only)
    {
        if value.get(name).is_some_and(|value| !value.is_null()) {
            return Err(
                broken(format!("The {what} holds {name:?}, which is write-only."))
                    .at(Path::root().attribute(name.clone())),
            );
        }
    }
    Ok(())
}

/// The private bytes by which a planned value is known again at apply, even by another process.
pub(crate) fn plan_token(type_name: &str, prior: &Value, planned: &Value) -> Vec<u8> {
    let digest = Sha256::digest(format!("{type_name}\n{prior:?}\n{planned:?}"));
    let mut token = b"plan:".to_vec();
    for byte in &digest[..8] {
        token.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    token
}

/// The private bytes that go with an object.
pub(crate) fn object_token(id: &str) -> Vec<u8> {
    format!("object:{id}").into_bytes()
}
