//! Override files: each block changes one that is declared.

use terrace_addr::ResourceMode;
use terrace_diag::Span;
use terrace_syntax::Traversal;

use super::{Merger, OverriddenVariable};
use crate::merge_body::override_body;
use crate::parts::{
    CallPart, FileParts, LifecyclePart, OutputPart, ProviderPart, RequiredProviders, ResourcePart,
    VariablePart,
};
use crate::{Backend, statics};

impl Merger<'_> {
    /// Applies one override file.
    pub(super) fn override_with(&mut self, mut file: FileParts) {
        if !file.required_versions.is_empty() {
            self.parts.required_versions = std::mem::take(&mut file.required_versions);
        }
        for required in file.required_providers {
            self.override_required_providers(required);
        }
        self.override_backends(file.backends, file.clouds);
        for encryption in file.encryptions {
            self.parts.encryption = Some(encryption);
        }
        for meta in file.provider_metas {
            self.parts
                .provider_metas
                .insert(meta.provider.clone(), meta);
        }
        file.provider_configs
            .into_iter()
            .for_each(|provider| self.override_provider(provider));
        file.variables
            .into_iter()
            .for_each(|variable| self.override_variable(variable));
        for local in file.locals {
            match self.parts.locals.get_mut(&local.name) {
                Some(base) => *base = local,
                None => self.missing(
                    "Missing base local value definition to override",
                    &format!("There is no local value named \"{}\".", local.name),
                    "a local value that was already defined in a primary configuration file",
                    local.span,
                ),
            }
        }
        file.outputs
            .into_iter()
            .for_each(|output| self.override_output(output));
        file.calls
            .into_iter()
            .for_each(|call| self.override_call(call));
        file.resources
            .into_iter()
            .for_each(|resource| self.override_resource(resource));
        self.parts.removed.extend(file.removed);
    }

    /// Complains that there is nothing to override.
    fn missing(&mut self, summary: &str, what: &str, can_override: &str, span: Span) {
        let detail = format!("{what} An override file can only override {can_override}.");
        self.problem("missing-override-base", summary, detail, span);
    }

    fn no_depends_on(&mut self, depends_on: Option<&Vec<Traversal>>) {
        if let Some(first) = depends_on.and_then(|references| references.first()) {
            self.problem(
                "override-not-allowed",
                "Unsupported override",
                "The depends_on argument may not be overridden.",
                statics::traversal_span(first),
            );
        }
    }

    fn override_required_providers(&mut self, required: RequiredProviders) {
        match &mut self.parts.required_providers {
            Some(base) => base.entries.extend(required.entries),
            None => self.parts.required_providers = Some(required),
        }
    }

    fn override_backends(&mut self, backends: Vec<Backend>, clouds: Vec<Backend>) {
        for (items, is_cloud) in [(backends, false), (clouds, true)] {
            let mut items = items.into_iter();
            let Some(first) = items.next() else { continue };
            for extra in items {
                let detail = format!(
                    "Each override file may have only one backend configuration. A backend was previously configured at {}.",
                    self.place(first.span)
                );
                self.problem(
                    "duplicate-backend",
                    "Duplicate backend configuration",
                    detail,
                    extra.span,
                );
            }
            // Where the state is kept is decided in one place: either kind of block replaces both.
            (self.parts.backend, self.parts.cloud) = if is_cloud {
                (None, Some(first))
            } else {
                (Some(first), None)
            };
        }
    }

    fn override_provider(&mut self, provider: ProviderPart) {
        if let Some(base) = self.parts.provider_configs.get_mut(&provider.local) {
            base.body = override_body(&base.body, &provider.body);
            base.for_each = provider.for_each.or(base.for_each.take());
            if provider.version.is_some() {
                base.version = provider.version;
            }
            return;
        }
        match &provider.local.alias {
            None => drop(self.parts.provider_configs.insert(provider.local.clone(), provider)),
            Some(alias) => self.missing(
                "Missing base provider configuration for override",
                &format!(
                    "There is no {} provider configuration with the alias \"{alias}\".",
                    provider.local.local_name
                ),
                "an aliased provider configuration that was already defined in a primary configuration file",
                provider.span,
            ),
        }
    }

    fn override_variable(&mut self, over: VariablePart) {
        let Some(base) = self.parts.variables.get_mut(&over.name) else {
            self.missing(
                "Missing base variable declaration to override",
                &format!("There is no variable named \"{}\".", over.name),
                "a variable that was already declared in a primary configuration file",
                over.span,
            );
            return;
        };
        if over.ty.is_some() || over.default.is_some() {
            let changed = OverriddenVariable {
                has_type: over.ty.is_some(),
                span: over.span,
            };
            self.parts.overridden_variables.insert(over.name, changed);
        }
        base.description = over.description.or(base.description.take());
        base.ty = over.ty.or(base.ty.take());
        base.default = over.default.or(base.default.take());
        base.sensitive = over.sensitive.or(base.sensitive);
        base.ephemeral = over.ephemeral.or(base.ephemeral);
        base.nullable = over.nullable.or(base.nullable);
        base.deprecated = over.deprecated.or(base.deprecated.take());
        base.constant = over.constant.or(base.constant);
    }

    fn override_output(&mut self, over: OutputPart) {
        self.no_depends_on(over.depends_on.as_ref());
        let Some(base) = self.parts.outputs.get_mut(&over.name) else {
            self.missing(
                "Missing base output definition to override",
                &format!("There is no output named \"{}\".", over.name),
                "an output that was already defined in a primary configuration file",
                over.span,
            );
            return;
        };
        base.description = over.description.or(base.description.take());
        base.value = over.value.or(base.value.take());
        base.sensitive = over.sensitive.or(base.sensitive);
        base.ephemeral = over.ephemeral.or(base.ephemeral);
        base.deprecated = over.deprecated.or(base.deprecated.take());
    }

    fn override_call(&mut self, over: CallPart) {
        self.no_depends_on(over.depends_on.as_ref());
        let Some(base) = self.parts.calls.get_mut(&over.name) else {
            self.missing(
                "Missing module call to override",
                &format!("There is no module call named \"{}\".", over.name),
                "a module call that was defined in a primary configuration file",
                over.span,
            );
            return;
        };
        if over.source.is_some() {
            base.source = over.source;
            base.version = None;
        }
        base.version = over.version.or(base.version.take());
        base.inputs.extend(over.inputs);
        base.overridden = true;
        base.repetition = over.repetition.or(base.repetition.take());
        base.providers = over.providers.or(base.providers.take());
    }

    fn override_resource(&mut self, over: ResourcePart) {
        self.no_depends_on(over.depends_on.as_ref());
        let Some(base) = self.parts.resources.get_mut(&over.resource) else {
            let (summary, kind, block) = match over.resource.mode {
                ResourceMode::Managed => ("Missing resource to override", "resource", "resource"),
                ResourceMode::Data => {
                    ("Missing data resource to override", "data resource", "data")
                }
                ResourceMode::Ephemeral => (
                    "Missing ephemeral resource to override",
                    "ephemeral resource",
                    "ephemeral",
                ),
            };
            self.missing(
                summary,
                &format!(
                    "There is no {} {kind} named \"{}\".",
                    over.resource.type_name, over.resource.name
                ),
                &format!("a {block} block defined in a primary configuration file"),
                over.span,
            );
            return;
        };
        base.body = override_body(&base.body, &over.body);
        base.repetition = over.repetition.or(base.repetition.take());
        base.provider = over.provider.or(base.provider.take());
        override_lifecycle(&mut base.lifecycle, over.lifecycle);
        base.connection = over.connection.or(base.connection.take());
        if !over.provisioners.is_empty() {
            base.provisioners = over.provisioners;
        }
    }
}

fn override_lifecycle(base: &mut LifecyclePart, over: LifecyclePart) {
    base.create_before_destroy = over.create_before_destroy.or(base.create_before_destroy);
    base.prevent_destroy = over.prevent_destroy.or(base.prevent_destroy.take());
    base.destroy = over.destroy.or(base.destroy);
    base.ignore_changes = over.ignore_changes.or(base.ignore_changes.take());
    base.replace_triggered_by = over
        .replace_triggered_by
        .or(base.replace_triggered_by.take());
}
