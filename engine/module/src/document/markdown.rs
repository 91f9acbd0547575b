//! Documentation as Markdown.

use std::fmt::Write as _;

use super::{Documentation, DocumentedInput, DocumentedOutput, diagram};

/// The documentation as sections of Markdown, headed at the second level.
pub fn markdown(documentation: &Documentation) -> String {
    let mut page = Page::default();
    page.requirements(documentation);
    page.inputs(&documentation.inputs);
    page.outputs(&documentation.outputs);
    page.resources(documentation);
    page.modules(documentation);
    page.diagram(documentation);
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn heading(&mut self, heading: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(&format!("## {heading}\n"));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn row(&mut self, cells: &[String]) {
        let _written = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    fn table(&mut self, head: &[&str]) {
        let cells: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
        self.row(&cells);
        let rule: Vec<String> = head.iter().map(|_| "---".to_owned()).collect();
        self.row(&rule);
    }

    fn requirements(&mut self, documentation: &Documentation) {
        if documentation.engine.is_none() && documentation.providers.is_empty() {
            return;
        }
        self.heading("Requirements");
        self.table(&["Name", "Source", "Version", "Configurations to pass"]);
        if let Some(engine) = &documentation.engine {
            self.row(&[
                "terraform".into(),
                String::new(),
                code(engine),
                String::new(),
            ]);
        }
        for provider in &documentation.providers {
            let aliases: Vec<String> = provider.aliases.iter().map(|alias| code(alias)).collect();
            self.row(&[
                cell(&provider.name),
                code(&provider.source),
                provider.version.as_deref().map_or("any".to_owned(), code),
                aliases.join(", "),
            ]);
        }
    }

    fn inputs(&mut self, inputs: &[DocumentedInput]) {
        self.heading("Inputs");
        if inputs.is_empty() {
            self.line("None.");
            return;
        }
        self.table(&["Name", "Description", "Type", "Default", "Required"]);
        for input in inputs {
            let mut description = described(
                &input.description,
                input.deprecated.as_deref(),
                &[
                    (input.sensitive, "sensitive"),
                    (input.ephemeral, "ephemeral"),
                    (!input.nullable, "never null"),
                ],
            );
            for condition in &input.validations {
                let _written = write!(description, "<br>Must satisfy {}.", code(condition));
            }
            self.row(&[
                anchor("input", &input.name),
                description,
                block_code(&input.ty),
                input
                    .default
                    .as_deref()
                    .map_or("n/a".to_owned(), block_code),
                if input.default.is_some() { "no" } else { "yes" }.to_owned(),
            ]);
        }
    }

    fn outputs(&mut self, outputs: &[DocumentedOutput]) {
        self.heading("Outputs");
        if outputs.is_empty() {
            self.line("None.");
            return;
        }
        self.table(&["Name", "Description", "Type"]);
        for output in outputs {
            self.row(&[
                anchor("output", &output.name),
                described(
                    &output.description,
                    output.deprecated.as_deref(),
                    &[
                        (output.sensitive, "sensitive"),
                        (output.ephemeral, "ephemeral"),
                    ],
                ),
                output.ty.as_deref().map_or(String::new(), block_code),
            ]);
        }
    }

    fn resources(&mut self, documentation: &Documentation) {
        if documentation.resources.is_empty() {
            return;
        }
        self.heading("Resources");
        self.table(&["Name", "Kind", "Provider"]);
        for resource in &documentation.resources {
            let address = code(&resource.address());
            let name = match &resource.link {
                Some(link) => format!("[{address}]({link})"),
                None => address,
            };
            self.row(&[name, resource.mode.to_owned(), code(&resource.provider)]);
        }
    }

    fn modules(&mut self, documentation: &Documentation) {
        if documentation.modules.is_empty() {
            return;
        }
        self.heading("Modules");
        self.table(&["Name", "Source", "Version"]);
        for module in &documentation.modules {
            self.row(&[
                cell(&module.name),
                code(&module.source),
                module.version.as_deref().map_or(String::new(), code),
            ]);
        }
    }

    fn diagram(&mut self, documentation: &Documentation) {
        let drawn = diagram(documentation);
        if drawn.is_empty() {
            return;
        }
        self.heading("Diagram");
        self.line("```mermaid");
        self.text.push_str(&drawn);
        self.line("```");
    }
}

/// A name to which links lead.
fn anchor(kind: &str, name: &str) -> String {
    format!("<a id=\"{kind}_{name}\"></a>`{name}`")
}

/// A description with what else there is to know.
fn described(text: &str, deprecated: Option<&str>, flags: &[(bool, &str)]) -> String {
    let mut out = cell(text.trim());
    let set: Vec<&str> = flags
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| *name)
        .collect();
    if !set.is_empty() {
        let gap = if out.is_empty() { "" } else { " " };
        let _written = write!(out, "{gap}*({})*", set.join(", "));
    }
    if let Some(reason) = deprecated {
        out = format!("**Deprecated:** {}<br>{out}", cell(reason));
    }
    out
}

/// A text in a cell of a table, in which nothing ends the cell or begins markup of its own.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' => out.push_str("\\|"),
            '<' => out.push_str("&lt;"),
            '\n' => out.push_str("<br>"),
            '\r' => {}
            c => out.push(c),
        }
    }
    out
}

/// A text as code in a cell.
fn code(text: &str) -> String {
    let line = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    if line.contains('`') {
        format!("`` {line} ``")
    } else {
        format!("`{line}`")
    }
}

/// A text as code in a cell, over several lines where it has several.
fn block_code(text: &str) -> String {
    if !text.contains('\n') {
        return code(text);
    }
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('|', "&#124;")
        .replace(' ', "&nbsp;");
    let lines: Vec<&str> = escaped.lines().collect();
    format!("<code>{}</code>", lines.join("<br>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_cell() {
        assert_eq!(cell("a | b\n<script>"), "a \\| b<br>&lt;script>");
        assert_eq!(code("a || b"), "`a \\|\\| b`");
        assert_eq!(
            block_code("object({\n  a = string\n})"),
            "<code>object({<br>&nbsp;&nbsp;a&nbsp;=&nbsp;string<br>})</code>"
        );
    }
}
