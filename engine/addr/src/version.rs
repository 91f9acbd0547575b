//! Versions, and constraints on them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version: `1.2.3`, `1.2.3-beta1+build`. Fewer than three numbers are filled up with zeros.
///
/// The build part takes no part in order and equality.
#[derive(Clone, Debug)]
pub struct Version {
    segments: Vec<u64>,
    written: usize,
    prerelease: String,
    build: String,
}

/// Why a text is no version or no constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionError(pub String);

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for VersionError {}

impl Version {
    /// A release.
    pub fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self {
            segments: vec![major, minor, patch],
            written: 3,
            prerelease: String::new(),
            build: String::new(),
        }
    }

    /// The part behind the dash; empty for a release.
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// Whether it has a part behind the dash.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// The numbers, at least three.
    pub fn segments(&self) -> &[u64] {
        &self.segments
    }

    fn same_numbers(&self, other: &Self) -> bool {
        compare_numbers(&self.segments, &other.segments).is_eq()
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let malformed = || VersionError(format!("Malformed version: {text}"));
        let bare = text.strip_prefix('v').unwrap_or(text);
        let (rest, build) = bare.split_once('+').unwrap_or((bare, ""));
        let (numbers, prerelease) = rest.split_once('-').unwrap_or((rest, ""));
        let valid_part = |part: &str| {
            part.split('.').all(|id| {
                !id.is_empty()
                    && id
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'~')
            })
        };
        if (rest.contains('-') && !valid_part(prerelease))
            || (bare.contains('+') && !valid_part(build))
        {
            return Err(malformed());
        }
        let mut segments = Vec::new();
        for number in numbers.split('.') {
            if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(malformed());
            }
            segments.push(number.parse().map_err(|_| malformed())?);
        }
        let written = segments.len();
        segments.resize(written.max(3), 0);
        Ok(Self {
            segments,
            written,
            prerelease: prerelease.to_owned(),
            build: build.to_owned(),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_numbers(f, &self.segments)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.build.is_empty() {
            write!(f, "+{}", self.build)?;
        }
        Ok(())
    }
}

fn write_numbers(f: &mut fmt::Formatter<'_>, numbers: &[u64]) -> fmt::Result {
    for (index, number) in numbers.iter().enumerate() {
        let dot = if index == 0 { "" } else { "." };
        write!(f, "{dot}{number}")?;
    }
    Ok(())
}

fn compare_numbers(left: &[u64], right: &[u64]) -> Ordering {
    let length = left.len().max(right.len());
    let at = |numbers: &[u64], index: usize| numbers.get(index).copied().unwrap_or(0);
    (0..length)
        .map(|index| at(left, index).cmp(&at(right, index)))
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A release comes after its prereleases; identifiers compare by number where both are numbers.
fn compare_prereleases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let mut left = left.split('.');
    let mut right = right.split('.');
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare_numbers(&self.segments, &other.segments)
            .then_with(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// How a constraint compares, in the order in which lock files write those of one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConstraintOp {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`, or nothing.
    Equal,
    /// `~>`: the last number that is written may grow, the ones before it may not.
    Pessimistic,
    /// `<=`
    LessOrEqual,
    /// `<`
    Less,
    /// `!=`
    NotEqual,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    /// How.
    pub op: ConstraintOp,
    /// With what.
    pub version: Version,
}

impl Constraint {
    /// Whether `version` satisfies it. A prerelease satisfies a comparison only where the constraint names a
    /// prerelease of the same numbers, or the very version.
    pub fn allows(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        let prerelease_fits = !version.is_prerelease()
            || (self.version.is_prerelease() && version.same_numbers(&self.version));
        match self.op {
            ConstraintOp::Equal => order.is_eq(),
            ConstraintOp::NotEqual => order.is_ne(),
            ConstraintOp::Greater => prerelease_fits && order.is_gt(),
            ConstraintOp::GreaterOrEqual => prerelease_fits && order.is_ge(),
            ConstraintOp::Less => prerelease_fits && order.is_lt(),
            ConstraintOp::LessOrEqual => prerelease_fits && order.is_le(),
            ConstraintOp::Pessimistic => {
                let fixed = self.version.written.saturating_sub(1).max(1);
                let kept = (0..fixed).all(|index| {
                    version.segments.get(index).copied().unwrap_or(0)
                        == self.version.segments.get(index).copied().unwrap_or(0)
                });
                prerelease_fits && order.is_ge() && (kept || self.version.written == 1)
            }
        }
    }
}

impl Constraint {
    /// Whether a provider's package of `version` satisfies it. Unlike [`Constraint::allows`] it compares prereleases as
    /// any other version, and takes `~> 1` as `~> 1.0`.
    fn allows_package(&self, version: &Version) -> bool {
        let order = version.cmp(&self.version);
        match self.op {
            ConstraintOp::Equal => order.is_eq(),
            ConstraintOp::NotEqual => order.is_ne(),
            ConstraintOp::Greater => order.is_gt(),
            ConstraintOp::GreaterOrEqual => order.is_ge(),
            ConstraintOp::Less => order.is_lt(),
            ConstraintOp::LessOrEqual => order.is_le(),
            ConstraintOp::Pessimistic => {
                let fixed = self.version.written.clamp(2, 3) - 1;
                order.is_ge() && version.segments[..fixed] == self.version.segments[..fixed]
            }
        }
    }
}

impl FromStr for Constraint {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let trimmed = text.trim();
        let (op, rest) = [
            ("~>", ConstraintOp::Pessimistic),
            (">=", ConstraintOp::GreaterOrEqual),
            ("<=", ConstraintOp::LessOrEqual),
            ("!=", ConstraintOp::NotEqual),
            ("=", ConstraintOp::Equal),
            (">", ConstraintOp::Greater),
            ("<", ConstraintOp::Less),
        ]
        .into_iter()
        .find_map(|(sign, op)| Some((op, trimmed.strip_prefix(sign)?)))
        .unwrap_or((ConstraintOp::Equal, trimmed));
        let version = rest
            .trim()
            .parse()
            .map_err(|_| VersionError(format!("Malformed constraint: {trimmed}")))?;
        Ok(Self { op, version })
    }
}

impl fmt::Display for Constraint {
    /// As lock files write it: `>= 1.2.0`, `~> 1.2`, `1.2.3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.op {
            ConstraintOp::Equal => "",
            ConstraintOp::NotEqual => "!= ",
            ConstraintOp::Greater => "> ",
            ConstraintOp::GreaterOrEqual => ">= ",
            ConstraintOp::Less => "< ",
            ConstraintOp::LessOrEqual => "<= ",
            ConstraintOp::Pessimistic => "~> ",
        };
        f.write_str(sign)?;
        if self.op == ConstraintOp::Pessimistic && self.version.prerelease.is_empty() {
            let written = self.version.written.clamp(2, self.version.segments.len());
            return write_numbers(f, &self.version.segments[..written]);
        }
        write!(f, "{}", self.version)
    }
}

/// Constraints that must all hold: `>= 1.2, < 2.0`. None allows every release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints(pub Vec<Constraint>);

impl Constraints {
    /// Whether `version` satisfies all.
    pub fn allows(&self, version: &Version) -> bool {
        if self.0.is_empty() {
            return !version.is_prerelease();
        }
        self.0.iter().all(|constraint| constraint.allows(version))
    }

    /// The newest of `versions` that satisfies all.
    pub fn newest<'a>(
        &self,
        versions: impl IntoIterator<Item = &'a Version>,
    ) -> Option<&'a Version> {
        versions
            .into_iter()
            .filter(|version| self.allows(version))
            .max()
    }

    /// Whether a provider's package of `version` satisfies all. A prerelease does so only where one names that very version.
    pub fn allows_package(&self, version: &Version) -> bool {
        let named = || {
            self.0
                .iter()
                .any(|one| one.op == ConstraintOp::Equal && one.version == *version)
        };
        (!version.is_prerelease() || named())
            && self.0.iter().all(|one| one.allows_package(version))
    }

    /// The newest of a provider's `versions` that satisfies all.
    pub fn newest_package<'a>(
        &self,
        versions: impl IntoIterator<Item = &'a Version>,
    ) -> Option<&'a Version> {
        versions
            .into_iter()
            .filter(|version| self.allows_package(version))
            .max()
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Sorted and without repetition, for lock files.
    pub fn canonical(&self) -> String {
        let mut sorted: Vec<&Constraint> = self.0.iter().collect();
        sorted.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.op.cmp(&b.op)));
        let mut texts: Vec<String> = sorted.into_iter().map(ToString::to_string).collect();
        texts.dedup();
        texts.join(", ")
    }
}

impl FromStr for Constraints {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        text.split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, constraint) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{constraint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn allows(constraints: &str, candidate: &str) -> bool {
        constraints
            .parse::<Constraints>()
            .unwrap()
            .allows(&version(candidate))
    }

    #[test]
    fn versions_are_ordered() {
        let sorted = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
        ];
        for pair in sorted.windows(2) {
            assert!(
                version(pair[0]) < version(pair[1]),
                "{} < {}",
                pair[0],
                pair[1]
            );
        }
        assert_eq!(version("1.2"), version("v1.2.0+build"));
        assert_eq!(version("1.2.3-rc1+x").to_string(), "1.2.3-rc1+x");
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in [
            "",
            "a",
            "1.",
            "1..2",
            "1.2.x",
            "-1",
            "1.2-",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
        for text in ["", ">= ", "=> 1.0", "foo", ">= 1.0,", "> 1.0 < 2.0"] {
            assert!(text.parse::<Constraints>().is_err(), "{text}");
        }
    }

    #[test]
    fn constraints_compare() {
        assert!(allows(">= 1.2, < 2.0", "1.9.9"));
        assert!(!allows(">= 1.2, < 2.0", "2.0.0"));
        assert!(
            allows("~> 1.2", "1.9.0") && !allows("~> 1.2", "2.0.0") && !allows("~> 1.2", "1.1.9")
        );
        assert!(allows("~> 1.2.3", "1.2.9") && !allows("~> 1.2.3", "1.3.0"));
        assert!(allows("~> 1", "2.0.0") && !allows("~> 1", "0.9.0"));
        assert!(
            allows("1.0", "1.0.0") && allows("!= 1.0.1", "1.0.0") && !allows("= 1.0.1", "1.0.0")
        );
    }

    #[test]
    fn prereleases_need_to_be_named() {
        assert!(!allows(">= 1.0.0", "2.0.0-beta1"));
        assert!(allows(">= 2.0.0-alpha1", "2.0.0-beta1"));
        assert!(!allows(">= 2.0.0-alpha1", "2.1.0-beta1"));
        assert!(allows("2.0.0-beta1", "2.0.0-beta1"));
    }

    #[test]
    fn lock_files_get_a_canonical_form() {
        let constraints: Constraints = "~> 2.1, >=2,=2.1.2,>= 2.0.0".parse().unwrap();
        assert_eq!(constraints.canonical(), ">= 2.0.0, ~> 2.1, 2.1.2");
        assert_eq!(constraints.to_string(), "~> 2.1, >= 2.0.0, 2.1.2, >= 2.0.0");
        let constraints: Constraints =
            "!= 2.0.0, < 2.0.0, <= 2.0.0, ~> 2, ~> 2.0.0, >= 2.0.0, > 2.0.0, 2.0.0, 1"
                .parse()
                .unwrap();
        assert_eq!(
            constraints.canonical(),
            "1.0.0, > 2.0.0, >= 2.0.0, 2.0.0, ~> 2.0, ~> 2.0.0, <= 2.0.0, < 2.0.0, != 2.0.0"
        );
    }

    #[test]
    fn the_newest_that_fits_is_chosen() {
        let versions = ["1.0.0", "1.5.0", "2.0.0", "1.9.0-rc1"].map(version);
        let constraints: Constraints = "~> 1.0".parse().unwrap();
        assert_eq!(constraints.newest(&versions).unwrap().to_string(), "1.5.0");
    }

    #[test]
    fn packages_are_chosen_as_the_reference_chooses_them() {
        let versions = [
            "1.0.0",
            "1.2.3",
            "1.3.0",
            "2.1.2",
            "2.2.0",
            "3.0.0-beta1",
            "3.0.0-beta2",
            "3.0.0",
            "3.1.0-rc1",
        ]
        .map(version);
        for (constraints, chosen) in [
            ("~> 1", Some("1.3.0")),
            ("~> 1.2", Some("1.3.0")),
            ("~> 1.2.0", Some("1.2.3")),
            (">= 1", Some("3.0.0")),
            ("2", None),
            ("= 2.1.2", Some("2.1.2")),
            ("!= 3", Some("2.2.0")),
            (">= 3.0.0-beta1", Some("3.0.0")),
            ("3.0.0-beta1", Some("3.0.0-beta1")),
            ("~> 3.0.0-beta1", Some("3.0.0")),
            ("~> 3.1.0-rc1", None),
            ("> 2.1.2-beta", Some("3.0.0")),
            ("< 3.0.0-beta2", Some("2.2.0")),
        ] {
            let newest = constraints
                .parse::<Constraints>()
                .unwrap()
                .newest_package(&versions)
                .map(ToString::to_string);
            assert_eq!(newest.as_deref(), chosen, "{constraints}");
        }
    }
}
