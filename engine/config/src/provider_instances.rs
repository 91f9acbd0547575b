//! Provider configurations with `for_each`, and who uses which of their instances.

use terrace_addr::LocalProviderConfig;
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_syntax::Expr;

use crate::{Config, ForEachOrCount, ModuleNode};

/// A configuration with `for_each` is used by one of its instances, any other as a whole.
pub(crate) fn provider_instances(
    config: &Config,
    node: &ModuleNode,
    diagnostics: &mut Diagnostics,
) {
    let mut judge = |local: &LocalProviderConfig, key: Option<&Expr>, span: Option<Span>| {
        let binding = config.resolve_provider_instance(&node.path, local, key);
        // What a caller passes is judged where it is written.
        if binding.config.module != node.path {
            return;
        }
        let Some(block) = config.provider_config(&binding.config) else {
            return;
        };
        let (id, summary, detail) = match (&block.for_each, &binding.key) {
            (Some(_), None) => (
                "missing-provider-key",
                "Provider instance selection required",
                format!(
                    "The provider configuration {local} has \"for_each\" set, so one of its instances must be chosen by a key in brackets, such as {local}[each.key]."
                ),
            ),
            (None, Some(_)) => (
                "unexpected-provider-key",
                "Unexpected provider instance key",
                format!(
                    "The provider configuration {local} does not have \"for_each\" set, so references to it must not include a key. Remove the brackets."
                ),
            ),
            _ => return,
        };
        diagnostics.push(Diagnostic::error(id, summary, detail).at_opt(span));
    };
    for resource in node.module.resources.values() {
        let local = &resource.provider_config;
        judge(
            local,
            resource.provider_key.as_ref(),
            resource.provider_explicit,
        );
    }
    for call in node.module.calls.values() {
        for passed in call.providers.iter().flatten() {
            judge(
                &passed.in_parent,
                passed.parent_key.as_ref(),
                Some(passed.parent_span),
            );
        }
    }
    for resource in node.module.resources.values() {
        let address = config.resolve_provider(&node.path, &resource.provider_config);
        let block = config.provider_config(&address);
        if let (ForEachOrCount::ForEach(own), Some(for_each)) = (
            &resource.repetition,
            block.and_then(|block| block.for_each.as_ref()),
        ) && resource.provider_key.is_some()
            && address.module == node.path
            && config.sources.text(own.span) == config.sources.text(for_each.span)
        {
            let summary = "Provider configuration for_each matches resource";
            let detail = "This resource has the same \"for_each\" as its provider configuration. When an element is removed, the provider instance that is needed to destroy the resource instance goes at the same time. Let the resource's \"for_each\" be a part of the provider configuration's, so that resource instances can be removed first.";
            diagnostics.push(
                Diagnostic::warning("provider-for-each-matches", summary, detail).at(own.span),
            );
        }
    }
}
