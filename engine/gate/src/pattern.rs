//! Patterns over types and addresses.

/// A text in which `*` stands for anything, nothing included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(String);

impl Pattern {
    /// The pattern that is written so.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is one of those that this stands for.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        // The shortest way to each part leaves most for those that follow.
        for part in parts {
            match rest.find(part) {
                Some(place) => rest = &rest[place + part.len()..],
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, expected) in [
            ("aws_vpc", "aws_vpc", true),
            ("aws_vpc", "aws_vpc_peering", false),
            ("aws_*", "aws_vpc", true),
            ("*", "", true),
            ("*_role", "aws_iam_role", true),
            ("*_role", "aws_iam_role_policy", false),
            ("aws_*_role", "aws_iam_role", true),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXc", false),
            ("module.x[*].a.b", "module.x[\"k\"].a.b", true),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(
                Pattern::new(pattern.to_owned()).matches(text),
                expected,
                "{pattern:?} {text:?}"
            );
        }
    }
}
