//! What providers say, and whether their answers hold.

use std::fmt::Write;

use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_eval::Evaluator;
use terrace_port::{ProviderDiagnostic, ProviderError, Reply};
use terrace_schema::Block;
use terrace_syntax::Body;
use terrace_value::{Marks, Path, Value};

use super::Subject;

/// A provider's remarks as diagnostics of the instance.
pub(crate) fn remarks(subject: &Subject, remarks: Vec<ProviderDiagnostic>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for remark in remarks {
        let written = subject.block.as_ref().map(|block| Written {
            evaluator: &subject.evaluator,
            body: &block.body,
            schema: &subject.schema.block,
        });
        diagnostics.push(remark_of(
            &subject.address.to_string(),
            written.as_ref(),
            subject.span(),
            remark,
        ));
    }
    diagnostics
}

/// A provider's answer, with its remarks said; `None` where it is none: because of an error, or because the provider put
/// it off, which nobody allowed it to do.
pub(crate) fn taken<T>(
    subject: &Subject,
    reply: Reply<T>,
    diagnostics: &mut Diagnostics,
) -> Option<T> {
    let failed = reply.failed();
    diagnostics.append(remarks(subject, reply.diagnostics));
    if reply.deferred.is_some() {
        diagnostics.push(put_off(&subject.address).at_opt(subject.span()));
        return None;
    }
    (!failed).then_some(reply.value)
}

/// That a provider put off what it was asked for.
pub(crate) fn put_off(address: &dyn std::fmt::Display) -> Diagnostic {
    Diagnostic::error(
        "provider-deferred",
        "Provider deferred changes when Terrace did not allow deferrals",
        format!(
            "The provider signaled a deferred action for \"{address}\", but in this context deferrals are disabled. This is a bug in the provider, please file an issue with the provider developers."
        ),
    )
    .address(address)
}

/// The provider broke its contract, which has been said.
pub(crate) struct Broken;

/// An identity that a provider gave, held against its schema.
pub(crate) fn identity(
    subject: &Subject,
    identity: Option<Value>,
    may_be_unknown: bool,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Value>, Broken> {
    match terrace_instances::checked_identity(subject.identity_schema(), identity, may_be_unknown) {
        Ok(identity) => Ok(identity),
        Err(problem) => {
            let what = format!("{} {}", problem.what, subject.address);
            diagnostics.push(broken_contract(subject, problem.summary, &what));
            Err(Broken)
        }
    }
}

/// A body that was read by a schema: where the places of attributes are found.
pub(crate) struct Written<'a> {
    pub(crate) evaluator: &'a Evaluator,
    pub(crate) body: &'a Body,
    pub(crate) schema: &'a Block,
}

/// One remark of a provider about what stands at `address`.
pub(crate) fn remark_of(
    address: &str,
    written: Option<&Written<'_>>,
    span: Option<Span>,
    remark: ProviderDiagnostic,
) -> Diagnostic {
    let place = match (&remark.attribute, written) {
        (Some(path), Some(written)) => Some(written.evaluator.span_of(
            written.body,
            written.schema,
            path,
        )),
        _ => span,
    };
    let mut detail = remark.detail;
    if let (Some(path), None) = (&remark.attribute, written) {
        let name = path.to_string();
        if !detail.is_empty() {
            detail.push_str("\n\n");
        }
        let _ = write!(
            detail,
            "The attribute concerned is {}.",
            name.trim_start_matches('.')
        );
    }
    let diagnostic = if remark.error {
        Diagnostic::error("provider-error", remark.summary, detail)
    } else {
        Diagnostic::warning("provider-warning", remark.summary, detail)
    };
    diagnostic.at_opt(place).address(address)
}

/// A call that did not come through.
pub(crate) fn call_failed(subject: &Subject, doing: &str, error: &ProviderError) -> Diagnostic {
    Diagnostic::error(
        "provider-call-failed",
        "Provider call failed",
        format!(
            "The provider {} did not answer while {doing} {}: {}",
            subject.provider_config.provider.for_display(),
            subject.address,
            error.message
        ),
    )
    .at_opt(subject.span())
    .address(&subject.address)
}

/// An answer that breaks the protocol's contract: a defect of the provider.
pub(crate) fn broken_contract(subject: &Subject, summary: &str, what: &str) -> Diagnostic {
    Diagnostic::error(
        "provider-contract",
        summary.to_owned(),
        format!(
            "Provider {:?} {what}.\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker.",
            subject.provider_config.provider.to_string(),
        ),
    )
    .at_opt(subject.span())
    .address(&subject.address)
}

/// Puts the marks of `paths`, and those of the schema's sensitive attributes, on `value`.
pub(crate) fn remark_value(value: &Value, schema: &Block, paths: &[(Path, Marks)]) -> Value {
    let value = if paths.is_empty() {
        value.clone()
    } else {
        value.mark_with_paths(paths)
    };
    schema.mark_sensitive(&value)
}
