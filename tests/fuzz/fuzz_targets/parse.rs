//! The parser of native syntax takes any bytes; its tokens are those bytes again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terrace_diag::SourceId;
use terrace_syntax::{parse, parse_expression, parse_template, token::tokenize};

fuzz_target!(|bytes: &[u8]| {
    let mut at = 0;
    for token in tokenize(bytes) {
        assert_eq!(token.start, at);
        at = token.end;
    }
    assert_eq!(at as usize, bytes.len());
    let (body, diagnostics) = parse(SourceId(0), bytes);
    for diagnostic in &diagnostics {
        let subject = diagnostic.subject.expect("a syntax error has a place");
        assert!(subject.start <= subject.end && subject.end as usize <= bytes.len());
    }
    drop(body.just_attributes());
    if let Ok(text) = std::str::from_utf8(bytes) {
        drop(parse_expression(SourceId(0), text).0.traversals());
        drop(parse_template(SourceId(0), text).0.traversals());
    }
});
