//! Files of tests, as far as a configuration is checked with them: their blocks and arguments.

use std::collections::BTreeMap;
use std::path::Path;

use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap};
use terrace_port::Files as _;
use terrace_syntax::{Block, BlockSchema, Body, BodySchema};
use terrace_value::Text;

use crate::outside::Disk;

const ENDINGS: [&str; 4] = [
    ".tftest.hcl",
    ".tftest.json",
    ".tofutest.hcl",
    ".tofutest.json",
];

/// Checks the test files of the working directory and of `directory`, which is adopted by default.
pub(super) fn check(directory: &str, sources: &mut SourceMap) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let asked = directory != "tests";
    if asked && !Path::new(directory).is_dir() {
        diagnostics.push(Diagnostic::warning(
            "test-directory",
            "Test directory does not exist",
            format!("Requested test directory {directory} does not exist."),
        ));
    }
    for (folder, prefix) in [(".", String::new()), (directory, format!("{directory}/"))] {
        if folder == directory && directory == "." {
            continue;
        }
        for entry in Disk.list(folder).unwrap_or_default() {
            let ignored = entry.name.starts_with('.') || entry.is_directory;
            if !ignored && ENDINGS.iter().any(|ending| entry.name.ends_with(ending)) {
                let path = format!("{prefix}{}", entry.name);
                diagnostics.append(file(&path, sources));
            }
        }
    }
    diagnostics
}

fn file(path: &str, sources: &mut SourceMap) -> Diagnostics {
    let bytes = match Disk.read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let detail = format!("{path} cannot be read: {error}.");
            return Diagnostic::error("unreadable-file", "Failed to read file", detail).into();
        }
    };
    let id = sources.add(SourceFile::new(path, String::from_utf8_lossy(&bytes)));
    let is_json = std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "json");
    let (body, mut diagnostics) = if is_json {
        terrace_syntax::parse_json(id, &bytes)
    } else {
        terrace_syntax::parse(id, &bytes)
    };
    if diagnostics.has_errors() {
        return diagnostics;
    }
    let schema = schema(
        &[],
        &[
            ("run", &["name"]),
            ("variables", &[]),
            ("provider", &["name"]),
            ("mock_provider", &["name"]),
            ("override_resource", &[]),
            ("override_data", &[]),
            ("override_module", &[]),
            ("test", &[]),
        ],
    );
    let (content, found) = body.content(&schema);
    diagnostics.append(found);
    let mut runs: BTreeMap<Text, &Block> = BTreeMap::new();
    for block in content
        .blocks
        .iter()
        .filter(|block| &*block.type_name.name == "run")
    {
        run(block, &mut diagnostics);
        let Some(name) = block.labels.first().map(|label| label.text.clone()) else {
            continue;
        };
        match runs.get(&name) {
            Some(other) => diagnostics.push(duplicate(block, other, &name, path, sources)),
            None => {
                runs.insert(name, block);
            }
        }
    }
    diagnostics
}

fn duplicate(
    block: &Block,
    other: &Block,
    name: &str,
    path: &str,
    sources: &SourceMap,
) -> Diagnostic {
    let place = sources.get(other.header_span.source).map(|file| {
        let start = file.position(other.header_span.start);
        let end = file.position(other.header_span.end);
        format!("{path}:{},{}-{}", start.line, start.column, end.column)
    });
    Diagnostic::error(
        "duplicate-run",
        "Duplicate \"run\" block names",
        format!(
            "This test file already has a run named {name} block defined at {}.",
            place.unwrap_or_else(|| path.to_owned())
        ),
    )
    .at(block.header_span)
}

/// Checks a `run` block.
fn run(block: &Block, diagnostics: &mut Diagnostics) {
    if let Some(label) = block.labels.first()
        && !is_identifier(&label.text)
    {
        diagnostics.push(
            Diagnostic::error(
                "invalid-name",
                "Invalid run block name",
                "A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.",
            )
            .at(label.span),
        );
    }
    let schema = schema(
        &[
            "command",
            "providers",
            "expect_failures",
            "state_key",
            "parallel",
        ],
        &[
            ("plan_options", &[]),
            ("assert", &[]),
            ("variables", &[]),
            ("module", &[]),
            ("override_resource", &[]),
            ("override_data", &[]),
            ("override_module", &[]),
        ],
    );
    let (content, found) = block.body.content(&schema);
    diagnostics.append(found);
    if let Some(command) = content.attributes.get("command") {
        let keyword = command.value.as_keyword();
        if !matches!(keyword.as_deref(), Some("apply" | "plan")) {
            diagnostics.push(
                Diagnostic::error(
                    "invalid-run-command",
                    "Invalid \"command\" keyword",
                    "The \"command\" argument requires one of the following keywords without quotes: apply or plan.",
                )
                .at(command.value.span),
            );
        }
    }
    for inner in &content.blocks {
        diagnostics.append(within_run(inner));
    }
}

fn within_run(block: &Block) -> Diagnostics {
    let body: &Body = &block.body;
    let schema = match &*block.type_name.name {
        "assert" => required(&["condition", "error_message"]),
        "plan_options" => schema(&["mode", "refresh", "replace", "target"], &[]),
        "module" => {
            let mut schema = required(&["source"]);
            schema
                .attributes
                .extend(self::schema(&["version"], &[]).attributes);
            schema
        }
        _ => return Diagnostics::new(),
    };
    body.content(&schema).1
}

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

fn required(attributes: &[&str]) -> BodySchema {
    let mut schema = BodySchema::of(attributes, &[]);
    for attribute in &mut schema.attributes {
        attribute.required = true;
    }
    schema
}

/// Whether a text is a name of the language.
fn is_identifier(text: &str) -> bool {
    use terrace_syntax::token::{TokenKind, tokenize};
    let tokens = tokenize(text.as_bytes());
    matches!(&tokens[..], [name, _] if name.kind == TokenKind::Ident)
}
