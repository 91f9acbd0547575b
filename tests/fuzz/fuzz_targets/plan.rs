//! Any bytes are read as a plan file or refused; what is read can be written and read again.

#![no_main]

use std::io::Write as _;

use libfuzzer_sys::fuzz_target;
use terrace_plan::{read_plan_file, write_plan_file};

fuzz_target!(|bytes: &[u8]| {
    let _ = read_plan_file(bytes);
    // Packed as a plan file packs them, so that what is found is in the plan and not in its packing.
    let packed = Vec::from(&b"terrace plan\n"[..]);
    let mut encoder = flate2::write::DeflateEncoder::new(packed, flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    let file = encoder.finish().expect("memory takes all");
    if let Ok((plan, _)) = read_plan_file(&file) {
        let (written, digest) = write_plan_file(&plan);
        let (again, found) = read_plan_file(&written).expect("what was written can be read");
        assert_eq!((found, again.digest()), (digest, digest));
    }
});
