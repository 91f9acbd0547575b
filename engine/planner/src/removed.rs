//! `removed` blocks.

use terrace_addr::{ConfigResource, ModulePath, Resource};
use terrace_config::{Config, Removed, RemovedFrom};
use terrace_diag::Diagnostic;

use crate::place::listed;

/// The block that says what becomes of the objects of a resource that is no longer declared.
pub(crate) fn statement<'a>(config: &'a Config, resource: &ConfigResource) -> Option<&'a Removed> {
    config.root.walk().find_map(|node| {
        node.module
            .removed
            .iter()
            .find(|removed| match absolute(&node.path, &removed.from) {
                (module, Some(named)) => module == resource.module && *named == resource.resource,
                (module, None) => resource.module.steps().starts_with(module.steps()),
            })
    })
}

fn absolute<'a>(base: &ModulePath, from: &'a RemovedFrom) -> (ModulePath, Option<&'a Resource>) {
    let (relative, resource) = match from {
        RemovedFrom::Module(module) => (module, None),
        RemovedFrom::Resource(module, resource) => (module, Some(resource)),
    };
    (
        base.steps()
            .iter()
            .chain(relative.steps())
            .cloned()
            .collect(),
        resource,
    )
}

/// The warning about objects that stay but are no longer managed.
pub(crate) fn forgotten_warning<'a>(
    addresses: impl Iterator<Item = &'a str>,
) -> Option<Diagnostic> {
    let list = listed(addresses, " - ");
    if list.is_empty() {
        return None;
    }
    Some(Diagnostic::warning(
        "objects-forgotten",
        "Some objects will no longer be managed by Terrace",
        format!(
            "If you apply this plan, Terrace will discard its tracking information for the following objects, but it will not delete them:{list}\n\nAfter applying this plan, Terrace will no longer manage these objects. You will need to import them into Terrace to manage them again."
        ),
    ))
}
