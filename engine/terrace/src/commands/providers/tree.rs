//! `terrace providers`

use terrace_addr::ProviderAddr;
use terrace_addr::version::Constraints;
use terrace_config::ModuleNode;

use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::session::Session;
use crate::view::requirements::{RequiringModule, tree};
use crate::wiring::load_sound_config;

pub(crate) async fn run(session: &Session) -> Outcome {
    if !crate::commands::init::has_configuration() {
        return Err(CommandError::one(
            "no-configuration",
            "No configuration files",
            "The directory has no Terrace configuration files. Run the command where the root module is.",
        ));
    }
    let (config, diagnostics) = load_sound_config(session)?;
    session.view.beside(diagnostics, &config.sources);
    let place = session.place(None, Some(&config))?;
    let state = terrace_state::load(&*place.store, &place.workspace).await?;
    let mut of_state: Vec<String> = state
        .resources
        .values()
        .map(|resource| resource.provider.provider.to_string())
        .collect();
    of_state.sort();
    of_state.dedup();
    session.view.output(tree(&module(&config.root), &of_state));
    Ok(SUCCESS)
}

fn module(node: &ModuleNode) -> RequiringModule {
    let mut providers: Vec<(ProviderAddr, String)> = node
        .module
        .providers
        .values()
        .map(|known| (known.provider.clone(), constraints(&known.versions)))
        .collect();
    providers.sort();
    providers.dedup_by(|(later, _), (earlier, _)| later == earlier);
    RequiringModule {
        name: node
            .path
            .steps()
            .last()
            .map(ToString::to_string)
            .unwrap_or_default(),
        providers: providers
            .into_iter()
            .map(|(provider, versions)| (provider.to_string(), versions))
            .collect(),
        calls: node.children.values().map(module).collect(),
    }
}

/// Constraints in their usual form.
fn constraints(versions: &[(String, terrace_diag::Span)]) -> String {
    versions
        .iter()
        .filter_map(|(text, _)| text.parse::<Constraints>().ok())
        .fold(Constraints::default(), Constraints::and)
        .canonical()
}
