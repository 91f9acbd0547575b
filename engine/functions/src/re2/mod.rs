//! Regular expressions as the language has them (RE2 syntax), carried out by the `regex` crate.
//!
//! A pattern is read by its own rules, which differ from those of the crate (ASCII classes, no nested classes, literal
//! braces, `\Q…\E`, limits), and written out again in a form that means the same to the crate.

mod class;
mod escape;
mod parser;

use std::fmt;

/// A compiled pattern.
pub(crate) struct Pattern {
    regex: ::regex::Regex,
    names: Vec<Option<String>>,
}

/// What is wrong with a pattern: what, and in which part.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PatternError {
    /// As RE2 names it.
    pub(crate) problem: &'static str,
    /// The part of the pattern.
    pub(crate) part: String,
}

impl PatternError {
    fn new(problem: &'static str, part: impl Into<String>) -> Self {
        Self {
            problem,
            part: part.into(),
        }
    }

    /// As the reference prints it where it does not print its own.
    pub(crate) fn with_frame(&self) -> String {
        format!("error parsing regexp: {}: `{}`", self.problem, self.part)
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.problem, self.part)
    }
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn new(pattern: &str) -> Result<Self, PatternError> {
        let (translated, names) = parser::translate(pattern)?;
        let regex = ::regex::RegexBuilder::new(&translated)
            .size_limit(1 << 27)
            .build()
            .map_err(|_| PatternError::new("expression too large", pattern))?;
        Ok(Self { regex, names })
    }

    /// The names of the capture groups in order, `None` for those without.
    pub(crate) fn groups(&self) -> &[Option<String>] {
        &self.names
    }

    /// The first match: the whole and then each group, `None` for groups that took no part.
    pub(crate) fn find<'t>(&self, text: &'t str) -> Option<Vec<Option<&'t str>>> {
        self.regex
            .captures(text)
            .map(|captures| groups_of(&captures))
    }

    /// All matches that do not overlap, each as [`Self::find`] gives it.
    pub(crate) fn find_all<'t>(&self, text: &'t str) -> Vec<Vec<Option<&'t str>>> {
        self.regex
            .captures_iter(text)
            .map(|captures| groups_of(&captures))
            .collect()
    }

    /// `text` with every match replaced by `template`, in which `$1`, `${1}`, `$name` and `${name}` stand for groups.
    pub(crate) fn replace_all(&self, text: &str, template: &str) -> String {
        self.regex
            .replace_all(text, |captures: &::regex::Captures<'_>| {
                let mut out = String::new();
                self.expand(template, &groups_of(captures), &mut out);
                out
            })
            .into_owned()
    }

    fn expand(&self, template: &str, groups: &[Option<&str>], out: &mut String) {
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            let after = &rest[dollar + 1..];
            if let Some(remaining) = after.strip_prefix('$') {
                out.push('$');
                rest = remaining;
            } else if let Some((name, remaining)) = reference(after) {
                out.push_str(self.group(name, groups));
                rest = remaining;
            } else {
                out.push('$');
                rest = after;
            }
        }
        out.push_str(rest);
    }

    fn group<'t>(&self, name: &str, groups: &[Option<&'t str>]) -> &'t str {
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit())
            && (name == "0" || !name.starts_with('0'));
        if is_number {
            let group = name
                .parse()
                .ok()
                .and_then(|index: usize| groups.get(index).copied().flatten());
            return group.unwrap_or_default();
        }
        let mut named = self.names.iter().zip(groups.iter().skip(1));
        named
            .find_map(|(known, group)| group.filter(|_| known.as_deref() == Some(name)))
            .unwrap_or_default()
    }
}

fn groups_of<'t>(captures: &::regex::Captures<'t>) -> Vec<Option<&'t str>> {
    captures
        .iter()
        .map(|group| group.map(|found| found.as_str()))
        .collect()
}

/// The name of a group at the beginning of `text`, with or without braces, and what follows.
fn reference(text: &str) -> Option<(&str, &str)> {
    let is_name = |character: char| character == '_' || character.is_alphanumeric();
    let (inside, braced) = match text.strip_prefix('{') {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    let end = inside
        .find(|character| !is_name(character))
        .unwrap_or(inside.len());
    let (name, rest) = inside.split_at(end);
    if name.is_empty() {
        return None;
    }
    if braced {
        rest.strip_prefix('}').map(|rest| (name, rest))
    } else {
        Some((name, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(pattern: &str, text: &str) -> Option<String> {
        Pattern::new(pattern)
            .unwrap()
            .find(text)
            .and_then(|groups| groups[0].map(str::to_owned))
    }

    fn refused(pattern: &str) -> String {
        Pattern::new(pattern)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn classes_are_ascii() {
        assert_eq!(matched(r"\d+", "٣4"), Some("4".into()));
        assert_eq!(matched(r"\w+", "éa_1é"), Some("a_1".into()));
        assert_eq!(matched(r"[\D]+", "12٣"), Some("٣".into()));
        assert_eq!(matched(r"[^\w]", "aé"), Some("é".into()));
        assert_eq!(matched(r"\S+", "\u{a0}x"), Some("\u{a0}x".into()));
        assert_eq!(matched(r"\bé", "aé"), Some("é".into()));
        assert_eq!(matched(r"\p{Greek}+", "abγδ"), Some("γδ".into()));
        assert_eq!(matched(r"\p{^Greek}\pL", "γab"), Some("ab".into()));
    }

    #[test]
    fn what_is_special_elsewhere_is_literal_here() {
        assert_eq!(matched("[[a]]", "x[]"), Some("[]".into()));
        assert_eq!(matched("[a&&b]+", "x&b&"), Some("&b&".into()));
        assert_eq!(matched("[+--]+", "x+,-"), Some("+,-".into()));
        assert_eq!(matched("{", "a{"), Some("{".into()));
        assert_eq!(matched("a{2", "a{2"), Some("a{2".into()));
        assert_eq!(matched("a{,2}", "a{,2}"), Some("a{,2}".into()));
        assert_eq!(matched(r"\Qa.b\E.", "a.bc"), Some("a.bc".into()));
        assert_eq!(matched(r"\141\x62\x{63}", "abc"), Some("abc".into()));
        assert_eq!(matched("#~ x", "#~ x"), Some("#~ x".into()));
        assert_eq!(matched("(?i)[k]", "\u{212a}"), Some("\u{212a}".into()));
    }

    #[test]
    fn errors_are_those_of_re2() {
        assert_eq!(refused("["), "missing closing ] in [");
        assert_eq!(
            refused("(?=x)"),
            "invalid or unsupported Perl syntax in (?="
        );
        assert_eq!(refused("(a"), "missing closing ) in (a");
        assert_eq!(refused("a)"), "unexpected ) in a)");
        assert_eq!(
            refused("*a"),
            "missing argument to repetition operator in *"
        );
        assert_eq!(refused("a**"), "invalid nested repetition operator in **");
        assert_eq!(refused("a{1001}"), "invalid repeat count in {1001}");
        assert_eq!(refused("(a{100}){100}"), "invalid repeat count in {100}");
        assert_eq!(refused(r"\8"), r"invalid escape sequence in \8");
        assert_eq!(
            refused(r"a\"),
            "trailing backslash at end of expression in "
        );
        assert_eq!(refused("[b-a]"), "invalid character class range in b-a");
        assert_eq!(
            refused("[[:nope:]]"),
            "invalid character class range in [:nope:]"
        );
        assert_eq!(
            refused(r"\p{Letter}"),
            r"invalid character class range in \p{Letter}"
        );
        assert_eq!(
            refused(r"\x{110000}"),
            r"invalid escape sequence in \x{110000"
        );
        assert_eq!(
            refused(r"\p{Nope}"),
            r"invalid character class range in \p{Nope}"
        );
        assert_eq!(refused("(?P<a-b>x)"), "invalid named capture in (?P<a-b>");
        assert_eq!(
            refused("(?x)a b"),
            "invalid or unsupported Perl syntax in (?x"
        );
    }

    #[test]
    fn groups_and_replacement() {
        let pattern = Pattern::new("(?P<first>a)|(b)").unwrap();
        assert_eq!(pattern.groups(), [Some("first".to_owned()), None]);
        assert_eq!(pattern.replace_all("ab", "<${first}$2$9$x$$>"), "<a$><b$>");
        assert_eq!(
            Pattern::new("x*").unwrap().replace_all("abc", "-"),
            "-a-b-c-"
        );
        assert_eq!(
            Pattern::new("a")
                .unwrap()
                .replace_all("a", "$1x ${1}x $ ${"),
            " x $ ${"
        );
    }
}
