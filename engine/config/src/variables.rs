//! Values of the root module's variables: files, options, environment.

use std::collections::BTreeMap;
use std::path::Path;

use terrace_addr::Name;
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceId, SourceMap, Span};
use terrace_port::Files;
use terrace_syntax::{Attribute, Body, BodyKind, Item};
use terrace_value::convert::{ConversionError, convert};
use terrace_value::{Text, Value};

use crate::constant::{evaluate_constant, evaluate_json_constant, forgive_templates};
use crate::load::join;
use crate::{Module, Variable, names};

/// Where values may come from.
#[derive(Clone, Debug, Default)]
pub struct VariableInputs {
    /// `-var` and `-var-file` in the order in which they were given: later ones win.
    pub options: Vec<VariableOption>,
    /// The environment variables `TF_VAR_name`, by name without the prefix.
    pub environment: BTreeMap<String, String>,
}

/// One option that gives values.
#[derive(Clone, Debug, PartialEq)]
pub enum VariableOption {
    /// `-var NAME=VALUE`, as given.
    Value(String),
    /// `-var-file PATH`
    File(String),
    /// A value that something else than a person gives, such as an output of another stack.
    Provided {
        /// The variable.
        name: String,
        /// Its value.
        value: Value,
    },
}

/// A value as it was given, not converted yet.
#[derive(Clone, Debug)]
pub struct RawVariable {
    /// The value: a string where it was given as text for a variable of primitive or no type.
    pub value: Value,
    /// Where it comes from.
    pub origin: VariableOrigin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableOrigin {
    /// `TF_VAR_name`
    Environment,
    /// `-var`
    Option,
    /// [`VariableOption::Provided`]
    Provided,
    /// A variables file: the place of the value.
    File(Span),
    /// The variable's own default.
    Default,
}

/// Finds the value of each of the root module's variables: in order, each winning over those before it, environment,
/// `terraform.tfvars`, `terraform.tfvars.json`, `*.auto.tfvars` and `*.auto.tfvars.json` by name, and options.
///
/// Variables files are added to `sources`. A variable that has neither a value nor a default is reported.
pub fn collect(
    module: &Module,
    inputs: &VariableInputs,
    files: &dyn Files,
    sources: &mut SourceMap,
) -> (BTreeMap<Name, RawVariable>, Diagnostics) {
    let mut collector = Collector::new(module, files, sources);
    // The environment first: what wins over it is given later. A text that cannot be read does not matter then.
    let shadowed = collector.named_by_options_and_files(inputs);
    for (name, text) in &inputs.environment {
        if module.variables.contains_key(name.as_str()) && !shadowed.contains_key(name.as_str()) {
            collector.text(name, text, VariableOrigin::Environment);
        }
    }
    for (name, found) in shadowed {
        collector.values.insert(name, found);
    }
    collector.undeclared();
    collector.missing();
    (collector.values, collector.diagnostics)
}

/// The values that the variables files of another directory than the module's give: those that need not be named, in the
/// order of [`collect`]. Variables that `module` does not declare are among them.
pub fn of_directory(
    module: &Module,
    directory: &str,
    files: &dyn Files,
    sources: &mut SourceMap,
) -> (BTreeMap<Name, Value>, Diagnostics) {
    let mut collector = Collector::new(module, files, sources);
    collector.takes_undeclared = true;
    for path in automatic_files(files, directory) {
        collector.file(&path);
    }
    let values = collector.values.into_iter();
    let values = values.map(|(name, raw)| (name, raw.value)).collect();
    (values, collector.diagnostics)
}

/// The variables files of a directory that are read without being named.
fn automatic_files(files: &dyn Files, directory: &str) -> Vec<String> {
    let fixed = ["terraform.tfvars", "terraform.tfvars.json"].map(|name| join(directory, name));
    let mut found: Vec<String> = fixed
        .into_iter()
        .filter(|path| files.exists(path))
        .collect();
    let mut automatic: Vec<String> = files
        .list(directory)
        .unwrap_or_default()
        .into_iter()
        .filter(|entry| !entry.is_directory)
        .map(|entry| entry.name)
        .filter(|name| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json"))
        .collect();
    automatic.sort();
    found.extend(automatic.iter().map(|name| join(directory, name)));
    found
}

struct Collector<'a> {
    module: &'a Module,
    files: &'a dyn Files,
    sources: &'a mut SourceMap,
    values: BTreeMap<Name, RawVariable>,
    /// Whether values for variables that the module does not declare are taken too.
    takes_undeclared: bool,
    /// Names of no variable that files give values to, each with its file.
    undeclared_in_files: Vec<(Text, String)>,
    diagnostics: Diagnostics,
}

impl<'a> Collector<'a> {
    fn new(module: &'a Module, files: &'a dyn Files, sources: &'a mut SourceMap) -> Self {
        Self {
            module,
            files,
            sources,
            values: BTreeMap::new(),
            takes_undeclared: false,
            undeclared_in_files: Vec::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    fn problem(&mut self, id: &'static str, summary: &str, detail: String) {
        self.diagnostics
            .push(Diagnostic::error(id, summary, detail));
    }

    /// What files and options give.
    fn named_by_options_and_files(
        &mut self,
        inputs: &VariableInputs,
    ) -> BTreeMap<Name, RawVariable> {
        for path in automatic_files(self.files, &self.module.directory) {
            self.file(&path);
        }
        for option in &inputs.options {
            match option {
                VariableOption::File(path) => self.file(path),
                VariableOption::Value(given) => self.option(given),
                VariableOption::Provided { name, value } => self.provided(name, value),
            }
        }
        std::mem::take(&mut self.values)
    }

    /// Reads a variables file.
    fn file(&mut self, path: &str) {
        let bytes = match self.files.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let detail = if error.kind() == std::io::ErrorKind::NotFound {
                    format!("Given variables file {path} does not exist.")
                } else {
                    format!("Error while reading {path}: {error}.")
                };
                return self.problem(
                    "unreadable-variables-file",
                    "Failed to read variables file",
                    detail,
                );
            }
        };
        let id = self
            .sources
            .add(SourceFile::new(path, &*String::from_utf8_lossy(&bytes)));
        let is_json = Path::new(path)
            .extension()
            .is_some_and(|extension| extension == "json");
        let (body, diagnostics) = if is_json {
            terrace_syntax::parse_json(id, &bytes)
        } else {
            terrace_syntax::parse(id, &bytes)
        };
        let mut diagnostics = diagnostics;
        if let Some(file) = self.sources.get(id) {
            names::name_file(&mut diagnostics, file);
        }
        let broken = diagnostics.has_errors();
        self.diagnostics.append(diagnostics);
        if broken {
            return;
        }
        if let Some(problem) = declaration_in(&body, path) {
            self.diagnostics.push(problem);
            return;
        }
        let (attributes, mut diagnostics) = body.just_attributes();
        if is_json {
            for attribute in attributes.values() {
                forgive_templates(&attribute.value, &mut diagnostics);
            }
        }
        let broken = diagnostics.has_errors();
        self.diagnostics.append(diagnostics);
        if broken {
            return;
        }
        let mut attributes: Vec<(Text, Attribute)> = attributes.into_iter().collect();
        attributes.sort_by_key(|(_, attribute)| attribute.span.start);
        for (name, attribute) in attributes {
            self.file_entry(name, &attribute, id, is_json, path);
        }
    }

    fn file_entry(
        &mut self,
        name: Text,
        attribute: &Attribute,
        id: SourceId,
        is_json: bool,
        path: &str,
    ) {
        let before = self.diagnostics.len();
        let value = match self.sources.get(id) {
            Some(source) if is_json => {
                evaluate_json_constant(&attribute.value, source, &mut self.diagnostics)
            }
            _ => evaluate_constant(&attribute.value, &mut self.diagnostics),
        };
        if self.diagnostics.len() > before {
            return;
        }
        if !self.takes_undeclared && !self.module.variables.contains_key(&name) {
            self.undeclared_in_files.push((name, path.to_owned()));
            return;
        }
        let origin = VariableOrigin::File(attribute.value.span);
        self.values.insert(name, RawVariable { value, origin });
    }

    /// `-var NAME=VALUE`
    fn option(&mut self, given: &str) {
        let Some((name, text)) = given.split_once('=') else {
            let detail = format!(
                "The given -var option {given:?} is not correctly specified. Must be a variable name and value separated by an equals sign, like -var=\"key=value\"."
            );
            return self.problem("invalid-var-option", "Invalid -var option", detail);
        };
        if name.ends_with(' ') {
            let trimmed = name.trim_end();
            let detail = format!(
                "Variable name {name:?} is invalid due to trailing space. Did you mean -var=\"{trimmed}={}\"?",
                text.trim_start()
            );
            return self.problem("invalid-var-option", "Invalid -var option", detail);
        }
        if !self.module.variables.contains_key(name) {
            let detail = format!(
                "A variable named {name:?} was assigned on the command line, but the root module does not declare a variable of that name. To use this value, add a \"variable\" block to the configuration."
            );
            return self.problem(
                "undeclared-variable",
                "Value for undeclared variable",
                detail,
            );
        }
        self.text(name, text, VariableOrigin::Option);
    }

    /// A value that is one already. Who provides it has made sure that there is such a variable.
    fn provided(&mut self, name: &str, value: &Value) {
        if let Some(variable) = self.module.variables.get(name) {
            let raw = RawVariable {
                value: value.clone(),
                origin: VariableOrigin::Provided,
            };
            self.values.insert(variable.name.clone(), raw);
        }
    }

    /// A value given as text: an expression where the variable's type is not primitive.
    fn text(&mut self, name: &str, text: &str, origin: VariableOrigin) {
        let Some(variable) = self.module.variables.get(name) else {
            return;
        };
        let value = if variable.complex {
            let id = self
                .sources
                .add(SourceFile::new(format!("<value for var.{name}>"), text));
            let (expression, diagnostics) = terrace_syntax::parse_expression(id, text);
            let before = self.diagnostics.len();
            self.diagnostics.append(diagnostics);
            if self.diagnostics.len() > before {
                return self.mark_given(variable, origin);
            }
            let value = evaluate_constant(&expression, &mut self.diagnostics);
            if self.diagnostics.len() > before {
                return self.mark_given(variable, origin);
            }
            value
        } else {
            Value::string(text)
        };
        self.values
            .insert(variable.name.clone(), RawVariable { value, origin });
    }

    /// A value that could not be read has been reported: the variable is not missing too.
    fn mark_given(&mut self, variable: &Variable, origin: VariableOrigin) {
        let value = Value::unknown(variable.ty.without_optional());
        self.values
            .insert(variable.name.clone(), RawVariable { value, origin });
    }

    fn undeclared(&mut self) {
        const SHOWN: usize = 2;
        let undeclared = std::mem::take(&mut self.undeclared_in_files);
        for (name, path) in undeclared.iter().take(SHOWN) {
            self.diagnostics.push(Diagnostic::warning(
                "undeclared-variable",
                "Value for undeclared variable",
                format!(
                    "The root module does not declare a variable named \"{name}\" but a value was found in file \"{path}\". If you meant to use this value, add a \"variable\" block to the configuration.\n\nTo silence these warnings, use TF_VAR_... environment variables to provide certain \"global\" settings to all configurations in your organization. To reduce the verbosity of these warnings, use the -compact-warnings option."
                ),
            ));
        }
        if undeclared.len() > SHOWN {
            self.diagnostics.push(Diagnostic::warning(
                "undeclared-variable",
                "Values for undeclared variables",
                format!(
                    "In addition to the other similar warnings shown, {} other variable(s) defined without being declared.",
                    undeclared.len() - SHOWN
                ),
            ));
        }
    }

    fn missing(&mut self) {
        for variable in self.module.variables.values() {
            if self.values.contains_key(&variable.name) {
                continue;
            }
            match &variable.default {
                Some(default) => {
                    let raw = RawVariable { value: default.clone(), origin: VariableOrigin::Default };
                    self.values.insert(variable.name.clone(), raw);
                }
                None => self.diagnostics.push(
                    Diagnostic::error(
                        "missing-variable",
                        "No value for required variable",
                        format!(
                            "The root module input variable \"{}\" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
                            variable.name
                        ),
                    )
                    .at(variable.span),
                ),
            }
        }
    }
}

/// The error of a variables file that declares variables.
fn declaration_in(body: &Body, path: &str) -> Option<Diagnostic> {
    let BodyKind::Native(items) = &body.kind else {
        return None;
    };
    let block = items.iter().find_map(|item| match item {
        Item::Block(block) if &*block.type_name.name == "variable" && block.labels.len() == 1 => {
            Some(block)
        }
        _ => None,
    })?;
    let name = &block.labels.first()?.text;
    Some(
        Diagnostic::error(
            "declaration-in-variables-file",
            "Variable declaration in .tfvars file",
            format!(
                "A .tfvars file is used to assign values to variables that have already been declared in .tf files, not to declare new variables. To declare variable \"{name}\", place this block in one of your .tf files, such as variables.tf.\n\nTo set a value for this variable in {path}, use the definition syntax instead:\n    {name} = <value>"
            ),
        )
        .at(block.type_name.span),
    )
}

impl Variable {
    /// `value` as a value of this variable: with defaults of optional attributes, converted to its type. Where null
    /// is no value of it, null means its default.
    pub fn convert(&self, value: &Value) -> Result<Value, ConversionError> {
        let applied = match &self.type_defaults {
            Some(defaults) => defaults.apply(value),
            None => value.clone(),
        };
        let converted = convert(&applied, &self.ty)?;
        match &self.default {
            Some(default) if converted.is_null() && !self.nullable => Ok(default.clone()),
            _ => Ok(converted),
        }
    }
}

/// The value of a root module's variable, converted to its type; without marks.
pub fn convert_raw(
    variable: &Variable,
    raw: &RawVariable,
    sources: &SourceMap,
) -> Result<Value, Diagnostic> {
    match variable.convert(&raw.value) {
        Ok(value) if value.is_null() && !variable.nullable => {
            Err(required_not_set(variable, raw, sources))
        }
        Ok(value) => Ok(value),
        Err(error) => Err(unsuitable(variable, raw, &error, sources)),
    }
}

fn required_not_set(variable: &Variable, raw: &RawVariable, sources: &SourceMap) -> Diagnostic {
    let name = &variable.name;
    let reason = "required variable may not be set to null.";
    let detail = match &raw.origin {
        VariableOrigin::Environment => {
            format!(
                "Unsuitable value for var.{name} set using the TF_VAR_{name} environment variable: {reason}"
            )
        }
        VariableOrigin::Option => {
            format!("Unsuitable value for var.{name} set using -var=\"{name}=...\": {reason}")
        }
        VariableOrigin::Provided => {
            format!("Unsuitable value for var.{name}, which another stack provides: {reason}")
        }
        VariableOrigin::File(_) | VariableOrigin::Default => format!(
            "The given value is not suitable for var.{name} defined at {}: {reason}",
            sources.place(variable.span)
        ),
    };
    let place = match &raw.origin {
        VariableOrigin::File(span) => *span,
        _ => variable.span,
    };
    Diagnostic::error(
        "required-variable-not-set",
        "Required variable not set",
        detail,
    )
    .at(place)
}

fn unsuitable(
    variable: &Variable,
    raw: &RawVariable,
    error: &ConversionError,
    sources: &SourceMap,
) -> Diagnostic {
    let name = &variable.name;
    let reason = &error.message;
    let (detail, place) = match &raw.origin {
        VariableOrigin::Environment => (
            format!(
                "Unsuitable value for var.{name} set using the TF_VAR_{name} environment variable: {reason}."
            ),
            variable.span,
        ),
        VariableOrigin::Option => (
            format!("Unsuitable value for var.{name} set using -var=\"{name}=...\": {reason}."),
            variable.span,
        ),
        VariableOrigin::File(span) if variable.sensitive => (
            format!(
                "The given value is not suitable for var.{name}, which is sensitive: {reason}. Invalid value defined at {}.",
                sources.place(*span)
            ),
            variable.span,
        ),
        VariableOrigin::File(span) => (
            format!(
                "The given value is not suitable for var.{name} declared at {}: {reason}.",
                sources.place(variable.span)
            ),
            *span,
        ),
        VariableOrigin::Provided => (
            format!("Unsuitable value for var.{name}, which another stack provides: {reason}."),
            variable.span,
        ),
        VariableOrigin::Default => (
            format!("The default value is not suitable for var.{name}: {reason}."),
            variable.span,
        ),
    };
    Diagnostic::error(
        "invalid-variable-value",
        "Invalid value for input variable",
        detail,
    )
    .at(place)
}
