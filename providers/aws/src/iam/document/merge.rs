//! Policies that are put together of several.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::write::Node;

/// A policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Document {
    pub(super) version: String,
    pub(super) id: String,
    pub(super) statements: Vec<Statement>,
}

/// A statement of a policy.
#[derive(Clone, Debug, Default)]
pub(super) struct Statement {
    pub(super) sid: String,
    pub(super) effect: String,
    /// Actions, actions left out, resources, resources left out.
    pub(super) lists: [Option<Node>; 4],
    pub(super) principals: Vec<Principal>,
    pub(super) not_principals: Vec<Principal>,
    pub(super) conditions: Vec<Condition>,
}

/// Principals of a kind.
#[derive(Clone, Debug)]
pub(super) struct Principal {
    pub(super) kind: String,
    /// A text or a list of texts.
    pub(super) identifiers: Node,
}

/// What a request must be like.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) test: String,
    pub(super) variable: String,
    pub(super) values: Vec<String>,
}

/// What lists of a statement are called, in the order in which they are written.
const LISTS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

impl Document {
    /// A policy that is written in JSON; why it is none.
    pub(super) fn of_json(text: &str) -> Result<Self, String> {
        let json: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let parts = json.as_object().ok_or("it is no object")?;
        let statements = match parts.get("Statement") {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(items)) => items
                .iter()
                .map(Statement::of_json)
                .collect::<Result<_, _>>()?,
            Some(_) => return Err("its Statement is no list".into()),
        };
        Ok(Self {
            version: text_of(parts, "Version")?,
            id: text_of(parts, "Id")?,
            statements,
        })
    }

    /// Adds another policy. Its id counts, the newer version does, and its statements take the place of those with the same Sid.
    pub(super) fn merge(&mut self, other: Self) {
        if !other.id.is_empty() {
            self.id = other.id;
        }
        if other.version > self.version {
            self.version = other.version;
        }
        for statement in other.statements {
            let same = self
                .statements
                .iter_mut()
                .find(|before| !statement.sid.is_empty() && before.sid == statement.sid);
            match same {
                Some(before) => *before = statement,
                None => self.statements.push(statement),
            }
        }
    }

    /// The policy in the order of its parts.
    pub(super) fn node(&self) -> Node {
        let statements: Vec<Node> = self.statements.iter().map(Statement::node).collect();
        let mut parts = Vec::new();
        put_text(&mut parts, "Version", &self.version);
        put_text(&mut parts, "Id", &self.id);
        if !statements.is_empty() {
            parts.push(("Statement".to_owned(), Node::List(statements)));
        }
        Node::Map(parts)
    }
}

impl Statement {
    fn of_json(json: &Json) -> Result<Self, String> {
        let parts = json.as_object().ok_or("a statement is no object")?;
        let list = |name: &str| match parts.get(name) {
            None | Some(Json::Null) => None,
            Some(json) => Some(Node::of_json(json)),
        };
        Ok(Self {
            sid: text_of(parts, "Sid")?,
            effect: text_of(parts, "Effect")?,
            lists: LISTS.map(list),
            principals: principals(parts.get("Principal"))?,
            not_principals: principals(parts.get("NotPrincipal"))?,
            conditions: conditions(parts.get("Condition"))?,
        })
    }

    fn node(&self) -> Node {
        let mut parts = Vec::new();
        put_text(&mut parts, "Sid", &self.sid);
        put_text(&mut parts, "Effect", &self.effect);
        for (name, list) in LISTS.into_iter().zip(&self.lists) {
            if let Some(list) = list {
                parts.push((name.to_owned(), list.clone()));
            }
        }
        for (name, principals) in [
            ("Principal", &self.principals),
            ("NotPrincipal", &self.not_principals),
        ] {
            if !principals.is_empty() {
                parts.push((name.to_owned(), principals_node(principals)));
            }
        }
        if !self.conditions.is_empty() {
            parts.push(("Condition".to_owned(), conditions_node(&self.conditions)));
        }
        Node::Map(parts)
    }
}

fn put_text(parts: &mut Vec<(String, Node)>, name: &str, text: &str) {
    if !text.is_empty() {
        parts.push((name.to_owned(), Node::text(text)));
    }
}

fn text_of(parts: &Map<String, Json>, name: &str) -> Result<String, String> {
    match parts.get(name) {
        None | Some(Json::Null) => Ok(String::new()),
        Some(Json::String(text)) => Ok(text.clone()),
        Some(_) => Err(format!("its {name} is no text")),
    }
}

fn scalar(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Bool(_) | Json::Number(_) => Some(json.to_string()),
        _ => None,
    }
}

fn principals(json: Option<&Json>) -> Result<Vec<Principal>, String> {
    let kinds = match json {
        None | Some(Json::Null) => return Ok(Vec::new()),
        // The only text that is allowed is that for everybody.
        Some(Json::String(_)) => {
            return Ok(vec![Principal {
                kind: "*".into(),
                identifiers: Node::list(&["*".to_owned()]),
            }]);
        }
        Some(Json::Object(kinds)) => kinds,
        Some(_) => return Err("a Principal is neither text nor object".into()),
    };
    let mut found = Vec::new();
    for (kind, names) in kinds {
        let identifiers = match names {
            Json::String(name) => Node::text(name),
            Json::Array(items) => {
                let names: Option<Vec<&str>> = items.iter().map(Json::as_str).collect();
                let mut names = names
                    .ok_or_else(|| format!("principals of the kind {kind} are not all texts"))?;
                names.sort_unstable_by(|a, b| b.cmp(a));
                Node::List(names.into_iter().map(Node::text).collect())
            }
            _ => {
                return Err(format!(
                    "principals of the kind {kind} are neither text nor list"
                ));
            }
        };
        found.push(Principal {
            kind: kind.clone(),
            identifiers,
        });
    }
    Ok(found)
}

/// Principals by kind, several of a kind together.
fn principals_node(principals: &[Principal]) -> Node {
    let everybody = Node::text("*");
    if let [only] = principals
        && only.kind == "*"
        && (only.identifiers == everybody
            || only.identifiers == Node::List(vec![everybody.clone()]))
    {
        return everybody;
    }
    let mut kinds: BTreeMap<String, Node> = BTreeMap::new();
    for principal in principals {
        let more = principal.identifiers.clone();
        let joined = match (kinds.remove(&principal.kind), more) {
            (None, more) => more,
            (Some(before), more) => {
                let mut names = items(before);
                names.extend(items(more));
                Node::List(names)
            }
        };
        kinds.insert(principal.kind.clone(), joined);
    }
    Node::sorted(kinds)
}

fn items(node: Node) -> Vec<Node> {
    match node {
        Node::List(items) => items,
        one => vec![one],
    }
}

fn conditions(json: Option<&Json>) -> Result<Vec<Condition>, String> {
    let tests = match json {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Object(tests)) => tests,
        Some(_) => return Err("a Condition is no object".into()),
    };
    let mut found = Vec::new();
    for (test, variables) in tests {
        let variables = variables
            .as_object()
            .ok_or_else(|| format!("the condition {test} is no object"))?;
        for (variable, values) in variables {
            let values: Option<Vec<String>> = match values {
                Json::Array(items) => items.iter().map(scalar).collect(),
                one => scalar(one).map(|value| vec![value]),
            };
            found.push(Condition {
                test: test.clone(),
                variable: variable.clone(),
                values: values.ok_or_else(|| {
                    format!("the condition {test} of {variable} has a value that is no text")
                })?,
            });
        }
    }
    Ok(found)
}

/// Conditions by test and variable, the values of several together.
fn conditions_node(conditions: &[Condition]) -> Node {
    let mut tests: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for condition in conditions {
        let variables = tests.entry(condition.test.clone()).or_default();
        let values = variables.entry(condition.variable.clone()).or_default();
        values.extend(condition.values.iter().cloned());
    }
    let variables = |variables: BTreeMap<String, Vec<String>>| {
        let nodes = variables
            .into_iter()
            .map(|(variable, values)| (variable, Node::one_or_list(&values)));
        Node::sorted(nodes.collect())
    };
    let tests = tests
        .into_iter()
        .map(|(test, found)| (test, variables(found)));
    Node::sorted(tests.collect())
}
