//! What a module that others call should be: told of each place where one is not.

use terrace_config::{Config, Module, ModuleNode};
use terrace_diag::{Diagnostic, Diagnostics, Span};

use crate::dependencies::{DependencyKind, dependencies};

/// What of the root module of `config`, and of the modules that belong to it, keeps others from calling it well:
/// provider configurations inside, versions without bounds, variables and outputs without a description, a backend.
pub fn guidelines(config: &Config) -> Diagnostics {
    let mut found = Diagnostics::new();
    let root = &config.root.module;
    documented(root, &mut found);
    engine_version(root, &mut found);
    for node in config.root.walk() {
        if belongs(config, node) {
            no_provider_configuration(&node.module, &mut found);
            provider_versions(&node.module, &mut found);
            module_versions(node, config, &mut found);
        }
    }
    if let Some(backend) = &root.backend {
        found.push(
            Diagnostic::error(
                "backend-in-module",
                "Backend in a module",
                "Where states are kept is decided by the root module that calls this one; a backend block has no effect in a module that is called. Remove it.",
            )
            .at(backend.span),
        );
    }
    found
}

/// Whether a diagnostic with this id is none where `module` is called by others, and only looks wrong because it is checked
/// as if it were a root module: callers pass the configurations that it names, and may read ephemeral outputs.
pub fn concerns_roots_only(id: &str, module: &Module) -> bool {
    match id {
        "ephemeral-root-output" => true,
        "missing-provider-configuration" => module
            .providers
            .values()
            .any(|need| !need.aliases.is_empty()),
        _ => false,
    }
}

/// Whether a module in the tree is a part of this one, and not of someone else's.
fn belongs(config: &Config, node: &ModuleNode) -> bool {
    let steps = node.path.steps();
    let mut at = &config.root;
    for step in steps {
        let Some(child) = at.children.get(step) else {
            return false;
        };
        if !matches!(DependencyKind::of(&child.source), DependencyKind::Local) {
            return false;
        }
        at = child;
    }
    true
}

fn documented(module: &Module, found: &mut Diagnostics) {
    let variables = module.variables.values().map(|variable| {
        (
            "variable",
            &variable.name,
            &variable.description,
            variable.span,
        )
    });
    let outputs = module
        .outputs
        .values()
        .map(|output| ("output", &output.name, &output.description, output.span));
    for (kind, name, description, span) in variables.chain(outputs) {
        let described = description
            .as_ref()
            .is_some_and(|text| !text.trim().is_empty());
        if !described {
            found.push(
                Diagnostic::error(
                    "missing-description",
                    "No description",
                    format!("The {kind} {name:?} has no description. Callers read it in the documentation, in their editor and where a value is asked for: say what it is for, in `description`."),
                )
                .at(span),
            );
        }
    }
    for variable in module.variables.values() {
        let untyped = variable.ty == terrace_value::Type::Dynamic && variable.default.is_none();
        if untyped {
            found.push(
                Diagnostic::warning(
                    "untyped-variable",
                    "Variable without a type",
                    format!("The variable {:?} takes anything. With a `type`, callers are told of a wrong value at their own line instead of deep within this module.", variable.name),
                )
                .at(variable.span),
            );
        }
    }
}

fn no_provider_configuration(module: &Module, found: &mut Diagnostics) {
    for (local, block) in &module.provider_configs {
        found.push(
            Diagnostic::error(
                "provider-in-module",
                "Provider configuration in a module",
                format!(
                    "The module configures the provider {local}. Such a module cannot be called with `count`, `for_each` or `depends_on`, and cannot be removed while it has objects, because its provider goes with it. Remove the block: configurations come from the root module, by default or through `providers`, and `configuration_aliases` in `required_providers` says which are expected."
                ),
            )
            .at(block.span),
        );
    }
}

fn provider_versions(module: &Module, found: &mut Diagnostics) {
    for (name, need) in &module.providers {
        if need.provider.is_builtin() || !need.versions.is_empty() {
            continue;
        }
        let place = need.span.or_else(|| first_use(module, name));
        let what = if need.span.is_some() {
            "has no `version`"
        } else {
            "is used, but not declared in `required_providers`"
        };
        found.push(
            Diagnostic::error(
                "unconstrained-provider",
                "Provider without version constraint",
                format!(
                    "The provider {} {what}: callers would get its newest version, whether or not the module works with it. Declare the oldest version that works, such as `version = \">= 1.2\"`.",
                    need.provider.for_display()
                ),
            )
            .at_opt(place),
        );
    }
}

fn first_use(module: &Module, name: &str) -> Option<Span> {
    module
        .resources
        .values()
        .find(|block| &*block.provider_config.local_name == name)
        .map(|block| block.span)
}

fn engine_version(module: &Module, found: &mut Diagnostics) {
    if module.required_versions.is_empty() {
        found.push(Diagnostic::error(
            "unconstrained-engine",
            "Engine without version constraint",
            "The module does not say which versions of the engine it works with. Add `required_version = \">= 1.5\"`, with the oldest that works, to a `terraform` block.",
        ));
    }
}

fn module_versions(node: &ModuleNode, config: &Config, found: &mut Diagnostics) {
    for call in dependencies(&node.module, &config.sources) {
        let unbounded = match &call.kind {
            DependencyKind::Registry { .. } => call.version.is_none(),
            DependencyKind::Git { reference, .. } => reference.is_none(),
            DependencyKind::Local | DependencyKind::Other => false,
        };
        if unbounded {
            found.push(
                Diagnostic::error(
                    "unconstrained-module",
                    "Module without version",
                    format!("The module {:?} is called without a version: what it is may change from one day to the next. Add `version` for a module of a registry, `?ref=` with a tag for one of a repository.", call.name),
                )
                .at(call.source_span),
            );
        }
    }
}
