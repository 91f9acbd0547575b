//! Variables, locals, outputs, and module calls as values.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{AbsNamed, InstanceKey, ModuleInstance, Name};
use terrace_config::{ForEachOrCount, ModuleCall, ModuleNode, Output, Variable};
use terrace_diag::{Diagnostic, Span};
use terrace_syntax::Traversal;
use terrace_value::convert::ConversionError;
use terrace_value::{Marks, Text, Type, Value};

use crate::memo::{Found, NamedKind};
use crate::{Dependency, Evaluated, Evaluator, Expansion, RepetitionData, Scope, Values};

impl Evaluator {
    /// The value of a variable, by the call's input (or what was given, in the root) and its declaration. Its
    /// validation rules are not judged here.
    pub fn variable(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        (*self.named(NamedKind::Variable, address, values)).clone()
    }

    /// The value of a local.
    pub fn local(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        (*self.named(NamedKind::Local, address, values)).clone()
    }

    /// The value of an output with its marks. Undeclared sensitive or ephemeral values are errors. Its preconditions
    /// are not judged here.
    pub fn output(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        (*self.named(NamedKind::Output, address, values)).clone()
    }

    /// All outputs of a call as one value: an object, or a tuple or object of such objects where the call repeats.
    pub fn call_value(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        (*self.named(NamedKind::Call, address, values)).clone()
    }

    /// What a variable, local, output or whole module call read, once it has been evaluated; also the `depends_on` of
    /// an output. Nothing for resources.
    pub fn dependencies_of(&self, named: &Dependency) -> BTreeSet<Dependency> {
        let (kind, address) = match named {
            Dependency::Variable(address) => (NamedKind::Variable, address),
            Dependency::Local(address) => (NamedKind::Local, address),
            Dependency::Output(address) => (NamedKind::Output, address),
            Dependency::Call(address) => (NamedKind::Call, address),
            Dependency::Instance(_) | Dependency::Resource(_) => return BTreeSet::new(),
        };
        self.memo
            .done(kind, address)
            .map(|done| done.dependencies.clone())
            .unwrap_or_default()
    }

    /// A named value, evaluated once.
    pub(crate) fn named(
        &self,
        kind: NamedKind,
        address: &AbsNamed,
        values: &dyn Values,
    ) -> Arc<Evaluated> {
        match self.memo.start(kind, address) {
            Found::Done(done) => done,
            // The configuration's graph tells of it.
            Found::Cycle => Arc::new(Evaluated::of(Value::dynamic())),
            Found::Absent => {
                let evaluated = stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, || match kind {
                    NamedKind::Variable => self.evaluate_variable(address, values),
                    NamedKind::Local => self.evaluate_local(address, values),
                    NamedKind::Output => self.evaluate_output(address, values),
                    NamedKind::Call => self.evaluate_call(address, values),
                });
                // While applying, what is not known yet may be known to the next reader.
                if self.inputs.applying && !evaluated.value.is_wholly_known() {
                    self.memo.drop_running(kind, address);
                    return Arc::new(evaluated);
                }
                self.memo.finish(kind, address, evaluated)
            }
        }
    }

    fn evaluate_local(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        let local = self
            .node(&address.module)
            .and_then(|node| node.module.locals.get(&address.name));
        match local {
            Some(local) => {
                self.expression(&local.value, &Scope::module(address.module.clone()), values)
            }
            None => Evaluated::of(Value::dynamic()),
        }
    }

    // ---- variables

    fn evaluate_variable(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        let declared = self
            .node(&address.module)
            .and_then(|node| node.module.variables.get(&address.name));
        let Some(variable) = declared else {
            return Evaluated::of(Value::dynamic());
        };
        if self.validating {
            return Evaluated::of(marked(
                Value::unknown(variable.ty.without_optional()),
                variable,
            ));
        }
        match address.module.parent() {
            None => self.root_variable(variable),
            Some((parent, step)) => {
                let (parent, key) = (parent, step.key.clone());
                self.called_variable(
                    address,
                    variable,
                    (&parent, &step.name, key.as_ref()),
                    values,
                )
            }
        }
    }

    fn root_variable(&self, variable: &Variable) -> Evaluated {
        let mut evaluated = Evaluated::of(Value::unknown(variable.ty.without_optional()));
        match (self.inputs.variables.get(&variable.name), &variable.default) {
            (Some(given), _) => match converted_input(variable, given) {
                Ok(value) => evaluated.value = value,
                Err(refused) => evaluated.diagnostics.push(refused.of_root(variable)),
            },
            (None, Some(default)) => evaluated.value = default.clone(),
            (None, None) => evaluated.diagnostics.push(
                Diagnostic::error(
                    "missing-variable",
                    "No value for required variable",
                    format!(
                        "The root module input variable {:?} is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
                        variable.name
                    ),
                )
                .at(variable.span),
            ),
        }
        evaluated.value = marked(evaluated.value, variable);
        evaluated
    }

    fn called_variable(
        &self,
        address: &AbsNamed,
        variable: &Variable,
        (parent, call_name, key): (&ModuleInstance, &Name, Option<&InstanceKey>),
        values: &dyn Values,
    ) -> Evaluated {
        let unknown = || marked(Value::unknown(variable.ty.without_optional()), variable);
        let call = self
            .node(parent)
            .and_then(|node| node.module.calls.get(call_name));
        let Some(call) = call else {
            return Evaluated::of(unknown());
        };
        let Some(input) = call.inputs.get(&variable.name) else {
            // That a required input is missing is told where the configuration is checked.
            return Evaluated::of(
                variable
                    .default
                    .clone()
                    .map_or_else(unknown, |default| marked(default, variable)),
            );
        };
        let repetition = match values.call_expansion(parent, call_name) {
            Some(Expansion::Unknown) | None => RepetitionData::unknown(&call.repetition),
            Some(expansion) => expansion.repetition(key),
        };
        let scope = Scope::instance(parent.clone(), repetition);
        let mut evaluated = self.expression(input, &scope, values);
        if evaluated.diagnostics.has_errors() {
            evaluated.value = unknown();
            return evaluated;
        }
        if let Some(problem) = undeclared_ephemeral(variable, &evaluated.value) {
            evaluated.diagnostics.push(problem.at(input.span));
            evaluated.value = unknown();
            return evaluated;
        }
        match converted_input(variable, &evaluated.value) {
            Ok(value) => evaluated.value = marked(value, variable),
            Err(refused) => {
                let declared = self.inputs.config.sources.place(variable.span);
                evaluated
                    .diagnostics
                    .push(refused.of_call(address, &declared, input.span));
                evaluated.value = unknown();
            }
        }
        evaluated
    }

    // ---- outputs

    fn evaluate_output(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        let node = self.node(&address.module);
        let Some((node, output)) =
            node.and_then(|node| Some((node, node.module.outputs.get(&address.name)?)))
        else {
            return Evaluated::of(Value::dynamic());
        };
        let mut evaluated = self.expression(
            &output.value,
            &Scope::module(address.module.clone()),
            values,
        );
        evaluated
            .dependencies
            .extend(self.named_by(&address.module, &output.depends_on));
        if !evaluated.diagnostics.has_errors() {
            if let Some(problem) = output_problem(output, node, &evaluated.value) {
                evaluated.diagnostics.push(problem);
            }
        }
        if evaluated.diagnostics.has_errors() {
            evaluated.value = Value::dynamic();
        }
        evaluated.value = output_marked(evaluated.value, output);
        evaluated
    }

    fn evaluate_call(&self, address: &AbsNamed, values: &dyn Values) -> Evaluated {
        let node = self.node(&address.module);
        let found = node.and_then(|node| {
            Some((
                node.module.calls.get(&address.name)?,
                node.children.get(&address.name)?,
            ))
        });
        let Some((call, child)) = found else {
            return Evaluated::of(Value::dynamic());
        };
        let mut evaluated = Evaluated::of(Value::dynamic());
        if self.validating {
            // What a module gives is judged where it is declared; which names it gives is known.
            evaluated.value = declared_outputs(call, child);
            return evaluated;
        }
        let expansion = values.call_expansion(&address.module, &address.name);
        evaluated.value = match (expansion, &call.repetition) {
            (Some(Expansion::Single), _) | (None, ForEachOrCount::Single) => {
                self.outputs_of(address, child, None, values, &mut evaluated.dependencies)
            }
            (Some(Expansion::Count(count)), _) => Value::tuple(
                (0..count)
                    .map(|index| {
                        let key = Some(InstanceKey::Int(index));
                        self.outputs_of(address, child, key, values, &mut evaluated.dependencies)
                    })
                    .collect::<Vec<_>>(),
            ),
            (Some(Expansion::ForEach(entries)), _) => {
                let mut objects: BTreeMap<Text, Value> = BTreeMap::new();
                for (key, _) in entries.iter() {
                    let instance = Some(InstanceKey::String(key.clone()));
                    let object = self.outputs_of(
                        address,
                        child,
                        instance,
                        values,
                        &mut evaluated.dependencies,
                    );
                    objects.insert(key.clone(), object);
                }
                Value::object(objects)
            }
            (Some(Expansion::Disabled), _) => Value::null(Type::Dynamic),
            (Some(Expansion::Unknown) | None, _) => unknown_call(call, child),
        };
        evaluated
    }

    fn outputs_of(
        &self,
        call: &AbsNamed,
        child: &ModuleNode,
        key: Option<InstanceKey>,
        values: &dyn Values,
        dependencies: &mut BTreeSet<Dependency>,
    ) -> Value {
        let module = call.module.child(call.name.clone(), key);
        Value::object(child.module.outputs.keys().map(|name| {
            let address = AbsNamed::new(module.clone(), name.clone());
            let value = self
                .named(NamedKind::Output, &address, values)
                .value
                .clone();
            dependencies.insert(Dependency::Output(address));
            (name.clone(), value)
        }))
    }

    /// What a list of references in a module instance names.
    pub(crate) fn named_by(
        &self,
        module: &ModuleInstance,
        references: &[Traversal],
    ) -> BTreeSet<Dependency> {
        references
            .iter()
            .filter_map(|traversal| self.dependency_of(module, traversal))
            .collect()
    }
}

/// What is known of a call's value before anything is evaluated: the names of its outputs.
fn declared_outputs(call: &ModuleCall, child: &ModuleNode) -> Value {
    let names = child.module.outputs.keys().cloned();
    let object = || Type::object(names.clone().map(|name| (name, Type::Dynamic)));
    match call.repetition {
        ForEachOrCount::Single => Value::object(names.clone().map(|name| (name, Value::dynamic()))),
        ForEachOrCount::Count(_) => Value::unknown(Type::list(object())),
        ForEachOrCount::ForEach(_) => Value::unknown(Type::map(object())),
        ForEachOrCount::Enabled(_) => Value::dynamic(),
    }
}

/// A call's value as far as it is known without its expansion.
fn unknown_call(call: &ModuleCall, child: &ModuleNode) -> Value {
    let object = Type::object(
        child
            .module
            .outputs
            .keys()
            .map(|name| (name.clone(), Type::Dynamic)),
    );
    match call.repetition {
        ForEachOrCount::Single | ForEachOrCount::Enabled(_) => Value::unknown(object),
        ForEachOrCount::Count(_) => Value::unknown(Type::list(object)),
        ForEachOrCount::ForEach(_) => Value::unknown(Type::map(object)),
    }
}

fn marked(value: Value, variable: &Variable) -> Value {
    let sensitive = if variable.sensitive {
        Marks::SENSITIVE
    } else {
        Marks::NONE
    };
    let ephemeral = if variable.ephemeral {
        Marks::EPHEMERAL
    } else {
        Marks::NONE
    };
    value.with_marks(sensitive | ephemeral)
}

fn output_marked(value: Value, output: &Output) -> Value {
    let sensitive = if output.sensitive {
        Marks::SENSITIVE
    } else {
        Marks::NONE
    };
    let ephemeral = if output.ephemeral {
        Marks::EPHEMERAL
    } else {
        Marks::NONE
    };
    value.with_marks(sensitive | ephemeral)
}

/// The error of an ephemeral value for a variable that is not declared to take one.
pub(crate) fn undeclared_ephemeral(variable: &Variable, value: &Value) -> Option<Diagnostic> {
    (!variable.ephemeral && value.has_marks_deep(Marks::EPHEMERAL)).then(|| {
        Diagnostic::error(
            "ephemeral-not-allowed",
            "Ephemeral value not allowed",
            "This input variable is not declared as accepting a ephemeral values, so it cannot be set to a result derived from an ephemeral value.",
        )
    })
}

fn output_problem(output: &Output, node: &ModuleNode, value: &Value) -> Option<Diagnostic> {
    if !output.ephemeral && value.has_marks_deep(Marks::EPHEMERAL) {
        return Some(
            Diagnostic::error(
                "ephemeral-not-allowed",
                "Ephemeral value not allowed",
                "This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived from an ephemeral value.",
            )
            .at(output.value.span),
        );
    }
    // What is within a value does not count, as in the reference. The root module may have no such outputs at all.
    let is_plain = value.is_known() && !value.marks().contains(Marks::EPHEMERAL);
    if output.ephemeral && is_plain && !node.path.is_root() {
        return Some(
            Diagnostic::error(
                "not-ephemeral",
                "Value not allowed in ephemeral output",
                "This output value is declared as returning an ephemeral value, so it can only be set to an ephemeral value.",
            )
            .at(output.value.span),
        );
    }
    if node.path.is_root() && !output.sensitive && value.has_marks_deep(Marks::SENSITIVE) {
        return Some(
            Diagnostic::error(
                "sensitive-output",
                "Output refers to sensitive values",
                "To reduce the risk of accidentally exporting sensitive data that was intended to be only internal, Terrace requires that any root module output containing sensitive data be explicitly marked as sensitive, to confirm your intent.\n\nIf you do intend to export this data, annotate the output value as sensitive by adding the following argument:\n    sensitive = true",
            )
            .at(output.span),
        );
    }
    None
}

/// Why a value cannot be that of a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum InputRefused {
    /// It does not convert to the variable's type.
    Conversion(ConversionError),
    /// It is null, and the variable may not be.
    Null,
}

impl InputRefused {
    fn words(&self) -> String {
        match self {
            Self::Conversion(error) => error.message.clone(),
            Self::Null => "required variable may not be set to null".into(),
        }
    }

    const fn summary(&self) -> (&'static str, &'static str) {
        match self {
            Self::Conversion(_) => ("invalid-input", "Invalid value for input variable"),
            Self::Null => ("null-input", "Required variable not set"),
        }
    }

    /// For a variable of the root module; `source` says how it was set, such as `using -var="x=..."`.
    pub fn told(&self, variable: &Variable, source: &str) -> Diagnostic {
        let (id, summary) = self.summary();
        Diagnostic::error(
            id,
            summary,
            format!(
                "Unsuitable value for var.{} set {source}: {}.",
                variable.name,
                self.words()
            ),
        )
        .at(variable.span)
    }

    fn of_root(&self, variable: &Variable) -> Diagnostic {
        self.told(variable, "from outside of the configuration")
    }

    pub(crate) fn of_call(&self, address: &AbsNamed, declared: &str, at: Span) -> Diagnostic {
        let what = format!("{}.var.{}", address.module, address.name);
        self.told_at(&what, declared, at)
    }

    /// For the variable `what`, whose block is at the place `declared`, where the value is given at `at`.
    pub fn told_at(&self, what: &str, declared: &str, at: Span) -> Diagnostic {
        let (id, summary) = self.summary();
        let said = match self {
            Self::Conversion(_) => "declared",
            Self::Null => "defined",
        };
        Diagnostic::error(
            id,
            summary,
            format!(
                "The given value is not suitable for {what} {said} at {declared}: {}.",
                self.words()
            ),
        )
        .at(at)
    }
}

/// What a variable's value is when it is given `value`: defaults of optional attributes are filled in, it is converted to
/// the type, and null becomes the default where null is not allowed. Marks are kept and none is added.
pub fn converted_input(variable: &Variable, value: &Value) -> Result<Value, InputRefused> {
    let converted = variable.convert(value).map_err(InputRefused::Conversion)?;
    if converted.is_null() && !variable.nullable {
        Err(InputRefused::Null)
    } else {
        Ok(converted)
    }
}
