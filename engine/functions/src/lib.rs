//! The function table: one file a family, each function with its spec case.
//!
//! Functions are pure but for what [`Context`] gives them: files, clock and entropy come in from outside.

#![expect(
    clippy::unnecessary_wraps,
    reason = "bodies and result types of functions have one signature each"
)]

mod assume;
mod call;
mod collection;
mod conversion;
mod date;
mod encoding;
mod filesystem;
mod format;
mod glob;
mod go_text;
mod hash;
mod ip;
mod json;
mod lazy;
mod numeric;
mod private_key;
mod re2;
mod regex;
mod sensitive;
mod sequence;
mod set;
mod spec;
mod string;
mod support;
mod timestamp;
mod transcendental;
mod yaml;

pub use filesystem::read as read_named_file;
pub use go_text::quoted;

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_value::{Path, Type, Value};

/// What functions may ask of the outside.
pub trait Context: Send + Sync {
    /// The bytes of a file; relative paths are relative to the working directory. The reader may record what was read.
    fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError>;
    /// Paths of all regular files under `base`, at any depth, relative to `base`, parts divided by `/`, sorted; links are
    /// followed. [`FileError::NotFound`] where there is no such directory: `fileset` is then empty.
    fn list_files(&self, base: &str) -> Result<Vec<String>, FileError>;
    /// Whether a regular file is there; [`FileError::Unreadable`] with `is a directory` (or `is a named pipe`, …) where
    /// something else is.
    fn file_exists(&self, path: &str) -> Result<bool, FileError>;
    /// An absolute path, with `.` and `..` taken out.
    fn absolute_path(&self, path: &str) -> String;
    /// The home directory, for `~`.
    fn home_directory(&self) -> Option<String>;
    /// RFC 3339 UTC time now (`timestamp`); `None` while planning: the result is then unknown.
    fn timestamp(&self) -> Option<String>;
    /// RFC 3339 UTC time of the plan (`plantimestamp`).
    fn plan_timestamp(&self) -> Option<String>;
    /// Random bytes; `None` while planning: results (`uuid`, `bcrypt`) are then unknown.
    fn entropy(&self) -> Option<[u8; 16]>;
}

/// Why a file cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// It is not there.
    NotFound,
    /// It is there and cannot be read: why.
    Unreadable(String),
}

/// A parameter of a function.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name, for messages and metadata.
    pub name: &'static str,
    /// What it is, for metadata; may be empty.
    pub description: &'static str,
    /// The type that arguments are converted to; `Dynamic` takes anything.
    pub ty: Type,
    /// Whether `null` is passed on to the function.
    pub allow_null: bool,
    /// Whether unknown values are passed on; otherwise the result is unknown.
    pub allow_unknown: bool,
    /// Whether marked values are passed on; otherwise marks are taken off and put on the result.
    pub allow_marked: bool,
    /// Whether values whose very type is not known (a bare `null` too) are passed on; otherwise the result is unknown,
    /// and so is its type.
    pub allow_dynamic: bool,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq)]
pub struct CallError {
    /// Which argument (from 0) is to blame; `None` for the call as a whole.
    pub argument: Option<usize>,
    /// Where in the argument.
    pub path: Path,
    /// As the reference says it.
    pub message: String,
}

impl CallError {
    /// The call as a whole failed.
    pub fn call(message: impl Into<String>) -> Self {
        Self {
            argument: None,
            path: Path::root(),
            message: message.into(),
        }
    }

    /// Argument `index` is to blame.
    pub fn argument(index: usize, message: impl Into<String>) -> Self {
        Self {
            argument: Some(index),
            path: Path::root(),
            message: message.into(),
        }
    }
}

/// A function's result type from its (possibly unknown) arguments.
pub type TypeFn = fn(&[Value]) -> Result<Type, CallError>;
/// A function's body: arguments are converted, and known and unmarked unless the parameter allows otherwise.
pub type BodyFn = fn(&[Value], &Type, &dyn Context) -> Result<Value, CallError>;

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name without namespace.
    pub name: &'static str,
    /// What it does, for metadata.
    pub description: &'static str,
    /// Its positional parameters.
    pub parameters: Vec<Parameter>,
    /// The parameter that takes all further arguments.
    pub variadic: Option<Parameter>,
    /// Result type.
    pub result: TypeFn,
    /// Body.
    pub body: BodyFn,
    /// Whether the result is never null, so that an unknown result is refined to say so.
    pub not_null: bool,
    /// Whether the evaluator must carry the call out itself, because arguments are evaluated lazily, may fail, or
    /// bring templates or types to evaluate: `try`, `can`, `convert`, `templatefile`, `templatestring`. [`Function::call`] refuses these.
    pub lazy: bool,
}

/// The functions by name. `core::name` names the same function.
#[derive(Clone, Debug, Default)]
pub struct FunctionTable {
    functions: BTreeMap<&'static str, Arc<Function>>,
}

impl FunctionTable {
    /// All functions of the language. Those that the evaluator must carry out itself are marked [`Function::lazy`].
    pub fn standard() -> Self {
        let families = [
            assume::functions(),
            collection::functions(),
            conversion::functions(),
            date::functions(),
            encoding::functions(),
            filesystem::functions(),
            format::functions(),
            hash::functions(),
            ip::functions(),
            json::functions(),
            lazy::functions(),
            numeric::functions(),
            regex::functions(),
            sensitive::functions(),
            sequence::functions(),
            set::functions(),
            string::functions(),
            yaml::functions(),
        ];
        let functions = families
            .into_iter()
            .flatten()
            .map(|function| (function.name, Arc::new(function)))
            .collect();
        Self { functions }
    }

    /// The function of this name, with or without `core::`.
    pub fn get(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions
            .get(name.strip_prefix("core::").unwrap_or(name))
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.functions.values()
    }
}
