//! IAM: roles, policies and who may sign in from elsewhere.

mod attachment;
mod document;
mod oidc;
mod policy;
mod read;
mod role;
mod role_policy;

use std::time::Duration;

use aws_sdk_iam::types::Tag;
use terrace_provider_sdk::{Attribute, validate};

use crate::Builder;
use crate::kind::{Looked, Managed};
use crate::tags::Tags;

/// What IAM says of something that is not there.
const GONE: [&str; 1] = ["NoSuchEntity"];

/// How long it may take until all of IAM knows what is new.
const PROPAGATION: Duration = Duration::from_mins(2);

/// Adds its types.
pub(crate) fn register(builder: Builder) -> Builder {
    builder
        .resource(Managed::<role::Role>::default())
        .resource(Managed::<policy::Policy>::default())
        .resource(Managed::<role_policy::RolePolicy>::default())
        .resource(Managed::<attachment::Attachment>::default())
        .resource(Managed::<oidc::OpenIdConnectProvider>::default())
        .data_source(Looked::<document::Document>::default())
        .data_source(Looked::<read::RoleData>::default())
        .data_source(Looked::<read::PolicyData>::default())
        .data_source(Looked::<read::OpenIdConnectProviderData>::default())
}

/// Tags as IAM wants them.
fn sdk_tags(tags: &Tags) -> Option<Vec<Tag>> {
    let tags: Vec<Tag> = tags
        .iter()
        .map(|(key, value)| {
            Tag::builder()
                .key(key)
                .value(value)
                .build()
                .expect("a tag with key and value is complete")
        })
        .collect();
    (!tags.is_empty()).then_some(tags)
}

/// Tags as IAM tells them.
fn told_tags(tags: &[Tag]) -> Tags {
    tags.iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect()
}

/// A policy as IAM tells it: written as a part of a URL.
fn decoded(told: &str) -> String {
    let mut bytes = Vec::with_capacity(told.len());
    let mut rest = told.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let pair = behind
            .get(..2)
            .and_then(|pair| std::str::from_utf8(pair).ok());
        let escaped = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = behind;
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A name that is configured, or what one begins with: not both, and with the letters that IAM allows.
fn named(attribute: Attribute, longest: usize, other: &'static str) -> Attribute {
    attribute
        .replace()
        .validate(validate::length(1..=longest))
        .validate(validate::matches(
            r"^[0-9A-Za-z_+=,.@-]*$",
            "may only have letters and digits without accents, and the characters +=,.@-_",
        ))
        .validate(validate::conflicts_with([other]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_come_as_parts_of_urls() {
        assert_eq!(decoded("%7B%22a%22%3A+%22b%2Bc%22%7D"), r#"{"a": "b+c"}"#);
        assert_eq!(decoded(r#"{"a":"50%"}"#), r#"{"a":"50%"}"#);
        assert_eq!(decoded("%C3%A9"), "é");
    }
}
