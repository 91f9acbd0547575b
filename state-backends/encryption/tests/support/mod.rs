//! Encryption by the text of a block.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test uses a part of this")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use terrace_config::evaluate_constant;
use terrace_diag::{Diagnostics, SourceId};
use terrace_encryption::{
    Encryption, Generated, KeySource, KeySources, Secret, Settings, decode, decode_environment,
};
use terrace_syntax::{BodyKind, Expr, Item, parse};
use terrace_value::Value;

/// A service for the types of clouds, whose keys are one byte 32 times, which it keeps beside the data.
pub(crate) struct Repeating(AtomicU8);

/// Keys of which the first begins with this byte.
pub(crate) fn services(first: u8) -> Services {
    Services(Arc::new(Repeating(AtomicU8::new(first))))
}

pub(crate) struct Services(Arc<Repeating>);

impl KeySources for Services {
    fn open(&self, _: &str, _: &BTreeMap<String, Value>) -> Result<Arc<dyn KeySource>, String> {
        Ok(self.0.clone())
    }
}

#[async_trait]
impl KeySource for Repeating {
    async fn generate(&self) -> Result<Generated, String> {
        let byte = self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Generated {
            key: Secret::new(vec![byte; 32]),
            metadata: vec![byte],
        })
    }

    async fn recover(&self, metadata: &[u8]) -> Result<Secret, String> {
        match metadata {
            [byte] => Ok(Secret::new(vec![*byte; 32])),
            _ => Err("one byte is needed.".to_owned()),
        }
    }
}

/// What an `encryption` block with this content says.
pub(crate) fn settings(content: &str) -> (Settings, Diagnostics) {
    decode_environment(SourceId(0), content)
}

/// The `encryption` block in the `terraform` block of a file.
pub(crate) fn settings_of_file(text: &str) -> (Settings, Diagnostics) {
    let (body, problems) = parse(SourceId(0), text.as_bytes());
    assert!(!problems.has_errors(), "{problems:?}");
    let block = |body: &terrace_syntax::Body, name: &str| {
        let BodyKind::Native(items) = &body.kind else {
            panic!("native syntax")
        };
        items.iter().find_map(|item| match item {
            Item::Block(block) if &*block.type_name.name == name => Some(block.body.clone()),
            _ => None,
        })
    };
    let terraform = block(&body, "terraform").expect("a terraform block");
    decode(&block(&terraform, "encryption").expect("an encryption block"))
}

fn constant(expression: &Expr) -> Result<Value, Diagnostics> {
    let mut problems = Diagnostics::new();
    let value = evaluate_constant(expression, &mut problems);
    if problems.has_errors() {
        Err(problems)
    } else {
        Ok(value)
    }
}

/// Opens settings over constants.
pub(crate) fn open(settings: &Settings, services: &dyn KeySources) -> (Encryption, Diagnostics) {
    Encryption::open(settings, &constant, services)
}

/// Opens the content of a block that is right.
pub(crate) fn right(content: &str) -> Encryption {
    let (settings, problems) = settings(content);
    assert!(problems.is_empty(), "{problems:?}");
    let (encryption, problems) = open(&settings, &services(1));
    assert!(problems.is_empty(), "{problems:?}");
    encryption
}

/// Summaries and details of what is wrong with the content of a block.
pub(crate) fn wrong(content: &str) -> Vec<String> {
    let (settings, mut problems) = settings(content);
    problems.append(open(&settings, &services(1)).1);
    problems
        .iter()
        .map(|problem| format!("{}: {}", problem.summary, problem.detail))
        .collect()
}
