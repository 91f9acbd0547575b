//! What must be known before state and providers: sources and versions of modules, arguments of backends.

use std::sync::Arc;

use terrace_addr::ModulePath;
use terrace_diag::{Diagnostic, Diagnostics, SourceMap, Span};
use terrace_syntax::Expr;
use terrace_value::convert::convert;
use terrace_value::{Marks, Text, Type, Value};

use crate::decode::call::is_local_source;
use crate::{Module, ModuleCall, evaluate_constant};

/// Where an expression stands that is evaluated early.
#[derive(Clone, Copy, Debug)]
pub struct EarlyPlace<'a> {
    /// The modules from the root down to the one that the expression stands in; never empty.
    pub modules: &'a [Arc<Module>],
    /// The calls that lead there: one name fewer than there are modules.
    pub path: &'a ModulePath,
    /// The files read so far.
    pub sources: &'a SourceMap,
    /// What needs the value, for messages: `the source of module.x`.
    pub what: &'a str,
}

/// Evaluates expressions over input variables and local values alone. Implemented where expressions are evaluated.
pub trait EarlyEvaluator: Send + Sync {
    /// The value, known and with its marks; or why there is none.
    fn evaluate(&self, place: &EarlyPlace<'_>, expression: &Expr) -> Result<Value, Diagnostics>;
}

/// Knows constants alone: whatever refers to something is an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConstantsOnly;

impl EarlyEvaluator for ConstantsOnly {
    fn evaluate(&self, _: &EarlyPlace<'_>, expression: &Expr) -> Result<Value, Diagnostics> {
        let mut diagnostics = Diagnostics::new();
        let value = evaluate_constant(expression, &mut diagnostics);
        if diagnostics.has_errors() {
            Err(diagnostics)
        } else {
            Ok(value)
        }
    }
}

/// Source and version constraint of a call, as evaluated.
pub(crate) struct FoundSource {
    pub(crate) source: Text,
    pub(crate) version: Option<String>,
}

/// Source and version of `call`, which stands at `place`.
pub(crate) fn source_of(
    call: &ModuleCall,
    place: &EarlyPlace<'_>,
    evaluator: &dyn EarlyEvaluator,
) -> Result<FoundSource, Diagnostics> {
    let source = match &call.source_expression {
        None => call.source.clone(),
        Some(expression) => text(evaluator, place, expression, "source")?,
    };
    let version = match (&call.version, &call.version_expression) {
        (_, Some(expression)) => {
            let version = text(evaluator, place, expression, "version")?.to_string();
            if version
                .parse::<terrace_addr::version::Constraints>()
                .is_err()
            {
                return Err(Diagnostic::error(
                    "invalid-version-constraint",
                    "Invalid version constraint",
                    "This string does not use correct version constraint syntax.",
                )
                .at(expression.span)
                .into());
            }
            Some(version)
        }
        (Some((version, _)), None) => Some(version.clone()),
        (None, None) => None,
    };
    let has_version = call.version.is_some() || call.version_expression.is_some();
    match source_problem(&source, has_version, call.source_span) {
        Some(problem) => Err(problem.into()),
        None => Ok(FoundSource { source, version }),
    }
}

/// What is wrong with a source.
pub(crate) fn source_problem(source: &str, has_version: bool, span: Span) -> Option<Diagnostic> {
    if source.is_empty() {
        let detail = "Failed to parse module source address: invalid source address: .";
        return Some(
            Diagnostic::error(
                "invalid-module-source",
                "Invalid module source address",
                detail,
            )
            .at(span),
        );
    }
    (has_version && is_local_source(source)).then(|| {
        Diagnostic::error(
            "version-of-local-module",
            "Invalid registry module source address",
            format!(
                "Failed to parse module registry address: can't use local directory \"{source}\" as a module registry address.\n\nTerrace assumed that you intended a module registry source address because you also set the argument \"version\", which applies only to registry modules."
            ),
        )
        .at(span)
    })
}

/// The text that an expression is, which everyone may see.
fn text(
    evaluator: &dyn EarlyEvaluator,
    place: &EarlyPlace<'_>,
    expression: &Expr,
    argument: &str,
) -> Result<Text, Diagnostics> {
    let (value, marks) = evaluator.evaluate(place, expression)?.unmark_deep();
    let refuse = |detail: String| -> Diagnostics {
        Diagnostic::error(
            "invalid-early-value",
            format!("Invalid module {argument}"),
            detail,
        )
        .at(expression.span)
        .into()
    };
    if marks.contains(Marks::SENSITIVE) {
        return Err(refuse(format!(
            "The {argument} of a module is shown and recorded, so it cannot be derived from a sensitive value."
        )));
    }
    if marks.contains(Marks::EPHEMERAL) {
        return Err(refuse(format!(
            "The {argument} of a module is recorded, so it cannot be derived from an ephemeral value."
        )));
    }
    let text = convert(&value, &Type::String)
        .map_err(|error| refuse(format!("Unsuitable value for the {argument}: {error}.")))?;
    match text.as_str() {
        Some(text) => Ok(text.into()),
        None if text.is_null() => Err(refuse(format!("The {argument} must not be null."))),
        None => Err(refuse(format!(
            "The {argument} is not known before the configuration is carried out."
        ))),
    }
}
