//! `graphql.*`: documents of GraphQL read, and schemas checked.
//!
//! Queries are not checked against schemas: `graphql.parse`, `graphql.parse_and_verify` and `graphql.is_valid` do not exist.

mod lexer;
mod parser;
mod validity;

use regorus::Value;

use super::{Entry, text};
use crate::input::{from_rego, to_rego};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("graphql.parse_query", 1, |values| {
        Ok(to_rego(&parser::query(text(values, 0)?)?))
    }),
    ("graphql.parse_schema", 1, |values| {
        Ok(to_rego(&parser::schema(text(values, 0)?)?))
    }),
    ("graphql.schema_is_valid", 1, |values| {
        let document = match values.first() {
            Some(Value::String(text)) => parser::schema(text),
            Some(document @ Value::Object(_)) => from_rego(document),
            _ => Err("operand 1 must be one of {string, object}".to_owned()),
        };
        let is_valid = document.is_ok_and(|document| validity::check(&document).is_ok());
        Ok(is_valid.into())
    }),
];
