//! Any bytes are read as MessagePack or refused; what is read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terrace_value::Type;
use terrace_value::json::decode_type;
use terrace_value::msgpack::{decode, encode};

fuzz_target!(|input: (&str, &[u8])| {
    let (first, bytes) = input;
    let ty = decode_type(first).unwrap_or(Type::Dynamic);
    if let Ok(value) = decode(bytes, &ty) {
        let written = encode(&value, &ty).expect("what was read can be written");
        let again = decode(&written, &ty).expect("what was written can be read");
        assert_eq!(encode(&again, &ty).as_ref(), Ok(&written));
    }
});
