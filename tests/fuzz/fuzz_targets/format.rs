//! Formatting takes any text, makes a valid text of a valid one, and loses nothing but spacing and quotes around it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terrace_diag::SourceId;
use terrace_syntax::{format, parse};

fuzz_target!(|text: &str| {
    let formatted = format(text);
    if !parse(SourceId(0), text.as_bytes()).1.has_errors() {
        let (_, diagnostics) = parse(SourceId(0), formatted.as_bytes());
        assert!(!diagnostics.has_errors(), "{formatted}\n{diagnostics:?}");
    }
});
