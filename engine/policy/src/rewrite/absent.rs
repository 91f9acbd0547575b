//! Calls of functions that OPA has and Terrace has not.
//!
//! regorus would find out when it evaluates the call, and where a function of the policy makes it, only leave that function
//! undefined: the rule would find nothing, and nobody would know. So such calls are found when a module is read.

use super::tree::{self, Node, Part};

const ABSENT: [&str; 14] = [
    "crypto.parse_private_keys",
    "crypto.x509.parse_and_verify_certificates",
    "crypto.x509.parse_and_verify_certificates_with_options",
    "crypto.x509.parse_keypair",
    "crypto.x509.parse_rsa_private_key",
    "graphql.is_valid",
    "graphql.parse",
    "graphql.parse_and_verify",
    "http.send",
    "internal.test_case",
    "net.lookup_ip_addr",
    "rego.metadata.chain",
    "rego.metadata.rule",
    "rego.parse_module",
];

/// The first such call in a module: the function, and the byte where its name begins.
pub(crate) fn absent_function(text: &str) -> Option<(&'static str, usize)> {
    let nodes = tree::read(text)?;
    let (name, word) = call_in(&nodes, &imported(&nodes))?;
    Some((name, word.as_ptr().addr() - text.as_ptr().addr()))
}

/// The names that imports give.
fn imported<'a>(nodes: &[Node<'a>]) -> Vec<&'a str> {
    nodes
        .split(|node| matches!(node, Node::Token(tree::Kind::Newline, _)))
        .filter(|line| line.first().and_then(Node::word) == Some("import"))
        .filter_map(|line| line.iter().rev().find_map(Node::word))
        .collect()
}

fn call_in<'a>(nodes: &[Node<'a>], imported: &[&str]) -> Option<(&'static str, &'a str)> {
    for (index, node) in nodes.iter().enumerate() {
        let found = match node {
            Node::Group(open, inner) => {
                let call = (*open == '(')
                    .then(|| absent_before(&nodes[..index]))
                    .flatten()
                    .filter(|(_, root)| !imported.contains(root));
                call.or_else(|| call_in(inner, imported))
            }
            Node::Template(parts) => parts.iter().find_map(|part| match part {
                Part::Expression(inner) => call_in(inner, imported),
                Part::Text(..) => None,
            }),
            Node::Token(..) => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The function whose name stands right before a bracket, with its first word.
fn absent_before<'a>(before: &[Node<'a>]) -> Option<(&'static str, &'a str)> {
    let start = before
        .iter()
        .rposition(|node| node.word().is_none() && node.sign() != Some("."))
        .map_or(0, |other| other + 1);
    let words = &before[start..];
    let name: String = words
        .iter()
        .filter_map(|node| node.word().or_else(|| node.sign()))
        .collect();
    let absent = ABSENT.into_iter().find(|absent| *absent == name)?;
    Some((absent, words.first()?.word()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_absent_functions_are_found() {
        let text = "package a\nf(x) if {\n\ty := [z | z := $\"{http.send(x)}\"]\n}\n";
        assert_eq!(
            absent_function(text),
            Some(("http.send", text.find("http").unwrap()))
        );
        assert_eq!(absent_function("p := graphql.parse_query(\"{a}\")"), None);
        assert_eq!(
            absent_function("p := graphql.parse(q, s)"),
            Some(("graphql.parse", 5))
        );
        assert_eq!(
            absent_function("import data.graphql\np := graphql.parse(q, s)"),
            None
        );
        assert_eq!(
            absent_function("# http.send(x)\np := \"http.send(x)\""),
            None
        );
        assert_eq!(absent_function("p := data.http.send(x)"), None);
    }
}
