//! The list of checksums that comes with a release, `SHA256SUMS`.

use std::collections::BTreeSet;

use crate::hash::PackageHash;

/// Checksums of a release's files by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    lines: Vec<(String, String)>,
}

impl Checksums {
    /// Reads lines of a SHA-256 in hexadecimal and a name. Lines of another form say nothing of a package and are
    /// passed over.
    pub fn parse(document: &[u8]) -> Self {
        let text = String::from_utf8_lossy(document);
        let lines = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let (digest, name) = (words.next()?, words.next()?);
            let fits = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            (fits && words.next().is_none()).then(|| (digest.to_ascii_lowercase(), name.to_owned()))
        });
        Self {
            lines: lines.collect(),
        }
    }

    /// The checksum of the file `name`, in hexadecimal in lower case.
    pub fn of(&self, name: &str) -> Option<&str> {
        self.lines
            .iter()
            .find(|(_, file)| file.trim_start_matches('*') == name)
            .map(|(digest, _)| digest.as_str())
    }

    /// The checksums of all files, as lock files have them.
    pub fn all(&self) -> BTreeSet<PackageHash> {
        self.lines
            .iter()
            .map(|(digest, _)| PackageHash(format!("zh:{digest}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_name() {
        let digest = "A".repeat(64);
        let text = format!("{digest}  a.zip\n{digest} *b.zip\nshort  c.zip\n{digest} d e\n\n");
        let sums = Checksums::parse(text.as_bytes());
        assert_eq!(sums.of("a.zip"), Some(digest.to_lowercase().as_str()));
        assert!(sums.of("b.zip").is_some());
        assert_eq!(sums.of("c.zip"), None);
        assert_eq!(sums.of("d"), None);
        assert_eq!(sums.all().len(), 1);
        assert_eq!(Checksums::parse(b"\xff\xfe"), Checksums::default());
    }
}
