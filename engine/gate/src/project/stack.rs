//! `stack` blocks: names for folders, what comes before them, and what they take from others.

use std::collections::BTreeSet;

use terrace_config::evaluate_constant;
use terrace_diag::Span;
use terrace_syntax::{Block, Content};

use super::reader::{Reader, label, labelled, schema, span_of};

/// A `stack` block.
#[derive(Clone, Debug)]
pub struct StackDeclaration {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the project file; `None` for the folder of that name among those that the project lists.
    pub path: Option<String>,
    /// Stacks that come before, by name or folder.
    pub after: Vec<String>,
    /// What it takes from others.
    pub inputs: Vec<StackInput>,
    /// The block's header.
    pub span: Span,
}

/// What a stack takes from another: the value of one of its root module's variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackInput {
    /// The variable.
    pub variable: String,
    /// The stack that has the output, by name or folder.
    pub stack: String,
    /// The output.
    pub output: String,
    /// Whether it may be a sensitive one.
    pub sensitive: bool,
    /// The block's header.
    pub span: Span,
}

impl Reader {
    pub(super) fn read_stack(&mut self, name: String, block: &Block) {
        let content = self.content(
            &block.body,
            &schema(&["path", "after"], vec![labelled("input")]),
        );
        let path = self.text(&content, "path");
        if let Some(path) = &path
            && !is_folder(path)
        {
            let detail = format!(
                "{path:?} is not a folder of this project. Write it relative to the project file, without \"..\"."
            );
            self.invalid(detail, span_of(content.attributes.get("path"), &content));
        }
        let mut inputs = Vec::new();
        let mut variables = BTreeSet::new();
        for nested in &content.blocks {
            let input = self.read_input(nested);
            if !variables.insert(input.variable.clone()) {
                let detail = format!(
                    "The stack {name:?} has two inputs {:?}. A variable has one value.",
                    input.variable
                );
                self.duplicate("input", &detail, nested);
                continue;
            }
            inputs.push(input);
        }
        let is_known = |other: &StackDeclaration| other.name == name;
        if self.project.stack_blocks.iter().any(is_known) {
            let detail = format!("The stack {name:?} is defined twice.");
            self.duplicate("stack", &detail, block);
            return;
        }
        let declaration = StackDeclaration {
            path: path.map(|path| tidy(&path)),
            after: self.texts(&content, "after"),
            inputs,
            span: block.header_span,
            name,
        };
        self.project.stack_blocks.push(declaration);
    }

    fn read_input(&mut self, block: &Block) -> StackInput {
        let content = self.content(
            &block.body,
            &schema(&["stack", "output", "sensitive"], Vec::new()),
        );
        let variable = label(block);
        let stack = self.text(&content, "stack").unwrap_or_else(|| {
            if !content.attributes.contains_key("stack") {
                let detail = format!(
                    "The input {variable:?} does not say from which stack it comes. Add `stack = \"NAME\"`."
                );
                self.invalid(detail, block.header_span);
            }
            String::new()
        });
        StackInput {
            output: self
                .text(&content, "output")
                .unwrap_or_else(|| variable.clone()),
            sensitive: self.flag(&content, "sensitive"),
            variable,
            stack,
            span: block.header_span,
        }
    }

    pub(super) fn flag(&mut self, content: &Content, name: &str) -> bool {
        let Some(attribute) = content.attributes.get(name) else {
            return false;
        };
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        let flag = value.as_bool();
        if flag.is_none() && value.is_known() {
            self.invalid(
                format!("The argument {name:?} is true or false."),
                attribute.value.span,
            );
        }
        flag.unwrap_or_default()
    }
}

/// Whether a path leads to a folder below the project file's.
fn is_folder(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains(['*', '\\'])
        && !path.split('/').any(|part| part == "..")
}

/// A folder as it is compared: without `.` and empty parts; `.` for the project file's own.
pub(crate) fn tidy(path: &str) -> String {
    let parts: Vec<&str> = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}
