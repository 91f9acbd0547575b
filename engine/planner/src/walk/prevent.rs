//! `prevent_destroy`, which may be an expression.

use terrace_config::ResourceConfig;
use terrace_diag::{Diagnostic, Span};
use terrace_eval::Scope;
use terrace_value::Type;
use terrace_value::convert::convert;

use super::Walk;

/// Nothing could be found out, and why has been reported.
#[derive(Clone, Copy, Debug)]
pub(super) struct Untold;

impl Walk<'_> {
    /// Where it is said that an object may not be destroyed, if it is said. `Err` means that this cannot be told, which
    /// has been reported.
    pub(super) fn prevents_destroy(
        &mut self,
        block: &ResourceConfig,
        scope: &Scope,
    ) -> Result<Option<Span>, Untold> {
        let lifecycle = &block.lifecycle;
        let Some(expression) = &lifecycle.prevent_destroy_if else {
            return Ok(lifecycle.prevent_destroy.then_some(block.span));
        };
        let evaluated = self.evaluator.expression(expression, scope, &*self.table);
        if !self.take(evaluated.diagnostics) {
            return Err(Untold);
        }
        let (value, _) = evaluated.value.unmark_deep();
        let refused = match convert(&value, &Type::Bool) {
            Ok(value) if value.is_null() => {
                "The given \"prevent_destroy\" argument value is null. A boolean is required."
                    .to_owned()
            }
            Ok(value) => match value.as_bool() {
                Some(prevents) => return Ok(prevents.then_some(block.span)),
                None => "The \"prevent_destroy\" value depends on resource attributes that cannot be determined until apply, so Terrace cannot tell whether the object may be destroyed.".to_owned(),
            },
            Err(error) => format!("Invalid expression value: {error}."),
        };
        self.gathered.diagnostics.push(
            Diagnostic::error(
                "invalid-prevent-destroy",
                "Invalid prevent_destroy argument",
                refused,
            )
            .at(expression.span),
        );
        Err(Untold)
    }
}
