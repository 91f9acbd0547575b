//! Policies as AWS keeps them: it writes them back in words of its own, which mean the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};
use terrace_provider_sdk::Attribute;

use crate::document::{self, normal, parsed, written};

/// Whether two policies mean the same to AWS: keys and sets in any order, one text or a list of it, bools and numbers as texts, and
/// an account's number or its root. What is no JSON is only ever the same as itself.
pub(crate) fn equivalent(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (Some(a), Some(b)) = (Policy::of(a), Policy::of(b)) else {
        return false;
    };
    a.means(&b)
}

/// The policy as it was configured where AWS tells one that means the same, and what AWS tells, with sorted keys, elsewhere.
pub(crate) fn keep(configured: &str, told: &str) -> String {
    if says_something(configured) && says_something(told) && equivalent(configured, told) {
        return configured.to_owned();
    }
    normal(told)
}

/// The same for types whose states begin with the version.
pub(crate) fn keep_version_first(configured: &str, told: &str) -> String {
    if says_something(configured) && says_something(told) && equivalent(configured, told) {
        return configured.to_owned();
    }
    version_first(told)
}

/// A policy that means the same as that of before is no change.
pub(crate) fn compared(attribute: Attribute) -> Attribute {
    document::compared(attribute, equivalent)
}

/// JSON without blanks, with sorted keys behind the version.
pub(crate) fn version_first(text: &str) -> String {
    match parsed(text) {
        Some(Json::Object(mut parts)) => {
            let Some(version) = parts.remove("Version") else {
                return written(&Json::Object(parts));
            };
            let rest = written(&Json::Object(parts));
            let comma = if rest == "{}" { "" } else { "," };
            format!("{{\"Version\":{}{comma}{}", written(&version), &rest[1..])
        }
        _ => normal(text),
    }
}

fn says_something(text: &str) -> bool {
    !matches!(text.trim(), "" | "{}")
}

/// A policy by what it means.
#[derive(Debug)]
struct Policy {
    version: String,
    id: String,
    statements: Vec<Statement>,
}

#[derive(Debug)]
struct Statement {
    /// Its name and effect.
    texts: [String; 2],
    /// Actions and resources, those that are left out included, each in order.
    lists: Vec<Vec<String>>,
    principals: [Principals; 2],
    conditions: BTreeMap<(String, String), BTreeSet<String>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Principals {
    Text(String),
    ByKind(BTreeMap<String, Vec<String>>),
}

impl Policy {
    /// None where a text is no policy. Trust policies may be lists of one.
    fn of(text: &str) -> Option<Self> {
        let json = match text.trim() {
            "" => Json::Object(Map::new()),
            text => parsed(text)?,
        };
        let json = match json {
            Json::Array(mut items) if items.len() <= 1 => {
                items.pop().unwrap_or_else(|| Json::Object(Map::new()))
            }
            json => json,
        };
        let parts = json.as_object()?;
        let statements = match parts.get("Statement") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(items)) => items.iter().map(Statement::of).collect::<Option<_>>()?,
            Some(one) => vec![Statement::of(one)?],
        };
        Some(Self {
            version: text_of(parts, "Version"),
            id: text_of(parts, "Id"),
            statements,
        })
    }

    fn means(&self, other: &Self) -> bool {
        let has = |statements: &[Statement], wanted: &Statement| {
            statements.iter().any(|statement| statement.means(wanted))
        };
        self.version == other.version
            && self.id == other.id
            && self.statements.len() == other.statements.len()
            && self
                .statements
                .iter()
                .all(|ours| has(&other.statements, ours))
            && other
                .statements
                .iter()
                .all(|theirs| has(&self.statements, theirs))
    }
}

impl Statement {
    fn of(json: &Json) -> Option<Self> {
        let parts = json.as_object()?;
        let lists = ["Action", "NotAction", "Resource", "NotResource"];
        let lists = lists
            .into_iter()
            .map(|name| {
                let mut items = texts(parts.get(name))?;
                items.sort();
                Some(items)
            })
            .collect::<Option<_>>()?;
        let mut conditions = BTreeMap::new();
        let tests = parts.get("Condition").and_then(Json::as_object);
        for (test, keys) in tests.into_iter().flatten() {
            for (key, values) in keys.as_object()? {
                let values = texts(Some(values))?.into_iter().collect();
                conditions.insert((test.clone(), key.clone()), values);
            }
        }
        Some(Self {
            texts: [
                text_of(parts, "Sid"),
                text_of(parts, "Effect").to_lowercase(),
            ],
            lists,
            principals: [
                Principals::of(parts.get("Principal"))?,
                Principals::of(parts.get("NotPrincipal"))?,
            ],
            conditions,
        })
    }

    fn means(&self, other: &Self) -> bool {
        self.texts == other.texts
            && self.lists == other.lists
            && self.conditions == other.conditions
            && self
                .principals
                .iter()
                .zip(&other.principals)
                .all(|(ours, theirs)| ours.means(theirs))
    }
}

impl Principals {
    fn of(json: Option<&Json>) -> Option<Self> {
        match json {
            None | Some(Json::Null) => Some(Self::ByKind(BTreeMap::new())),
            Some(Json::Object(kinds)) => {
                let mut by_kind = BTreeMap::new();
                for (kind, names) in kinds {
                    let names = texts(Some(names))?;
                    if !names.is_empty() {
                        by_kind.insert(kind.clone(), names);
                    }
                }
                Some(Self::ByKind(by_kind))
            }
            Some(text) => text.as_str().map(|text| Self::Text(text.to_owned())),
        }
    }

    fn means(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(ours), Self::Text(theirs)) => same_principal(ours, theirs),
            (Self::ByKind(ours), Self::ByKind(theirs)) => {
                ours.len() == theirs.len()
                    && ours
                        .iter()
                        .zip(theirs)
                        .all(|((our_kind, ours), (their_kind, theirs))| {
                            our_kind == their_kind && same_principals(ours, theirs)
                        })
            }
            _ => false,
        }
    }
}

fn same_principals(ours: &[String], theirs: &[String]) -> bool {
    let has =
        |names: &[String], wanted: &str| names.iter().any(|name| same_principal(name, wanted));
    ours.len() == theirs.len()
        && ours.iter().all(|name| has(theirs, name))
        && theirs.iter().all(|name| has(ours, name))
}

/// AWS writes the number of an account as the account's root.
fn same_principal(a: &str, b: &str) -> bool {
    let is_root_of = |arn: &str, account: &str| {
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        is_account
            && matches!(parts.as_slice(), ["arn", _, "iam", _, owner, "root"] if *owner == account)
    };
    a == b || is_root_of(a, b) || is_root_of(b, a)
}

fn text_of(parts: &Map<String, Json>, name: &str) -> String {
    parts.get(name).and_then(scalar).unwrap_or_default()
}

/// One text or a list of them; none where there is anything else.
fn texts(json: Option<&Json>) -> Option<Vec<String>> {
    match json {
        None | Some(Json::Null) => Some(Vec::new()),
        Some(Json::Array(items)) => items.iter().map(scalar).collect(),
        Some(one) => Some(vec![scalar(one)?]),
    }
}

fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(number) => Some(match (number.as_i64(), number.as_f64()) {
            (None, Some(float)) => float.to_string(),
            _ => number.to_string(),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*","Principal":{"AWS":"123456789012"},"Condition":{"Bool":{"aws:SecureTransport":"true"},"NumericLessThan":{"s3:max-keys":"10"}}},{"Sid":"b","Effect":"Deny","NotAction":"iam:*","NotResource":["x"]}]}"#;

    #[test]
    fn what_means_the_same_is_equivalent() {
        let told = r#"{"Statement":[{"Effect":"Deny","Sid":"b","NotResource":"x","NotAction":["iam:*"]},{"Action":["s3:PutObject","s3:GetObject"],"Principal":{"AWS":["arn:aws:iam::123456789012:root"]},"Effect":"allow","Resource":["*"],"Sid":"a","Condition":{"NumericLessThan":{"s3:max-keys":10},"Bool":{"aws:SecureTransport":[true]}}}],"Version":"2012-10-17"}"#;
        assert!(equivalent(PLAIN, told));
        assert!(equivalent(told, PLAIN));
        assert_eq!(keep(PLAIN, told), PLAIN);
        assert!(equivalent(&format!(" [ {PLAIN} ] "), told));
        assert!(equivalent("", "{}"));
        let (one, list) = (
            r#"{"Statement":{"Effect":"Allow"}}"#,
            r#"{"Statement":[{"Effect":"Allow"}]}"#,
        );
        assert!(equivalent(one, list));
    }

    #[test]
    fn what_means_something_else_is_not() {
        for (from, to) in [
            ("2012-10-17", "2008-10-17"),
            ("s3:PutObject", "s3:putobject"),
            ("s3:PutObject", "s3:GetObject"),
            ("\"Allow\"", "\"Deny\""),
            ("123456789012", "arn:aws:iam::210987654321:root"),
            ("123456789012", "arn:aws:iam::123456789012:user/root"),
            (r#"{"AWS":"123456789012"}"#, "\"*\""),
            ("\"AWS\":", "\"Service\":"),
            ("\"true\"", "false"),
            ("\"10\"", "[10,11]"),
            ("aws:SecureTransport", "aws:MultiFactorAuthPresent"),
            (r#","NotResource":["x"]"#, ""),
            (r#""Sid":"b""#, r#""Sid":"c""#),
            (r#"{"Version""#, r#"{"Id":"p","Version""#),
        ] {
            let other = PLAIN.replacen(from, to, 1);
            assert_ne!(other, PLAIN);
            assert!(!equivalent(PLAIN, &other), "{from} -> {to}");
            assert!(!equivalent(&other, PLAIN), "{from} -> {to}");
            assert_eq!(keep(PLAIN, &other), normal(&other));
        }
        assert!(!equivalent(PLAIN, "no policy"));
        assert!(equivalent("no policy", "no policy"));
    }

    #[test]
    fn what_is_told_is_written_in_one_way() {
        let told = r#"{ "Statement": [], "Id": "a<b>&c", "Version": "2012-10-17" }"#;
        let id = r#""Id":"a\u003cb\u003e\u0026c""#;
        assert_eq!(
            normal(told),
            format!(r#"{{{id},"Statement":[],"Version":"2012-10-17"}}"#)
        );
        assert_eq!(
            version_first(told),
            format!(r#"{{"Version":"2012-10-17",{id},"Statement":[]}}"#)
        );
        assert_eq!(
            version_first(r#"{"Version":"2012-10-17"}"#),
            r#"{"Version":"2012-10-17"}"#
        );
        assert_eq!(version_first(r#"{"Statement":[]}"#), r#"{"Statement":[]}"#);
        assert_eq!(keep("", told), normal(told));
        assert_eq!(keep_version_first("{}", told), version_first(told));
        assert_eq!(keep(PLAIN, ""), "");
    }
}
