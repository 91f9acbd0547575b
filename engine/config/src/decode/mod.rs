//! Reading blocks of one file.

mod address;
pub(crate) mod call;
mod language;
mod named;
mod provider;
mod provisioner;
mod refactor;
mod resource;
mod rule;
mod terraform;

use std::sync::LazyLock;

use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceId, Span};
use terrace_syntax::{
    Attribute, Block, BlockSchema, Body, BodySchema, Content, Expr, ExprKind, Traversal,
};
use terrace_value::convert::convert;
use terrace_value::{Text, Type, Value};

use crate::directory::ConfigFile;
use crate::parts::FileParts;
use crate::{constant, names, statics};

/// Parses a file and reads its blocks.
pub(crate) fn decode_file(
    file: &ConfigFile,
    id: SourceId,
    source: &SourceFile,
    bytes: &[u8],
) -> (FileParts, Diagnostics) {
    let (body, diagnostics) = if file.is_json {
        terrace_syntax::parse_json(id, bytes)
    } else {
        terrace_syntax::parse(id, bytes)
    };
    let mut decoder = Decoder {
        source,
        is_json: file.is_json,
        is_tofu: file.is_tofu,
        is_override: file.is_override,
        parts: FileParts::default(),
        diagnostics,
    };
    decoder.file(&body);
    names::name_file(&mut decoder.diagnostics, source);
    (decoder.parts, decoder.diagnostics)
}

/// Reads the blocks of one file.
struct Decoder<'a> {
    source: &'a SourceFile,
    is_json: bool,
    is_tofu: bool,
    is_override: bool,
    parts: FileParts,
    diagnostics: Diagnostics,
}

static FILE: LazyLock<BodySchema> = LazyLock::new(|| BodySchema {
    attributes: Vec::new(),
    blocks: vec![
        block("terraform", &[]),
        block("language", &[]),
        block("required_providers", &[]),
        block("provider", &["name"]),
        block("variable", &["name"]),
        block("locals", &[]),
        block("output", &["name"]),
        block("module", &["name"]),
        block("resource", &["type", "name"]),
        block("data", &["type", "name"]),
        block("ephemeral", &["type", "name"]),
        block("moved", &[]),
        block("import", &[]),
        block("removed", &[]),
        block("check", &["name"]),
    ],
});

/// The schema of a block type and its labels.
fn block(type_name: &str, labels: &[&str]) -> BlockSchema {
    BlockSchema {
        type_name: type_name.into(),
        labels: labels.iter().map(|label| (*label).into()).collect(),
    }
}

/// A schema of optional arguments and labelled blocks.
fn schema(attributes: &[&str], blocks: Vec<BlockSchema>) -> BodySchema {
    BodySchema {
        blocks,
        ..BodySchema::of(attributes, &[])
    }
}

/// A schema of arguments that must be there, and others.
fn schema_with_required(required: &[&str], optional: &[&str], blocks: &[&str]) -> BodySchema {
    let mut schema = BodySchema::of(&[required, optional].concat(), blocks);
    for attribute in schema.attributes.iter_mut().take(required.len()) {
        attribute.required = true;
    }
    schema
}

impl Decoder<'_> {
    fn file(&mut self, body: &Body) {
        let content = self.content(body, &FILE);
        for block in &content.blocks {
            match &*block.type_name.name {
                "terraform" => self.terraform(block),
                "language" => self.language(block),
                "provider" => self.provider(block),
                "variable" => self.variable(block),
                "locals" => self.locals(block),
                "output" => self.output(block),
                "module" => self.call(block),
                "resource" => self.managed_resource(block),
                "data" => self.data_resource(block, None),
                "ephemeral" => self.ephemeral_resource(block),
                "moved" => self.moved(block),
                "import" => self.import(block),
                "removed" => self.removed(block),
                "check" => self.check(block),
                "required_providers" => self.misplaced_required_providers(block),
                _ => {}
            }
        }
    }

    fn misplaced_required_providers(&mut self, block: &Block) {
        self.problem(
            "misplaced-required-providers",
            "Invalid required_providers block",
            "A \"required_providers\" block must be nested inside a \"terraform\" block.",
            block.header_span,
        );
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

    /// A place in this file, for sentences.
    fn place(&self, span: Span) -> String {
        self.source.place(span)
    }

    /// All that a body holds.
    fn content(&mut self, body: &Body, schema: &BodySchema) -> Content {
        let (content, diagnostics) = body.content(schema);
        self.diagnostics.append(diagnostics);
        self.without_invalid(content)
    }

    /// What a schema names of a body, and the rest.
    fn partial_content(&mut self, body: &Body, schema: &BodySchema) -> (Content, Body) {
        let (content, rest, diagnostics) = body.partial_content(schema);
        self.diagnostics.append(diagnostics);
        (self.without_invalid(content), rest)
    }

    /// Content without the arguments that could not be parsed: those have been reported. Texts of JSON files stay, as
    /// they may be meant to stand for themselves.
    fn without_invalid(&self, mut content: Content) -> Content {
        let is_text = |span: Span| {
            self.is_json && self.source.text().as_bytes().get(span.start as usize) == Some(&b'"')
        };
        content.attributes.retain(|_, attribute| {
            !matches!(attribute.value.kind, ExprKind::Invalid) || is_text(attribute.value.span)
        });
        content
    }

    /// A label as a name; what is no name is reported, and kept.
    fn name(&mut self, block: &Block, index: usize, what: &str) -> Option<Text> {
        let label = block.labels.get(index)?;
        self.diagnostics.extend(names::check_label(label, what));
        Some(label.text.clone())
    }

    /// The value of an expression that may refer to nothing; texts in JSON stand for themselves.
    fn constant(&mut self, expression: &Expr) -> Option<Value> {
        if self.is_json {
            constant::forgive_templates(expression, &mut self.diagnostics);
        }
        let before = self.diagnostics.len();
        let value = if self.is_json {
            constant::evaluate_json_constant(expression, self.source, &mut self.diagnostics)
        } else {
            constant::evaluate_constant(expression, &mut self.diagnostics)
        };
        (self.diagnostics.len() == before).then_some(value)
    }

    /// An argument that is a constant of a type, and not null.
    fn typed(&mut self, attribute: &Attribute, ty: &Type) -> Option<Value> {
        let problem = match self.constant(&attribute.value) {
            None => "value must be known".to_owned(),
            Some(value) if value.is_null() => "null value is not allowed".to_owned(),
            Some(value) => match convert(&value, ty) {
                Ok(value) if value.is_wholly_known() => return Some(value),
                Ok(_) => return None,
                Err(error) => error.to_string(),
            },
        };
        self.diagnostics.push(
            Diagnostic::error(
                "unsuitable-value",
                "Unsuitable value type",
                format!("Unsuitable value: {problem}"),
            )
            .at(statics::start_span(&attribute.value))
            .within(attribute.value.span),
        );
        None
    }

    fn string(&mut self, attribute: Option<&Attribute>) -> Option<Text> {
        self.typed(attribute?, &Type::String)?
            .as_str()
            .map(Text::from)
    }

    fn bool(&mut self, attribute: Option<&Attribute>) -> Option<bool> {
        self.typed(attribute?, &Type::Bool)?.as_bool()
    }

    /// `depends_on`: references, which old configurations quote.
    fn depends_on(&mut self, attribute: Option<&Attribute>) -> Option<Vec<Traversal>> {
        let attribute = attribute?;
        match statics::list(&attribute.value) {
            Ok(items) => {
                let diagnostics = &mut self.diagnostics;
                Some(
                    items
                        .iter()
                        .filter_map(|item| statics::traversal_or_quoted(item, diagnostics))
                        .collect(),
                )
            }
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// `count`, `for_each` or `enabled`, of which there may be one.
    fn repetition(
        &mut self,
        content: &Content,
        enabled: Option<&(Expr, Span)>,
    ) -> Option<crate::ForEachOrCount> {
        let count = content.attributes.get("count");
        let for_each = content.attributes.get("for_each");
        if let (Some(_), Some(for_each)) = (count, for_each) {
            self.problem(
                "count-and-for-each",
                "Invalid combination of \"count\" and \"for_each\"",
                "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.",
                for_each.name.span,
            );
        }
        if let (Some(other), Some((_, span))) = (for_each.or(count), enabled) {
            let other = &other.name.name;
            let detail = format!(
                "The \"{other}\" and \"enabled\" meta-arguments are mutually-exclusive: use \"enabled\" for a single object that may be left out, and \"{other}\" for a number of objects, which may be zero."
            );
            let summary = format!("Invalid combination of \"{other}\" and \"enabled\"");
            self.problem("count-and-for-each", summary, detail, *span);
        }
        match (count, for_each, enabled) {
            (_, Some(for_each), _) => Some(crate::ForEachOrCount::ForEach(for_each.value.clone())),
            (Some(count), None, _) => Some(crate::ForEachOrCount::Count(count.value.clone())),
            (None, None, Some((enabled, _))) => {
                Some(crate::ForEachOrCount::Enabled(enabled.clone()))
            }
            (None, None, None) => None,
        }
    }

    /// Complains about the blocks that are kept for later versions of the language.
    fn reserved_blocks(&mut self, content: &Content, names: &[&str], within: &str) {
        for block in content
            .blocks
            .iter()
            .filter(|block| names.contains(&&*block.type_name.name))
        {
            self.problem(
                "reserved-block",
                format!("Reserved block type name in {within} block"),
                format!(
                    "The block type name \"{}\" is reserved for use by Terrace in a future version.",
                    block.type_name.name
                ),
                block.type_name.span,
            );
        }
    }
}

/// What Terrace does not carry out yet.
pub(crate) fn not_supported_yet(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "not-supported-yet",
        "Not supported yet",
        format!("This version of Terrace reads {what} but does not carry them out yet."),
    )
    .at(span)
}
