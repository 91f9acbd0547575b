//! `json.match_schema` and `json.verify_schema`: JSON Schema as far as the form of documents goes.
//!
//! A schema that asks for what is not carried out here is an error, and never matched silently.

use regex::Regex;
use regorus::Value as RegoValue;
use serde_json::{Map, Value, json};

use super::Entry;
use crate::input::{from_rego, to_rego};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("json.match_schema", 2, |values| {
        let (document, schema) = (read(values, 0)?, read(values, 1)?);
        verify(&schema, 0)?;
        let mut matching = Matching {
            root: &schema,
            mistakes: Vec::new(),
        };
        matching.check(&schema, &document, "(root)", 0)?;
        let is_matched = matching.mistakes.is_empty();
        Ok(to_rego(&json!([is_matched, matching.mistakes])))
    }),
    ("json.verify_schema", 1, |values| {
        Ok(
            match read(values, 0).and_then(|schema| verify(&schema, 0)) {
                Ok(()) => to_rego(&json!([true, null])),
                Err(why) => to_rego(&json!([false, format!("jsonschema: {why}")])),
            },
        )
    }),
];

const KINDS: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

/// What is not carried out.
const UNSUPPORTED: [&str; 9] = [
    "patternProperties",
    "propertyNames",
    "dependencies",
    "contains",
    "if",
    "then",
    "else",
    "$dynamicRef",
    "unevaluatedProperties",
];

const MAXIMAL_DEPTH: usize = 64;

/// A document, or its text.
fn read(values: &[RegoValue], index: usize) -> Result<Value, String> {
    match values.get(index) {
        Some(RegoValue::String(text)) => {
            serde_json::from_str(text).map_err(|error| error.to_string())
        }
        Some(value @ RegoValue::Object(_)) => from_rego(value),
        _ => Err(format!(
            "operand {} must be one of {{string, object}}",
            index + 1
        )),
    }
}

fn type_names(schema: &Map<String, Value>) -> Result<Vec<&str>, String> {
    let names: Vec<&Value> = match schema.get("type") {
        None => Vec::new(),
        Some(Value::Array(names)) => names.iter().collect(),
        Some(name) => vec![name],
    };
    names
        .into_iter()
        .map(|name| {
            name.as_str().filter(|name| KINDS.contains(name)).ok_or_else(|| {
                let given = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                format!("has a primitive type that is NOT VALID -- given: /{given}/ Expected valid values are:[array boolean integer number null object string]")
            })
        })
        .collect()
}

/// The schemas within a schema.
fn inner(schema: &Map<String, Value>) -> Vec<&Value> {
    let mut found = Vec::new();
    for (name, value) in schema {
        match (name.as_str(), value) {
            ("properties" | "definitions" | "$defs", Value::Object(members)) => {
                found.extend(members.values());
            }
            ("allOf" | "anyOf" | "oneOf" | "items", Value::Array(items)) => found.extend(items),
            ("items" | "additionalProperties" | "additionalItems" | "not", value) => {
                found.push(value);
            }
            _ => {}
        }
    }
    found
}

/// Says what is wrong with a schema.
fn verify(schema: &Value, depth: usize) -> Result<(), String> {
    if depth > MAXIMAL_DEPTH {
        return Err("the schema nests too deeply".to_owned());
    }
    let members = match schema {
        Value::Bool(_) => return Ok(()),
        Value::Object(members) => members,
        _ => return Err("schema is invalid: it is no object".to_owned()),
    };
    if let Some(name) = UNSUPPORTED.iter().find(|name| members.contains_key(**name)) {
        return Err(format!("{name} is not supported"));
    }
    type_names(members)?;
    if let Some(pattern) = members.get("pattern").and_then(Value::as_str) {
        Regex::new(pattern).map_err(|error| error.to_string())?;
    }
    inner(members)
        .into_iter()
        .try_for_each(|schema| verify(schema, depth + 1))
}

struct Matching<'s> {
    root: &'s Value,
    mistakes: Vec<Value>,
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_whole(number) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number
        .as_f64()
        .is_some_and(|number| number.is_finite() && number.fract() == 0.0)
}

impl<'s> Matching<'s> {
    fn mistake(&mut self, kind: &str, field: &str, description: &str) {
        self.mistakes.push(json!({
            "type": kind,
            "field": field,
            "desc": description,
            "error": format!("{field}: {description}"),
        }));
    }

    /// Whether a document matches, without noting what does not.
    fn matches(&self, schema: &'s Value, document: &Value, depth: usize) -> Result<bool, String> {
        let mut inner = Matching {
            root: self.root,
            mistakes: Vec::new(),
        };
        inner.check(schema, document, "(root)", depth)?;
        Ok(inner.mistakes.is_empty())
    }

    fn check(
        &mut self,
        schema: &'s Value,
        document: &Value,
        field: &str,
        depth: usize,
    ) -> Result<(), String> {
        if depth > MAXIMAL_DEPTH {
            return Err("the schema nests too deeply".to_owned());
        }
        let members = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Object(members) => members,
            _ => {
                self.mistake("false", field, "False always fails validation");
                return Ok(());
            }
        };
        if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer))
                .ok_or_else(|| format!("the reference {reference} is not supported"))?;
            return self.check(target, document, field, depth + 1);
        }
        let wanted = type_names(members)?;
        let given = kind_of(document);
        let is_kind = |name: &&str| **name == *given || (**name == *"number" && given == "integer");
        if !wanted.is_empty() && !wanted.iter().any(is_kind) {
            let description = format!(
                "Invalid type. Expected: {}, given: {given}",
                wanted.join(",")
            );
            self.mistake("invalid_type", field, &description);
            return Ok(());
        }
        self.check_values(members, document, field);
        self.check_combinations(members, document, field, depth)?;
        match document {
            Value::Object(object) => self.check_object(members, object, field, depth),
            Value::Array(items) => self.check_array(members, items, field, depth),
            Value::String(text) => self.check_text(members, text, field),
            Value::Number(number) => {
                self.check_number(members, number.as_f64().unwrap_or(f64::NAN), field);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_values(&mut self, schema: &Map<String, Value>, document: &Value, field: &str) {
        if let Some(Value::Array(allowed)) = schema.get("enum")
            && !allowed
                .iter()
                .any(|value| to_rego(value) == to_rego(document))
        {
            let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
            let description = format!(
                "{field} must be one of the following: {}",
                allowed.join(", ")
            );
            self.mistake("enum", field, &description);
        }
        if let Some(constant) = schema.get("const")
            && to_rego(constant) != to_rego(document)
        {
            self.mistake(
                "const",
                field,
                &format!("{field} does not match: {constant}"),
            );
        }
    }

    fn check_combinations(
        &mut self,
        schema: &'s Map<String, Value>,
        document: &Value,
        field: &str,
        depth: usize,
    ) -> Result<(), String> {
        for name in ["allOf", "anyOf", "oneOf"] {
            let Some(Value::Array(schemas)) = schema.get(name) else {
                continue;
            };
            let mut n_matched = 0;
            for schema in schemas {
                n_matched += usize::from(self.matches(schema, document, depth + 1)?);
            }
            match name {
                "allOf" if n_matched < schemas.len() => {
                    self.mistake(
                        "number_all_of",
                        field,
                        "Must validate all the schemas (allOf)",
                    );
                }
                "anyOf" if n_matched == 0 => {
                    let description = "Must validate at least one schema (anyOf)";
                    self.mistake("number_any_of", field, description);
                }
                "oneOf" if n_matched != 1 => {
                    let description = "Must validate one and only one schema (oneOf)";
                    self.mistake("number_one_of", field, description);
                }
                _ => {}
            }
        }
        if let Some(refused) = schema.get("not")
            && self.matches(refused, document, depth + 1)?
        {
            self.mistake("number_not", field, "Must not validate the schema (not)");
        }
        Ok(())
    }

    fn check_object(
        &mut self,
        schema: &'s Map<String, Value>,
        object: &Map<String, Value>,
        field: &str,
        depth: usize,
    ) -> Result<(), String> {
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|name| !object.contains_key(*name))
        {
            self.mistake("required", field, &format!("{name} is required"));
        }
        let size = |name: &str| schema.get(name).and_then(Value::as_f64);
        let n_members = to_f64(object.len());
        if size("minProperties").is_some_and(|least| n_members < least) {
            self.mistake("array_min_properties", field, "Must have more properties");
        }
        if size("maxProperties").is_some_and(|most| n_members > most) {
            self.mistake("array_max_properties", field, "Must have fewer properties");
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, value) in object {
            let place = if field == "(root)" {
                name.clone()
            } else {
                format!("{field}.{name}")
            };
            if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                self.check(schema, value, &place, depth + 1)?;
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => {
                    let description = format!("Additional property {name} is not allowed");
                    self.mistake("additional_property_not_allowed", field, &description);
                }
                Some(schema) => self.check(schema, value, &place, depth + 1)?,
                None => {}
            }
        }
        Ok(())
    }

    fn check_array(
        &mut self,
        schema: &'s Map<String, Value>,
        items: &[Value],
        field: &str,
        depth: usize,
    ) -> Result<(), String> {
        let size = |name: &str| schema.get(name).and_then(Value::as_f64);
        if let Some(least) = size("minItems").filter(|least| to_f64(items.len()) < *least) {
            let description = format!("Array must have at least {least} items");
            self.mistake("array_min_items", field, &description);
        }
        if let Some(most) = size("maxItems").filter(|most| to_f64(items.len()) > *most) {
            let description = format!("Array must have at most {most} items");
            self.mistake("array_max_items", field, &description);
        }
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            let mut values: Vec<RegoValue> = items.iter().map(to_rego).collect();
            values.sort();
            if values.windows(2).any(|pair| pair[0] == pair[1]) {
                self.mistake("unique", field, "array items must be unique");
            }
        }
        for (index, item) in items.iter().enumerate() {
            let of_item = match schema.get("items") {
                Some(Value::Array(schemas)) => {
                    schemas.get(index).or_else(|| schema.get("additionalItems"))
                }
                schema => schema,
            };
            let place = if field == "(root)" {
                index.to_string()
            } else {
                format!("{field}.{index}")
            };
            if let Some(schema) = of_item {
                self.check(schema, item, &place, depth + 1)?;
            }
        }
        Ok(())
    }

    fn check_text(
        &mut self,
        schema: &Map<String, Value>,
        text: &str,
        field: &str,
    ) -> Result<(), String> {
        let size = |name: &str| schema.get(name).and_then(Value::as_f64);
        let length = to_f64(text.chars().count());
        if let Some(least) = size("minLength").filter(|least| length < *least) {
            let description = format!("String length must be greater than or equal to {least}");
            self.mistake("string_gte", field, &description);
        }
        if let Some(most) = size("maxLength").filter(|most| length > *most) {
            let description = format!("String length must be less than or equal to {most}");
            self.mistake("string_lte", field, &description);
        }
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
            let regex = Regex::new(pattern).map_err(|error| error.to_string())?;
            if !regex.is_match(text) {
                let description = format!("Does not match pattern '{pattern}'");
                self.mistake("pattern", field, &description);
            }
        }
        Ok(())
    }

    fn check_number(&mut self, schema: &Map<String, Value>, number: f64, field: &str) {
        let limit = |name: &str| schema.get(name).and_then(Value::as_f64);
        let is_strict = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        let limits: [(&str, &str, Option<f64>, bool); 4] = [
            (
                "number_gte",
                "Must be greater than or equal to",
                limit("minimum"),
                limit("minimum").is_some_and(|least| {
                    number < least || (is_strict("exclusiveMinimum") && number <= least)
                }),
            ),
            (
                "number_gt",
                "Must be greater than",
                limit("exclusiveMinimum"),
                limit("exclusiveMinimum").is_some_and(|least| number <= least),
            ),
            (
                "number_lte",
                "Must be less than or equal to",
                limit("maximum"),
                limit("maximum").is_some_and(|most| {
                    number > most || (is_strict("exclusiveMaximum") && number >= most)
                }),
            ),
            (
                "number_lt",
                "Must be less than",
                limit("exclusiveMaximum"),
                limit("exclusiveMaximum").is_some_and(|most| number >= most),
            ),
        ];
        for (kind, description, limit, is_passed) in limits {
            if let (Some(limit), true) = (limit, is_passed) {
                self.mistake(kind, field, &format!("{description} {limit}"));
            }
        }
        if let Some(step) = limit("multipleOf").filter(|step| *step != 0.0)
            && (number / step).fract() != 0.0
        {
            self.mistake(
                "multiple_of",
                field,
                &format!("Must be a multiple of {step}"),
            );
        }
    }
}

/// A length as a number of JSON.
fn to_f64(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(schema: &Value, document: &Value) -> Vec<String> {
        let mut matching = Matching {
            root: schema,
            mistakes: Vec::new(),
        };
        matching.check(schema, document, "(root)", 0).unwrap();
        let errors = matching
            .mistakes
            .iter()
            .map(|mistake| mistake["error"].as_str().unwrap());
        errors.map(str::to_owned).collect()
    }

    #[test]
    fn documents_match_their_schemas_or_say_where_not() {
        let schema = json!({
            "type": "object",
            "required": ["name", "ports"],
            "properties": {
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3},
                "ports": {"type": "array", "uniqueItems": true, "items": {"$ref": "#/definitions/port"}},
            },
            "additionalProperties": false,
            "definitions": {"port": {"type": "integer", "minimum": 1, "not": {"const": 22}}},
        });
        verify(&schema, 0).unwrap();
        assert!(mistakes(&schema, &json!({"name": "ab", "ports": [1, 2.0]})).is_empty());
        assert_eq!(
            mistakes(
                &schema,
                &json!({"name": "ABCD", "ports": [0, 22, "x", 0], "more": 1})
            ),
            [
                "(root): Additional property more is not allowed",
                "name: String length must be less than or equal to 3",
                "name: Does not match pattern '^[a-z]+$'",
                "ports: array items must be unique",
                "ports.0: Must be greater than or equal to 1",
                "ports.1: Must not validate the schema (not)",
                "ports.2: Invalid type. Expected: integer, given: string",
                "ports.3: Must be greater than or equal to 1",
            ]
        );
        assert_eq!(
            mistakes(&schema, &json!({"name": "a"})),
            ["(root): ports is required"]
        );
        assert!(verify(&json!({"properties": {"a": {"if": true}}}), 0).is_err());
    }
}
