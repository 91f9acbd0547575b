//! Settings: those of the block, those of the command line, and how both are held to what the backend takes.

use std::collections::BTreeMap;

use terrace_backend_remote::{Argument, Arguments, Kind as ArgumentKind};
use terrace_config::Config;
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap, Span};
use terrace_port::Files as _;
use terrace_syntax::{Body, BodySchema};
use terrace_value::{Kind as ValueKind, Value, convert};

use super::Kind;
use super::saved::Saved;
use crate::command_error::CommandError;
use crate::early::Early;
use crate::outside::Disk;
use crate::session::Session;

/// The `backend` block, decoded: every argument has a value, which may be null.
pub(super) struct Configured {
    pub(super) kind: Kind,
    pub(super) values: BTreeMap<String, Value>,
    /// As the reference reckons it, so that it knows its own settings again.
    pub(super) hash: u32,
    pub(super) span: Span,
}

impl Configured {
    /// The block of the configuration, if there is one.
    pub(super) fn of(session: &Session, config: &Config) -> Result<Option<Self>, CommandError> {
        let Some(backend) = &config.root.module.backend else {
            return Ok(None);
        };
        let fail = |problems: Diagnostics| CommandError::new(problems, config.sources.clone());
        let Some(kind) = super::kind(&backend.type_name) else {
            return Err(fail(
                super::unknown(&backend.type_name).at(backend.span).into(),
            ));
        };
        let decoder = Decoder {
            early: &Early::new(session),
            config,
        };
        let mut problems = Diagnostics::new();
        let values = decoder.body(kind.arguments, &backend.body, &mut problems);
        if problems.has_errors() {
            return Err(fail(problems));
        }
        Ok(Some(Self {
            hash: hash(kind, &values),
            span: backend.span,
            kind,
            values,
        }))
    }

    /// Whether the settings in use came from this block: its hash is theirs, or its values are.
    pub(super) fn is_as_saved(&self, saved: &Saved) -> bool {
        self.kind.name == saved.kind.name
            && (self.hash == saved.hash || self.values == saved.values)
    }
}

struct Decoder<'a> {
    early: &'a Early,
    config: &'a Config,
}

impl Decoder<'_> {
    fn body(
        &self,
        schema: &[Argument],
        body: &Body,
        problems: &mut Diagnostics,
    ) -> BTreeMap<String, Value> {
        let (blocks, attributes): (Vec<&Argument>, Vec<&Argument>) =
            schema.iter().partition(|argument| argument.is_block());
        let names = |arguments: &[&Argument]| -> Vec<&'static str> {
            arguments.iter().map(|argument| argument.name).collect()
        };
        let (content, found) = body.content(&BodySchema::of(&names(&attributes), &names(&blocks)));
        problems.append(found);
        let mut values = nulls(schema);
        for argument in attributes {
            let Some(attribute) = content.attributes.get(argument.name) else {
                continue;
            };
            let evaluated =
                self.early
                    .backend_argument(self.config, argument.name, &attribute.value);
            let value = match evaluated {
                Ok(value) => value,
                Err(found) => {
                    problems.append(found);
                    continue;
                }
            };
            if let Some(instead) = argument.deprecated {
                problems.push(deprecated(argument.name, instead).at(attribute.value.span));
            }
            match convert::convert(&fill(argument, &value), &argument.value_type()) {
                Ok(value) => drop(values.insert(argument.name.to_owned(), value)),
                Err(error) => problems.push(
                    Diagnostic::error(
                        "incorrect-attribute-type",
                        "Incorrect attribute value type",
                        format!(
                            "Inappropriate value for attribute {:?}: {error}.",
                            argument.name
                        ),
                    )
                    .at(attribute.value.span),
                ),
            }
        }
        for argument in blocks {
            let found: Vec<_> = content
                .blocks
                .iter()
                .filter(|block| &*block.type_name.name == argument.name)
                .collect();
            let (ArgumentKind::Block(nested) | ArgumentKind::Blocks(nested)) = argument.kind else {
                continue;
            };
            let mut objects = Vec::new();
            for block in &found {
                objects.push(Value::object(self.body(nested, &block.body, problems)));
            }
            let value = if matches!(argument.kind, ArgumentKind::Blocks(_)) {
                Value::list(terrace_backend_remote::object_type(nested), objects)
            } else {
                if let [_, second, ..] = &found[..] {
                    problems.push(
                        Diagnostic::error(
                            "duplicate-block",
                            format!("Duplicate {} block", argument.name),
                            format!("Only one block of type {:?} is allowed.", argument.name),
                        )
                        .at(second.span),
                    );
                }
                match objects.pop() {
                    Some(object) => object,
                    None => continue,
                }
            };
            values.insert(argument.name.to_owned(), value);
        }
        values
    }
}

fn deprecated(name: &str, instead: &str) -> Diagnostic {
    Diagnostic::warning(
        "deprecated-backend-argument",
        "Deprecated Parameter",
        format!("The parameter {name:?} is deprecated. {instead}"),
    )
}

/// Every argument, without a value.
fn nulls(schema: &[Argument]) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for argument in schema {
        let value = match argument.kind {
            ArgumentKind::Blocks(nested) => {
                Value::list(terrace_backend_remote::object_type(nested), [])
            }
            _ => Value::null(argument.value_type()),
        };
        values.insert(argument.name.to_owned(), value);
    }
    values
}

/// An object with the attributes that were left out.
fn fill(argument: &Argument, value: &Value) -> Value {
    let (ArgumentKind::Object(nested), Some(entries)) = (argument.kind, value.as_entries()) else {
        return value.clone();
    };
    let mut all = nulls(nested);
    for (name, value) in entries {
        let filled = nested
            .iter()
            .find(|argument| argument.name == &**name)
            .map_or_else(|| value.clone(), |argument| fill(argument, value));
        all.insert(name.to_string(), filled);
    }
    Value::object(all)
}

/// Holds values that came from elsewhere (a project file) to what the backend takes.
pub(super) fn conform(
    kind: Kind,
    given: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, CommandError> {
    let mut values = nulls(kind.arguments);
    let mut problems = Diagnostics::new();
    for (name, value) in given {
        let Some(argument) = kind.arguments.iter().find(|argument| argument.name == name) else {
            let names: Vec<&str> = kind
                .arguments
                .iter()
                .map(|argument| argument.name)
                .collect();
            problems.push(Diagnostic::error(
                "unsupported-argument",
                "Unsupported argument",
                format!(
                    "The backend {:?} has no argument {name:?}. It has: {}.",
                    kind.name,
                    names.join(", ")
                ),
            ));
            continue;
        };
        match convert::convert(&fill(argument, value), &argument.value_type()) {
            Ok(value) => drop(values.insert(name.clone(), value)),
            Err(error) => problems.push(Diagnostic::error(
                "invalid-argument",
                "Invalid argument",
                format!(
                    "The argument {name:?} of the backend {:?} does not fit: {error}.",
                    kind.name
                ),
            )),
        }
    }
    if problems.has_errors() {
        Err(CommandError::new(problems, SourceMap::new()))
    } else {
        Ok(values)
    }
}

/// Refuses settings that leave out what must be there.
pub(super) fn check_required(kind: Kind, arguments: &Arguments) -> Result<(), CommandError> {
    let mut problems = Diagnostics::new();
    for argument in kind.arguments {
        if argument.required && arguments.value(argument.name).is_none() {
            let mut diagnostic = Diagnostic::error(
                "missing-backend-argument",
                "Missing required argument",
                format!(
                    "The argument {:?} is required by the backend {:?}, but no definition was found.",
                    argument.name, kind.name
                ),
            );
            diagnostic = match argument.environment.first() {
                Some(variable) => diagnostic.hint(format!(
                    "set it in the backend block, with -backend-config={}=VALUE, or in the environment variable {variable}",
                    argument.name
                )),
                None => diagnostic.hint(format!(
                    "set it in the backend block or with -backend-config={}=VALUE",
                    argument.name
                )),
            };
            problems.push(diagnostic);
        }
    }
    if problems.has_errors() {
        Err(CommandError::new(problems, SourceMap::new()))
    } else {
        Ok(())
    }
}

/// What `-backend-config` says, in order.
pub(crate) struct Overrides {
    given: Vec<String>,
}

impl Overrides {
    pub(crate) fn new(given: &[String]) -> Self {
        Self {
            given: given.to_vec(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Puts what was said over the block's values; what is said last counts.
    pub(super) fn apply(
        &self,
        session: &Session,
        config: &Config,
        configured: &mut Configured,
    ) -> Result<(), CommandError> {
        let kind = configured.kind;
        for given in &self.given {
            let Some((name, text)) = given.split_once('=') else {
                for (name, value) in read_file(session, config, kind, given)? {
                    if !is_left_out(&value) {
                        configured.values.insert(name, value);
                    }
                }
                continue;
            };
            let name = name.trim();
            let argument = kind.arguments.iter().find(|argument| argument.name == name);
            let Some(argument) = argument else {
                return Err(CommandError::one(
                    "unsupported-argument",
                    "Invalid backend configuration argument",
                    format!(
                        "The backend configuration argument {name:?} given on the command line is not expected for the selected backend type."
                    ),
                ));
            };
            let value = of_text(argument, text)?;
            configured.values.insert(name.to_owned(), value);
        }
        Ok(())
    }
}

fn is_left_out(value: &Value) -> bool {
    value.is_null() || value.as_sequence().is_some_and(<[Value]>::is_empty)
}

fn of_text(argument: &Argument, text: &str) -> Result<Value, CommandError> {
    let ty = argument.value_type();
    let fail = |why: String| {
        CommandError::one(
            "invalid-argument",
            "Invalid backend configuration argument",
            format!(
                "The backend configuration argument {:?} given on the command line does not fit: {why}.",
                argument.name
            ),
        )
    };
    let value = match argument.kind {
        ArgumentKind::Text | ArgumentKind::Number | ArgumentKind::Flag => Value::string(text),
        _ => {
            let mut sources = SourceMap::new();
            let id = sources.add(SourceFile::new("<value of -backend-config>", text));
            let text = format!("value = {text}\n");
            let (body, mut problems) = terrace_syntax::parse(id, text.as_bytes());
            let (attributes, found) = body.just_attributes();
            problems.append(found);
            let value = attributes.get("value").map(|attribute| {
                terrace_config::evaluate_constant(&attribute.value, &mut problems)
            });
            match value {
                Some(value) if !problems.has_errors() => fill(argument, &value),
                _ => return Err(fail("it is no expression".into())),
            }
        }
    };
    convert::convert(&value, &ty).map_err(|error| fail(error.to_string()))
}

/// The arguments in a file that `-backend-config` names.
fn read_file(
    session: &Session,
    config: &Config,
    kind: Kind,
    path: &str,
) -> Result<BTreeMap<String, Value>, CommandError> {
    let bytes = Disk.read(path).map_err(|error| {
        let detail = format!(
            "-backend-config={path} is neither KEY=VALUE nor a file that can be read: {error}."
        );
        CommandError::one("unreadable-file", "Backend settings cannot be read", detail)
    })?;
    let mut config = config.clone();
    let id = config.sources.add(SourceFile::new(
        path,
        String::from_utf8_lossy(&bytes).into_owned(),
    ));
    let (body, mut problems) = terrace_syntax::parse(id, &bytes);
    let decoder = Decoder {
        early: &Early::new(session),
        config: &config,
    };
    let values = decoder.body(kind.arguments, &body, &mut problems);
    if problems.has_errors() {
        return Err(CommandError::new(problems, config.sources));
    }
    Ok(values)
}

/// A checksum of settings as the reference reckons it.
fn hash(kind: Kind, values: &BTreeMap<String, Value>) -> u32 {
    let known: BTreeMap<&str, &Value> = values
        .iter()
        .filter(|(name, value)| !(value.is_null() && kind.additional.contains(&name.as_str())))
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    let mut text = String::from("<");
    quote_onto(kind.name, &mut text);
    text.push_str(";<");
    for value in known.values() {
        hash_text(value, &mut text);
        text.push(';');
    }
    text.push_str(">;>");
    crc32fast::hash(text.as_bytes())
}

fn quote_onto(text: &str, out: &mut String) {
    terrace_value::json::quote_onto(text, out);
}

fn hash_text(value: &Value, out: &mut String) {
    let (open, close) = match value.kind() {
        ValueKind::Null(_) => return out.push('~'),
        ValueKind::Bool(true) => return out.push('T'),
        ValueKind::Bool(false) => return out.push('F'),
        _ => {
            if let Some(text) = value.as_str() {
                return quote_onto(text, out);
            }
            if let Some(number) = value.as_number() {
                return out.push_str(&number.to_string());
            }
            match value.ty() {
                terrace_value::Type::Map(_) => ('{', '}'),
                terrace_value::Type::List(_) | terrace_value::Type::Set(_) => ('[', ']'),
                _ => ('<', '>'),
            }
        }
    };
    out.push(open);
    if let Some(entries) = value.as_entries() {
        for (name, value) in entries {
            if open == '{' {
                quote_onto(name, out);
                out.push(':');
            }
            hash_text(value, out);
            out.push(';');
        }
    }
    for item in value.as_sequence().unwrap_or_default() {
        hash_text(item, out);
        out.push(';');
    }
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_hash_that_the_reference_writes() {
        let local = super::super::kind("local").unwrap();
        let mut values = nulls(local.arguments);
        values.insert("path".into(), Value::string("a.tfstate"));
        assert_eq!(hash(local, &values), 2_985_648_108);
        let http = super::super::kind("http").unwrap();
        let mut values = nulls(http.arguments);
        values.insert("lock_address".into(), Value::string("http://127.0.0.1:1/x"));
        values.insert("retry_max".into(), Value::int(3));
        values.insert("skip_cert_verification".into(), Value::TRUE);
        assert_eq!(hash(http, &values), 3_567_569_321);
    }
}
