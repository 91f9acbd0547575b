//! Settings of a backend: what it takes, and what was given.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use terrace_port::Clock;
use terrace_value::{Type, Value};

/// What type an argument has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list of strings.
    Texts,
    /// A set of strings.
    TextSet,
    /// A map of strings.
    TextMap,
    /// An object, as an attribute: `assume_role = { … }`.
    Object(&'static [Argument]),
    /// A nested block, at most once.
    Block(&'static [Argument]),
    /// Nested blocks, any number.
    Blocks(&'static [Argument]),
}

/// An argument that a backend takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The environment variables that give it where the configuration does not; the first that is set and not empty counts.
    pub environment: &'static [&'static str],
    /// Whether it must be given, by the configuration or the environment.
    pub required: bool,
    /// Whether its value is a secret.
    pub sensitive: bool,
    /// What to use instead, where it is deprecated.
    pub deprecated: Option<&'static str>,
    /// What it is for, in a sentence.
    pub description: &'static str,
}

impl Argument {
    /// An optional argument of a type.
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            kind,
            environment: &[],
            required: false,
            sensitive: false,
            deprecated: None,
            description,
        }
    }

    /// An optional string.
    pub const fn text(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Text, description)
    }

    /// An optional number.
    pub const fn number(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Number, description)
    }

    /// An optional flag.
    pub const fn flag(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Flag, description)
    }

    /// The same, with environment variables.
    #[must_use]
    pub const fn from_environment(mut self, names: &'static [&'static str]) -> Self {
        self.environment = names;
        self
    }

    /// The same, required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, secret.
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// The same, deprecated.
    #[must_use]
    pub const fn deprecated(mut self, instead: &'static str) -> Self {
        self.deprecated = Some(instead);
        self
    }

    /// The type of its value.
    pub fn value_type(&self) -> Type {
        match self.kind {
            Kind::Text => Type::String,
            Kind::Number => Type::Number,
            Kind::Flag => Type::Bool,
            Kind::Texts => Type::list(Type::String),
            Kind::TextSet => Type::set(Type::String),
            Kind::TextMap => Type::map(Type::String),
            Kind::Object(arguments) | Kind::Block(arguments) => object_type(arguments),
            Kind::Blocks(arguments) => Type::list(object_type(arguments)),
        }
    }

    /// Whether it is written as a block.
    pub const fn is_block(&self) -> bool {
        matches!(self.kind, Kind::Block(_) | Kind::Blocks(_))
    }
}

/// The type of an object with these arguments.
pub fn object_type(arguments: &[Argument]) -> Type {
    Type::object(
        arguments
            .iter()
            .map(|argument| (argument.name, argument.value_type())),
    )
}

/// Something wrong with the settings of a backend, or with what they lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The argument that is to blame, if one is: the path's names with dots.
    pub argument: Option<String>,
    /// A line without names of the user.
    pub summary: String,
    /// What, why, and how to fix it, in sentences.
    pub detail: String,
}

impl Problem {
    /// A problem with an argument.
    pub fn with(
        argument: impl Into<String>,
        summary: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            argument: Some(argument.into()),
            summary: summary.into(),
            detail: detail.into(),
        }
    }

    /// A problem that no single argument is to blame for.
    pub fn new(summary: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            argument: None,
            summary: summary.into(),
            detail: detail.into(),
        }
    }
}

/// What a backend may know of the process that opens it.
#[derive(Clone)]
pub struct Surroundings<'a> {
    /// Environment variables.
    pub environment: &'a (dyn Fn(&str) -> Option<String> + Send + Sync),
    /// The directory of the root module, to which relative paths belong.
    pub directory: &'a Path,
    /// The time, for what is written into locks. Nothing is decided by it alone.
    pub clock: Arc<dyn Clock>,
    /// What requests call their sender: `Terrace/1.2.3`.
    pub user_agent: &'a str,
    /// Who is told that a store does not answer and is asked again.
    pub watcher: Option<crate::Watcher>,
}

/// The settings of a backend: values of the types that its arguments have, environment variables put in where the
/// configuration leaves an argument out.
///
/// The contract between the binary and a backend's crate, which exports
/// ```text
/// pub fn arguments() -> &'static [Argument];
/// pub async fn open(arguments: &Arguments, surroundings: &Surroundings<'_>) -> Result<Arc<dyn StateStore>, Vec<Problem>>;
/// ```
/// Before `open` is called, names and types are checked, required arguments are there, and deprecations were told. `open` checks
/// what the values say (a bucket's name, arguments that exclude each other). It may sign in, so that wrong credentials are told
/// by `init`; it makes no other request that a command without need of the state would not want.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arguments {
    values: BTreeMap<String, Value>,
}

impl Arguments {
    /// Takes the values of the configuration, whose types are right, and adds the environment's.
    ///
    /// # Errors
    /// A variable of the environment that is not of its argument's type.
    pub fn new(
        schema: &[Argument],
        values: &BTreeMap<String, Value>,
        environment: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let values = with_environment(schema, values, environment, &mut problems);
        if problems.is_empty() {
            Ok(Self { values })
        } else {
            Err(problems)
        }
    }

    /// The value of an argument, unless it is left out or null.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// A string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    /// A string that is not empty: an empty one means what leaving it out means.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A flag; `false` where it is left out.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A flag, where it is given.
    pub fn given_flag(&self, name: &str) -> Option<bool> {
        self.value(name).and_then(Value::as_bool)
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.value(name)
            .and_then(Value::as_number)
            .and_then(terrace_value::Number::to_i64)
    }

    /// A list or set of strings; empty where it is left out.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let items = self.value(name).and_then(Value::as_sequence);
        items
            .unwrap_or_default()
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    /// A map of strings; empty where it is left out.
    pub fn text_map(&self, name: &str) -> BTreeMap<String, String> {
        let entries = self.value(name).and_then(Value::as_entries);
        entries
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.to_string(), value.as_str()?.to_owned())))
            .collect()
    }

    /// An object or a block, where it is given (or the environment gives something in it).
    pub fn object(&self, name: &str) -> Option<Self> {
        self.value(name).and_then(Self::of_value)
    }

    /// Repeated blocks.
    pub fn objects(&self, name: &str) -> Vec<Self> {
        let items = self.value(name).and_then(Value::as_sequence);
        items
            .unwrap_or_default()
            .iter()
            .filter_map(Self::of_value)
            .collect()
    }

    fn of_value(value: &Value) -> Option<Self> {
        let values = value
            .as_entries()?
            .iter()
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect();
        Some(Self { values })
    }
}

fn with_environment(
    schema: &[Argument],
    values: &BTreeMap<String, Value>,
    environment: &(dyn Fn(&str) -> Option<String> + Send + Sync),
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Value> {
    let mut all = values.clone();
    for argument in schema {
        let given = values.get(argument.name).filter(|value| !value.is_null());
        match (argument.kind, given) {
            (Kind::Object(nested) | Kind::Block(nested), Some(value)) => {
                let inside = Arguments::of_value(value).unwrap_or_default();
                let inside = with_environment(nested, &inside.values, environment, problems);
                all.insert(argument.name.to_owned(), Value::object(inside));
            }
            (_, Some(_)) => {}
            (_, None) => {
                let found = argument.environment.iter().find_map(|name| {
                    let text = environment(name).filter(|text| !text.is_empty())?;
                    Some((name, text))
                });
                let Some((variable, text)) = found else {
                    continue;
                };
                match of_text(argument, &text) {
                    Some(value) => {
                        all.insert(argument.name.to_owned(), value);
                    }
                    None => problems.push(Problem::with(
                        argument.name,
                        "Invalid value in environment variable",
                        format!("The environment variable {variable} gives the backend's argument {:?}, and {text:?} is no {}.", argument.name, argument.value_type()),
                    )),
                }
            }
        }
    }
    all
}

/// The value of a variable of the environment.
fn of_text(argument: &Argument, text: &str) -> Option<Value> {
    match argument.kind {
        Kind::Text => Some(Value::string(text)),
        Kind::Flag => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(Value::bool(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(Value::bool(false)),
            _ => None,
        },
        Kind::Number => terrace_value::convert::convert(&Value::string(text), &Type::Number).ok(),
        Kind::Texts | Kind::TextSet => Some(Value::list(
            Type::String,
            text.split(',').map(|item| Value::string(item.trim())),
        )),
        Kind::TextMap | Kind::Object(_) | Kind::Block(_) | Kind::Blocks(_) => None,
    }
}
