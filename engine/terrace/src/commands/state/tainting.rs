//! `terrace taint` and `untaint`

use std::sync::Arc;

use terrace_addr::AbsResourceInstance;
use terrace_config::Config;
use terrace_diag::{Diagnostic, SourceMap};
use terrace_state::{Object, ObjectStatus, State};

use super::instance;
use super::writing::{Changed, Manner, change};
use crate::args::TaintArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::Session;

pub(crate) async fn taint(
    session: &Session,
    args: &TaintArgs,
    tainted: bool,
    config: Option<&Config>,
) -> Outcome {
    let environment = args.place.env.as_deref();
    let place = session.place_or_files(environment, &args.files, config)?;
    let address = instance(&args.address)?;
    let operation = if tainted { "taint" } else { "untaint" };
    let manner = Manner {
        lock: &args.lock,
        operation,
        dry_run: false,
    };
    change(session, &place, manner, |state| {
        if state.object(&address).is_none() && args.allow_missing {
            let detail = format!(
                "Resource instance {address} was not found, but this is not an error because -allow-missing was set."
            );
            let warning =
                Diagnostic::warning("unknown-instance", "No such resource instance", detail);
            session.view.diagnostics(warning.into(), &SourceMap::new());
            return Ok(Changed {
                state: state.clone(),
                text: String::new(),
            });
        }
        marked(state, &address, tainted)
    })
    .await?;
    Ok(SUCCESS)
}

fn marked(
    state: &State,
    address: &AbsResourceInstance,
    tainted: bool,
) -> Result<Changed, CommandError> {
    let mut next = state.clone();
    let current = next
        .resources
        .get_mut(&address.resource)
        .and_then(|resource| resource.instances.get_mut(&address.key)?.current.as_mut());
    let Some(current) = current else {
        let detail = format!(
            "There is no resource instance in the state with the address {address}. If the resource configuration has just been added, you must run \"terrace apply\" once to create the corresponding instance(s) before they can be tainted."
        );
        return Err(CommandError::one(
            "unknown-instance",
            "No such resource instance",
            detail,
        ));
    };
    let (status, done) = match (tainted, current.status) {
        (true, _) => (ObjectStatus::Tainted, "marked as tainted"),
        (false, ObjectStatus::Tainted) => (ObjectStatus::Ready, "successfully untainted"),
        (false, ObjectStatus::Ready) => {
            let detail = format!(
                "Resource instance {address} is not currently tainted, and so it cannot be untainted."
            );
            return Err(CommandError::one(
                "not-tainted",
                "Resource instance is not tainted",
                detail,
            ));
        }
    };
    *current = Arc::new(Object {
        status,
        ..(**current).clone()
    });
    Ok(Changed {
        state: next,
        text: format!("Resource instance {address} has been {done}."),
    })
}
