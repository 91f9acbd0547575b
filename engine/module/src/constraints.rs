//! Which versions a constraint allows that another does not.

use terrace_addr::version::{Constraints, Version};

/// How the versions that two constraints allow compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same versions.
    Same,
    /// All versions that were allowed, and others.
    Widened,
    /// Some version that was allowed is not any more: an example.
    Narrowed(Version),
}

/// Compares what `old` allowed with what `new` allows. Texts that are no constraints allow everything: they are reported
/// elsewhere.
///
/// Constraints change their mind only at the versions that they name, so that it is enough to look at these and at
/// their neighbours.
pub fn compare_constraints<'a>(
    old: impl IntoIterator<Item = &'a str>,
    new: impl IntoIterator<Item = &'a str>,
) -> Comparison {
    let (old, new) = (parse(old), parse(new));
    let mut samples: Vec<Version> = vec![Version::new(0, 0, 0), Version::new(999_999, 0, 0)];
    for constraint in old.0.iter().chain(&new.0) {
        samples.extend(neighbours(&constraint.version));
    }
    samples.sort();
    samples.dedup();
    let refused = samples
        .iter()
        .find(|version| old.allows(version) && !new.allows(version));
    if let Some(version) = refused {
        return Comparison::Narrowed(version.clone());
    }
    let gained = samples
        .iter()
        .any(|version| new.allows(version) && !old.allows(version));
    if gained {
        Comparison::Widened
    } else {
        Comparison::Same
    }
}

fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Constraints {
    texts
        .into_iter()
        .filter_map(|text| text.parse::<Constraints>().ok())
        .fold(Constraints::default(), Constraints::and)
}

/// The version, and those just below and above it in each of its numbers.
fn neighbours(version: &Version) -> Vec<Version> {
    const FAR: u64 = 999_999;
    let at = |index: usize| version.segments().get(index).copied().unwrap_or(0);
    let (major, minor, patch) = (at(0), at(1), at(2));
    let mut found = vec![
        version.clone(),
        Version::new(major, minor, patch),
        Version::new(major, minor, patch + 1),
        Version::new(major, minor, FAR),
        Version::new(major, minor + 1, 0),
        Version::new(major, FAR, FAR),
        Version::new(major + 1, 0, 0),
    ];
    if patch > 0 {
        found.push(Version::new(major, minor, patch - 1));
    }
    if minor > 0 {
        found.push(Version::new(major, minor - 1, FAR));
    }
    if major > 0 {
        found.push(Version::new(major - 1, FAR, FAR));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(old: &str, new: &str) -> String {
        fn some(text: &str) -> Option<&str> {
            Some(text).filter(|text| !text.is_empty())
        }
        match compare_constraints(some(old), some(new)) {
            Comparison::Same => "same".to_owned(),
            Comparison::Widened => "widened".to_owned(),
            Comparison::Narrowed(version) => format!("without {version}"),
        }
    }

    #[test]
    fn what_is_no_longer_allowed_is_found_at_the_edges() {
        assert_eq!(compared(">= 4.0", ">= 5.0"), "without 4.0.0");
        assert_eq!(compared(">= 4.0", ">= 4.0, < 6.0"), "without 6.0.0");
        assert_eq!(compared("~> 4.1", "~> 4.2"), "without 4.1.0");
        assert_eq!(compared(">= 1.0", ">= 1.0, != 1.2.3"), "without 1.2.3");
        assert_eq!(compared("", ">= 1.0"), "without 0.0.0");
    }

    #[test]
    fn what_is_allowed_beside_is_found() {
        assert_eq!(compared("~> 4.1", ">= 4.1"), "widened");
        assert_eq!(compared(">= 5.0", ">= 4.0"), "widened");
        assert_eq!(compared(">= 1.0", ""), "widened");
    }

    #[test]
    fn other_words_for_the_same_are_the_same() {
        assert_eq!(compared("~> 4.1.0", ">= 4.1.0, < 4.2.0"), "same");
        assert_eq!(compared(">=1.0.0,<2.0.0", "< 2.0, >= 1.0"), "same");
    }
}
