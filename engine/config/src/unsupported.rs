//! What the language has and Terrace reads, but does not carry out yet. A line goes when what it names is carried out.

use terrace_diag::{Diagnostic, Diagnostics, Span};

use crate::Module;
use crate::decode::not_supported_yet;

/// What a module asks for in vain.
pub(crate) fn in_module(module: &Module) -> Diagnostics {
    let mut found: Vec<(&str, Span)> = Vec::new();
    if let Some(backend) = &module.backend
        && &*backend.type_name == "cloud"
    {
        found.push(("\"cloud\" blocks", backend.span));
    }
    found.sort_by_key(|(_, span)| *span);
    found
        .into_iter()
        .map(|(what, span)| not_supported_yet(what, span))
        .collect::<Vec<Diagnostic>>()
        .into_iter()
        .fold(Diagnostics::new(), |mut all, problem| {
            all.push(problem);
            all
        })
}
