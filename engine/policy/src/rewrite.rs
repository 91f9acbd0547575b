//! Newer Rego in words that regorus reads, line for line.
//!
//! regorus knows neither `and`, `or` and `not { … }` (which a module asks for by `import rego.v2` or `future.keywords`) nor
//! strings with expressions (`$"{name} is open"`), nor rules whose name begins with a keyword (`if.allowed := true`), nor the
//! form of a call that takes its result as last argument for functions that were added to it. Here a module is read as tokens
//! and brackets and written out again with these put otherwise: an operand as a list that is empty or not, a string as a call,
//! a keyword as a name of its own. Lines stay where they are, so that the places in messages do too.

mod absent;
mod tree;

use std::collections::BTreeSet;

use tree::{Kind, Node, Part, closing};

pub(crate) use absent::absent_function;

/// What stands before a keyword that is the name of a rule.
const MARK: &str = "__keyword_";

/// What gives an import that ends in a keyword its name.
const AS_MARK: &str = " as __keyword_";

/// The words that name a rule only with [`MARK`].
const KEYWORDS: [&str; 15] = [
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null",
    "package", "some", "true", "with",
];

/// Rules whose names begin with a keyword, as `package.keyword`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots(BTreeSet<String>);

impl Roots {
    /// Those of some modules.
    pub(crate) fn of<'a>(modules: impl Iterator<Item = &'a str>) -> Self {
        let mut roots = BTreeSet::new();
        for text in modules {
            let Some(nodes) = tree::read(text) else {
                continue;
            };
            let package = package_of(&nodes);
            for line in nodes.split(|node| matches!(node, Node::Token(Kind::Newline, _))) {
                let head = match line {
                    [first, Node::Token(Kind::Blank, _), rest @ ..]
                        if first.word() == Some("default") =>
                    {
                        rest
                    }
                    _ => line,
                };
                if let [name, point, ..] = head
                    && point.sign() == Some(".")
                    && let Some(word) = name.word()
                    && KEYWORDS.contains(&word)
                {
                    roots.insert(format!("{package}.{word}"));
                }
            }
        }
        Self(roots)
    }
}

/// A name as it was before this module made another of it.
pub(crate) fn original_name(name: &str) -> &str {
    name.strip_prefix(MARK)
        .filter(|keyword| KEYWORDS.contains(keyword))
        .unwrap_or(name)
}

/// Writes a module so that regorus reads it. What cannot be taken apart stays as it is: regorus says what is wrong with it.
pub(crate) fn module(text: &str, roots: &Roots, arity: &dyn Fn(&str) -> Option<u8>) -> String {
    let Some(nodes) = tree::read(text) else {
        return text.to_owned();
    };
    let mut writer = Writer {
        operators: Operators::default(),
        roots,
        arity,
        n_variables: 0,
    };
    let nodes = writer.operators.imported(nodes);
    writer.sequence(&nodes, false)
}

/// Writes a query so that regorus reads it.
pub(crate) fn query(text: &str, roots: &Roots, arity: &dyn Fn(&str) -> Option<u8>) -> String {
    module(text, roots, arity)
}

/// The package that a module names, as it is written.
fn package_of(nodes: &[Node<'_>]) -> String {
    let mut behind = nodes
        .iter()
        .skip_while(|node| node.word() != Some("package"))
        .skip(1)
        .skip_while(|node| node.is_blank());
    let mut package = String::new();
    for node in behind.by_ref() {
        match node {
            Node::Token(Kind::Word | Kind::Sign, text) => package.push_str(text),
            _ => break,
        }
    }
    package
}

/// The words that are operators in a module.
#[derive(Clone, Copy, Debug, Default)]
struct Operators {
    and: bool,
    or: bool,
    not: bool,
}

impl Operators {
    /// Notes what a module imports, and takes out the imports that regorus does not know.
    fn imported<'a>(&mut self, mut nodes: Vec<Node<'a>>) -> Vec<Node<'a>> {
        let mut at = 0;
        while at < nodes.len() {
            let end = (at..nodes.len())
                .find(|index| matches!(nodes[*index], Node::Token(Kind::Newline, _)))
                .unwrap_or(nodes.len());
            if nodes[at].word() == Some("import") {
                let path: String = nodes[at + 1..end]
                    .iter()
                    .map_while(|node| match node {
                        Node::Token(Kind::Blank, text) if text.starts_with('#') => None,
                        Node::Token(Kind::Blank, _) => Some(""),
                        Node::Token(_, text) => Some(*text),
                        _ => None,
                    })
                    .collect();
                let last = nodes[at..end].iter().rposition(|node| !node.is_blank());
                if let Some(last) = last
                    && let Some(word) = nodes[at + last].word()
                    && KEYWORDS.contains(&word)
                    && path.ends_with(&format!(".{word}"))
                    && (path.starts_with("data.") || path.starts_with("input."))
                {
                    let place = at + last + 1;
                    nodes.insert(place, Node::Token(Kind::Word, word));
                    nodes.insert(place, Node::Token(Kind::Blank, AS_MARK));
                    at = end + 3;
                    continue;
                }
                if self.take_import(&path) {
                    for node in &mut nodes[at..end] {
                        *node = Node::Token(Kind::Blank, "");
                    }
                }
            }
            at = end + 1;
        }
        nodes
    }

    /// Whether the import is one of those that regorus does not know.
    fn take_import(&mut self, path: &str) -> bool {
        let all = Self {
            and: true,
            or: true,
            not: true,
        };
        match path {
            "rego.v2" => *self = all,
            "future.keywords" => {
                *self = all;
                return false;
            }
            "future.keywords.and" => self.and = true,
            "future.keywords.or" => self.or = true,
            "future.keywords.not" => self.not = true,
            _ => return false,
        }
        true
    }

    fn is_operator(self, node: &Node<'_>) -> bool {
        (self.and && node.word() == Some("and")) || (self.or && node.word() == Some("or"))
    }
}

struct Writer<'w> {
    operators: Operators,
    roots: &'w Roots,
    arity: &'w dyn Fn(&str) -> Option<u8>,
    n_variables: usize,
}

impl Writer<'_> {
    /// Writes what stands at the top of a module or within a bracket: pieces with what divides them.
    fn sequence(&mut self, nodes: &[Node<'_>], may_be_comprehension: bool) -> String {
        let mut written = String::new();
        let mut start = 0;
        let mut may_divide = may_be_comprehension;
        for (index, node) in nodes.iter().enumerate() {
            let divides = match node {
                Node::Token(Kind::Sign, "|") if may_divide => {
                    may_divide = false;
                    true
                }
                Node::Token(Kind::Sign, ";" | ",") => true,
                Node::Token(Kind::Newline, _) => ends_piece(&nodes[start..index], &nodes[index..]),
                _ => false,
            };
            if divides {
                written.push_str(&self.piece(&nodes[start..index]));
                if let Node::Token(_, text) = node {
                    written.push_str(text);
                }
                start = index + 1;
            }
        }
        written.push_str(&self.piece(&nodes[start..]));
        written
    }

    /// Writes a statement, a rule's head with its body, or an element of a list.
    fn piece(&mut self, nodes: &[Node<'_>]) -> String {
        let behind_if = nodes
            .iter()
            .enumerate()
            .rposition(|(index, node)| node.word() == Some("if") && !is_in_reference(nodes, index))
            .map_or(0, |index| index + 1);
        let mut written = self.plain(&nodes[..behind_if]);
        written.push_str(&self.statement(&nodes[behind_if..]));
        written
    }

    /// Writes one expression of a body, with the blanks around it where they were.
    fn statement(&mut self, nodes: &[Node<'_>]) -> String {
        let (before, nodes, after) = trimmed(nodes);
        let statement = self.expression(nodes);
        format!("{}{statement}{}", self.plain(before), self.plain(after))
    }

    fn expression(&mut self, nodes: &[Node<'_>]) -> String {
        if nodes.iter().any(|node| self.operators.is_operator(node)) {
            return self.operation(nodes);
        }
        if let [single] = nodes
            && let Some(inner) = single.group('(')
            && self.holds_operation(inner)
        {
            return self.test(inner, "!=");
        }
        if let Some(negated) = self.negation(nodes) {
            return negated;
        }
        if let Some(call) = self.call_with_result(nodes) {
            return call;
        }
        self.plain(nodes)
    }

    /// Whether there is an operator, at any depth of round brackets.
    fn holds_operation(&self, nodes: &[Node<'_>]) -> bool {
        nodes.iter().any(|node| {
            self.operators.is_operator(node)
                || node
                    .group('(')
                    .is_some_and(|inner| self.holds_operation(inner))
        })
    }

    /// A list that has an element where a body holds, compared with the empty one.
    fn test(&mut self, body: &[Node<'_>], comparison: &str) -> String {
        format!("[1 | {}] {comparison} []", self.sequence(body, false))
    }

    /// `… or …` and `… and …`, with the `with` behind them all.
    fn operation(&mut self, nodes: &[Node<'_>]) -> String {
        let last = nodes
            .iter()
            .rposition(|node| self.operators.is_operator(node))
            .unwrap_or(0);
        let with = nodes
            .iter()
            .enumerate()
            .position(|(index, node)| {
                index > last && node.word() == Some("with") && !is_in_reference(nodes, index)
            })
            .unwrap_or(nodes.len());
        let (operands, modifiers) = nodes.split_at(with);
        let written = if self.operators.or && operands.iter().any(|node| node.word() == Some("or"))
        {
            self.operands(operands, "or", "==")
        } else {
            self.operands(operands, "and", "!=")
        };
        format!("{written}{}", self.plain(modifiers))
    }

    /// Operands one behind the other: with `!=` all must hold, with `==` it is refused that none holds.
    fn operands(&mut self, nodes: &[Node<'_>], operator: &str, comparison: &str) -> String {
        let mut written = String::from("[1 | ");
        let mut blanks_behind = String::new();
        for (index, operand) in nodes
            .split(|node| node.word() == Some(operator))
            .enumerate()
        {
            let (before, operand, after) = trimmed(operand);
            if index > 0 {
                written.push(';');
                if blanks_behind.contains('\n') {
                    written.push_str(&blanks_behind);
                }
            }
            written.push_str(&self.plain(before));
            written.push_str(&self.operand(operand, comparison));
            blanks_behind = self.plain(after);
        }
        format!("{written}] {comparison} []{blanks_behind}")
    }

    fn operand(&mut self, nodes: &[Node<'_>], comparison: &str) -> String {
        if let [single] = nodes
            && let Some(body) = single.group('{').or_else(|| single.group('('))
        {
            return self.test(body, comparison);
        }
        let body = self.statement(nodes);
        format!("[1 | {body}] {comparison} []")
    }

    /// `not { … }` and `not ( … and … )`, with the `with` behind it.
    fn negation(&mut self, nodes: &[Node<'_>]) -> Option<String> {
        let [not, rest @ ..] = nodes else {
            return None;
        };
        if !self.operators.not || not.word() != Some("not") {
            return None;
        }
        let (before, rest, _) = trimmed(rest);
        let [bracket, behind @ ..] = rest else {
            return None;
        };
        let next = behind.iter().find(|node| !node.is_blank());
        if next.is_some_and(|node| node.word() != Some("with")) {
            return None;
        }
        let body = match bracket.group('{') {
            Some(body) => body,
            None => bracket
                .group('(')
                .filter(|inner| self.holds_operation(inner))?,
        };
        let before = self.plain(before);
        let test = self.test(body, "==");
        Some(format!(
            "{}{test}{}",
            before.trim_start(),
            self.plain(behind)
        ))
    }

    /// `f(a, b, result)` of a function that takes two: `result = f(a, b)`.
    fn call_with_result(&mut self, nodes: &[Node<'_>]) -> Option<String> {
        let call = nodes.iter().position(|node| node.group('(').is_some())?;
        let name: String = nodes[..call]
            .iter()
            .map(|node| node.word().or_else(|| node.sign()))
            .collect::<Option<_>>()?;
        let arity = usize::from((self.arity)(&name)?);
        let behind = &nodes[call + 1..];
        let next = behind.iter().find(|node| !node.is_blank());
        if next.is_some_and(|node| node.word() != Some("with")) {
            return None;
        }
        let inner = nodes[call].group('(')?;
        let mut arguments: Vec<&[Node<'_>]> =
            inner.split(|node| node.sign() == Some(",")).collect();
        // A comma may stand behind the last one.
        let mut blanks = String::new();
        if arguments.last()?.iter().all(Node::is_blank) {
            blanks = self.plain(arguments.pop()?);
        }
        if arguments.len() != arity + 1 {
            return None;
        }
        let (before, result, after) = trimmed(arguments.pop()?);
        let blanks = format!("{}{}{blanks}", self.plain(before), self.plain(after));
        let blanks = if blanks.contains('\n') {
            blanks
        } else {
            String::new()
        };
        // What breaks lines within the result would come before the call: such a call stays as it is.
        let result = self.plain(result);
        let n_lines = result.matches('\n').count();
        let arguments: Vec<String> = arguments.iter().map(|nodes| self.plain(nodes)).collect();
        (n_lines == 0).then(|| {
            format!(
                "{result} = {name}({}{blanks}){}",
                arguments.join(","),
                self.plain(behind)
            )
        })
    }

    /// Nodes as they are, but for what brackets and strings hold and names that are keywords.
    fn plain(&mut self, nodes: &[Node<'_>]) -> String {
        let mut written = String::new();
        let mut path = String::new();
        for (index, node) in nodes.iter().enumerate() {
            let is_below = index > 0 && nodes[index - 1].sign() == Some(".");
            match node {
                Node::Token(Kind::Word, word) => {
                    if !is_below {
                        path.clear();
                    }
                    let is_root = !is_below
                        && KEYWORDS.contains(word)
                        && nodes.get(index + 1).and_then(Node::sign) == Some(".");
                    if is_root || self.is_marked(&path, word) {
                        written.push_str(MARK);
                    }
                    path.push_str(word);
                    written.push_str(word);
                }
                Node::Token(_, text) => {
                    if *text == "." {
                        path.push('.');
                    } else {
                        path.clear();
                    }
                    written.push_str(text);
                }
                Node::Group(open, inner) => {
                    written.push(*open);
                    written.push_str(&self.sequence(inner, *open != '('));
                    written.push(closing(*open));
                }
                Node::Template(parts) => written.push_str(&self.template(parts)),
            }
        }
        written
    }

    /// Whether `data.package.` is followed by a keyword that names a rule of that package.
    fn is_marked(&self, path: &str, word: &str) -> bool {
        path.strip_prefix("data.")
            .is_some_and(|package| self.roots.0.contains(&format!("{package}{word}")))
    }

    /// A call with a list: text as it is, an expression as a list of its value, which is empty where it has none.
    fn template(&mut self, parts: &[Part<'_>]) -> String {
        let mut elements = Vec::with_capacity(parts.len());
        for part in parts {
            elements.push(match part {
                Part::Text(text, true) => format!("`{text}`"),
                Part::Text(text, false) => format!("\"{text}\""),
                Part::Expression(nodes) => {
                    self.n_variables += 1;
                    let variable = format!("__part_{}", self.n_variables);
                    let value = self.plain(nodes);
                    format!(
                        "[{variable} | {variable} := {}]",
                        value.trim_start_matches(' ')
                    )
                }
            });
        }
        format!("internal.template_string([{}])", elements.join(", "))
    }
}

/// Whether the word at an index is part of a reference: behind or before a point.
fn is_in_reference(nodes: &[Node<'_>], index: usize) -> bool {
    let is_point = |node: Option<&Node<'_>>| node.and_then(Node::sign) == Some(".");
    is_point(index.checked_sub(1).and_then(|before| nodes.get(before)))
        || is_point(nodes.get(index + 1))
}

/// Blanks before, what they surround, and blanks behind.
fn trimmed<'n, 'a>(nodes: &'n [Node<'a>]) -> (&'n [Node<'a>], &'n [Node<'a>], &'n [Node<'a>]) {
    let start = nodes
        .iter()
        .position(|node| !node.is_blank())
        .unwrap_or(nodes.len());
    let end = nodes
        .iter()
        .rposition(|node| !node.is_blank())
        .map_or(start, |last| last + 1);
    (&nodes[..start], &nodes[start..end], &nodes[end..])
}

/// Whether a statement ends with its line: nothing before asks for more, and what follows does not go on.
fn ends_piece(before: &[Node<'_>], behind: &[Node<'_>]) -> bool {
    let goes_on = |node: &Node<'_>, words: &[&str]| match node {
        Node::Token(Kind::Sign, _) => true,
        Node::Token(Kind::Word, word) => words.contains(word),
        _ => false,
    };
    let Some(last) = before.iter().rev().find(|node| !node.is_blank()) else {
        return true;
    };
    let asks = ["and", "or", "not", "with", "as", "in", "if"];
    let follows = ["and", "or", "with", "as", "in"];
    let next = behind.iter().find(|node| !node.is_blank());
    !goes_on(last, &asks) && !next.is_some_and(|node| goes_on(node, &follows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let roots = Roots::of([text].into_iter());
        let written = module(text, &roots, &|name| (name == "uri.parse").then_some(1));
        let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
        assert_eq!(lines(text), lines(&written), "{written}");
        written
    }

    #[test]
    fn what_is_not_newer_stays() {
        for text in [
            "package a\n\nimport rego.v1\n\nor := {x | some x in [1, 2]; x > 1} # and\nand := or | {3}\n",
            "package a\np if not {1, 2}\nq := input.if.and[\"or\"]\nr := -1.5e-3 + `$\"{x}`\n",
            "package a\np := \"{x} $\\\"\"\n",
            "package a\np := {",
        ] {
            assert_eq!(written(text), text);
        }
    }

    #[test]
    fn operators_become_lists() {
        let body = |text: &str| {
            let module = format!("package a\nimport rego.v2\np if {text}\n");
            let written = written(&module);
            written
                .strip_prefix("package a\n\np if ")
                .unwrap()
                .trim_end()
                .to_owned()
        };
        assert_eq!(
            body("input.a and input.b"),
            "[1 | [1 | input.a] != []; [1 | input.b] != []] != []"
        );
        assert_eq!(
            body("{ a or { b := 1; b > 0 } }"),
            "{ [1 | [1 | a] == []; [1 |  b := 1; b > 0 ] == []] == [] }"
        );
        assert_eq!(
            body("a and b or c with input as 1"),
            "[1 | [1 | [1 | [1 | a] != []; [1 | b] != []] != []] == []; [1 | c] == []] == [] with input as 1"
        );
        assert_eq!(body("not { a\nb }"), "[1 |  a\nb ] == []");
        assert_eq!(body("not f(x)"), "not f(x)");
        assert_eq!(
            body("not (a or b)"),
            "[1 | [1 | [1 | a] == []; [1 | b] == []] == []] == []"
        );
    }

    #[test]
    fn templates_become_calls() {
        assert_eq!(
            written("p := $\"\\{a} {x + 1}{ $\"{y}\" }\""),
            "p := internal.template_string([\"{a} \", [__part_1 | __part_1 := x + 1], [__part_2 | __part_2 := internal.template_string([[__part_3 | __part_3 := y]]) ]])"
        );
        assert_eq!(
            written("p := $`a\\d\n{x}`"),
            "p := internal.template_string([`a\\d\n`, [__part_1 | __part_1 := x]])"
        );
    }

    #[test]
    fn keywords_name_rules() {
        assert_eq!(
            written(
                "package a.b\ndefault if.x(_) := 1\nif.x(1) := 2 if in.y\np := data.a.b.if.x\nq := data.c.if"
            ),
            "package a.b\ndefault __keyword_if.x(_) := 1\n__keyword_if.x(1) := 2 if __keyword_in.y\np := data.a.b.__keyword_if.x\nq := data.c.if"
        );
        assert_eq!(
            written("package a\nimport data.b.if # c\np := if.x"),
            "package a\nimport data.b.if as __keyword_if # c\np := __keyword_if.x"
        );
    }

    #[test]
    fn results_as_last_argument() {
        assert_eq!(
            written("p if {\n\turi.parse(input.x, [a, b])\n\turi.parse(x)\n}"),
            "p if {\n\t[a, b] = uri.parse(input.x)\n\turi.parse(x)\n}"
        );
        assert_eq!(
            written("p if {\n\turi.parse(\n\t\tinput.x,\n\t\tx,\n\t)\n}"),
            "p if {\n\tx = uri.parse(\n\t\tinput.x\n\t\t\n\t)\n}"
        );
    }

    #[test]
    fn newer_rego_judges() {
        let text = "package main\n\nimport rego.v2\n\ndeny contains $\"{r.name}: {r.owner}\" if {\n\tsome r in input.all\n\tr.open or { 22 in r.ports }\n\tnot { r.owner == \"ops\"; r.approved }\n}\n";
        let file = crate::PolicyFile {
            path: "main.rego".to_owned(),
            text: text.to_owned(),
        };
        let mut sources = terrace_diag::SourceMap::new();
        let (policies, diagnostics) = crate::Policies::parse(&[file], &[], &mut sources);
        assert!(!diagnostics.has_errors());
        let document = serde_json::json!({"all": [
            {"name": "a", "open": true, "owner": "dev"},
            {"name": "b", "open": false, "ports": [22]},
            {"name": "c", "open": true, "owner": "ops", "approved": true},
            {"name": "d", "open": false, "ports": [80]},
        ]});
        let (verdict, diagnostics) = policies.judge(&document, &[]);
        assert!(!diagnostics.has_errors());
        let found: Vec<&str> = verdict
            .findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(found, ["a: dev", "b: <undefined>"]);
    }
}
