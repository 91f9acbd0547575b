//! The `retention` block.

use terrace_syntax::Block;

use super::reader::{Reader, schema};
use crate::Retention;

const SECONDS_OF_A_DAY: u64 = 86_400;

impl Reader {
    pub(super) fn read_retention(&mut self, block: &Block) {
        let content = self.content(&block.body, &schema(&["runs", "days"], Vec::new()));
        let mut number = |name: &str| match self.count(&content, name)? {
            Ok(count) if count > 0 => Some(count),
            Ok(_) | Err(_) => {
                let span = super::reader::span_of(content.attributes.get(name), &content);
                self.invalid(
                    format!("The argument {name:?} is a whole number, more than 0."),
                    span,
                );
                None
            }
        };
        let (runs, days) = (number("runs"), number("days"));
        if content.attributes.is_empty() {
            let detail =
                "A retention block says how many runs are kept, by \"runs\", \"days\" or both.";
            self.invalid(detail, block.header_span);
        }
        if self.project.retention.is_some() {
            let detail = "A project file holds one retention block.";
            self.duplicate("retention", detail, block);
        }
        self.project.retention = Some(Retention {
            runs,
            seconds: days.map(|days| u64::from(days) * SECONDS_OF_A_DAY),
        });
    }
}
