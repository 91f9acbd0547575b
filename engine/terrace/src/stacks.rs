//! What stacks of a project have to do with each other: their order, and outputs of one as variables of another.

use std::collections::{BTreeMap, BTreeSet};

use terrace_config::Config;
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_gate::{
    OUTPUTS_DETAIL, OutputsDocument, OutputsProblem, OutputsQuestion, PublishedOutput,
    PublishedOutputs, Run, Stacks, TakenInput, outputs_digest, read_outputs, save_outputs,
};
use terrace_plan::{Plan, UsedOutput};
use terrace_state::State;
use terrace_value::{Marks, Value};

use crate::args::VariableArgument;
use crate::command_error::CommandError;
use crate::outside::Disk;
use crate::session::{FoundProject, Place, Session};
use crate::visit::Visit;
use crate::wiring::load_config_for_backend;

/// What a stack takes from others in an environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// Values of variables.
    pub(crate) values: BTreeMap<String, Value>,
    /// Where they come from.
    pub(crate) used: Vec<UsedOutput>,
}

/// The stacks of a project.
pub(crate) fn find(found: &FoundProject) -> Result<Stacks, CommandError> {
    found
        .project
        .find_stacks(&found.directory.to_string_lossy(), &Disk)
        .map_err(|problems| CommandError::new(problems, found.sources()))
}

/// Whether a stack has left outputs in an environment, whatever they are.
pub(crate) async fn has_published(
    session: &Session,
    found: &FoundProject,
    path: &str,
    environment: &str,
) -> Result<bool, CommandError> {
    let place = place_of(session, found, path, environment)?;
    let store = place.store.runs(&place.workspace);
    Ok(outputs_digest(&*store).await?.is_some())
}

/// The place of another stack in an environment.
pub(crate) fn place_of(
    session: &Session,
    found: &FoundProject,
    path: &str,
    environment: &str,
) -> Result<Place, CommandError> {
    let directory = found.directory.join(path);
    let own = session.elsewhere(&directory, None);
    let _visit = Visit::to(&directory)?;
    let config = load_config_for_backend(&own);
    own.place(Some(environment), config.as_deref())
}

/// What the stack of `place` takes from others there. Values that the command line gives are not asked for.
pub(crate) async fn take(
    session: &Session,
    place: &Place,
    config: &Config,
) -> Result<Taken, CommandError> {
    let mut taken = Taken::default();
    let (Some(found), Some(environment)) = (&place.project, &place.environment) else {
        return Ok(taken);
    };
    if found.project.stack_blocks.is_empty() {
        return Ok(taken);
    }
    let stacks = find(found)?;
    let Some(stack) = stacks.at(&found.stack) else {
        return Ok(taken);
    };
    let mut reader = Reader {
        session,
        found,
        environment,
        read: BTreeMap::new(),
    };
    let mut problems = Diagnostics::new();
    for input in &stack.inputs {
        if is_given(session, &input.variable) {
            continue;
        }
        match reader.input(input, config).await? {
            Ok((value, used)) => {
                taken.values.insert(input.variable.clone(), value);
                taken.used.push(used);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.has_errors() {
        return Err(CommandError::new(problems, found.sources()));
    }
    Ok(taken)
}

/// Whether the command line gives a variable its value.
fn is_given(session: &Session, name: &str) -> bool {
    session.variables.iter().any(|argument| match argument {
        VariableArgument::Assignment(text) => text.split('=').next() == Some(name),
        VariableArgument::File(_) => false,
    })
}

/// Reads outputs documents, each once.
struct Reader<'a> {
    session: &'a Session,
    found: &'a FoundProject,
    environment: &'a str,
    read: BTreeMap<String, Result<PublishedOutputs, OutputsProblem>>,
}

impl Reader<'_> {
    async fn document(
        &mut self,
        path: &str,
    ) -> Result<&Result<PublishedOutputs, OutputsProblem>, CommandError> {
        if !self.read.contains_key(path) {
            let place = place_of(self.session, self.found, path, self.environment)?;
            let store = place.store.runs(&place.workspace);
            let rules = crate::commands::gate::rules(&place).await?;
            let question = OutputsQuestion {
                project: &self.found.project.name,
                environment: self.environment,
                stack: path,
                rules: rules.as_ref(),
            };
            let document = read_outputs(&*store, question).await?;
            self.read.insert(path.to_owned(), document);
        }
        Ok(&self.read[path])
    }

    async fn input(
        &mut self,
        input: &TakenInput,
        config: &Config,
    ) -> Result<Result<(Value, UsedOutput), Diagnostic>, CommandError> {
        let environment = self.environment.to_owned();
        let Some(variable) = config.root.module.variables.get(input.variable.as_str()) else {
            let detail = format!(
                "The project file gives this stack the input {:?}, and its root module does not declare a variable of that name. Add a \"variable\" block to the configuration, or take the input away.",
                input.variable
            );
            return Ok(Err(Diagnostic::error(
                "undeclared-variable",
                "Value for undeclared variable",
                detail,
            )));
        };
        let published = match self.document(&input.path).await? {
            Ok(published) => published,
            Err(problem) => return Ok(Err(untrusted(input, &environment, problem))),
        };
        let Some(output) = published.document.outputs.get(&input.output) else {
            return Ok(Err(no_output(input, &environment, published)));
        };
        if output.sensitive && !(input.sensitive && variable.sensitive) {
            let (what, hint) = if input.sensitive {
                (
                    "the variable that has it is not declared with `sensitive = true`",
                    "add `sensitive = true` to the variable",
                )
            } else {
                (
                    "the input does not say that it may be",
                    "add `sensitive = true` to the input in the project file, and apply that stack again",
                )
            };
            let detail = format!(
                "The output {:?} of stack {:?}, from which var.{} has its value, is sensitive, and {what}.",
                input.output, input.stack, input.variable
            );
            return Ok(Err(Diagnostic::error(
                "secret-from-stack",
                "Output is sensitive",
                detail,
            )
            .hint(hint)));
        }
        let Some(value) = &output.value else {
            let detail = format!(
                "The output {:?} of stack {:?} is sensitive. When it was applied in environment {environment:?}, nobody was to take it, so its value was not published.",
                input.output, input.stack
            );
            return Ok(Err(Diagnostic::error(
                "secret-from-stack",
                "Output is sensitive",
                detail,
            )
            .hint(apply_hint(input, &environment))));
        };
        let value = if output.sensitive {
            value.clone().with_marks(Marks::SENSITIVE)
        } else {
            value.clone()
        };
        let used = UsedOutput {
            variable: input.variable.clone(),
            stack: input.path.clone(),
            output: input.output.clone(),
            run: published.document.run.clone(),
            document: published.digest.clone(),
        };
        Ok(Ok((value, used)))
    }
}

fn apply_hint(input: &TakenInput, environment: &str) -> String {
    format!(
        "run `terrace -chdir={} apply -env={environment}` in the project's directory",
        input.path
    )
}

fn untrusted(input: &TakenInput, environment: &str, problem: &OutputsProblem) -> Diagnostic {
    let detail = format!(
        "The variable var.{} has its value from the output {:?} of stack {:?} in environment {environment:?}, and {problem}.",
        input.variable, input.output, input.stack
    );
    match problem {
        OutputsProblem::Missing => {
            Diagnostic::error("upstream-not-applied", "Stack has not been applied", detail)
                .hint(apply_hint(input, environment))
        }
        OutputsProblem::Unsigned | OutputsProblem::Unlisted(_) => {
            Diagnostic::error("outputs-not-trusted", "Outputs are not to be trusted", detail).hint(
                format!(
                    "run `terrace -chdir={} apply -env={environment} -key=FILE` with the key of a listed person",
                    input.path
                ),
            )
        }
        _ => Diagnostic::error("outputs-not-trusted", "Outputs are not to be trusted", detail).hint(
            format!(
                "`terrace -chdir={} audit verify -env={environment}` says what was changed; applying that stack again leaves new outputs",
                input.path
            ),
        ),
    }
}

fn no_output(input: &TakenInput, environment: &str, published: &PublishedOutputs) -> Diagnostic {
    let names: Vec<&str> = published
        .document
        .outputs
        .keys()
        .map(String::as_str)
        .collect();
    let there = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    let detail = format!(
        "The variable var.{} has its value from the output {:?} of stack {:?}, which that stack did not have when it was applied in environment {environment:?} (run {}). It had: {there}.",
        input.variable, input.output, input.stack, published.document.run
    );
    Diagnostic::error("output-not-there", "No such output", detail).hint(
        "correct the name in the project file, or add the output to that stack and apply it first",
    )
}

/// Refuses a plan whose values from other stacks are not those that these have now.
pub(crate) async fn check_taken(
    session: &Session,
    place: &Place,
    plan: &Plan,
) -> Result<(), CommandError> {
    let (Some(found), Some(environment)) = (&place.project, &place.environment) else {
        return Ok(());
    };
    let mut reader = Reader {
        session,
        found,
        environment,
        read: BTreeMap::new(),
    };
    let mut moved = Vec::new();
    for used in &plan.inputs.upstream {
        let why = match reader.document(&used.stack).await? {
            Err(problem) => Some(problem.to_string()),
            Ok(now) if now.digest == used.document => None,
            Ok(now) => moved_since(plan, used, now),
        };
        if let Some(why) = why {
            moved.push(format!(
                "  - var.{}, the output {:?} of stack {:?}: {why}",
                used.variable, used.output, used.stack
            ));
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    let detail = format!(
        "What the plan takes from other stacks is not what it was made with:\n{}\n\nPlan again.",
        moved.join("\n")
    );
    Err(CommandError::one(
        "stale-input",
        "Saved plan is stale",
        detail,
    ))
}

/// How an output has moved since a plan was made with it; `None` where its value is the same.
fn moved_since(plan: &Plan, used: &UsedOutput, now: &PublishedOutputs) -> Option<String> {
    let runs = format!(
        "run {} has left another since run {}",
        now.document.run, used.run
    );
    let Some(output) = now.document.outputs.get(&used.output) else {
        return Some(format!("{runs}, without it"));
    };
    let variable = plan.inputs.variables.get(used.variable.as_str())?;
    // Ephemeral values are in no plan, and are taken anew.
    let planned = variable.value.as_ref()?;
    let Some(value) = &output.value else {
        return Some(format!("{runs}, whose value is not published"));
    };
    let (planned, _) = planned.unmark_deep();
    let text = |value: &Value| terrace_value::json::encode(value, &value.ty()).ok();
    let is_same = planned.ty() == value.ty() && text(&planned) == text(value);
    (!is_same).then_some(runs)
}

/// Leaves an outputs document for other stacks after an apply. Gives what the audit log is to tell: the digest of the document
/// that is current now.
pub(crate) async fn publish(
    session: &Session,
    place: &Place,
    run: &Run,
    state: &State,
) -> Result<Option<(&'static str, String)>, CommandError> {
    let (Some(found), Some(environment)) = (&place.project, &place.environment) else {
        return Ok(None);
    };
    let store = place.store.runs(&place.workspace);
    let stacks = if found.project.stack_blocks.is_empty() {
        Stacks::default()
    } else {
        // The apply is done: what is wrong with the project file is told when something is planned.
        find(found).unwrap_or_default()
    };
    let wanted: BTreeSet<&str> = stacks.wanted_secrets(&found.stack);
    let outputs = state.outputs.iter().map(|(name, output)| {
        let is_wanted = wanted.contains(&**name);
        let output = PublishedOutput::of(&output.value, output.sensitive, is_wanted);
        (name.to_string(), output)
    });
    let document = OutputsDocument {
        project: found.project.name.clone(),
        environment: environment.clone(),
        stack: found.stack.clone(),
        run: run.id.clone(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        time: session.now(),
        outputs: outputs.collect(),
    };
    let signer = session.known_signer();
    let digest = save_outputs(&*store, &document, signer.as_deref()).await?;
    Ok(Some((OUTPUTS_DETAIL, digest)))
}

/// As [`publish`] where nothing was applied to the end: what was published before stays.
pub(crate) async fn unpublished(
    place: &Place,
) -> Result<Option<(&'static str, String)>, CommandError> {
    let store = place.store.runs(&place.workspace);
    let digest = outputs_digest(&*store).await?;
    Ok(digest.map(|digest| (OUTPUTS_DETAIL, digest)))
}
