//! Quoted texts, templates and heredocs.

use super::{Generator, Kind, literal};
use crate::node::{Node, Part, compound};

impl Generator {
    /// A quoted text, mostly without interpolation.
    pub(super) fn quoted(&mut self, depth: usize) -> Node {
        if depth > 0 && self.random.chance(30) {
            return self.template(depth);
        }
        if self.random.chance(30) {
            let whole = *self.random.pick(&literal::WHOLES);
            return Node::leaf(format!("\"{whole}\""));
        }
        let n = self.random.below(4);
        let fragments = (0..n).map(|_| self.fragment()).collect();
        Node::list("\"", fragments, "", "\"")
    }

    fn fragment(&mut self) -> Node {
        Node::fragment(*self.random.pick(&literal::FRAGMENTS))
    }

    /// A quoted template.
    pub(super) fn template(&mut self, depth: usize) -> Node {
        let parts = self.template_parts(depth, &literal::FRAGMENTS);
        Node::list("\"", parts, "", "\"")
    }

    fn template_parts(&mut self, depth: usize, fragments: &[&str]) -> Vec<Node> {
        let n = 1 + self.random.below(4);
        (0..n)
            .map(|_| self.template_part(depth, fragments))
            .collect()
    }

    fn template_part(&mut self, depth: usize, fragments: &[&str]) -> Node {
        let choices = if depth == 0 || self.budget == 0 {
            7
        } else {
            10
        };
        let depth = depth.saturating_sub(1);
        match self.random.below(choices) {
            0..4 => Node::fragment(*self.random.pick(fragments)),
            4..7 => {
                let kind = Kind::scalar(&mut self.random);
                let (open, close) = (self.marker("${", "${~ "), self.marker("}", " ~}"));
                compound!(open, self.of(&kind, depth), close).inner()
            }
            7 | 8 => self.directive_if(depth, fragments),
            _ => self.directive_for(depth, fragments),
        }
    }

    fn marker(&mut self, plain: &'static str, stripping: &'static str) -> &'static str {
        if self.random.chance(25) {
            stripping
        } else {
            plain
        }
    }

    fn open(&mut self) -> &'static str {
        self.marker("%{ ", "%{~ ")
    }

    fn close(&mut self) -> &'static str {
        self.marker(" }", " ~}")
    }

    fn directive_if(&mut self, depth: usize, fragments: &[&str]) -> Node {
        let mut parts: Vec<Part> = vec![
            self.open().into(),
            "if ".into(),
            self.of(&Kind::Bool, depth).into(),
            self.close().into(),
            self.text(depth, fragments).into(),
        ];
        if self.random.chance(50) {
            let otherwise: Part = self.text(depth, fragments).into();
            parts.extend([
                self.open().into(),
                "else".into(),
                self.close().into(),
                otherwise,
            ]);
        }
        parts.extend([self.open().into(), "endif".into(), self.close().into()]);
        Node::compound(parts).inner()
    }

    fn directive_for(&mut self, depth: usize, fragments: &[&str]) -> Node {
        let (source, key, item) = self.source(depth);
        let (first, second) = (self.name(), self.name());
        let head = if self.random.chance(50) {
            format!("for {first}, {second} in ")
        } else {
            format!("for {second} in ")
        };
        let names = if head.contains(',') {
            vec![(first.as_str(), key), (second.as_str(), item)]
        } else {
            vec![(second.as_str(), item)]
        };
        let body = self.within(&names, |inner| inner.text(depth, fragments));
        Node::compound(vec![
            self.open().into(),
            head.into(),
            source.into(),
            self.close().into(),
            body.into(),
            self.open().into(),
            "endfor".into(),
            self.close().into(),
        ])
        .inner()
    }

    fn text(&mut self, depth: usize, fragments: &[&str]) -> Node {
        let parts = self.template_parts(depth, fragments);
        Node::list("", parts, "", "").inner()
    }

    /// A heredoc in parentheses, indented or not.
    pub(super) fn heredoc(&mut self, depth: usize) -> Node {
        const FRAGMENTS: [&str; 18] = [
            "text",
            "  indented",
            "\n",
            "\n",
            "\n  ",
            "\n    ",
            "\n\t",
            " ",
            "\\n",
            "\"quoted\"",
            "é",
            "$${x}",
            "%%{",
            "$",
            "%",
            "#",
            "~",
            "\n\n",
        ];
        let indent = *self.random.pick(&["", "  ", "    "]);
        let (open, close) = if self.random.chance(60) {
            (format!("(<<-EOT\n{indent}"), format!("\n{indent}EOT\n)"))
        } else {
            (format!("(<<EOT\n{indent}"), "\nEOT\n)".to_owned())
        };
        let parts = self.template_parts(depth, &FRAGMENTS);
        compound!(open, Node::list("", parts, "", "").inner(), close)
    }
}
