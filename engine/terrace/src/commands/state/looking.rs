//! `terrace state list` and `show`, and `output`.

use std::collections::BTreeSet;

use terrace_addr::{AbsResourceInstance, ProviderAddr};
use terrace_config::Config;
use terrace_state::{State, operations};

use super::selectors;
use crate::args::OutputArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::commands::show as texts;
use crate::session::{Place, Session};
use crate::view::value_text;

pub(super) async fn list(
    session: &Session,
    place: &Place,
    id: Option<&str>,
    addresses: &[String],
) -> Result<(), CommandError> {
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    for address in operations::list(&state, &selectors(addresses)?, id)? {
        session.view.output(address.to_string());
    }
    Ok(())
}

pub(super) async fn show(
    session: &Session,
    state: &State,
    address: &AbsResourceInstance,
    config: Option<&Config>,
) -> Result<(), CommandError> {
    let Some(object) = state.object(address) else {
        let detail =
            format!("No instance found for the given address!\n\nThe state holds no {address}.");
        return Err(terrace_diag::Diagnostic::error(
            "unknown-instance",
            "No such instance",
            detail,
        )
        .hint("`terrace state list` shows the instances that there are")
        .into());
    };
    let provider = state
        .resources
        .get(&address.resource)
        .map(|resource| resource.provider.provider.clone());
    let wanted: BTreeSet<ProviderAddr> = provider.iter().cloned().collect();
    let schemas = texts::schemas_of(session, &wanted, config).await?;
    let schema = schemas.values().next().map(|schema| &**schema);
    session.view.output(format!("# {address}:"));
    session
        .view
        .output(texts::object_text(address, object, schema));
    Ok(())
}

pub(crate) async fn output(
    session: &Session,
    args: &OutputArgs,
    config: Option<&Config>,
) -> Outcome {
    let place = session.place(args.place.env.as_deref(), config)?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let Some(name) = &args.name else {
        if args.style.json {
            session.view.output(texts::outputs_json(&state));
        } else if state.outputs.is_empty() {
            session.view.output("Warning: No outputs found\n\nThe state has no outputs defined, or all the defined outputs are empty.");
        } else {
            session.view.output(texts::outputs_text(&state));
        }
        return Ok(SUCCESS);
    };
    let Some(output) = state.outputs.get(name.as_str()) else {
        let known: Vec<&str> = state.outputs.keys().map(|name| &**name).collect();
        let detail = format!(
            "The output variable requested could not be found in the state. If you recently added this to your configuration, be sure to run `terrace apply`, since the state won't be updated with new output variables until that command is run.\n\nThe state has: {}.",
            if known.is_empty() {
                "no outputs".to_owned()
            } else {
                known.join(", ")
            }
        );
        return Err(CommandError::one(
            "unknown-output",
            format!("Output \"{name}\" not found"),
            detail,
        ));
    };
    if args.style.json {
        let text =
            terrace_value::json::simple_encode(&output.value).unwrap_or_else(|_| "null".to_owned());
        session.view.output(text);
    } else if args.raw {
        let text =
            terrace_value::convert::convert(&output.value, &terrace_value::Type::String).ok();
        let Some(text) = text.as_ref().and_then(terrace_value::Value::as_str) else {
            let detail = format!(
                "The -raw option only supports strings, numbers, and boolean values, but output value \"{name}\" is {}.\n\nUse the -json option for machine-readable representations of output values that have complex types.",
                output.value.ty().friendly_name()
            );
            return Err(CommandError::one(
                "unsupported-raw",
                "Unsupported value for raw output",
                detail,
            ));
        };
        session.view.raw(text.as_bytes());
    } else {
        session.view.output(value_text(&output.value, 0));
    }
    Ok(SUCCESS)
}
