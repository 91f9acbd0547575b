//! What the language has and Terrace reads, but does not carry out yet. A line goes when what it names is carried out.

use terrace_diag::{Diagnostic, Diagnostics, Span};

use crate::decode::not_supported_yet;
use crate::{ForEachOrCount, Module, ResourceConfig};

/// What a module asks for in vain.
pub(crate) fn in_module(module: &Module) -> Diagnostics {
    let mut found: Vec<(&str, Span)> = Vec::new();
    if let Some(backend) = &module.backend
        && &*backend.type_name == "cloud"
    {
        found.push(("\"cloud\" blocks", backend.span));
    }
    if let Some(encryption) = &module.encryption {
        found.push(("\"encryption\" blocks", encryption.span));
    }
    for block in module.provider_configs.values() {
        if let Some(for_each) = &block.for_each {
            found.push((
                "\"for_each\" arguments of \"provider\" blocks",
                for_each.span,
            ));
        }
    }
    for import in &module.imports {
        if let Some(identity) = &import.identity {
            found.push(("\"identity\" arguments of \"import\" blocks", identity.span));
        }
    }
    for call in module.calls.values() {
        if let ForEachOrCount::Enabled(enabled) = &call.repetition {
            found.push((
                "\"enabled\" arguments of \"lifecycle\" blocks",
                enabled.span,
            ));
        }
    }
    for resource in module.resources.values() {
        in_resource(resource, &mut found);
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

fn in_resource(resource: &ResourceConfig, found: &mut Vec<(&'static str, Span)>) {
    if let ForEachOrCount::Enabled(enabled) = &resource.repetition {
        found.push((
            "\"enabled\" arguments of \"lifecycle\" blocks",
            enabled.span,
        ));
    }
    if let Some(prevent) = &resource.lifecycle.prevent_destroy_if {
        found.push((
            "\"prevent_destroy\" arguments that are no constants",
            prevent.span,
        ));
    }
    if resource.lifecycle.destroy.is_some() {
        found.push((
            "\"destroy\" arguments of \"lifecycle\" blocks",
            resource.span,
        ));
    }
    for provisioner in &resource.provisioners {
        match &*provisioner.type_name {
            "remote-exec" => found.push(("\"remote-exec\" provisioners", provisioner.span)),
            "file" => found.push(("\"file\" provisioners", provisioner.span)),
            _ => {}
        }
    }
}
