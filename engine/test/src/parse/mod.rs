//! Reading test files.

mod mock;
mod run;

use std::collections::BTreeMap;

use terrace_addr::{LocalProviderConfig, Name};
use terrace_config::evaluate_constant;
use terrace_diag::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use terrace_syntax::token::{TokenKind, tokenize};
use terrace_syntax::{Block, BlockSchema, Body, BodySchema, Content, Expr};
use terrace_value::Value;

use crate::suite::{Assigned, FileProvider, RunBlock, TestFile};

/// Reads the test file that is the text `id`.
pub fn parse(id: SourceId, sources: &SourceMap) -> (TestFile, Diagnostics) {
    let mut reader = Reader::new(id, sources);
    let mut file = TestFile {
        path: reader.path().to_owned(),
        ..TestFile::default()
    };
    if let Some(body) = reader.body() {
        reader.file(&body, &mut file);
    }
    (file, reader.diagnostics)
}

/// Reads the file of mocks (`.tfmock.hcl`) that is the text `id`: what a made up provider answers.
pub fn parse_mocks(id: SourceId, sources: &SourceMap) -> (crate::MockBlock, Diagnostics) {
    let mut reader = Reader::new(id, sources);
    let mock = match reader.body() {
        Some(body) => reader.mock_content(&body, false),
        None => crate::MockBlock::default(),
    };
    (mock, reader.diagnostics)
}

/// Reads one file.
struct Reader<'a> {
    id: SourceId,
    sources: &'a SourceMap,
    diagnostics: Diagnostics,
}

impl<'a> Reader<'a> {
    const fn new(id: SourceId, sources: &'a SourceMap) -> Self {
        Self {
            id,
            sources,
            diagnostics: Diagnostics::new(),
        }
    }

    fn path(&self) -> &'a str {
        self.sources.get(self.id).map_or("", |file| file.name())
    }

    /// The file's content; `None` where it cannot be read.
    fn body(&mut self) -> Option<Body> {
        let text = self.sources.get(self.id)?.text().clone();
        let is_json = std::path::Path::new(self.path())
            .extension()
            .is_some_and(|extension| extension == "json");
        let (body, found) = if is_json {
            terrace_syntax::parse_json(self.id, text.as_bytes())
        } else {
            terrace_syntax::parse(self.id, text.as_bytes())
        };
        let failed = found.has_errors();
        self.diagnostics.append(found);
        (!failed).then_some(body)
    }

    fn problem(
        &mut self,
        id: &'static str,
        summary: impl Into<String>,
        detail: impl Into<String>,
        span: Span,
    ) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail).at(span));
    }

    fn content(&mut self, body: &Body, schema: &BodySchema) -> Content {
        let (content, found) = body.content(schema);
        self.diagnostics.append(found);
        content
    }

    /// The value, or its problem is kept.
    fn keep<T>(&mut self, found: Result<T, Diagnostic>) -> Option<T> {
        match found {
            Ok(value) => Some(value),
            Err(problem) => {
                self.diagnostics.push(problem);
                None
            }
        }
    }

    fn constant(&mut self, expression: &Expr) -> Value {
        evaluate_constant(expression, &mut self.diagnostics)
    }

    /// A constant that is true or false.
    fn flag(&mut self, content: &Content, name: &str) -> Option<bool> {
        let expression = &content.attributes.get(name)?.value;
        let found = self.constant(expression);
        if found.as_bool().is_none() && found.is_known() {
            let detail = format!("The argument {name:?} must be true or false.");
            self.problem(
                "unsuitable-value",
                "Unsuitable value type",
                detail,
                expression.span,
            );
        }
        found.as_bool()
    }

    /// A constant text.
    fn text(&mut self, content: &Content, name: &str) -> Option<(String, Span)> {
        let expression = &content.attributes.get(name)?.value;
        let found = self.constant(expression);
        if found.as_str().is_none() && found.is_known() {
            let detail = format!("The argument {name:?} must be a string.");
            self.problem(
                "unsuitable-value",
                "Unsuitable value type",
                detail,
                expression.span,
            );
        }
        found
            .as_str()
            .map(|text| (text.to_owned(), expression.span))
    }

    /// One of `plan` and `apply`, without quotes; whether it is `plan`.
    fn is_plan(&mut self, content: &Content, name: &str, id: &'static str) -> Option<bool> {
        let expression = &content.attributes.get(name)?.value;
        match expression.as_keyword().as_deref() {
            Some("plan") => Some(true),
            Some("apply") => Some(false),
            _ => {
                let (summary, detail) = if name == "command" {
                    (
                        "Invalid \"command\" keyword",
                        "The \"command\" argument requires one of the following keywords without quotes: apply or plan.",
                    )
                } else {
                    (
                        "Invalid override_during value",
                        "The override_during attribute must be a value of plan or apply.",
                    )
                };
                self.problem(id, summary, detail, expression.span);
                None
            }
        }
    }

    fn file(&mut self, body: &Body, file: &mut TestFile) {
        let schema = schema(
            &[],
            &[
                ("test", &[]),
                ("run", &["name"]),
                ("variables", &[]),
                ("provider", &["name"]),
                ("mock_provider", &["name"]),
                ("override_resource", &[]),
                ("override_data", &[]),
                ("override_module", &[]),
            ],
        );
        let content = self.content(body, &schema);
        for block in &content.blocks {
            match &*block.type_name.name {
                "test" => {
                    let content = self.content(&block.body, &BodySchema::of(&["parallel"], &[]));
                    file.parallel = self.flag(&content, "parallel").unwrap_or(false);
                }
                "run" => {
                    if let Some(run) = self.run(block) {
                        file.runs.push(run);
                    }
                }
                "variables" => self.file_variables(block, file),
                "provider" => {
                    let found = self.provider(block);
                    self.add_provider(found, file);
                }
                "mock_provider" => {
                    let found = self.mock_provider(block);
                    self.add_provider(found, file);
                }
                _ => file.overrides.extend(self.overriding(block)),
            }
        }
        self.check_overrides(&file.overrides);
        self.check_names(&file.runs);
    }

    fn file_variables(&mut self, block: &Block, file: &mut TestFile) {
        if let Some(other) = file.variables.first() {
            let detail = format!(
                "This test file already has a variables block, which gives a value at {}.",
                self.sources.place(other.span)
            );
            self.problem(
                "duplicate-variables",
                "Multiple \"variables\" blocks",
                detail,
                block.header_span,
            );
        }
        file.variables.extend(self.variables(&block.body));
    }

    fn variables(&mut self, body: &Body) -> Vec<Assigned> {
        let (attributes, found) = body.just_attributes();
        self.diagnostics.append(found);
        let assigned = attributes.into_values().map(|attribute| Assigned {
            name: attribute.name.name,
            value: attribute.value,
            span: attribute.span,
        });
        assigned.collect()
    }

    fn provider(&mut self, block: &Block) -> Option<FileProvider> {
        let name = block.labels.first()?.text.clone();
        let (content, body, found) = block.body.partial_content(&BodySchema::of(&["alias"], &[]));
        self.diagnostics.append(found);
        let alias = self.text(&content, "alias");
        Some(FileProvider {
            local: local(name, alias),
            body,
            alias_span: content.attributes.get("alias").map(|alias| alias.span),
            mock: None,
            span: block.header_span,
        })
    }

    fn add_provider(&mut self, found: Option<FileProvider>, file: &mut TestFile) {
        let Some(provider) = found else { return };
        let twin = file
            .providers
            .iter()
            .find(|other| other.local == provider.local);
        if let Some(twin) = twin {
            let detail = format!(
                "A provider for {} is already defined at {}.",
                provider.local,
                self.sources.place(twin.span)
            );
            self.problem(
                "duplicate-provider-configuration",
                "Duplicate provider block",
                detail,
                provider.span,
            );
            return;
        }
        file.providers.push(provider);
    }

    fn check_names(&mut self, runs: &[RunBlock]) {
        let mut seen: BTreeMap<&Name, &RunBlock> = BTreeMap::new();
        for run in runs {
            if let Some(other) = seen.get(&run.name) {
                let detail = format!(
                    "This test file already has a run named {} block defined at {}.",
                    run.name,
                    self.sources.place(other.span)
                );
                self.problem(
                    "duplicate-run",
                    "Duplicate \"run\" block names",
                    detail,
                    run.span,
                );
            } else {
                seen.insert(&run.name, run);
            }
        }
    }
}

fn local(name: Name, alias: Option<(String, Span)>) -> LocalProviderConfig {
    LocalProviderConfig {
        local_name: name,
        alias: alias.map(|(alias, _)| alias.into()),
    }
}

/// A schema of optional arguments and of blocks with the names of their labels.
fn schema(attributes: &[&str], blocks: &[(&str, &[&str])]) -> BodySchema {
    let mut schema = BodySchema::of(attributes, &[]);
    schema.blocks = blocks
        .iter()
        .map(|(name, labels)| BlockSchema {
            type_name: (*name).into(),
            labels: labels.iter().map(|label| (*label).into()).collect(),
        })
        .collect();
    schema
}

/// Whether a text is a name of the language.
fn is_identifier(text: &str) -> bool {
    let tokens = tokenize(text.as_bytes());
    matches!(&tokens[..], [name, _] if name.kind == TokenKind::Ident)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::{OverrideKind, RunCommand};
    use terrace_diag::SourceFile;

    fn read(name: &str, text: &str) -> (TestFile, Vec<(&'static str, String)>) {
        let mut sources = SourceMap::new();
        let id = sources.add(SourceFile::new(name, text));
        let (file, diagnostics) = parse(id, &sources);
        let told = diagnostics
            .iter()
            .map(|found| (found.id, found.detail.clone()));
        (file, told.collect())
    }

    #[test]
    fn a_file_is_read_in_full() {
        let (file, problems) = read(
            "a.tftest.hcl",
            r#"
            test { parallel = true }
            variables { a = 1 }
            provider "aws" { region = "x" }
            mock_provider "aws" {
              alias = "fake"
              override_during = plan
              mock_resource "aws_vpc" { defaults = { arn = "a" } }
            }
            override_module {
              target = module.child
              outputs = { id = "x" }
            }
            run "one" {
              command = plan
              variables { b = var.a }
              providers = { aws = aws.fake }
              module { source = "./setup" }
              plan_options {
                mode = normal
                refresh = false
                target = [aws_vpc.x]
                replace = [aws_vpc.x[0]]
              }
              assert {
                condition = var.a == 1
                error_message = "no"
              }
              expect_failures = [var.a, check.c]
              state_key = "k"
              parallel = false
            }
            run "two" {}
            "#,
        );
        assert_eq!(problems, []);
        assert_eq!(file.variables.len(), 1);
        assert_eq!(file.providers[1].local.to_string(), "aws.fake");
        let mock = file.providers[1].mock.as_ref().unwrap();
        assert!(mock.resources[0].during_plan);
        assert_eq!(file.overrides[0].kind, OverrideKind::Module);
        let run = &file.runs[0];
        assert_eq!(run.command, RunCommand::Plan);
        assert!(!run.plan.refresh);
        assert_eq!(run.plan.targets.len(), 1);
        assert_eq!(run.plan.replace.len(), 1);
        assert_eq!(run.expected.len(), 2);
        assert_eq!(run.providers[0].outer.to_string(), "aws.fake");
        assert_eq!(run.state_key.as_deref(), Some("k"));
        assert!(!file.is_parallel(run));
        assert!(file.is_parallel(&file.runs[1]));
        assert_eq!(file.runs[1].command, RunCommand::Apply);
    }

    #[test]
    fn json_says_the_same() {
        let (file, problems) = read(
            "a.tftest.json",
            r#"{"variables": {"a": 1}, "run": {"one": {"command": "plan", "assert": {"condition": "${var.a == 1}", "error_message": "no"}, "expect_failures": ["var.a"]}}}"#,
        );
        assert_eq!(problems, []);
        assert_eq!(file.runs[0].command, RunCommand::Plan);
        assert_eq!(file.runs[0].assertions.len(), 1);
        assert_eq!(file.runs[0].expected[0].address, "var.a");
    }

    #[test]
    fn mistakes_are_told_together() {
        let (_, problems) = read(
            "a.tftest.hcl",
            r#"
            run "a" {
              command = destroy
              assert {
                condition = true
                error_message = "no"
              }
            }
            run "a" {}
            run "1" {}
            override_resource { target = data.x.y }
            override_resource { values = 5 }
            "#,
        );
        let ids: Vec<&str> = problems.iter().map(|(id, _)| *id).collect();
        for id in [
            "invalid-run-command",
            "constant-condition",
            "duplicate-run",
            "invalid-name",
            "invalid-override-target",
            "override-without-target",
            "invalid-override-values",
        ] {
            assert!(ids.contains(&id), "{id} {ids:?}");
        }
    }
}
