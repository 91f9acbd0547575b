//! `terrace state replace-provider`

use std::collections::BTreeMap;

use terrace_addr::{AbsResource, ProviderAddr};
use terrace_config::Config;
use terrace_state::operations::{ProviderChange, ProviderPattern, exchange_providers};

use super::selectors;
use super::writing::{Changed, Manner, change};
use crate::args::ReplaceProviderArgs;
use crate::command_error::CommandError;
use crate::session::Session;

fn pattern(text: &str, end: &str) -> Result<ProviderPattern, CommandError> {
    text.parse()
        .map_err(|error: terrace_state::operations::OperationError| {
            let detail = format!("The {end:?} provider cannot be read. {}", error.detail);
            CommandError::one("invalid-provider", "Invalid provider", detail)
        })
}

pub(super) async fn run(
    session: &Session,
    args: &ReplaceProviderArgs,
    config: Option<&Config>,
) -> Result<(), CommandError> {
    let environment = args.place.env.as_deref();
    let place = session.place_or_files(environment, &args.files, config)?;
    let (from, to) = (pattern(&args.from, "from")?, pattern(&args.to, "to")?);
    let selectors = selectors(&args.addresses)?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let (_, changes) = exchange_providers(&state, &from, &to, &selectors);
    if changes.is_empty() {
        session.view.line("No matching resources found.");
        return Ok(());
    }
    session.view.line(shown(&changes));
    if args.dry_run {
        return Ok(());
    }
    let question =
        "\nDo you want to make these changes?\nOnly 'yes' will be accepted to continue.\n";
    if !args.auto_approve && !session.view.confirm(question) {
        session.view.line("Cancelled replacing providers.");
        return Ok(());
    }
    let manner = Manner {
        lock: &args.lock,
        operation: "state-replace-provider",
        dry_run: false,
    };
    change(session, &place, manner, |state| {
        let (next, changes) = exchange_providers(state, &from, &to, &selectors);
        Ok(Changed {
            state: next,
            text: format!(
                "\nSuccessfully replaced provider for {} resources.",
                changes.len()
            ),
        })
    })
    .await
}

/// Each pair of providers, then the resources.
fn shown(changes: &[ProviderChange]) -> String {
    let mut pairs: BTreeMap<(&ProviderAddr, &ProviderAddr), Vec<&AbsResource>> = BTreeMap::new();
    for change in changes {
        let resources = pairs.entry((&change.from, &change.to)).or_default();
        resources.push(&change.resource);
    }
    let parts: Vec<String> = pairs
        .into_iter()
        .map(|((from, to), resources)| {
            let names: Vec<String> = resources.iter().map(|one| format!("  {one}")).collect();
            format!(
                "  ~ Updating provider:\n    - {from}\n    + {to}\n\nChanging {} resources:\n\n{}",
                resources.len(),
                names.join("\n")
            )
        })
        .collect();
    format!(
        "Terrace will perform the following actions:\n\n{}",
        parts.join("\n\n")
    )
}
