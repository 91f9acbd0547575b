//! Reading blocks and arguments, and telling what is wrong with them.

use std::collections::BTreeMap;

use terrace_config::evaluate_constant;
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_syntax::{Attribute, AttributeSchema, Block, BlockSchema, Body, BodySchema, Content};

use super::Project;
use super::identity::is_protected;
use crate::{GitHub, Pattern};

/// Where github.com is asked.
pub(super) const GITHUB_API: &str = "https://api.github.com";

/// Reads one file.
pub(super) struct Reader {
    pub(super) project: Project,
    pub(super) role_spans: BTreeMap<String, Span>,
    /// Gates other than the environments', by what they are of.
    pub(super) gate_spans: Vec<(String, crate::Gate, Span)>,
    pub(super) diagnostics: Diagnostics,
}

/// A block with a name.
pub(super) fn labelled(type_name: &str) -> BlockSchema {
    BlockSchema {
        type_name: type_name.into(),
        labels: vec!["name".into()],
    }
}

/// A block without one.
pub(super) fn plain(type_name: &str) -> BlockSchema {
    BlockSchema {
        type_name: type_name.into(),
        labels: Vec::new(),
    }
}

/// A body of these arguments, none of which must be there, and these blocks.
pub(super) fn schema(attributes: &[&str], blocks: Vec<BlockSchema>) -> BodySchema {
    let attributes = attributes.iter().map(|name| AttributeSchema {
        name: (*name).into(),
        required: false,
    });
    BodySchema {
        attributes: attributes.collect(),
        blocks,
    }
}

/// A block's first label.
pub(super) fn label(block: &Block) -> String {
    block
        .labels
        .first()
        .map(|label| label.text.to_string())
        .unwrap_or_default()
}

impl Reader {
    pub(super) fn new(diagnostics: Diagnostics) -> Self {
        Self {
            project: Project::default(),
            role_spans: BTreeMap::new(),
            gate_spans: Vec::new(),
            diagnostics,
        }
    }

    pub(super) fn content(&mut self, body: &Body, schema: &BodySchema) -> Content {
        let (content, diagnostics) = body.content(schema);
        self.diagnostics.append(diagnostics);
        content
    }

    pub(super) fn file(&mut self, body: &Body) {
        let names = [
            "project",
            "person",
            "role",
            "environment",
            "stack",
            "change",
            "risk",
            "policy",
            "identity",
        ];
        let blocks = names
            .into_iter()
            .map(labelled)
            .chain([plain("freeze"), plain("run"), plain("retention")])
            .collect();
        let content = self.content(body, &schema(&[], blocks));
        let mut projects = 0;
        let mut runs = 0;
        for block in &content.blocks {
            let name = label(block);
            match &*block.type_name.name {
                "project" => {
                    projects += 1;
                    if projects > 1 {
                        self.problem(
                            "duplicate-project",
                            "Duplicate project block",
                            "A project file holds one project block.",
                            block.header_span,
                        );
                    }
                    self.read_project(name, block);
                }
                "person" => self.read_person(&name, block),
                "role" => self.read_role(&name, block),
                "environment" => self.read_environment(name, block),
                "stack" => self.read_stack(name, block),
                "change" => self.read_change(&name, block),
                "risk" => self.read_risk(name, block),
                "freeze" => {
                    let freeze = self.read_freeze(block);
                    self.project.freezes.extend(freeze);
                }
                "policy" => self.read_policy(name, block),
                "identity" => self.read_identity(&name, block),
                "retention" => self.read_retention(block),
                _ => {
                    runs += 1;
                    if runs > 1 {
                        self.duplicate("run", "A project file holds one run block.", block);
                    }
                    self.read_run(block);
                }
            }
        }
        self.complete_identities();
        if projects == 0 {
            self.problem(
                "missing-project",
                "Missing project block",
                "A project file begins with a project block, such as: project \"storefront\" {}.",
                content.missing_span,
            );
        }
    }

    fn read_project(&mut self, name: String, block: &Block) {
        let content = self.content(
            &block.body,
            &schema(&["stacks", "github", "github_api"], Vec::new()),
        );
        self.project.name = name;
        self.project.stacks = self.texts(&content, "stacks");
        let api = self.text(&content, "github_api");
        let Some(repository) = self.text(&content, "github") else {
            return;
        };
        if !is_repository(&repository) {
            let span = content
                .attributes
                .get("github")
                .map_or(block.header_span, |attribute| attribute.value.span);
            self.no_repository(&repository, span);
            return;
        }
        let api = api.unwrap_or_else(|| GITHUB_API.to_owned());
        self.check_api(
            &api,
            span_of(content.attributes.get("github_api"), &content),
        );
        self.project.github = Some(GitHub { repository, api });
    }

    /// What is told on an unprotected way could be anybody's word.
    pub(super) fn check_api(&mut self, api: &str, span: Span) {
        if !is_protected(api) {
            let detail = format!(
                "{api:?} cannot be asked who has reviewed or made a change: nothing but https:// protects the way."
            );
            self.invalid(detail, span);
        }
    }

    pub(super) fn no_repository(&mut self, text: &str, span: Span) {
        self.problem(
            "invalid-argument",
            "Invalid repository",
            format!("{text:?} is not a repository of GitHub. Write one as OWNER/NAME."),
            span,
        );
    }

    pub(super) fn problem(
        &mut self,
        id: &'static str,
        summary: &str,
        detail: impl Into<String>,
        span: Span,
    ) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at(span));
    }

    pub(super) fn duplicate(&mut self, kind: &str, detail: &str, block: &Block) {
        let summary = format!("Duplicate {kind} block");
        self.problem("duplicate-block", &summary, detail, block.header_span);
    }

    pub(super) fn invalid(&mut self, detail: impl Into<String>, span: Span) {
        self.problem("invalid-argument", "Invalid argument", detail, span);
    }

    pub(super) fn text(&mut self, content: &Content, name: &str) -> Option<String> {
        let attribute = content.attributes.get(name)?;
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        let text = value.as_str().map(str::to_owned);
        if text.is_none() && value.is_known() {
            self.invalid(
                format!("The argument {name:?} is a string."),
                attribute.value.span,
            );
        }
        text
    }

    pub(super) fn texts(&mut self, content: &Content, name: &str) -> Vec<String> {
        let Some(attribute) = content.attributes.get(name) else {
            return Vec::new();
        };
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        let texts = value.as_sequence().and_then(|items| {
            items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        });
        texts.unwrap_or_else(|| {
            if value.is_known() {
                self.invalid(
                    format!("The argument {name:?} is a list of strings."),
                    attribute.value.span,
                );
            }
            Vec::new()
        })
    }

    pub(super) fn patterns(&mut self, content: &Content, name: &str) -> Vec<Pattern> {
        self.texts(content, name)
            .into_iter()
            .map(Pattern::new)
            .collect()
    }

    /// A whole number from 0.
    pub(super) fn count(&mut self, content: &Content, name: &str) -> Option<Result<u32, Span>> {
        let attribute = content.attributes.get(name)?;
        let value = evaluate_constant(&attribute.value, &mut self.diagnostics);
        let count = value
            .as_number()
            .and_then(terrace_value::Number::to_usize)
            .and_then(|count| u32::try_from(count).ok());
        Some(count.ok_or(attribute.value.span))
    }

    /// A length of time, in seconds.
    pub(super) fn duration(&mut self, content: &Content, name: &str) -> Option<u64> {
        let text = self.text(content, name)?;
        let seconds = seconds_of(&text);
        if seconds.is_none() {
            self.invalid(
                format!("{text:?} is not a length of time. Write one as 30m, 24h or 7d."),
                span_of(content.attributes.get(name), content),
            );
        }
        // What cannot be read must not weaken a gate: it is an error, and meanwhile forever.
        Some(seconds.unwrap_or(u64::MAX))
    }
}

/// Whether this is a repository of GitHub, as `OWNER/NAME`.
pub(super) fn is_repository(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    let is_word = |part: &&str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && !part.chars().all(|c| c == '.')
    };
    parts.len() == 2 && parts.iter().all(is_word)
}

/// Where an argument's value stands, or where it is missing.
pub(super) fn span_of(attribute: Option<&Attribute>, content: &Content) -> Span {
    attribute.map_or(content.missing_span, |attribute| attribute.value.span)
}

/// Reads `90s`, `30m`, `1h30m`, `7d` as whole seconds, more than none.
fn seconds_of(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let count: u64 = number.parse().ok()?;
        total = total.checked_add(count.checked_mul(unit)?)?;
        number.clear();
    }
    (number.is_empty() && total > 0 && total < i64::MAX as u64).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds_of;

    #[test]
    fn lengths_of_time() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("1h30m", Some(5400)),
            ("7d", Some(604_800)),
            ("", None),
            ("5", None),
            ("h", None),
            ("-1h", None),
            ("0s", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(seconds_of(text), seconds, "{text:?}");
        }
    }
}
