//! Any text is read as JSON or refused; what is read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terrace_value::Type;
use terrace_value::json::{decode, decode_implied, decode_type, encode, simple_encode};

fuzz_target!(|text: &str| {
    // The first line is a type, the rest a value of it.
    let (first, rest) = text.split_once('\n').unwrap_or(("", text));
    let ty = decode_type(first).unwrap_or(Type::Dynamic);
    if let Ok(value) = decode(rest, &ty) {
        let written = encode(&value, &ty).expect("what was read can be written");
        let again = decode(&written, &ty).expect("what was written can be read");
        assert_eq!(encode(&again, &ty).as_ref(), Ok(&written));
    }
    if let Ok(value) = decode_implied(rest) {
        let written = simple_encode(&value).expect("what was read can be written");
        assert_eq!(decode_implied(&written).as_ref(), Ok(&value));
    }
});
