//! Any bytes are read as a state file or refused; what is read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use terrace_state::{read, write};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(state) = read(bytes) {
        let written = write(&state);
        let again = read(&written).expect("what was written can be read");
        assert_eq!(again, state);
        assert_eq!(write(&again), written);
    }
});
