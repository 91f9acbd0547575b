//! `aws_iam_policy_document`: policies that are put together here, with no call to AWS.

mod merge;
mod order;
mod write;

use std::collections::BTreeMap;

use async_trait::async_trait;
use terrace_provider_sdk::{
    Attribute, Diagnostic, Object, Outcome, Schema, Text, Type, Value, validate,
};

use crate::blocks::{all, given, owned};
use crate::kind::{Context, Source};
use crate::shape::Behaviour as _;
use merge::{Condition, Document as Policy, Principal, Statement};
use write::Node;

/// The version of policies' language where nobody says which.
const VERSION: &str = "2012-10-17";
/// The one that has no variables.
const OLD: &str = "2008-10-17";

#[derive(Default)]
pub(crate) struct Document;

#[async_trait]
impl Source for Document {
    const NAME: &'static str = "aws_iam_policy_document";
    const WHAT: &'static str = "IAM Policy Document";

    fn behave(&self, shape: Schema) -> Schema {
        let unused = |attribute: Attribute| attribute.validate(validate::length(0..=0));
        shape
            .change("version", |version| {
                version.validate(validate::one_of([OLD, VERSION]))
            })
            .change("source_json", unused)
            .change("override_json", unused)
            .within("statement", |statement| {
                statement
                    .change("effect", |effect| {
                        effect.validate(validate::one_of(["Allow", "Deny"]))
                    })
                    .change("sid", |sid| {
                        sid.validate(validate::matches(
                            "^[0-9A-Za-z]*$",
                            "may only have letters and digits without accents",
                        ))
                    })
            })
    }

    async fn read(&self, _context: &Context, config: &Object) -> Outcome<Object> {
        put_together(config)
    }
}

fn put_together(config: &Object) -> Outcome<Object> {
    let version = given(config, "version").unwrap_or_else(|| VERSION.to_owned());
    let mut document = Policy::default();
    let mut sids = BTreeMap::new();
    for (place, text) in config
        .texts("source_policy_documents")
        .into_iter()
        .enumerate()
    {
        let name = format!("source_policy_documents[{place}]");
        let source = Policy::of_json(text).map_err(|why| unreadable(&name, &why))?;
        for statement in &source.statements {
            unique(&mut sids, &statement.sid, &name)?;
        }
        document.merge(source);
    }
    let mut own = Policy {
        version: version.clone(),
        id: given(config, "policy_id").unwrap_or_default(),
        statements: Vec::new(),
    };
    let mut sids = BTreeMap::new();
    for (place, block) in all(config, "statement").iter().enumerate() {
        let statement = statement(block, &version)?;
        unique(&mut sids, &statement.sid, &format!("statement {place}"))?;
        own.statements.push(statement);
    }
    document.merge(own);
    for (place, text) in config
        .texts("override_policy_documents")
        .into_iter()
        .enumerate()
    {
        let name = format!("override_policy_documents[{place}]");
        let over = Policy::of_json(text).map_err(|why| unreadable(&name, &why))?;
        document.merge(over);
    }
    let node = document.node();
    let json = node.indented();
    let mut object = Object::new();
    object.set("id", order::checksum(&json).to_string());
    object.set("minified_json", node.minified());
    object.set("json", json);
    object.set("version", version);
    let statements = config.items("statement").iter().map(with_defaults);
    object.set("statement", Value::tuple(statements));
    Ok(object)
}

/// A statement as states hold it: with what counts where nothing is configured.
fn with_defaults(block: &Value) -> Value {
    let Some(entries) = block.as_entries() else {
        return block.clone();
    };
    let parts = entries.iter().map(|(name, value)| {
        let default = match (&**name, value.is_null()) {
            ("effect", true) => Some(Value::string("Allow")),
            ("sid", true) => Some(Value::string("")),
            (_, true) => Some(Value::set(Type::String, [])),
            _ => None,
        };
        (Text::clone(name), default.unwrap_or_else(|| value.clone()))
    });
    Value::object(parts.collect::<Vec<_>>())
}

fn statement(block: &Object, version: &str) -> Outcome<Statement> {
    let list = |name: &str, variables: bool| -> Outcome<Option<Node>> {
        let mut items = owned(block, name);
        if variables {
            items = replaced(items, name, version)?;
        }
        Ok((!items.is_empty()).then(|| Node::one_or_list(&descending(items))))
    };
    Ok(Statement {
        sid: given(block, "sid").unwrap_or_default(),
        effect: given(block, "effect").unwrap_or_else(|| "Allow".into()),
        lists: [
            list("actions", false)?,
            list("not_actions", false)?,
            list("resources", true)?,
            list("not_resources", true)?,
        ],
        principals: principals(block, "principals", version)?,
        not_principals: principals(block, "not_principals", version)?,
        conditions: conditions(block, version)?,
    })
}

/// In the order in which hashicorp/aws writes them.
fn descending(mut items: Vec<String>) -> Vec<String> {
    items.sort_by(|a, b| b.cmp(a));
    items
}

fn principals(block: &Object, name: &str, version: &str) -> Outcome<Vec<Principal>> {
    let mut found = Vec::new();
    for principal in order::sorted(all(block, name), order::principal) {
        let identifiers = replaced(owned(&principal, "identifiers"), name, version)?;
        found.push(Principal {
            kind: given(&principal, "type").unwrap_or_default(),
            identifiers: Node::one_or_list(&descending(identifiers)),
        });
    }
    Ok(found)
}

fn conditions(block: &Object, version: &str) -> Outcome<Vec<Condition>> {
    let mut found = Vec::new();
    for condition in order::sorted(all(block, "condition"), order::condition) {
        found.push(Condition {
            test: given(&condition, "test").unwrap_or_default(),
            variable: given(&condition, "variable").unwrap_or_default(),
            values: replaced(owned(&condition, "values"), "condition", version)?,
        });
    }
    Ok(found)
}

/// Texts with variables of IAM, which are written with `&{`, since `${` is the language's own.
fn replaced(items: Vec<String>, name: &str, version: &str) -> Outcome<Vec<String>> {
    if let Some(item) = items
        .iter()
        .find(|item| version == OLD && item.contains("&{"))
    {
        return Err(Diagnostic::error(
            "Variables in a policy that has none",
            format!("{name} holds {item:?}, and policies of version {OLD} know no variables such as &{{…}}. Set version to {VERSION}, or take the variable out."),
        )
        .into());
    }
    Ok(items
        .into_iter()
        .map(|item| item.replace("&{", "${"))
        .collect())
}

fn unique(seen: &mut BTreeMap<String, String>, sid: &str, place: &str) -> Outcome<()> {
    if sid.is_empty() {
        return Ok(());
    }
    match seen.insert(sid.to_owned(), place.to_owned()) {
        None => Ok(()),
        Some(before) => Err(Diagnostic::error(
            "Duplicate Sid",
            format!("{place} has a statement with the Sid {sid}, which is in {before} already. Take the Sid out, or give each statement one of its own."),
        )
        .into()),
    }
}

fn unreadable(name: &str, why: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid policy document",
        format!("{name} is no policy in JSON: {why}."),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};
    use terrace_value::json::decode_implied;

    use super::*;

    fn document(config: &Json) -> Outcome<Object> {
        let value = decode_implied(&config.to_string()).unwrap();
        put_together(&Object::of(&value).unwrap())
    }

    fn written(config: &Json) -> (String, String, String) {
        let object = document(config).unwrap();
        let text = |name| object.text(name).unwrap().to_owned();
        (text("id"), text("minified_json"), text("json"))
    }

    #[test]
    fn a_document_says_nothing_but_its_version() {
        let (id, minified, json) = written(&json!({}));
        assert_eq!(json, "{\n  \"Version\": \"2012-10-17\"\n}");
        assert_eq!(minified, r#"{"Version":"2012-10-17"}"#);
        assert_eq!(id, "1132004489");
    }

    // What hashicorp/aws 5.100 writes of the same configuration.
    #[test]
    fn documents_are_put_together_of_several() {
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
        let over = json!({"Version": "2012-10-17", "Id": "z", "Statement": [
            {"Sid": "One", "Effect": "Allow", "Principal": "*", "Action": ["q", "r"], "Resource": "*", "Condition": {"Bool": {"aws:s": true}}},
            {"Sid": "New", "Effect": "Allow", "Principal": {"AWS": ["c", "d"], "Service": "t"}, "Action": "q", "Resource": ["1", "2"]},
        ]});
        let statements = json!([
            {"sid": "One", "actions": ["s3:GetObject"], "resources": ["*"]},
            {"effect": "Deny", "not_actions": ["*"], "not_resources": ["x", "y"], "not_principals": [{"type": "*", "identifiers": ["*"]}]},
        ]);
        let (id, minified, _) = written(&json!({
            "policy_id": "x", "source_policy_documents": [trust], "statement": statements,
            "override_policy_documents": [over.to_string()],
        }));
        assert_eq!(
            minified,
            r#"{"Version":"2012-10-17","Id":"z","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"}},{"Sid":"One","Effect":"Allow","Action":["q","r"],"Resource":"*","Principal":"*","Condition":{"Bool":{"aws:s":"true"}}},{"Effect":"Deny","NotAction":"*","NotResource":["y","x"],"NotPrincipal":"*"},{"Sid":"New","Effect":"Allow","Action":"q","Resource":["1","2"],"Principal":{"AWS":["d","c"],"Service":"t"}}]}"#
        );
        assert_eq!(id, "3176767421");
    }

    #[test]
    fn blocks_of_one_kind_come_in_the_order_of_their_checksums() {
        let principal = |identifiers: &[&str]| json!({"type": "AWS", "identifiers": identifiers});
        let condition = |variable: &str, values: &[&str]| json!({"test": "A", "variable": variable, "values": values});
        let (id, minified, _) = written(&json!({"statement": [{
            "principals": [principal(&["a", "b"]), principal(&["d"]), principal(&["c", "e"])],
            "condition": [condition("v", &["z"]), condition("v", &["b", "a"]), condition("w", &[])],
        }]}));
        assert_eq!(
            minified,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["d","b","a","e","c"]},"Condition":{"A":{"v":["b","a","z"],"w":[]}}}]}"#
        );
        assert_eq!(id, "3534568398");
    }

    #[test]
    fn variables_and_letters_are_written_as_iam_wants_them() {
        let (_, minified, json) = written(&json!({"statement": [{
            "actions": ["a:b", "s3:GetObject", "s3:PutObject"],
            "resources": ["arn:aws:s3:::b/&{aws:username}/*"],
            "condition": [{"test": "StringLike", "variable": "aws:x", "values": ["a<b>"]}],
        }]}));
        assert_eq!(
            minified,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:PutObject","s3:GetObject","a:b"],"Resource":"arn:aws:s3:::b/${aws:username}/*","Condition":{"StringLike":{"aws:x":"a\u003cb\u003e"}}}]}"#
        );
        assert_eq!(
            serde_json::from_str::<Json>(&json).unwrap(),
            serde_json::from_str::<Json>(&minified).unwrap()
        );
        assert!(
            json.contains("      \"Action\": [\n        \"s3:PutObject\",\n"),
            "{json}"
        );
    }

    #[test]
    fn mistakes_are_told() {
        let told = |config: &Json| {
            let problems = document(config).unwrap_err();
            let told: Vec<String> = problems
                .iter()
                .map(|problem| problem.detail.clone())
                .collect();
            told.join("\n")
        };
        let twice = json!({"statement": [{"sid": "A"}, {"sid": "A"}]});
        assert!(told(&twice).contains("statement 1 has a statement with the Sid A"));
        let source = r#"{"Statement":[{"Sid":"A"}]}"#;
        let sources = json!({"source_policy_documents": [source, source]});
        assert!(told(&sources).contains("source_policy_documents[1]"));
        let unreadable = json!({"override_policy_documents": [r#"{"Statement":{}}"#]});
        assert!(told(&unreadable).contains("its Statement is no list"));
        let old =
            json!({"version": "2008-10-17", "statement": [{"resources": ["&{aws:username}"]}]});
        assert!(told(&old).contains("&{aws:username}"));
    }
}
