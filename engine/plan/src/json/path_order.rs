//! The order in which documents list paths: that of a hash of each, as the reference's sets of paths have it.

use terrace_value::{Path, PathStep};

/// The polynomial of CRC-64 as ISO 3309 has it, its bits turned around.
const POLYNOMIAL: u64 = 0xD800_0000_0000_0000;

/// What a path is sorted by.
pub(super) fn key(path: &Path) -> i64 {
    let mut sum = u64::MAX;
    for step in &path.0 {
        match step {
            PathStep::Attribute(name) => sum = take_in(sum, name.as_bytes()),
            // Every element counts alike.
            PathStep::Index(_) => sum = take_in(sum, b"#"),
        }
    }
    (!sum).cast_signed()
}

fn take_in(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, byte| {
        (0..8).fold(sum ^ u64::from(*byte), |sum, _| {
            (sum >> 1) ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_in_the_order_of_the_reference() {
        let mut names = ["ca_cert_pem", "ca_private_key_pem", "cert_request_pem"];
        names.sort_by_key(|name| key(&Path(vec![PathStep::Attribute((*name).into())])));
        assert_eq!(
            names,
            ["cert_request_pem", "ca_private_key_pem", "ca_cert_pem"]
        );
    }

    #[test]
    fn the_sum_is_the_known_one() {
        assert_eq!(!take_in(u64::MAX, b"123456789"), 0xB909_56C7_75A4_1001);
    }
}
