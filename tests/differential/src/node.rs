//! Texts of the language as trees that can be made smaller.

use std::fmt;

/// A piece of text with the pieces it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Whether it can stand wherever an expression can.
    expression: bool,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Shape {
    Leaf(String),
    Compound(Vec<Part>),
    List {
        open: &'static str,
        items: Vec<Node>,
        separator: &'static str,
        close: &'static str,
    },
}

/// A part of a compound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text that stays.
    Text(String),
    /// A piece that can be made smaller.
    Child(Node),
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Node> for Part {
    fn from(node: Node) -> Self {
        Self::Child(node)
    }
}

/// A compound expression of texts and nodes.
macro_rules! compound {
    ($($part:expr),+ $(,)?) => {
        $crate::node::Node::compound(vec![$($crate::node::Part::from($part)),+])
    };
}
pub(crate) use compound;

/// How many smaller nodes are thought of at once.
const STEPS: usize = 600;

/// What an expression is replaced by, to see whether it matters at all.
const SIMPLEST: [&str; 7] = ["null", "1", "true", "\"\"", "\"a\"", "[]", "{}"];

impl Node {
    /// An expression without parts.
    pub(crate) fn leaf(text: impl Into<String>) -> Self {
        Self {
            expression: true,
            shape: Shape::Leaf(text.into()),
        }
    }

    /// Text that is no expression by itself.
    pub(crate) fn fragment(text: impl Into<String>) -> Self {
        Self {
            expression: false,
            shape: Shape::Leaf(text.into()),
        }
    }

    /// An expression of parts.
    pub(crate) fn compound(parts: Vec<Part>) -> Self {
        Self {
            expression: true,
            shape: Shape::Compound(parts),
        }
    }

    /// An expression of items, any of which can be left out.
    pub(crate) fn list(
        open: &'static str,
        items: Vec<Self>,
        separator: &'static str,
        close: &'static str,
    ) -> Self {
        Self {
            expression: true,
            shape: Shape::List {
                open,
                items,
                separator,
                close,
            },
        }
    }

    /// The same, where only what surrounds it is an expression.
    pub(crate) fn inner(mut self) -> Self {
        self.expression = false;
        self
    }

    /// How much there is of it.
    pub(crate) fn size(&self) -> usize {
        let parts: usize = self.children().iter().map(|child| child.size()).sum();
        let text = match &self.shape {
            Shape::Leaf(text) => text.len().min(40) / 4,
            Shape::Compound(_) | Shape::List { .. } => 2,
        };
        1 + parts + text
    }

    /// Nodes that are a step smaller: the whole comes first, then its parts, at most [`STEPS`] in all.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut found = Vec::new();
        if self.expression {
            self.nearest_expressions(&mut found);
            found.extend(SIMPLEST.map(Self::leaf));
        }
        if let Shape::List { items, .. } = &self.shape {
            for index in 0..items.len() {
                found.push(self.with_items(|items| drop(items.remove(index))));
            }
            if items.len() > 3 {
                found.push(self.with_items(|items| items.truncate(items.len() / 2)));
                found.push(self.with_items(|items| drop(items.drain(..items.len() / 2))));
            }
        }
        for (index, child) in self.children().into_iter().enumerate() {
            if found.len() >= STEPS {
                break;
            }
            let replaced = child
                .smaller()
                .into_iter()
                .map(|child| self.with_child(index, child));
            found.extend(replaced);
        }
        let size = self.size();
        found.retain(|node| node.size() < size);
        found
    }

    fn children(&self) -> Vec<&Self> {
        match &self.shape {
            Shape::Leaf(_) => Vec::new(),
            Shape::Compound(parts) => parts.iter().filter_map(Part::child).collect(),
            Shape::List { items, .. } => items.iter().collect(),
        }
    }

    fn nearest_expressions(&self, found: &mut Vec<Self>) {
        for child in self.children() {
            if child.expression {
                found.push(child.clone());
            } else {
                child.nearest_expressions(found);
            }
        }
    }

    fn with_items(&self, change: impl FnOnce(&mut Vec<Self>)) -> Self {
        let mut changed = self.clone();
        if let Shape::List { items, .. } = &mut changed.shape {
            change(items);
        }
        changed
    }

    fn with_child(&self, index: usize, child: Self) -> Self {
        let mut changed = self.clone();
        match &mut changed.shape {
            Shape::Leaf(_) => {}
            Shape::Compound(parts) => {
                if let Some(place) = parts.iter_mut().filter_map(Part::child_mut).nth(index) {
                    *place = child;
                }
            }
            Shape::List { items, .. } => items[index] = child,
        }
        changed
    }
}

impl Part {
    fn child(&self) -> Option<&Node> {
        match self {
            Self::Text(_) => None,
            Self::Child(node) => Some(node),
        }
    }

    fn child_mut(&mut self) -> Option<&mut Node> {
        match self {
            Self::Text(_) => None,
            Self::Child(node) => Some(node),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Shape::Leaf(text) => f.write_str(text),
            Shape::Compound(parts) => parts.iter().try_for_each(|part| match part {
                Part::Text(text) => f.write_str(text),
                Part::Child(node) => node.fmt(f),
            }),
            Shape::List {
                open,
                items,
                separator,
                close,
            } => {
                f.write_str(open)?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(separator)?;
                    }
                    item.fmt(f)?;
                }
                f.write_str(close)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_smaller_leaves_out_or_lifts_out() {
        let node = compound!(
            "upper(",
            Node::list("[", vec![Node::leaf("x"), Node::leaf("y")], ", ", "]"),
            ")"
        );
        assert_eq!(node.to_string(), "upper([x, y])");
        let smaller: Vec<String> = node.smaller().iter().map(Node::to_string).collect();
        for wanted in ["[x, y]", "upper(x)", "upper([x])", "null"] {
            assert!(smaller.iter().any(|text| text == wanted), "{wanted}");
        }
    }

    #[test]
    fn making_smaller_comes_to_an_end() {
        let mut node = compound!("(", compound!("f(", Node::leaf("x"), ")"), " + 1)");
        while let Some(smaller) = node.smaller().pop() {
            node = smaller;
        }
        assert!(node.size() <= 2);
    }
}
