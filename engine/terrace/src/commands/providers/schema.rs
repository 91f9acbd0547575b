//! `terrace providers schema`

use std::collections::BTreeMap;

use crate::args::ProvidersSchemaArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::Session;
use crate::view::schemas::provider_schemas;
use crate::wiring::{ProviderSet, Wiring, load_sound_config, needed_providers};

pub(crate) async fn run(session: &Session, args: &ProvidersSchemaArgs) -> Outcome {
    if !args.json {
        return Err(CommandError::one(
            "schema-needs-json",
            "The `terrace providers schema` command requires the `-json` flag",
            "Schemas are for other tools, and JSON is their only form. Add -json.",
        ));
    }
    let (config, diagnostics) = load_sound_config(session)?;
    session.view.beside(diagnostics, &config.sources);
    let place = session.place(None, Some(&config))?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let providers = ProviderSet::new(Wiring::new(session)?, Some(&config));
    let needed = needed_providers(&config, &state);
    let schemas = providers.described_schemas(&needed).await;
    providers.close().await;
    let schemas: BTreeMap<_, _> = schemas?;
    session.view.output(provider_schemas(&schemas));
    Ok(SUCCESS)
}
