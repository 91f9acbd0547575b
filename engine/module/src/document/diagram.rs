//! What depends on what, as a diagram that Markdown readers draw (Mermaid).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Documentation;

/// A flow chart of the module's resources and called modules, with an arrow from each to what it depends on. Empty where
/// there is nothing to draw.
pub fn diagram(documentation: &Documentation) -> String {
    let mut nodes: BTreeMap<String, Node<'_>> = BTreeMap::new();
    for resource in &documentation.resources {
        let shape = match resource.mode {
            "resource" => Shape::Box,
            _ => Shape::Rounded,
        };
        let node = Node {
            label: resource.address(),
            shape,
            to: &resource.references,
        };
        nodes.insert(resource.address(), node);
    }
    for call in &documentation.modules {
        let address = format!("module.{}", call.name);
        let node = Node {
            label: address.clone(),
            shape: Shape::Double,
            to: &call.references,
        };
        nodes.insert(address, node);
    }
    if nodes.is_empty() {
        return String::new();
    }
    draw(&nodes)
}

struct Node<'a> {
    label: String,
    shape: Shape,
    to: &'a [String],
}

#[derive(Clone, Copy)]
enum Shape {
    Box,
    Rounded,
    Double,
}

fn draw(nodes: &BTreeMap<String, Node<'_>>) -> String {
    let ids: BTreeMap<&str, String> = nodes
        .keys()
        .enumerate()
        .map(|(index, address)| (address.as_str(), format!("n{index}")))
        .collect();
    let mut text = "flowchart LR\n".to_owned();
    for (address, node) in nodes {
        let (open, close) = match node.shape {
            Shape::Box => ("[", "]"),
            Shape::Rounded => ("([", "])"),
            Shape::Double => ("[[", "]]"),
        };
        let id = &ids[address.as_str()];
        // Writing to a string cannot fail.
        let _written = writeln!(text, "  {id}{open}\"{}\"{close}", escaped(&node.label));
    }
    for (address, node) in nodes {
        let targets: BTreeSet<&String> = node
            .to
            .iter()
            .filter_map(|target| ids.get(target.as_str()))
            .collect();
        let id = &ids[address.as_str()];
        for target in targets {
            if target != id {
                let _written = writeln!(text, "  {id} --> {target}");
            }
        }
    }
    text
}

/// A label in which nothing ends the quotes.
fn escaped(label: &str) -> String {
    label.replace('"', "#quot;")
}
