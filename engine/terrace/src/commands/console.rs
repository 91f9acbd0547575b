//! `terrace console`: expressions over the present state, or over the state that a plan would lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{
    AbsNamed, AbsResourceInstance, ModuleInstance, Name, ProviderAddr, ResourceMode,
};
use terrace_config::Config;
use terrace_config::variables::{self, VariableInputs, VariableOption};
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceMap};
use terrace_eval::{ConfigNode, Evaluator, Inputs, Paths, Schemas, Scope};
use terrace_functions::FunctionTable;
use terrace_planner::KnownValues;
use terrace_port::{Files as _, ProviderSource as _, ResourceState};
use terrace_state::{Object, State};
use terrace_syntax::token::{TokenKind, tokenize};
use terrace_syntax::{Call, ExprKind};
use terrace_value::Value;

use crate::args::{ConsoleArgs, PlanOptions, VariableArgument};
use crate::command_error::{CommandError, FAILURE, Outcome, SUCCESS};
use crate::credentials;
use crate::outside::{ConsoleContext, Disk};
use crate::session::{Place, Session};
use crate::stacks::{self, Taken};
use crate::view::editor::{Editor, Line};
use crate::view::repl;
use crate::wiring::{
    ProviderSet, Wiring, load_config_for_backend, load_sound_config, needed_providers,
    provided_option,
};

const HELP: &str = "\
The Terrace console evaluates expressions of the language. Resources have the values that the state
holds, where there is one: \"aws_instance.foo.id\" is the id of \"aws_instance.foo\", if it exists.

Type an expression and press enter to see its value. An expression may go on over several lines while
a bracket is open. type(x) shows the type of x.

To leave the console, type \"exit\" and press enter, or press Control-C or Control-D.";

pub(crate) async fn run(session: &Session, args: &ConsoleArgs) -> Outcome {
    let config = load_config_for_backend(session);
    let place = session.place(args.place.env.as_deref(), config.as_deref())?;
    drop(config);
    let mut console = if args.plan {
        Console::over_plan(session, &place).await?
    } else {
        let state = match &args.state {
            Some(path) => state_file(path)?,
            None => terrace_state::load(&*place.store, &place.workspace).await?,
        };
        Console::over_state(session, &place, &state).await?
    };
    let problems = console.prepare();
    let troubled = problems.has_errors();
    session.view.diagnostics(problems, &console.sources);
    if troubled {
        let warning = Diagnostic::warning(
            "console-incomplete",
            "Due to the problems above, some expressions may produce unexpected results.",
            "",
        );
        session.view.diagnostics(warning.into(), &SourceMap::new());
    }
    let history = format!("{}/console-history", session.data_directory());
    let interactive = session.view.asks();
    let code = match interactive
        .then(|| Editor::open(console.names(), history))
        .flatten()
    {
        Some(editor) => console.converse(session, editor),
        None => console.carry_out(session),
    };
    console.providers.close().await;
    Ok(code)
}

fn state_file(path: &str) -> Result<State, CommandError> {
    let bytes = Disk.read(path).map_err(|error| {
        CommandError::one(
            "unreadable-file",
            "File cannot be read",
            format!("{path} cannot be read: {error}."),
        )
    })?;
    Ok(terrace_state::read(&bytes)?)
}

/// An evaluator over values that are known, and what is typed.
struct Console {
    evaluator: Evaluator,
    values: KnownValues,
    providers: Arc<ProviderSet>,
    sources: SourceMap,
}

impl Console {
    /// Over the objects of a state. Variables that are not given a value are unknown.
    async fn over_state(
        session: &Session,
        place: &Place,
        state: &State,
    ) -> Result<Self, CommandError> {
        let (config, diagnostics) = load_sound_config(session)?;
        session.view.diagnostics(diagnostics, &config.sources);
        let mut sources = config.sources.clone();
        // What cannot be had from other stacks is unknown, as every variable without a value is.
        let taken = stacks::take(session, place, &config)
            .await
            .unwrap_or_default();
        let variables = given_variables(session, place, &config, &mut sources, &taken)?;
        let surroundings = credentials::for_planning(session, place).await?;
        let wiring = Wiring::new(session)?.within(surroundings);
        let providers = ProviderSet::new(wiring, Some(&config));
        let schemas = providers
            .schemas(&needed_providers(&config, state))
            .await
            .map_err(|mut error| {
                error.sources = sources.clone();
                error
            })?;
        let state = upgraded(&providers, state, &schemas).await?;
        let mut values = KnownValues::of_state(providers.clone(), &config);
        values.add_state(&state, &schemas);
        let evaluator = evaluator(session, &config, Arc::new(schemas), variables, place);
        Ok(Self {
            evaluator,
            values,
            providers,
            sources,
        })
    }

    /// Over the state that a plan leads to.
    async fn over_plan(session: &Session, place: &Place) -> Result<Self, CommandError> {
        let made = super::plan::make(session, place, &plan_options()).await?;
        let work = made.work;
        let config = Arc::clone(work.evaluator.config());
        let schemas = Arc::clone(work.evaluator.schemas());
        let variables = work
            .inputs
            .variables
            .iter()
            .filter_map(|(name, input)| Some((name.clone(), input.value.clone()?)))
            .chain(work.ephemeral.clone())
            .collect();
        let providers = work.providers;
        let state = upgraded(&providers, &made.plan.prior_state, &schemas).await?;
        let mut values = KnownValues::of_run(providers.clone(), &config);
        values.add_state(&state, &schemas);
        values.add_plan(&made.plan);
        Ok(Self {
            evaluator: evaluator(session, &config, schemas, variables, place),
            values,
            providers,
            sources: work.sources,
        })
    }

    /// Finds out how module calls are expanded, and what is wrong with named values.
    fn prepare(&mut self) -> Diagnostics {
        let (graph, mut diagnostics) = self.evaluator.config_graph();
        diagnostics.append(self.evaluator.validate());
        let order = graph.dag().topological_order().unwrap_or_default();
        for node in order.iter().filter_map(|id| graph.dag().get(*id)) {
            let (ConfigNode::Call(path, name)
            | ConfigNode::Local(path, name)
            | ConfigNode::Output(path, name)) = node
            else {
                continue;
            };
            let instances = self.evaluator.module_instances(path, &self.values);
            for module in instances.unwrap_or_default() {
                let named = AbsNamed::new(module.clone(), name.clone());
                let found = match node {
                    ConfigNode::Local(..) => self.evaluator.local(&named, &self.values).diagnostics,
                    ConfigNode::Output(..) => {
                        self.evaluator.output(&named, &self.values).diagnostics
                    }
                    _ => self.values.expand_call(&self.evaluator, named),
                };
                diagnostics.append(found);
            }
        }
        diagnostics
    }

    /// What can be completed.
    fn names(&self) -> Vec<String> {
        let root = &self.evaluator.config().root.module;
        let mut names = BTreeSet::from(["type(", "exit", "help"].map(str::to_owned));
        names.extend(root.variables.keys().map(|name| format!("var.{name}")));
        names.extend(root.locals.keys().map(|name| format!("local.{name}")));
        names.extend(root.resources.keys().map(ToString::to_string));
        names.extend(["cwd", "module", "root"].map(|name| format!("path.{name}")));
        names.insert("terraform.workspace".to_owned());
        for (name, call) in &self.evaluator.config().root.children {
            names.insert(format!("module.{name}"));
            names.extend(
                call.module
                    .outputs
                    .keys()
                    .map(|output| format!("module.{name}.{output}")),
            );
        }
        names.extend(
            FunctionTable::standard()
                .iter()
                .map(|function| format!("{}(", function.name)),
        );
        names.into_iter().collect()
    }

    /// Answers line by line until someone leaves.
    fn converse(&mut self, session: &Session, mut editor: Editor) -> u8 {
        let mut begun = String::new();
        loop {
            let line = editor.line(if begun.is_empty() { "> " } else { ": " });
            match line {
                Line::End => return SUCCESS,
                Line::Interrupted if begun.is_empty() => return SUCCESS,
                Line::Interrupted => begun.clear(),
                Line::Text(line) => {
                    let Some(text) = whole_input(&mut begun, &line) else {
                        continue;
                    };
                    if !text.trim().is_empty() {
                        editor.remember(&text);
                    }
                    match self.answer(&text) {
                        Answer::Exit => return SUCCESS,
                        Answer::Text(text) => session.view.output(text),
                        Answer::Problems(problems) => {
                            session.view.diagnostics(problems, &self.sources);
                        }
                    }
                }
            }
        }
    }

    /// Answers what standard input holds: the last value is shown, the first error ends it.
    fn carry_out(&mut self, session: &Session) -> u8 {
        let mut begun = String::new();
        let mut last = None;
        let mut lines = session.view.typed_lines();
        loop {
            let line = lines.next();
            let text = match &line {
                Some(line) => whole_input(&mut begun, line),
                None if begun.is_empty() => break,
                None => Some(std::mem::take(&mut begun)),
            };
            match text.map(|text| self.answer(&text)) {
                None => {}
                Some(Answer::Exit) => return SUCCESS,
                Some(Answer::Text(text)) => last = Some(text),
                Some(Answer::Problems(problems)) => {
                    let failed = problems.has_errors();
                    session.view.diagnostics(problems, &self.sources);
                    if failed {
                        return FAILURE;
                    }
                }
            }
        }
        if let Some(text) = last {
            session.view.output(text);
        }
        SUCCESS
    }

    fn answer(&mut self, text: &str) -> Answer {
        match text.trim() {
            "" => return Answer::Text(String::new()),
            "exit" => return Answer::Exit,
            "help" => return Answer::Text(HELP.to_owned()),
            _ => {}
        }
        let id = self.sources.add(SourceFile::new("<console-input>", text));
        let (expression, diagnostics) = terrace_syntax::parse_expression(id, text);
        if diagnostics.has_errors() {
            return Answer::Problems(diagnostics);
        }
        let (evaluated, shows_type) = match &expression.kind {
            ExprKind::Call(call) if &*call.name == "type" => match type_argument(call) {
                Ok(argument) => (argument, true),
                Err(problem) => return Answer::Problems(problem.into()),
            },
            _ => (&expression, false),
        };
        let scope = Scope::module(ModuleInstance::root());
        let mut found = self.evaluator.expression(evaluated, &scope, &self.values);
        for problem in &mut found.diagnostics {
            let names_type = problem
                .subject
                .is_some_and(|span| self.sources.text(span) == "type");
            if problem.id == "unknown-function" && names_type {
                *problem = type_within(problem.subject);
            }
        }
        if found.diagnostics.has_errors() {
            return Answer::Problems(found.diagnostics);
        }
        Answer::Text(if shows_type {
            repl::type_text(&found.value.ty())
        } else {
            repl::value_text(&found.value)
        })
    }
}

/// What there is to say to an input.
enum Answer {
    Exit,
    Text(String),
    Problems(Diagnostics),
}

fn type_argument(call: &Call) -> Result<&terrace_syntax::Expr, Diagnostic> {
    match &call.args[..] {
        [argument] if !call.expand_final => Ok(argument),
        [] => Err(Diagnostic::error(
            "function-arguments",
            "Not enough function arguments",
            "Function \"type\" expects 1 argument(s). Missing value for \"value\".",
        )
        .at(call.close_span)),
        _ => Err(Diagnostic::error(
            "function-arguments",
            "Too many function arguments",
            "Function \"type\" expects only 1 argument(s).",
        )
        .at(call.args[1..]
            .first()
            .map_or(call.close_span, |extra| extra.span))),
    }
}

fn type_within(span: Option<terrace_diag::Span>) -> Diagnostic {
    Diagnostic::error(
        "console-type",
        "Invalid use of type function",
        "The console-only \"type\" function cannot be used as part of an expression.",
    )
    .at_opt(span)
}

/// Adds a line to an input that has begun. The whole of it, once nothing is open any more.
fn whole_input(begun: &mut String, line: &str) -> Option<String> {
    let (line, goes_on) = match line.strip_suffix('\\') {
        Some(line) => (line, true),
        None => (line, false),
    };
    if !begun.is_empty() {
        begun.push('\n');
    }
    begun.push_str(line);
    if goes_on || is_open(begun) {
        return None;
    }
    let mut text = std::mem::take(begun);
    if text.contains('\n') {
        // A heredoc's last line is not closed without.
        text.push('\n');
    }
    Some(text)
}

/// Whether a bracket or a heredoc is not closed yet.
fn is_open(text: &str) -> bool {
    let text = format!("{text}\n");
    let depth = |kind: TokenKind| match kind {
        TokenKind::OpenBrace
        | TokenKind::OpenBracket
        | TokenKind::OpenParen
        | TokenKind::HeredocOpen => 1,
        TokenKind::CloseBrace
        | TokenKind::CloseBracket
        | TokenKind::CloseParen
        | TokenKind::HeredocClose => -1,
        _ => 0,
    };
    let tokens = tokenize(text.as_bytes());
    tokens.iter().map(|token| depth(token.kind)).sum::<i32>() > 0
}

/// The variables that were given; those without a value are unknown.
fn given_variables(
    session: &Session,
    place: &Place,
    config: &Config,
    sources: &mut SourceMap,
    taken: &Taken,
) -> Result<BTreeMap<Name, Value>, CommandError> {
    let files = place.variable_files.iter().cloned();
    let options = session.variables.iter().map(|argument| match argument {
        VariableArgument::Assignment(text) => VariableOption::Value(text.clone()),
        VariableArgument::File(path) => VariableOption::File(path.clone()),
    });
    let inputs = VariableInputs {
        options: files
            .map(VariableOption::File)
            .chain(taken.values.iter().map(provided_option))
            .chain(options)
            .collect(),
        environment: session.environment.with_prefix("TF_VAR_"),
    };
    let root = &config.root.module;
    let (raw, found) = variables::collect(root, &inputs, &Disk, sources);
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(
        found
            .into_iter()
            .filter(|diagnostic| diagnostic.id != "missing-variable"),
    );
    let mut values = BTreeMap::new();
    for (name, variable) in &root.variables {
        let Some(raw) = raw.get(name) else {
            values.insert(name.clone(), Value::unknown(variable.ty.without_optional()));
            continue;
        };
        if let Err(problem) = variables::convert_raw(variable, raw, sources) {
            diagnostics.push(problem);
        }
        values.insert(name.clone(), raw.value.clone());
    }
    if diagnostics.has_errors() {
        return Err(CommandError::new(diagnostics, sources.clone()));
    }
    session.view.diagnostics(diagnostics, sources);
    Ok(values)
}

fn evaluator(
    session: &Session,
    config: &Arc<Config>,
    schemas: Arc<Schemas>,
    variables: BTreeMap<Name, Value>,
    place: &Place,
) -> Evaluator {
    let home = session.environment.get("HOME").map(str::to_owned);
    Evaluator::new(Inputs {
        config: Arc::clone(config),
        functions: Arc::new(FunctionTable::standard()),
        context: Arc::new(ConsoleContext::new(session.now(), home)),
        schemas,
        variables,
        workspace: place.workspace.clone(),
        paths: Paths {
            cwd: Disk.absolute("."),
            root: ".".to_owned(),
        },
        applying: false,
    })
}

/// The options of `plan` without arguments.
fn plan_options() -> PlanOptions {
    PlanOptions {
        refresh: true,
        parallelism: 10,
        ..PlanOptions::default()
    }
}

/// A state whose objects all have the form of the present schemas: those of older ones are upgraded by their providers.
async fn upgraded(
    providers: &ProviderSet,
    state: &State,
    schemas: &Schemas,
) -> Result<State, CommandError> {
    let mut present = state.clone();
    for (address, resource, instance) in state.instances() {
        let Some(object) = &instance.current else {
            continue;
        };
        let provider = &resource.provider;
        let schema = schemas.get(&provider.provider);
        let known = schema.and_then(|schema| match address.mode() {
            ResourceMode::Managed => schema.resources.get(address.type_name()),
            _ => None,
        });
        if known.is_some_and(|known| known.version != object.schema_version) {
            let object = upgraded_object(providers, &provider.provider, &address, object).await?;
            present.set_object(&address, None, provider, Some(object));
        }
    }
    Ok(present)
}

async fn upgraded_object(
    providers: &ProviderSet,
    provider: &ProviderAddr,
    address: &AbsResourceInstance,
    object: &Object,
) -> Result<Arc<Object>, CommandError> {
    let opened = providers.open(provider).await?;
    let request = ResourceState {
        type_name: address.type_name().clone(),
        schema_version: object.schema_version,
        json: object.attributes.clone(),
    };
    let reply = opened.upgrade_state(request).await?;
    let ty = reply.value.ty();
    let text = terrace_value::json::encode(&reply.value, &ty).unwrap_or_default();
    Ok(Arc::new(Object {
        attributes: text.into_bytes().into(),
        ..object.clone()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_goes_on_while_something_is_open() {
        let mut begun = String::new();
        assert_eq!(whole_input(&mut begun, "[for x in [1]:"), None);
        assert_eq!(
            whole_input(&mut begun, "x]").as_deref(),
            Some("[for x in [1]:\nx]\n")
        );
        assert_eq!(whole_input(&mut begun, "<<EOT"), None);
        assert_eq!(whole_input(&mut begun, "}"), None);
        assert_eq!(
            whole_input(&mut begun, "EOT").as_deref(),
            Some("<<EOT\n}\nEOT\n")
        );
        assert_eq!(whole_input(&mut begun, "1 + \\"), None);
        assert_eq!(whole_input(&mut begun, "2").as_deref(), Some("1 + \n2\n"));
        // What can no longer become right is not waited for.
        assert_eq!(whole_input(&mut begun, "\"[").as_deref(), Some("\"["));
        assert_eq!(whole_input(&mut begun, "]").as_deref(), Some("]"));
    }
}
