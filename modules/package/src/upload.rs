//! A package and its statement as one body: what is sent to a registry's server.

use crate::{Attestation, ModuleArchive};

/// The length of the statement's envelope in four bytes, most significant first, the envelope, and the archive. `None` where the
/// envelope is longer than such a length can say.
pub fn join_upload(attestation: &Attestation, archive: &ModuleArchive) -> Option<Vec<u8>> {
    let envelope = attestation.envelope();
    let length = u32::try_from(envelope.len()).ok()?;
    Some([&length.to_be_bytes(), envelope, archive.bytes()].concat())
}

/// The envelope and the archive of what [`join_upload`] made; `None` where a body is none of those.
pub fn split_upload(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::tests::archive;
    use crate::attestation::tests::attested;

    #[test]
    fn what_was_joined_is_split_again() {
        let archive = archive("");
        let attestation = attested(&archive, "1.0.0");
        let body = join_upload(&attestation, &archive).unwrap();
        assert_eq!(
            split_upload(&body),
            Some((attestation.envelope(), archive.bytes()))
        );
        assert_eq!(split_upload(&body[..attestation.envelope().len()]), None);
        assert_eq!(split_upload(&body[..3]), None);
    }
}
