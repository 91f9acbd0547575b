//! What a run works with: its module with the file's providers, and the values of its variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{ModuleInstance, Name};
use terrace_config::{Config, references};
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap, Span, nearest};
use terrace_eval::{Evaluator, Inputs, NoValues, Paths, Schemas, Scope, converted_input};
use terrace_functions::FunctionTable;
use terrace_port::Files;
use terrace_syntax::{Expr, Traversal};
use terrace_value::Value;

use super::{Execution, Failed, lock, named};
use crate::configuration::{Assembly, Cast, Tested};
use crate::suite::{Assigned, MockBlock, RunBlock, TestFile};

/// What mocks answer, by the directory that they name, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Mocks {
    pub(super) by_directory: BTreeMap<String, MockBlock>,
    pub(super) problems: Diagnostics,
    pub(super) sources: SourceMap,
}

/// Reads what mocks have their answers from.
pub(super) fn mocks(files: &dyn Files, file: &TestFile) -> Mocks {
    let mut mocks = Mocks::default();
    let named = file
        .providers
        .iter()
        .filter_map(|provider| provider.mock.as_ref()?.source.as_ref());
    for (directory, _) in named {
        if mocks.by_directory.contains_key(directory) {
            continue;
        }
        let found = mocks.read(files, directory);
        mocks.by_directory.insert(directory.clone(), found);
    }
    mocks
}

impl Mocks {
    fn read(&mut self, files: &dyn Files, directory: &str) -> MockBlock {
        let mut all = MockBlock::default();
        let entries = match files.list(directory) {
            Ok(entries) => entries,
            Err(error) => {
                let detail = format!(
                    "The directory {directory}, in which a mock provider has its answers, cannot be read: {error}."
                );
                let problem =
                    Diagnostic::error("unreadable-mocks", "Mock provider's source missing", detail);
                self.problems.push(problem);
                return all;
            }
        };
        let is_mock = |name: &str| name.ends_with(".tfmock.hcl") || name.ends_with(".tfmock.json");
        for entry in entries.iter().filter(|entry| is_mock(&entry.name)) {
            let path = terrace_config::join_path(directory, &entry.name);
            let bytes = match files.read(&path) {
                Ok(bytes) => bytes,
                Err(error) => {
                    let detail = format!("{path} cannot be read: {error}.");
                    let problem =
                        Diagnostic::error("unreadable-file", "Failed to read file", detail);
                    self.problems.push(problem);
                    continue;
                }
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let id = self.sources.add(SourceFile::new(path, text));
            let (found, problems) = crate::parse_mocks(id, &self.sources);
            self.problems.append(problems);
            all.resources.extend(found.resources);
            all.data_sources.extend(found.data_sources);
            all.overrides.extend(found.overrides);
        }
        all
    }
}

/// What a run works with, and what is destroyed with at the end.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) config: Arc<Config>,
    pub(crate) cast: Cast,
    /// Values of the module's variables, and whether somebody gave them.
    pub(crate) variables: BTreeMap<Name, (Value, bool)>,
    /// Values of variables that the module has not got, which assertions may read.
    pub(crate) surplus: BTreeMap<Name, Value>,
    /// Where the file or the run gives a variable its value.
    pub(crate) places: BTreeMap<Name, Span>,
    /// `run` as expressions see it.
    pub(crate) outputs: Value,
    /// The run as it stands in the sources of `config`.
    pub(crate) run: RunBlock,
    /// Warnings.
    pub(crate) warnings: Diagnostics,
}

/// A run read again, so that what is said of it points into the same texts as what is said of the configuration.
struct Reread {
    config: Arc<Config>,
    file: TestFile,
    run: RunBlock,
}

impl Execution<'_> {
    pub(super) fn prepare(&self, run: &RunBlock) -> Result<Prepared, Failed> {
        if self.mocks.problems.has_errors() {
            return Err(Failed {
                diagnostics: self.mocks.problems.clone(),
                sources: self.mocks.sources.clone(),
            });
        }
        let module = self.module(run)?;
        let read = self.reread((*module).clone(), run);
        let fail = |diagnostics| Failed {
            diagnostics,
            sources: read.config.sources.clone(),
        };
        let given = self.given(&read).map_err(fail)?;
        let outputs = Value::object(lock(&self.outputs).clone());
        let names = BTreeMap::from([
            (Name::from("var"), Value::object(given.clone())),
            (Name::from("run"), outputs.clone()),
        ]);
        let tested = Assembly {
            config: &module,
            file: &read.file,
            run: &read.run,
            sources: &read.config.sources,
            names: &names,
            mocks: &self.mocks.by_directory,
        }
        .assemble()
        .map_err(fail)?;
        let Tested { config, cast } = tested;
        let read = self.reread(config, run);
        let places = places(&read);
        let variables = assigned(&read, &given, &places).map_err(|diagnostics| Failed {
            diagnostics,
            sources: read.config.sources.clone(),
        })?;
        let declared = &read.config.root.module.variables;
        let surplus = given
            .into_iter()
            .filter(|(name, _)| !declared.contains_key(name))
            .collect();
        Ok(Prepared {
            warnings: undeclared(&read),
            config: read.config,
            cast,
            variables,
            surplus,
            places,
            outputs,
            run: read.run,
        })
    }

    /// The module that a run tests.
    fn module(&self, run: &RunBlock) -> Result<Arc<Config>, Failed> {
        let mut sources = SourceMap::new();
        let text = SourceFile::new(self.file.path.clone(), Arc::clone(self.text));
        let (file, _) = crate::parse(sources.add(text), &sources);
        let run = file.run(&run.name).unwrap_or(run);
        self.workshop.configuration(&file, run, &sources)
    }

    fn reread(&self, mut config: Config, run: &RunBlock) -> Reread {
        let id = config.sources.add(SourceFile::new(
            self.file.path.clone(),
            Arc::clone(self.text),
        ));
        // What is wrong with it was told when it was first read.
        let (file, _) = crate::parse(id, &config.sources);
        let run = file.run(&run.name).unwrap_or(run).clone();
        Reread {
            config: Arc::new(config),
            file,
            run,
        }
    }

    /// The variables that are given values: by the run before by the file, by the file before from outside.
    fn given(&self, read: &Reread) -> Result<BTreeMap<Name, Value>, Diagnostics> {
        let mut given = self.workshop.variables(self.file).clone();
        let mut diagnostics = Diagnostics::new();
        let evaluator = self.bare_evaluator(&read.config);
        let mut assign = |assigned: &[Assigned], within_run: bool| {
            let mut scope = Scope::module(ModuleInstance::root());
            scope
                .variables
                .insert("var".into(), Value::object(given.clone()));
            if within_run {
                let outputs = Value::object(lock(&self.outputs).clone());
                scope.variables.insert("run".into(), outputs);
            }
            for one in assigned {
                let problems = self.reference_problems(&one.value, &given, within_run);
                if problems.has_errors() {
                    diagnostics.append(problems);
                    continue;
                }
                let evaluated = evaluator.expression(&one.value, &scope, &NoValues);
                diagnostics.append(evaluated.diagnostics);
                given.insert(one.name.clone(), evaluated.value);
            }
        };
        let of_file: Vec<Assigned> = read
            .file
            .variables
            .iter()
            .filter(|assigned| is_needed(&assigned.name, &read.run))
            .cloned()
            .collect();
        assign(&of_file, false);
        assign(&read.run.variables, true);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        Ok(given)
    }

    /// Evaluates what refers to nothing of the configuration.
    fn bare_evaluator(&self, config: &Arc<Config>) -> Evaluator {
        self.evaluator(config, Arc::new(Schemas::new()), BTreeMap::new())
    }

    pub(super) fn evaluator(
        &self,
        config: &Arc<Config>,
        schemas: Arc<Schemas>,
        variables: BTreeMap<Name, Value>,
    ) -> Evaluator {
        Evaluator::new(self.inputs(config, schemas, variables, self.workshop.context()))
    }

    pub(super) fn inputs(
        &self,
        config: &Arc<Config>,
        schemas: Arc<Schemas>,
        variables: BTreeMap<Name, Value>,
        context: Arc<dyn super::Reading>,
    ) -> Inputs {
        let root = config.snapshot.modules.get("").cloned();
        Inputs {
            config: Arc::clone(config),
            functions: Arc::new(FunctionTable::standard()),
            context,
            schemas,
            variables,
            workspace: "default".to_owned(),
            paths: Paths {
                cwd: self.workshop.working_directory(),
                root: root.unwrap_or_else(|| ".".to_owned()),
            },
            applying: false,
        }
    }

    /// Complains about what variables may not be given by.
    fn reference_problems(
        &self,
        expression: &Expr,
        given: &BTreeMap<Name, Value>,
        within_run: bool,
    ) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        for traversal in references(expression) {
            let problem = match &*traversal.root.name {
                "var" => unavailable_variable(traversal, given, within_run),
                "run" if within_run => self.run_problem(traversal),
                _ => Some(disallowed(traversal, within_run)),
            };
            diagnostics.extend(problem);
        }
        diagnostics
    }

    /// What is wrong with a reference to a run's outputs.
    pub(super) fn run_problem(&self, traversal: &Traversal) -> Option<Diagnostic> {
        let name = named(traversal, "run")?;
        if lock(&self.outputs).contains_key(&name) {
            return None;
        }
        let span = traversal.steps.first().map_or(traversal.root.span, |step| {
            traversal.root.span.to(step.span())
        });
        let problem = if self.file.run(&name).is_none() {
            let suggestion = nearest(&name, self.file.runs.iter().map(|run| &*run.name))
                .map(|close| format!(" Did you mean {close:?}?"));
            Diagnostic::error(
                "undeclared-run",
                "Reference to undeclared run block",
                format!(
                    "There is no run {:?} declared in this test suite.{}",
                    &*name,
                    suggestion.unwrap_or_default()
                ),
            )
        } else {
            Diagnostic::error(
                "unevaluated-run",
                "Reference to unevaluated run block",
                format!(
                    "The run {:?} block has not yet been evaluated, so its results are not available here.",
                    &*name
                ),
            )
        };
        Some(problem.at(span))
    }
}

/// Whether a run needs the file's value of a variable: unless it gives the variable another without looking at this one.
fn is_needed(name: &Name, run: &RunBlock) -> bool {
    let is_given = run.variables.iter().any(|assigned| assigned.name == *name);
    let is_read = || {
        run.variables
            .iter()
            .flat_map(|assigned| references(&assigned.value))
            .any(|traversal| named(traversal, "var").as_ref() == Some(name))
    };
    !is_given || is_read()
}

fn unavailable_variable(
    traversal: &Traversal,
    given: &BTreeMap<Name, Value>,
    within_run: bool,
) -> Option<Diagnostic> {
    let name = named(traversal, "var")?;
    if given.contains_key(&name) {
        return None;
    }
    let detail = if within_run {
        format!(
            "The input variable {:?} is not available to the current run block. You can only reference variables defined at the file or global levels.",
            &*name
        )
    } else {
        format!(
            "The input variable {:?} is not available to the current context. You can only reference global variables.",
            &*name
        )
    };
    let span = traversal.steps.first().map_or(traversal.root.span, |step| {
        traversal.root.span.to(step.span())
    });
    Some(
        Diagnostic::error(
            "unavailable-variable",
            "Reference to unavailable variable",
            detail,
        )
        .at(span),
    )
}

fn disallowed(traversal: &Traversal, within_run: bool) -> Diagnostic {
    let detail = if within_run {
        "You can only reference earlier run blocks, file level, and global variables while defining variables from inside a run block."
    } else {
        "You can only reference global variables while defining variables at the file level."
    };
    Diagnostic::error("invalid-test-reference", "Invalid reference", detail).at(traversal
        .steps
        .last()
        .map_or(traversal.root.span, |step| {
            traversal.root.span.to(step.span())
        }))
}

/// Where the file or the run gives variables their values.
fn places(read: &Reread) -> BTreeMap<Name, Span> {
    let assigned = read.file.variables.iter().chain(&read.run.variables);
    assigned
        .map(|assigned| (assigned.name.clone(), assigned.value.span))
        .collect()
}

/// The values of the module's variables.
fn assigned(
    read: &Reread,
    given: &BTreeMap<Name, Value>,
    places: &BTreeMap<Name, Span>,
) -> Result<BTreeMap<Name, (Value, bool)>, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut values = BTreeMap::new();
    for (name, variable) in &read.config.root.module.variables {
        match (given.get(name), &variable.default) {
            (Some(value), _) => {
                if let Err(refused) = converted_input(variable, value) {
                    diagnostics.push(match places.get(name) {
                        Some(place) => {
                            let declared = read.config.sources.place(variable.span);
                            refused.told_at(&format!("var.{name}"), &declared, *place)
                        }
                        None => refused.told(variable, "for all tests"),
                    });
                }
                values.insert(name.clone(), (value.clone(), true));
            }
            (None, Some(default)) => {
                values.insert(name.clone(), (default.clone(), false));
            }
            (None, None) => {
                let detail = format!(
                    "The module under test for run block {:?} has a required variable {:?} with no set value. Use a -var or -var-file command line argument or add this variable into a \"variables\" block within the test file or run block.",
                    &*read.run.name, &**name
                );
                let problem =
                    Diagnostic::error("missing-variable", "No value for required variable", detail);
                diagnostics.push(problem.at(variable.span));
            }
        }
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    Ok(values)
}

/// Warns of values for variables that the module has not got and no assertion reads.
fn undeclared(read: &Reread) -> Diagnostics {
    let declared = &read.config.root.module.variables;
    let is_read = |name: &Name| {
        let rules = read.run.assertions.iter();
        rules
            .flat_map(|rule| [&rule.condition, &rule.error_message])
            .flat_map(references)
            .any(|traversal| named(traversal, "var").as_ref() == Some(name))
    };
    let surplus = read
        .run
        .variables
        .iter()
        .filter(|assigned| !declared.contains_key(&assigned.name) && !is_read(&assigned.name));
    let mut warnings = Diagnostics::new();
    for assigned in surplus {
        let detail = format!(
            "The module under test does not declare a variable named {:?}, but it is declared in run block {:?}.",
            &*assigned.name, &*read.run.name
        );
        warnings.push(
            Diagnostic::warning(
                "undeclared-variable-value",
                "Value for undeclared variable",
                detail,
            )
            .at(assigned.value.span),
        );
    }
    warnings
}
