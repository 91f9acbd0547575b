//! From merged parts to the module.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{LocalProviderConfig, Name, ProviderAddr, Resource};
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_value::convert::convert;
use terrace_value::{Type, Value};

use super::{Merger, OverriddenVariable};
use crate::parts::{
    CallPart, Early, LifecyclePart, OutputPart, RequiredVersion, ResourcePart, VariablePart,
};
use crate::type_expr::conversion_text;
use crate::{
    Check, Lifecycle, Module, ModuleCall, Output, ProviderConfigBlock, ProviderRequirement,
    ResourceConfig, Variable,
};

impl Merger<'_> {
    /// The module in `directory`.
    pub(super) fn finish(mut self, directory: &str) -> (Module, Vec<RequiredVersion>, Diagnostics) {
        let parts = std::mem::take(&mut self.parts);
        let mut providers =
            self.required_providers(parts.required_providers.map(|required| required.entries));
        let mut provider_configs = BTreeMap::new();
        for (local, part) in parts.provider_configs {
            let requirement = require(&mut providers, &local.local_name);
            requirement.versions.extend(part.version);
            let provider = requirement.provider.clone();
            let block = ProviderConfigBlock {
                local: local.clone(),
                provider,
                body: part.body,
                for_each: part.for_each,
                span: part.span,
            };
            provider_configs.insert(local, block);
        }
        let mut resources = BTreeMap::new();
        for (resource, part) in parts.resources {
            let config = self.resource(part, &mut providers);
            resources.insert(resource, Arc::new(config));
        }
        let calls: BTreeMap<Name, ModuleCall> = parts
            .calls
            .into_iter()
            .map(|(name, part)| (name, module_call(part)))
            .collect();
        for passed in calls
            .values()
            .flat_map(|call| call.providers.iter().flatten())
        {
            require(&mut providers, &passed.in_parent.local_name);
        }
        let mut variables = BTreeMap::new();
        for (name, part) in parts.variables {
            let overridden = parts.overridden_variables.get(&name);
            variables.insert(name, self.variable(part, overridden));
        }
        let mut imports = Vec::new();
        for part in parts.imports {
            self.import_provider(&part, &resources);
            if let Some(local) = &part.block.provider_config {
                require(&mut providers, &local.local_name);
            }
            imports.push(part.block);
        }
        let module = Module {
            directory: directory.to_owned(),
            required_versions: parts
                .required_versions
                .iter()
                .map(|required| (required.text.clone(), required.span))
                .collect(),
            providers,
            provider_configs,
            variables,
            locals: parts.locals,
            outputs: parts
                .outputs
                .into_iter()
                .filter_map(|(name, part)| Some((name, output(part)?)))
                .collect(),
            resources,
            calls,
            moved: parts.moved,
            removed: parts.removed,
            imports,
            checks: parts
                .checks
                .into_iter()
                .map(|(name, part)| {
                    let check = Check {
                        name: name.clone(),
                        data: part.data,
                        asserts: part.asserts,
                        span: part.span,
                    };
                    (name, check)
                })
                .collect(),
            backend: parts.backend.or(parts.cloud),
            encryption: parts.encryption,
            provider_metas: parts
                .provider_metas
                .into_iter()
                .map(|(name, part)| (name, part.body))
                .collect(),
            files: Vec::new(),
        };
        (module, parts.required_versions, self.diagnostics)
    }

    fn required_providers(
        &mut self,
        entries: Option<BTreeMap<Name, crate::parts::RequiredProvider>>,
    ) -> BTreeMap<Name, ProviderRequirement> {
        let mut providers: BTreeMap<Name, ProviderRequirement> = BTreeMap::new();
        for (name, entry) in entries.unwrap_or_default() {
            let provider = entry
                .provider
                .unwrap_or_else(|| ProviderAddr::default_for(&name));
            if let Some((first, _)) = providers
                .iter()
                .find(|(_, known)| known.provider == provider)
            {
                let detail = format!(
                    "Provider {} with the local name \"{name}\" was previously required as \"{first}\". A provider can only be required once within required_providers.",
                    provider.for_display()
                );
                self.diagnostics.push(
                    Diagnostic::warning(
                        "provider-required-twice",
                        "Duplicate required provider",
                        detail,
                    )
                    .at(entry.span),
                );
            }
            let versions = entry.version.into_iter().collect();
            let requirement = ProviderRequirement {
                provider,
                versions,
                aliases: entry.aliases,
                span: Some(entry.span),
            };
            providers.insert(name, requirement);
        }
        providers
    }

    fn resource(
        &mut self,
        part: ResourcePart,
        providers: &mut BTreeMap<Name, ProviderRequirement>,
    ) -> ResourceConfig {
        let (provider_config, provider_explicit, provider_key) = match part.provider {
            Some(reference) => (reference.local, Some(reference.span), reference.key),
            None => (implied_provider(&part.resource), None, None),
        };
        if provider_explicit.is_none() && !providers.contains_key(&provider_config.local_name) {
            self.implied_under_other_name(
                &part.resource,
                part.span,
                &provider_config.local_name,
                providers,
            );
        }
        let provider = require(providers, &provider_config.local_name)
            .provider
            .clone();
        ResourceConfig {
            resource: part.resource,
            body: part.body,
            repetition: part.repetition.unwrap_or_default(),
            provider_config,
            provider_explicit,
            provider_key,
            provider,
            depends_on: part.depends_on.unwrap_or_default(),
            lifecycle: lifecycle(part.lifecycle),
            connection: part.connection,
            provisioners: part.provisioners,
            in_check: part.in_check,
            span: part.span,
        }
    }

    /// Warns where a resource implies a provider that the module requires under another name.
    fn implied_under_other_name(
        &mut self,
        resource: &Resource,
        span: Span,
        local_name: &str,
        providers: &BTreeMap<Name, ProviderRequirement>,
    ) {
        let provider = ProviderAddr::default_for(local_name);
        let other = providers
            .iter()
            .find(|(_, known)| known.provider == provider && known.span.is_some());
        if let Some((other, _)) = other {
            let detail = format!(
                "Provider \"{}\" was implicitly required via resource \"{resource}\", but listed in required_providers as \"{other}\". Either the local name in required_providers must match the resource name, or the \"{other}\" provider must be assigned within the resource block.",
                provider.for_display()
            );
            self.diagnostics.push(
                Diagnostic::warning(
                    "provider-required-twice",
                    "Duplicate required provider",
                    detail,
                )
                .at(span),
            );
        }
    }

    fn variable(
        &mut self,
        part: VariablePart,
        overridden: Option<&OverriddenVariable>,
    ) -> Variable {
        let complex = part
            .ty
            .as_ref()
            .is_some_and(|(ty, _, _)| !ty.is_primitive());
        let (ty, type_defaults) = part.ty.map_or((Type::Dynamic, None), |(ty, defaults, _)| {
            (ty, (!defaults.is_empty()).then(|| Arc::new(defaults)))
        });
        let nullable = part.nullable.unwrap_or(true);
        let default = part.default.map(|(value, span)| {
            let applied = type_defaults.as_ref().map_or_else(|| value.clone(), |defaults| defaults.apply(&value));
            let at = overridden.map_or(span, |overridden| overridden.span);
            match convert(&applied, &ty) {
                Ok(value) if value.is_null() && !nullable => {
                    let detail = "A null default value is not valid when nullable=false.";
                    self.problem("invalid-default", "Invalid default value for variable", detail, at);
                    Value::unknown(ty.without_optional())
                }
                Ok(value) => value,
                Err(error) => {
                    let text = conversion_text(&error);
                    let detail = match overridden {
                        None => format!("This default value is not compatible with the variable's type constraint: {text}."),
                        Some(OverriddenVariable { has_type: true, .. }) => {
                            format!("Overriding this variable's type constraint has made its default value invalid: {text}.")
                        }
                        Some(_) => format!(
                            "The overridden default value for this variable is not compatible with the variable's type constraint: {text}."
                        ),
                    };
                    self.problem("invalid-default", "Invalid default value for variable", detail, at);
                    Value::unknown(ty.without_optional())
                }
            }
        });
        Variable {
            name: part.name,
            description: part.description,
            ty,
            type_defaults,
            default,
            sensitive: part.sensitive.unwrap_or_default(),
            ephemeral: part.ephemeral.unwrap_or_default(),
            nullable,
            deprecated: part.deprecated,
            constant: part.constant,
            validations: part.validations,
            complex,
            span: part.span,
        }
    }

    /// The provider of an import is that of its resource, where there is one.
    fn import_provider(
        &mut self,
        part: &crate::parts::ImportPart,
        resources: &BTreeMap<Resource, Arc<ResourceConfig>>,
    ) {
        let (module, resource) = &part.block.resource;
        if let Some(span) = part.provider_span
            && module.is_root()
            && resources.contains_key(resource)
        {
            self.problem(
                "import-provider",
                "Invalid import provider argument",
                "The provider argument can only be specified in import blocks that will generate configuration.\n\nUse the provider argument in the target resource block to configure the provider for a resource with explicit provider configuration.",
                span,
            );
        }
    }
}

/// The requirement of a local name; where there is none, the provider that the name implies.
fn require<'a>(
    providers: &'a mut BTreeMap<Name, ProviderRequirement>,
    name: &Name,
) -> &'a mut ProviderRequirement {
    providers
        .entry(name.clone())
        .or_insert_with(|| ProviderRequirement {
            provider: ProviderAddr::default_for(name),
            versions: Vec::new(),
            aliases: Vec::new(),
            span: None,
        })
}

/// The configuration that a resource's type implies: `aws` for `aws_vpc`.
fn implied_provider(resource: &Resource) -> LocalProviderConfig {
    let prefix = resource
        .type_name
        .split_once('_')
        .map_or(&*resource.type_name, |(prefix, _)| prefix);
    LocalProviderConfig {
        local_name: prefix.into(),
        alias: None,
    }
}

fn lifecycle(part: LifecyclePart) -> Lifecycle {
    let prevent_destroy_span = part.prevent_destroy.as_ref().map(|(_, span)| *span);
    let (prevent_destroy, prevent_destroy_if) = part
        .prevent_destroy
        .map_or((None, None), |(prevent, _)| prevent.split());
    Lifecycle {
        create_before_destroy: part.create_before_destroy,
        prevent_destroy: prevent_destroy.unwrap_or_default(),
        prevent_destroy_if,
        prevent_destroy_span,
        destroy: part.destroy,
        ignore_changes: part.ignore_changes.unwrap_or_default(),
        replace_triggered_by: part.replace_triggered_by.unwrap_or_default(),
        preconditions: part.preconditions,
        postconditions: part.postconditions,
    }
}

fn output(part: OutputPart) -> Option<Output> {
    Some(Output {
        name: part.name,
        description: part.description,
        value: part.value?,
        sensitive: part.sensitive.unwrap_or_default(),
        ephemeral: part.ephemeral.unwrap_or_default(),
        deprecated: part.deprecated,
        depends_on: part.depends_on.unwrap_or_default(),
        preconditions: part.preconditions,
        span: part.span,
    })
}

fn module_call(part: CallPart) -> ModuleCall {
    // A call without a source has been reported; it stays, so that references to it are not reported too.
    let source_span = part.source.as_ref().map_or(part.span, |(_, span)| *span);
    let (source, source_expression) = part
        .source
        .map_or((None, None), |(source, _)| source.split());
    let (version, version_expression) = match part.version {
        Some((Early::Constant(version), span)) => (Some((version, span)), None),
        Some((Early::Expression(expression), _)) => (None, Some(expression)),
        None => (None, None),
    };
    let input_spans = part
        .inputs
        .iter()
        .map(|(name, (_, span))| (name.clone(), *span))
        .collect();
    ModuleCall {
        name: part.name,
        source: source.unwrap_or_default(),
        source_expression,
        source_span,
        version,
        version_expression,
        inputs: part
            .inputs
            .into_iter()
            .map(|(name, (value, _))| (name, value))
            .collect(),
        input_spans,
        missing_span: part.missing_span,
        repetition: part.repetition.unwrap_or_default(),
        depends_on: part.depends_on.unwrap_or_default(),
        providers: part.providers,
        overridden: part.overridden,
        span: part.span,
    }
}
