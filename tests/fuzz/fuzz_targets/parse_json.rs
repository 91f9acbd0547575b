//! The parser of JSON syntax takes any bytes, and the bodies that it gives can be read.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terrace_diag::SourceId;
use terrace_syntax::{BlockSchema, BodySchema, parse_json};

fuzz_target!(|bytes: &[u8]| {
    let (body, _) = parse_json(SourceId(0), bytes);
    drop(body.just_attributes());
    let mut schema = BodySchema::of(&["a", "source"], &["lifecycle"]);
    schema.blocks.push(BlockSchema {
        type_name: "resource".into(),
        labels: vec!["type".into(), "name".into()],
    });
    let (content, rest, _) = body.partial_content(&schema);
    drop(rest.content(&schema));
    for block in &content.blocks {
        drop(block.body.just_attributes());
    }
});
