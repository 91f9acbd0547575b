//! What providers say, and whether their answers hold.

use std::fmt::Write;

use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_eval::Evaluator;
use terrace_port::{ProviderDiagnostic, ProviderError};
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
