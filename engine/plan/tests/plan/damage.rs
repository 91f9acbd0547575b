//! Bytes that are no plan, or a damaged one: refused with a reason, never with a panic.

use std::io::Write as _;

use proptest::prelude::*;
use terrace_plan::{PlanReadError, is_plan_file, read_plan_file, write_plan_file};

use crate::sample;

/// A plan file around any canonical bytes.
fn packed(canonical: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(b"terrace plan\n".to_vec(), flate2::Compression::fast());
    encoder.write_all(canonical).unwrap();
    encoder.finish().unwrap()
}

fn refused(canonical: &str) -> String {
    read_plan_file(&packed(canonical.as_bytes()))
        .unwrap_err()
        .to_string()
}

#[test]
fn other_files_are_no_plans() {
    for bytes in [&b""[..], b"{}", b"terrace plan", b"PK\x03\x04"] {
        assert!(!is_plan_file(bytes));
        assert!(matches!(
            read_plan_file(bytes),
            Err(PlanReadError::NotAPlan)
        ));
    }
}

#[test]
fn a_file_that_is_cut_off_is_refused() {
    let (bytes, _) = write_plan_file(&sample::plan());
    for length in (0..bytes.len()).step_by(7) {
        assert!(
            read_plan_file(&bytes[..length]).is_err(),
            "{length} of {}",
            bytes.len()
        );
    }
}

#[test]
fn a_plan_of_a_later_format_is_told() {
    let canonical = String::from_utf8(sample::plan().canonical_bytes()).unwrap();
    assert_eq!(
        refused(&canonical.replacen("\"format\":2", "\"format\":7", 1)),
        "this plan file has format 7, and this version of Terrace reads format 2"
    );
}

#[test]
fn what_does_not_fit_together_is_told() {
    let canonical = String::from_utf8(sample::plan().canonical_bytes()).unwrap();
    for (from, to, expected) in [
        (
            "\"mode\":\"normal\"",
            "\"mode\":\"odd\"",
            "\"odd\" is not a mode",
        ),
        (
            "\"op\":\"join\"",
            "\"op\":\"leap\"",
            "\"leap\" is not an op",
        ),
        (
            "\"op\":\"create\",\"change\":0",
            "\"op\":\"create\",\"change\":99",
            "op 1 names a change that is not there",
        ),
        (
            "\"op\":\"create\",\"change\":0",
            "\"op\":\"create\"",
            "op \"create\" names no change",
        ),
        (
            "\"after\":[8]",
            "\"after\":[800]",
            "op 9 waits for an op that is not there",
        ),
        (
            "\"op\":\"create\",\"change\":0,\"after\":[0]",
            "\"op\":\"create\",\"change\":0,\"after\":[2]",
            "its ops wait for each other in a circle",
        ),
        (
            "\"action\":\"read\"",
            "\"action\":\"write\"",
            "\"write\" is not an action",
        ),
        (
            "\"status\":\"fail\"",
            "\"status\":\"odd\"",
            "\"odd\" is not the status of a check",
        ),
        (
            "\"nesting\":\"group\"",
            "\"nesting\":\"heap\"",
            "\"heap\" is not a nesting",
        ),
    ] {
        assert!(canonical.contains(from), "{from}");
        let told = refused(&canonical.replacen(from, to, 1));
        assert_eq!(told, format!("the plan file is damaged: {expected}"));
    }
}

#[test]
fn every_changed_byte_gives_another_digest_or_none() {
    let plan = sample::plan();
    let canonical = plan.canonical_bytes();
    let digest = plan.digest();
    // Every thirteenth byte in each of two ways: enough to hit every construct, and quick.
    for place in (0..canonical.len()).step_by(13) {
        for flip in [1, 0x20] {
            let mut bytes = canonical.clone();
            bytes[place] ^= flip;
            if let Ok((_, found)) = read_plan_file(&packed(&bytes)) {
                assert_ne!(found, digest, "byte {place}");
            }
        }
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let deep = format!(
        "{{\"format\":1,\"types\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(read_plan_file(&packed(deep.as_bytes())).is_err());
    let canonical = String::from_utf8(sample::plan().canonical_bytes()).unwrap();
    let ty = format!(
        "{}\"string\"{}",
        "[\"list\",".repeat(50_000),
        "]".repeat(50_000)
    );
    let bent = canonical.replacen("\"types\":[", &format!("\"types\":[{ty},"), 1);
    assert!(read_plan_file(&packed(bent.as_bytes())).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut file = b"terrace plan\n".to_vec();
        file.extend_from_slice(&bytes);
        prop_assert!(read_plan_file(&file).is_err());
        prop_assert!(read_plan_file(&packed(&bytes)).is_err());
    }

    #[test]
    fn a_plan_with_a_piece_from_elsewhere_is_read_or_refused(
        from in 0..10_000_usize,
        to in 0..10_000_usize,
        length in 1..60_usize,
    ) {
        let mut bytes = sample::plan().canonical_bytes();
        let size = bytes.len();
        let (from, to) = (from % size, to % size);
        let length = length.min(size - from).min(size - to);
        bytes.copy_within(from..from + length, to);
        if let Ok((plan, digest)) = read_plan_file(&packed(&bytes)) {
            prop_assert_eq!(digest == sample::plan().digest(), bytes == sample::plan().canonical_bytes());
            // Whatever was read can be written again.
            let _ = plan.digest();
        }
    }
}
