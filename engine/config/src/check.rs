//! What is wrong between modules: found when everything is loaded, before anything is evaluated.

use terrace_addr::{LocalProviderConfig, ModulePath, ResourceMode};
use terrace_diag::{Diagnostic, Diagnostics};

use crate::deprecated::deprecated_outputs;
use crate::provider_instances::provider_instances;
use crate::{Config, ModuleCall, ModuleNode, Provisioner, RemovedFrom, ResourceConfig};

/// Checks calls against the modules that they call, `removed` blocks against what is still there, and that provider
/// configurations exist.
pub fn check(config: &Config) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let outputs = config.root.module.outputs.values();
    diagnostics.extend(outputs.filter(|output| output.ephemeral).map(|output| {
        Diagnostic::error(
            "ephemeral-root-output",
            "Ephemeral output not allowed",
            "Ephemeral outputs are not allowed in context of a root module",
        )
        .at(output.span)
    }));
    for node in config.root.walk() {
        for (name, call) in &node.module.calls {
            if let Some(child) = node.children.get(name) {
                inputs(call, child, &mut diagnostics);
            }
        }
        deprecated_outputs(node, &mut diagnostics);
        provider_instances(config, node, &mut diagnostics);
        removed(config, node, &mut diagnostics);
        diagnostics.append(crate::unsupported::in_module(&node.module));
        for resource in node.module.resources.values() {
            diagnostics.extend(resource.provisioners.iter().filter_map(unknown_provisioner));
            diagnostics.extend(missing_configuration(config, &node.path, resource));
        }
    }
    diagnostics
}

/// There are no provisioners but those that the language has always had.
fn unknown_provisioner(provisioner: &Provisioner) -> Option<Diagnostic> {
    if matches!(
        &*provisioner.type_name,
        "local-exec" | "remote-exec" | "file"
    ) {
        return None;
    }
    let detail = format!(
        "This configuration requires provisioner plugin \"{}\", which isn't available. Terrace has the provisioners \"local-exec\", \"remote-exec\" and \"file\".",
        provisioner.type_name
    );
    Some(
        Diagnostic::error(
            "unknown-provisioner",
            "Missing required provisioner plugin",
            detail,
        )
        .at(provisioner.span),
    )
}

/// The inputs of a call against the variables of its module.
fn inputs(call: &ModuleCall, child: &ModuleNode, diagnostics: &mut Diagnostics) {
    let variables = &child.module.variables;
    for (name, span) in &call.input_spans {
        let deprecated = variables
            .get(name)
            .and_then(|variable| variable.deprecated.as_ref());
        if let Some(message) = deprecated {
            let detail = format!(
                "Variable \"{name}\" is marked as deprecated with the following message:\n{message}"
            );
            let summary = "Variable marked as deprecated by the module author";
            diagnostics.push(Diagnostic::warning("deprecated-variable", summary, detail).at(*span));
        }
    }
    let missing = variables
        .values()
        .filter(|variable| variable.default.is_none() && !call.inputs.contains_key(&variable.name));
    diagnostics.extend(missing.map(|variable| {
        let detail = format!(
            "The argument \"{}\" is required, but no definition was found.",
            variable.name
        );
        Diagnostic::error("missing-argument", "Missing required argument", detail)
            .at(call.missing_span)
    }));
    let mut unknown: Vec<_> = call
        .input_spans
        .iter()
        .filter(|(name, _)| !variables.contains_key(*name))
        .collect();
    unknown.sort_by_key(|(_, span)| **span);
    for (name, span) in unknown {
        let unset = variables
            .keys()
            .filter(|known| !call.inputs.contains_key(*known))
            .map(|known| &**known);
        let hint = terrace_diag::nearest(name, unset)
            .map_or_else(String::new, |known| format!(" Did you mean \"{known}\"?"));
        let detail = format!("An argument named \"{name}\" is not expected here.{hint}");
        let summary = "Unsupported argument";
        diagnostics.push(if call.overridden {
            let detail = format!("{detail} It is left out, as this block is overridden.");
            Diagnostic::warning("unsupported-argument", summary, detail).at(*span)
        } else {
            Diagnostic::error("unsupported-argument", summary, detail).at(*span)
        });
    }
}

/// What a `removed` block names must not be declared any more.
fn removed(config: &Config, node: &ModuleNode, diagnostics: &mut Diagnostics) {
    let absolute = |path: &ModulePath| {
        path.steps()
            .iter()
            .fold(node.path.clone(), |path, step| path.child(step.clone()))
    };
    for block in &node.module.removed {
        match &block.from {
            RemovedFrom::Module(path) => {
                let path = absolute(path);
                let Some((above, name)) = path.parent() else {
                    continue;
                };
                let Some(call) = config
                    .module(&above)
                    .and_then(|parent| parent.module.calls.get(name))
                else {
                    continue;
                };
                diagnostics.push(still_exists("module", &path.to_string()).at(call.span));
            }
            RemovedFrom::Resource(path, resource) => {
                let module = absolute(path);
                let Some(declared) = config
                    .module(&module)
                    .and_then(|node| node.module.resources.get(resource))
                else {
                    continue;
                };
                let address = terrace_addr::ConfigResource {
                    module,
                    resource: resource.clone(),
                };
                diagnostics.push(still_exists("resource", &address.to_string()).at(declared.span));
            }
        }
    }
}

fn still_exists(what: &str, address: &str) -> Diagnostic {
    Diagnostic::error(
        "removed-still-exists",
        format!("Removed {what} still exists"),
        format!(
            "This statement declares that {address} was removed, but it is still declared in configuration."
        ),
    )
}

/// An aliased provider configuration must be there; a default one may be implied.
fn missing_configuration(
    config: &Config,
    path: &ModulePath,
    resource: &ResourceConfig,
) -> Option<Diagnostic> {
    let local: &LocalProviderConfig = &resource.provider_config;
    local.alias.as_ref()?;
    let address = config.resolve_provider(path, local);
    if address.alias.is_none() || config.provider_config(&address).is_some() {
        return None;
    }
    let shown = terrace_addr::ConfigResource {
        module: path.clone(),
        resource: resource.resource.clone(),
    };
    let what = if resource.resource.mode == ResourceMode::Data {
        "read"
    } else {
        "work with"
    };
    Some(
        Diagnostic::error(
            "missing-provider-configuration",
            "Provider configuration not present",
            format!(
                "To {what} {shown} its provider configuration at {address} is required, but there is no such provider block. Add a provider block with this alias, or pass the configuration in the \"providers\" argument of the module call."
            ),
        )
        .at_opt(resource.provider_explicit),
    )
}
