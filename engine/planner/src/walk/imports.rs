//! Objects that `import` blocks take over.

use std::sync::Arc;

use futures::FutureExt;
use terrace_addr::{AbsProviderConfig, AbsResource, AbsResourceInstance, LocalProviderConfig};
use terrace_config::{IgnoreChanges, ImportBlock};
use terrace_diag::Diagnostic;
use terrace_eval::{Expansion, ImportTarget};
use terrace_plan::PlanMode;
use terrace_schema::{IdentitySchema, ResourceSchema};
use terrace_value::convert::convert;
use terrace_value::{Marks, Text, Value};

use super::{About, Event, Outcome, Walk};
use crate::generate;
use crate::instance::{Desired, Import, ImportBy, ManagedInput, Subject, Wish, plan_generated};

impl Walk<'_> {
    /// Evaluates an import block of the root module.
    pub(super) fn import(&mut self, index: usize) -> bool {
        if self.mode() != PlanMode::Normal {
            return true;
        }
        let config = self.config.clone();
        let Some(block) = config.root.module.imports.get(index) else {
            return true;
        };
        let targets = self.evaluator.import_targets(index, &*self.table);
        if !self.take(targets.diagnostics) {
            return false;
        }
        let mut ok = true;
        for target in targets.value {
            match self.import_by(&target, block) {
                Ok(by) => {
                    let span = Some(block.to.span);
                    self.imports.insert(target.to, Import { by, span });
                }
                Err(problem) => {
                    self.gathered.diagnostics.push(*problem);
                    ok = false;
                }
            }
        }
        ok
    }

    /// Reports import blocks for resources that are not declared at all.
    pub(super) fn collect_imports_without_configuration(&mut self) {
        let config = self.config.clone();
        for block in &config.root.module.imports {
            let (module, resource) = &block.resource;
            let declared = config
                .module(&module.path())
                .is_some_and(|node| node.module.resources.contains_key(resource));
            if declared {
                continue;
            }
            let address = resource.in_module(module.clone());
            let generates = self.request.options.generate_config.is_some();
            if generates && module.is_root() && self.can_be_generated(block) {
                self.generates.insert(address);
                continue;
            }
            let detail = match generates {
                true if module.is_root() => "The given import block is not compatible with config generation. The -generate-config-out option cannot be used with import blocks which use for_each, or resources which use for_each or count.".to_owned(),
                true => format!("The configuration for the given import target {address} does not exist. All target instances must have an associated configuration to be imported."),
                false => format!(
                    "The configuration for the given import target {address} does not exist. If you wish to automatically generate config for this resource, use the -generate-config-out option within terrace plan. Otherwise, make sure the target resource exists within your configuration. For example:\n\n  terrace plan -generate-config-out=generated.tf"
                ),
            };
            self.gathered.diagnostics.push(
                Diagnostic::error(
                    "import-without-configuration",
                    "Configuration for import target does not exist",
                    detail,
                )
                .at(block.to.span),
            );
        }
    }

    /// Whether the block imports one object, to an address without a key.
    fn can_be_generated(&self, block: &ImportBlock) -> bool {
        let text = self.config.sources.text(block.to.span);
        block.for_each.is_none() && !text.ends_with(']')
    }

    /// Reports imports of instances of a resource that its expansion does not have.
    pub(super) fn imports_exist(&mut self, resource: &AbsResource, expansion: &Expansion) -> bool {
        let missing: Vec<(AbsResourceInstance, Import)> = self
            .imports
            .range(resource.instance(None)..)
            .take_while(|(address, _)| address.resource == *resource)
            .filter(|(address, _)| !expansion.contains(address.key.as_ref()))
            .map(|(address, import)| (address.clone(), import.clone()))
            .collect();
        for (address, import) in &missing {
            self.gathered
                .diagnostics
                .push(not_declared(address, import));
        }
        missing.is_empty()
    }

    /// Reports imports into module instances that do not exist.
    pub(crate) fn check_imports(&mut self) {
        for (address, import) in &self.imports {
            let config = address.resource.config();
            // What is declared nowhere has been reported already.
            let declared = self
                .config
                .module(&config.module)
                .is_some_and(|node| node.module.resources.contains_key(&config.resource));
            if declared
                && self.included.instance(address)
                && !self.expanded.contains(&address.resource)
                && !self.skipped.contains(&config)
            {
                self.gathered
                    .diagnostics
                    .push(not_declared(address, import));
            }
        }
    }

    /// How the object of an import is found.
    fn import_by(
        &self,
        target: &ImportTarget,
        block: &ImportBlock,
    ) -> Result<ImportBy, Box<Diagnostic>> {
        if block.identity.is_none() {
            let id = target.id.clone().unmark().0;
            return match id.as_str() {
                Some(id) => Ok(ImportBy::Id(id.to_owned())),
                None => Err(Box::new(
                    Diagnostic::error(
                        "import-id-unknown",
                        "Invalid import id argument",
                        "The import block \"id\" argument depends on resource attributes that cannot be determined until apply, so Terrace cannot plan to import this resource.",
                    )
                    .at_opt(block.id.as_ref().map(|id| id.span)),
                )),
            };
        }
        let span = block.identity.as_ref().map(|identity| identity.span);
        let refused = |detail: String| {
            Box::new(
                Diagnostic::error(
                    "invalid-import-identity",
                    "Invalid import identity argument",
                    detail,
                )
                .at_opt(span),
            )
        };
        let provider = self.import_provider(block);
        let type_name = &block.resource.1.type_name;
        let schema = self
            .evaluator
            .schemas()
            .get(&provider.provider)
            .and_then(|schema| schema.identities.get(type_name));
        let Some(schema) = schema else {
            return Err(refused(format!(
                "The provider {} does not identify objects of the type {type_name:?}. Use the \"id\" argument.",
                provider.provider.for_display()
            )));
        };
        let (identity, marks) = target.identity.unmark_deep();
        if marks.contains(Marks::SENSITIVE) {
            return Err(refused(
                "The import identity cannot be sensitive.".to_owned(),
            ));
        }
        if marks.contains(Marks::EPHEMERAL) {
            return Err(refused(
                "The import identity cannot be ephemeral.".to_owned(),
            ));
        }
        if !identity.is_wholly_known() {
            return Err(refused("The import block \"identity\" argument depends on resource attributes that cannot be determined until apply, so Terrace cannot plan to import this resource.".to_owned()));
        }
        complete(&identity, schema)
            .map(ImportBy::Identity)
            .map_err(refused)
    }

    /// The provider configuration that an import block uses, where no resource block says it.
    fn import_provider(&self, block: &ImportBlock) -> AbsProviderConfig {
        let (module, resource) = &block.resource;
        let declared = self
            .config
            .module(&module.path())
            .and_then(|node| node.module.resources.get(resource));
        if let Some(declared) = declared {
            return self.evaluator.provider_of(&module.path(), declared);
        }
        let local = block.provider_config.clone().unwrap_or_else(|| {
            let prefix = resource.type_name.split('_').next().unwrap_or_default();
            LocalProviderConfig {
                local_name: prefix.into(),
                alias: None,
            }
        });
        self.config.resolve_provider(&module.path(), &local)
    }

    /// Begins the imports for which configuration is to be generated.
    pub(super) fn queue_generated(&mut self) {
        let config = self.config.clone();
        for block in &config.root.module.imports {
            let address = block.resource.1.in_module(block.resource.0.clone());
            let wanted = self.generates.remove(&address);
            let import = self.imports.get(&address.instance(None)).cloned();
            if let (true, Some(import)) = (wanted, import) {
                self.start_generated(&address, block, import);
            }
        }
    }

    fn start_generated(&mut self, address: &AbsResource, block: &ImportBlock, import: Import) {
        let config = self.import_provider(block);
        let type_name = &block.resource.1.type_name;
        let schema = self
            .evaluator
            .schemas()
            .get(&config.provider)
            .and_then(|schema| schema.resources.get(type_name).cloned());
        let Some(schema) = schema else {
            let more_types = self.more_types(&config.provider);
            self.gathered.diagnostics.push(
                Diagnostic::error(
                    "unknown-resource-type",
                    "Invalid resource type",
                    format!(
                        "The provider {} does not support resource type {:?}.",
                        config.provider.for_display(),
                        &**type_name
                    ),
                )
                .at(block.to.span)
                .hint_if(more_types),
            );
            return;
        };
        let opening = self.pool.provider(&config, &*self.table);
        let evaluator = Arc::clone(&self.evaluator);
        let observer = Arc::clone(&self.request.observer);
        let instance = address.instance(None);
        let written = provider_argument(block);
        self.running.push(
            async move {
                let about = About::Orphan(instance.clone(), None, config.clone());
                let outcome = match opening.await {
                    None => Outcome::NoProvider,
                    Some(provider) => {
                        let provider = terrace_instances::for_instance(provider, &instance, None);
                        let subject = Subject {
                            address: instance.clone(),
                            previous_address: None,
                            deposed: None,
                            provider_config: config,
                            provider,
                            null: Value::null(schema.block.implied_type()),
                            schema: Arc::clone(&schema),
                            block: None,
                            evaluator,
                            observer,
                        };
                        let input = ManagedInput {
                            subject,
                            stored: None,
                            stored_provider: None,
                            import: Some(import),
                            refresh: true,
                            wish: Wish::Known([].into()),
                            prevent_destroy: None,
                        };
                        let make =
                            |state: &Value| desired(&instance, &schema, state, written.as_deref());
                        Outcome::Managed(Box::new(plan_generated(input, make).await))
                    }
                };
                Event {
                    node: None,
                    about,
                    outcome,
                }
            }
            .boxed(),
        );
    }
}

/// The configuration that an imported object is to have: what its provider says it is.
fn desired(
    address: &AbsResourceInstance,
    schema: &ResourceSchema,
    state: &Value,
    provider: Option<&str>,
) -> (Desired, String) {
    let state = state.unmark_deep().0;
    let config = generate::configuration(&schema.block, &state);
    let text = generate::block(address, &schema.block, &config, provider);
    let desired = Desired {
        config,
        ignore_changes: Arc::new(IgnoreChanges::None),
        replace_requested: false,
        replace_triggered: false,
        create_before_destroy: false,
        skip_destroy: false,
        dependencies: [].into(),
    };
    (desired, text)
}

/// The `provider` argument of an import block, as written.
fn provider_argument(block: &ImportBlock) -> Option<String> {
    let local = block.provider_config.as_ref()?;
    Some(match &local.alias {
        Some(alias) => format!("{}.{alias}", local.local_name),
        None => local.local_name.to_string(),
    })
}

/// An identity as its schema asks for it, or what is wrong with it.
fn complete(identity: &Value, schema: &IdentitySchema) -> Result<Value, String> {
    let Some(written) = identity.as_entries() else {
        return Err("The import identity must be an object.".to_owned());
    };
    if let Some(name) = written
        .keys()
        .find(|name| !schema.attributes.contains_key(*name))
    {
        return Err(format!(
            "An identity attribute named {name:?} is not expected here."
        ));
    }
    let mut parts: Vec<(Text, Value)> = Vec::new();
    for (name, attribute) in &schema.attributes {
        let value = written.get(name).filter(|value| !value.is_null());
        let value = match value {
            Some(value) => convert(value, &attribute.ty).map_err(|error| {
                format!("Inappropriate value for identity attribute {name:?}: {error}.")
            })?,
            None if attribute.required_for_import => {
                return Err(format!(
                    "The identity attribute {name:?} is required, but no definition was found."
                ));
            }
            None => Value::null(attribute.ty.clone()),
        };
        parts.push((name.clone(), value));
    }
    Ok(Value::object(parts))
}

fn not_declared(address: &AbsResourceInstance, import: &Import) -> Diagnostic {
    Diagnostic::error(
        "import-without-configuration",
        "Configuration for import target does not exist",
        format!(
            "The configuration for the given import {address} does not exist. All target instances must have an associated configuration to be imported."
        ),
    )
    .at_opt(import.span)
}
