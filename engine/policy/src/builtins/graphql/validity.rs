//! Whether the types of a schema hang together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

const SCALARS: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];
const DIRECTIVES: [&str; 6] = [
    "defer",
    "deprecated",
    "include",
    "oneOf",
    "skip",
    "specifiedBy",
];

/// A type with all its extensions.
#[derive(Debug, Default)]
struct Definition<'a> {
    kind: &'a str,
    fields: Vec<&'a Value>,
    interfaces: Vec<&'a str>,
    types: Vec<&'a str>,
    n_values: usize,
}

fn items<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    object
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn names<'a>(object: &'a Value, name: &str) -> Vec<&'a str> {
    items(object, name).filter_map(Value::as_str).collect()
}

/// The name of a type within its lists.
fn named(kind: &Value) -> &str {
    match kind.get("Elem") {
        Some(element) if !element.is_null() => named(element),
        _ => text(kind, "NamedType"),
    }
}

struct Schema<'a> {
    types: BTreeMap<&'a str, Definition<'a>>,
    directives: BTreeSet<&'a str>,
}

/// Says what is wrong with a schema first.
pub(super) fn check(document: &Value) -> Result<(), String> {
    let mut schema = Schema {
        types: SCALARS
            .into_iter()
            .map(|name| {
                (
                    name,
                    Definition {
                        kind: "SCALAR",
                        ..Definition::default()
                    },
                )
            })
            .collect(),
        directives: DIRECTIVES.into_iter().collect(),
    };
    for directive in items(document, "Directives") {
        schema.directives.insert(text(directive, "Name"));
    }
    for definition in items(document, "Definitions") {
        let name = text(definition, "Name");
        if schema.types.contains_key(name) {
            return Err(format!("Cannot redeclare type {name}."));
        }
        schema.add(definition)?;
    }
    for extension in items(document, "Extensions") {
        schema.add(extension)?;
    }
    if items(document, "Schema").count() > 1 {
        return Err("Cannot have multiple schema entry points".to_owned());
    }
    for entry in items(document, "Schema").chain(items(document, "SchemaExtension")) {
        schema.check_directives(entry)?;
        for operation in items(entry, "OperationTypes") {
            schema.kind_of(text(operation, "Type"))?;
        }
    }
    for directive in items(document, "Directives") {
        schema.check_inputs(directive, "Arguments")?;
    }
    for definition in items(document, "Definitions").chain(items(document, "Extensions")) {
        schema.check_directives(definition)?;
        for value in items(definition, "EnumValues") {
            schema.check_directives(value)?;
        }
    }
    schema
        .types
        .iter()
        .try_for_each(|(name, definition)| schema.check_definition(name, definition))
}

impl<'a> Schema<'a> {
    fn add(&mut self, part: &'a Value) -> Result<(), String> {
        let (name, kind) = (text(part, "Name"), text(part, "Kind"));
        let definition = self.types.entry(name).or_default();
        if definition.kind.is_empty() {
            definition.kind = kind;
        } else if definition.kind != kind {
            return Err(format!(
                "Cannot extend type {name} because the base type is a {}, not {kind}.",
                definition.kind
            ));
        }
        definition.fields.extend(items(part, "Fields"));
        definition.interfaces.extend(names(part, "Interfaces"));
        definition.types.extend(names(part, "Types"));
        definition.n_values += items(part, "EnumValues").count();
        Ok(())
    }

    fn kind_of(&self, name: &str) -> Result<&'a str, String> {
        self.types
            .get(name)
            .map(|definition| definition.kind)
            .ok_or_else(|| format!("Undefined type {name}."))
    }

    fn check_directives(&self, object: &Value) -> Result<(), String> {
        let wrong = items(object, "Directives")
            .map(|directive| text(directive, "Name"))
            .find(|name| !self.directives.contains(name));
        wrong.map_or(Ok(()), |name| Err(format!("Undefined directive {name}.")))
    }

    /// Fields of input objects, or arguments: what may be written as a value.
    fn check_inputs(&self, object: &Value, list: &str) -> Result<(), String> {
        items(object, list).try_for_each(|input| self.check_input(input))
    }

    fn check_input(&self, input: &Value) -> Result<(), String> {
        check_name(text(input, "Name"))?;
        self.check_directives(input)?;
        let name = named(&input["Type"]);
        match self.kind_of(name)? {
            "SCALAR" | "ENUM" | "INPUT_OBJECT" => Ok(()),
            _ => Err(format!(
                "field must be one of SCALAR, ENUM, INPUT_OBJECT, and {name} is none"
            )),
        }
    }

    fn check_definition(&self, name: &str, definition: &Definition<'_>) -> Result<(), String> {
        check_name(name)?;
        let needs_fields = matches!(definition.kind, "OBJECT" | "INTERFACE" | "INPUT_OBJECT");
        let is_empty = (needs_fields && definition.fields.is_empty())
            || (definition.kind == "UNION" && definition.types.is_empty())
            || (definition.kind == "ENUM" && definition.n_values == 0);
        if is_empty {
            return Err(format!(
                "{} {name} must define one or more members.",
                definition.kind
            ));
        }
        for member in &definition.types {
            if self.kind_of(member)? != "OBJECT" {
                return Err(format!("UNION type {member} must be OBJECT."));
            }
        }
        let mut known = BTreeSet::new();
        for field in &definition.fields {
            let field_name = text(field, "Name");
            check_name(field_name)?;
            if !known.insert(field_name) {
                return Err(format!(
                    "Field {name}.{field_name} can only be defined once."
                ));
            }
            if definition.kind == "INPUT_OBJECT" {
                self.check_input(field)?;
                continue;
            }
            self.check_directives(field)?;
            self.check_inputs(field, "Arguments")?;
            if self.kind_of(named(&field["Type"]))? == "INPUT_OBJECT" {
                return Err(format!("field {name}.{field_name} gives an INPUT_OBJECT"));
            }
        }
        definition
            .interfaces
            .iter()
            .try_for_each(|interface| self.check_implementation(name, definition, interface))
    }

    /// Whether a type has what an interface asks for, and implements what that one implements.
    fn check_implementation(
        &self,
        name: &str,
        definition: &Definition<'_>,
        interface: &str,
    ) -> Result<(), String> {
        if self.kind_of(interface)? != "INTERFACE" {
            return Err(format!("{interface} is a non interface type."));
        }
        let asked = &self.types[interface];
        for field in &asked.fields {
            let wanted = text(field, "Name");
            if !definition
                .fields
                .iter()
                .any(|field| text(field, "Name") == wanted)
            {
                return Err(format!(
                    "For {name} to implement {interface} it must have a field called {wanted}."
                ));
            }
        }
        let missing = asked
            .interfaces
            .iter()
            .find(|outer| !definition.interfaces.contains(outer));
        missing.map_or(Ok(()), |outer| {
            Err(format!(
                "Type {name} must implement {outer} because it is implemented by {interface}."
            ))
        })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    if name.starts_with("__") {
        Err(format!(
            "Name {name} must not begin with \"__\", which is reserved by GraphQL introspection."
        ))
    } else {
        Ok(())
    }
}
