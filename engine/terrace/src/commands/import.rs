//! `terrace import`: takes an object over that exists already, by an address and the id that its provider knows it by.

use terrace_addr::{AbsResourceInstance, ParseError, ResourceMode};
use terrace_config::Config;
use terrace_diag::Diagnostic;
use terrace_port::Files as _;
use terrace_state::State;

use super::{apply, init, plan};
use crate::args::ImportArgs;
use crate::command_error::{CommandError, Outcome};
use crate::outside::Disk;
use crate::session::{Place, Session};
use crate::wiring::load_config_for_backend;

pub(crate) async fn run(session: &Session, args: ImportArgs) -> Outcome {
    let address = address(&args.address)?;
    require_configuration(session)?;
    let config = load_config_for_backend(session);
    if let Some(config) = &config {
        require_target(config, &address)?;
    }
    let place = place(session, &args, config.as_deref())?;
    drop(config);
    plan::check_journal(&place).await?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    refuse_managed(&state, &address)?;
    let imports = vec![(address, args.id.clone())];
    let made = plan::make_import(session, &place, state, imports, args.parallelism).await?;
    apply::import(session, &place, &args, made).await
}

fn place(
    session: &Session,
    args: &ImportArgs,
    config: Option<&Config>,
) -> Result<Place, CommandError> {
    let environment = args.place.env.as_deref();
    if !args.files.are_named() {
        return session.place(environment, config);
    }
    if let Some(environment) = environment {
        let detail = format!(
            "The environment {environment:?} says where its state is. The options -state, -state-out and -backup are for states without an environment."
        );
        return Err(CommandError::one(
            "incompatible-options",
            "Incompatible options",
            detail,
        ));
    }
    session.place_in_files(&args.files, config)
}

fn address(text: &str) -> Result<AbsResourceInstance, CommandError> {
    let address: AbsResourceInstance = text.parse().map_err(|error: ParseError| {
        CommandError::one("invalid-address", "Invalid address", error.to_string())
    })?;
    if address.resource.resource.mode == ResourceMode::Managed {
        return Ok(address);
    }
    let detail = format!(
        "A managed resource address is required. Importing into a data resource is not allowed, and {address} is the address of one, or of an ephemeral resource."
    );
    Err(CommandError::one(
        "invalid-import-address",
        "Invalid import address",
        detail,
    ))
}

fn require_configuration(session: &Session) -> Result<(), CommandError> {
    if init::has_configuration_in(&session.root) {
        return Ok(());
    }
    let directory = Disk.absolute(&session.root);
    let detail = format!(
        "The directory {directory} does not contain any Terrace configuration files (.tf or .tf.json). To specify a different configuration directory, use the -config=\"...\" command line option."
    );
    Err(CommandError::one(
        "no-configuration",
        "No Terrace configuration files",
        detail,
    ))
}

/// The address is that of a resource in the configuration, as far as that can be told before anything is expanded.
fn require_target(config: &Config, address: &AbsResourceInstance) -> Result<(), CommandError> {
    let module = address.module();
    let Some(node) = config.module(&module.path()) else {
        let detail = format!(
            "{module} is not defined in the configuration. Please add configuration for this module before importing into it."
        );
        return Err(CommandError::one(
            "import-without-configuration",
            "Import to non-existent module",
            detail,
        ));
    };
    let resource = &*address.resource.resource;
    if node.module.resources.contains_key(resource) {
        return Ok(());
    }
    let place = if module.is_root() {
        "the root module".to_owned()
    } else {
        module.to_string()
    };
    let detail = format!(
        "The resource address \"{address}\" does not exist in the configuration.\n\nBefore importing this resource, please create its configuration in {place}. For example:\n\nresource {:?} {:?} {{\n  # (resource arguments)\n}}",
        &*resource.type_name, &*resource.name
    );
    Err(CommandError::one(
        "import-without-configuration",
        "Resource address does not exist in the configuration",
        detail,
    ))
}

/// Nothing has the address yet.
fn refuse_managed(state: &State, address: &AbsResourceInstance) -> Result<(), CommandError> {
    let known = state
        .resources
        .get(&address.resource)
        .is_some_and(|resource| resource.instances.contains_key(&address.key));
    if !known {
        return Ok(());
    }
    let detail = format!(
        "Terrace is already managing a remote object for {address}. To import to this address you must first remove the existing object from the state."
    );
    Err(Diagnostic::error(
        "already-managed",
        "Resource already managed by Terrace",
        detail,
    )
    .hint(format!("run `terrace state rm '{address}'`"))
    .into())
}
