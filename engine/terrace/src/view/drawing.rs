//! Graphs as text, for Graphviz and for Mermaid.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A graph to draw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drawing {
    /// What is drawn, by its name, and the group it is drawn in, outermost first where there are several; nodes that
    /// only edges name need not be here.
    pub(crate) nodes: BTreeMap<String, Node>,
    /// From what depends to what it depends on, in order.
    pub(crate) edges: Vec<(String, String)>,
    /// Edges that are part of a cycle.
    pub(crate) cycles: BTreeSet<(String, String)>,
}

/// A node of a drawing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// What is written in it.
    pub(crate) label: String,
    /// Its form.
    pub(crate) shape: Shape,
}

/// The form of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An object.
    Box,
    /// A provider configuration.
    Diamond,
    /// A variable.
    Note,
}

/// Resources and what they depend on, by the module that they are in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// Modules in order, each with its resources: their addresses within it, and whole.
    pub(crate) modules: Vec<(String, Vec<(String, String)>)>,
    /// From what depends to what it depends on, in order.
    pub(crate) edges: Vec<(String, String)>,
}

/// Resources for Graphviz.
pub(crate) fn summary_dot(summary: &Summary) -> String {
    let mut lines = vec![
        "digraph G {".to_owned(),
        "  rankdir = \"RL\";".to_owned(),
        "  node [shape = rect, fontname = \"sans-serif\"];".to_owned(),
    ];
    for (module, resources) in &summary.modules {
        let pad = if module.is_empty() { "" } else { "  " };
        if !module.is_empty() {
            lines.push(format!(
                "  subgraph {} {{",
                quoted(&format!("cluster_{module}"))
            ));
            lines.push(format!("    label = {}", quoted(module)));
            lines.push("    fontname = \"sans-serif\"".to_owned());
        }
        for (label, address) in resources {
            lines.push(format!(
                "{pad}  {} [label={}];",
                quoted(address),
                quoted(label)
            ));
        }
        if !module.is_empty() {
            lines.push("  }".to_owned());
        }
    }
    for (from, to) in &summary.edges {
        lines.push(format!("  {} -> {};", quoted(from), quoted(to)));
    }
    lines.push("}".to_owned());
    lines.join("\n")
}

/// Resources for Mermaid.
pub(crate) fn summary_mermaid(summary: &Summary) -> String {
    let mut out = String::from("flowchart RL");
    let mut ids = Ids::default();
    for (place, (module, resources)) in summary.modules.iter().enumerate() {
        let pad = if module.is_empty() { "" } else { "  " };
        if !module.is_empty() {
            line(
                &mut out,
                format_args!("  subgraph m{place}[{}]", escaped(module)),
            );
        }
        for (label, address) in resources {
            let id = ids.of(address);
            line(&mut out, format_args!("{pad}  {id}[{}]", escaped(label)));
        }
        if !module.is_empty() {
            line(&mut out, format_args!("  end"));
        }
    }
    for (from, to) in &summary.edges {
        let (from, to) = (ids.of(from), ids.of(to));
        line(&mut out, format_args!("  {from} --> {to}"));
    }
    out
}

/// A graph for Graphviz.
pub(crate) fn dot(drawing: &Drawing) -> String {
    let mut out = String::from(
        "digraph {\n\tcompound = \"true\"\n\tnewrank = \"true\"\n\tsubgraph \"root\" {",
    );
    let name = |name: &str| quoted(&format!("[root] {name}"));
    for (address, node) in &drawing.nodes {
        let shape = match node.shape {
            Shape::Box => "box",
            Shape::Diamond => "diamond",
            Shape::Note => "note",
        };
        let (id, label) = (name(address), quoted(&node.label));
        line(
            &mut out,
            format_args!("\t\t{id} [label = {label}, shape = \"{shape}\"]"),
        );
    }
    for edge in &drawing.edges {
        let mark = if drawing.cycles.contains(edge) {
            " [color = \"red\", penwidth = \"2.0\"]"
        } else {
            ""
        };
        let (from, to) = (name(&edge.0), name(&edge.1));
        line(&mut out, format_args!("\t\t{from} -> {to}{mark}"));
    }
    out.push_str("\n\t}\n}");
    out
}

/// A graph for Mermaid.
pub(crate) fn mermaid(drawing: &Drawing) -> String {
    let mut out = String::from("flowchart RL");
    let mut ids = Ids::default();
    let ends = drawing.edges.iter().flat_map(|(from, to)| [from, to]);
    let names: BTreeSet<&String> = drawing.nodes.keys().chain(ends).collect();
    for name in names {
        let id = ids.of(name);
        let node = drawing.nodes.get(name);
        let label = escaped(node.map_or(name, |node| &node.label));
        let shape = node.map(|node| node.shape);
        match shape {
            Some(Shape::Box) => line(&mut out, format_args!("  {id}[{label}]")),
            Some(Shape::Diamond) => line(&mut out, format_args!("  {id}{{{{{label}}}}}")),
            Some(Shape::Note) => line(&mut out, format_args!("  {id}>{label}]")),
            None => line(&mut out, format_args!("  {id}({label})")),
        }
    }
    for edge in &drawing.edges {
        let arrow = if drawing.cycles.contains(edge) {
            "==>"
        } else {
            "-->"
        };
        let (from, to) = (ids.of(&edge.0), ids.of(&edge.1));
        line(&mut out, format_args!("  {from} {arrow} {to}"));
    }
    out
}

/// Short names for nodes, because addresses are no names in Mermaid.
#[derive(Default)]
struct Ids {
    known: BTreeMap<String, usize>,
}

impl Ids {
    fn of(&mut self, name: &str) -> String {
        let next = self.known.len();
        let id = match self.known.get(name) {
            Some(id) => *id,
            None => {
                self.known.insert(name.to_owned(), next);
                next
            }
        };
        format!("n{id}")
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.push('\n');
    out.write_fmt(text)
        .expect("writing to a string does not fail");
}

/// A name between quotes for Graphviz.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A label between quotes for Mermaid.
fn escaped(text: &str) -> String {
    let text = text.replace('#', "#35;").replace('"', "#quot;");
    format!("\"{}\"", text.replace('<', "#lt;").replace('>', "#gt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing() -> Drawing {
        let node = |label: &str, shape| Node {
            label: label.to_owned(),
            shape,
        };
        let edge = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        Drawing {
            nodes: BTreeMap::from([
                ("t.a (expand)".to_owned(), node("t.a", Shape::Box)),
                (
                    "provider[\"p\"]".to_owned(),
                    node("provider[\"p\"]", Shape::Diamond),
                ),
            ]),
            edges: vec![
                edge("root", "t.a (expand)"),
                edge("t.a (expand)", "provider[\"p\"]"),
            ],
            cycles: BTreeSet::from([edge("root", "t.a (expand)")]),
        }
    }

    #[test]
    fn a_graph_for_graphviz() {
        insta::assert_snapshot!(dot(&drawing()), @r#"
        digraph {
        	compound = "true"
        	newrank = "true"
        	subgraph "root" {
        		"[root] provider[\"p\"]" [label = "provider[\"p\"]", shape = "diamond"]
        		"[root] t.a (expand)" [label = "t.a", shape = "box"]
        		"[root] root" -> "[root] t.a (expand)" [color = "red", penwidth = "2.0"]
        		"[root] t.a (expand)" -> "[root] provider[\"p\"]"
        	}
        }
        "#);
    }

    #[test]
    fn a_graph_for_mermaid() {
        insta::assert_snapshot!(mermaid(&drawing()), @r#"
        flowchart RL
          n0{{"provider[#quot;p#quot;]"}}
          n1("root")
          n2["t.a"]
          n1 ==> n2
          n2 --> n0
        "#);
    }
}
