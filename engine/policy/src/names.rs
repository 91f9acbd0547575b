//! Which rules judge, and what they are called.

use regorus::unstable::{Expr, Module, Rule, RuleHead};

use crate::Severity;

/// A rule that judges.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Judging {
    /// Its name, such as `deny_public_buckets`.
    pub(crate) name: String,
    /// What a result of it is.
    pub(crate) severity: Severity,
}

impl Judging {
    /// The rule of this name, if it judges: `deny`, `violation` or `warn`, alone or followed by words of letters and digits,
    /// each behind an underscore.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let prefixes = [
            ("deny", Severity::Deny),
            ("violation", Severity::Violation),
            ("warn", Severity::Warn),
        ];
        let (rest, severity) = prefixes
            .into_iter()
            .find_map(|(prefix, severity)| Some((name.strip_prefix(prefix)?, severity)))?;
        let words = rest.strip_prefix('_').map(|rest| rest.split('_'));
        let is_whole = match words {
            None => rest.is_empty(),
            Some(mut words) => words.all(|word| {
                !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
            }),
        };
        is_whole.then(|| Self {
            name: name.to_owned(),
            severity,
        })
    }

    /// What an `exception` calls this rule: its name without `deny_` or `violation_`; nothing for a bare `deny`.
    pub(crate) fn excepted_as(&self) -> &str {
        let behind = |prefix: &str| self.name.strip_prefix(prefix);
        behind("deny_")
            .or_else(|| behind("violation_"))
            .or_else(|| behind("deny"))
            .or_else(|| behind("violation"))
            .unwrap_or(&self.name)
    }
}

/// The package of a module, as in `package terraform.aws`, and the names of its rules without functions.
pub(crate) fn names_of(module: &Module) -> (Vec<String>, Vec<String>) {
    let package = path_of(&module.package.refr);
    let rules = module.policy.iter().filter_map(|rule| {
        let reference = match &**rule {
            Rule::Spec {
                head: RuleHead::Compr { refr, .. } | RuleHead::Set { refr, .. },
                ..
            } => refr,
            Rule::Default { refr, args, .. } if args.is_empty() => refr,
            Rule::Spec { .. } | Rule::Default { .. } => return None,
        };
        path_of(reference).into_iter().next()
    });
    (package, rules.collect())
}

/// The constant words of a reference.
fn path_of(expression: &Expr) -> Vec<String> {
    match expression {
        Expr::Var { span, .. } => vec![span.text().to_owned()],
        Expr::RefDot { refr, field, .. } => {
            let mut path = path_of(refr);
            path.push(field.0.text().to_owned());
            path
        }
        Expr::RefBrack { refr, index, .. } => {
            let mut path = path_of(refr);
            if let Expr::String { value, .. } = &**index
                && let Ok(text) = value.as_string()
            {
                path.push(text.to_string());
            }
            path
        }
        _ => Vec::new(),
    }
}

/// A reference to a rule below `data`, with words that are no identifiers in brackets.
pub(crate) fn reference(package: &str, rule: &str) -> String {
    format!("data.{package}.{rule}")
}

/// A package's path as one text: `terraform.aws`, `terraform["no-identifier"]`.
pub(crate) fn package_text(path: &[String]) -> String {
    let mut text = String::new();
    for word in path {
        let mut characters = word.chars();
        let is_identifier = characters
            .next()
            .is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
            && characters.all(|other| other == '_' || other.is_ascii_alphanumeric());
        if !is_identifier {
            text.push('[');
            text.push_str(&serde_json::Value::from(word.as_str()).to_string());
            text.push(']');
        } else if text.is_empty() {
            text.push_str(word);
        } else {
            text.push('.');
            text.push_str(word);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_judge_are_those_of_conftest() {
        let kind = |name: &str| Judging::named(name).map(|rule| rule.severity);
        assert_eq!(kind("deny"), Some(Severity::Deny));
        assert_eq!(kind("deny_public_s3"), Some(Severity::Deny));
        assert_eq!(kind("violation_tags2"), Some(Severity::Violation));
        assert_eq!(kind("warn_age"), Some(Severity::Warn));
        for other in [
            "denying", "deny_", "deny__x", "warning", "allow", "undeny", "warn-x",
        ] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[test]
    fn exceptions_name_rules_without_their_prefix() {
        let name = |name: &str| Judging::named(name).unwrap().excepted_as().to_owned();
        assert_eq!(name("deny_public"), "public");
        assert_eq!(name("violation_a_b"), "a_b");
        assert_eq!(name("deny"), "");
        assert_eq!(name("warn_x"), "warn_x");
    }

    #[test]
    fn packages_keep_words_that_are_no_identifiers() {
        let text = |words: &[&str]| {
            package_text(
                &words
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(text(&["main"]), "main");
        assert_eq!(text(&["a", "b-c", "d"]), "a[\"b-c\"].d");
    }
}
