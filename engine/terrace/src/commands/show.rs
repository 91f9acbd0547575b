//! `terrace show`, and the texts of states.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, ProviderAddr, ResourceMode};
use terrace_config::Config;
use terrace_plan::{is_plan_file, read_plan_file};
use terrace_schema::ProviderSchema;
use terrace_state::{Object, ObjectStatus, State};

use crate::args::ShowArgs;
use crate::command_error::{CommandError, Outcome, SUCCESS};
use crate::encryption::read_saved;
use crate::session::Session;
use crate::view::{plan as plan_view, value_text};
use crate::wiring::{ProviderSet, Wiring};

pub(crate) async fn run(
    session: &Session,
    args: &ShowArgs,
    config: Option<Arc<Config>>,
) -> Outcome {
    let Some(file) = &args.file else {
        let place = session.place(args.place.env.as_deref(), config.as_deref())?;
        let state = terrace_state::load(&*place.store, &place.workspace).await?;
        return show_state(session, &state, args.style.json, config).await;
    };
    let bytes = read_saved(session, file).await?;
    if !is_plan_file(&bytes) {
        let state = terrace_state::read(&bytes).map_err(|error| {
            CommandError::one(
                "not-a-plan-or-state",
                "Neither a plan nor a state",
                format!(
                    "{file} is neither a plan file of Terrace nor a state file: {}: {}",
                    error.summary, error.detail
                ),
            )
        })?;
        return show_state(session, &state, args.style.json, config).await;
    }
    let (plan, digest) = read_plan_file(&bytes).map_err(|error| {
        CommandError::one(
            "invalid-plan",
            "Plan file cannot be used",
            error.to_string(),
        )
    })?;
    if args.style.json {
        let (config, _) = terrace_config::load_snapshot(&plan.inputs.configuration);
        session.view.output(terrace_plan::plan_json(&plan, &config));
    } else {
        session.view.output(plan_view::render(&plan, &session.view));
        session.view.output(format!("\nPlan digest: {digest}"));
    }
    Ok(SUCCESS)
}

async fn show_state(
    session: &Session,
    state: &State,
    json: bool,
    config: Option<Arc<Config>>,
) -> Outcome {
    let wanted = state
        .resources
        .values()
        .map(|resource| resource.provider.provider.clone())
        .collect();
    let schemas = schemas_of(session, &wanted, config.as_deref()).await?;
    if json {
        let lookup = |provider: &ProviderAddr| schemas.get(provider).cloned();
        session
            .view
            .output(terrace_plan::state_json(state, &lookup));
        return Ok(SUCCESS);
    }
    if state.resources.is_empty() && state.outputs.is_empty() {
        session
            .view
            .output("The state file is empty. No resources are represented.");
        return Ok(SUCCESS);
    }
    for (address, resource, instance) in state.instances() {
        let schema = schemas.get(&resource.provider.provider);
        let show = |object: &Object, note: &str| {
            let text = object_text(&address, object, schema.map(|schema| &**schema));
            session.view.output(format!("# {address}:{note}\n{text}\n"));
        };
        if let Some(object) = &instance.current {
            let tainted = object.status == ObjectStatus::Tainted;
            show(object, if tainted { " (tainted)" } else { "" });
        }
        for (key, object) in &instance.deposed {
            show(object, &format!(" (deposed object {key})"));
        }
    }
    if !state.outputs.is_empty() {
        session
            .view
            .output(format!("\nOutputs:\n\n{}", outputs_text(state)));
    }
    Ok(SUCCESS)
}

/// Schemas tell the types of values and what is sensitive. A provider that is not installed is done without: its
/// objects are shown as they are stored.
pub(crate) async fn schemas_of(
    session: &Session,
    wanted: &BTreeSet<ProviderAddr>,
    config: Option<&Config>,
) -> Result<BTreeMap<ProviderAddr, Arc<ProviderSchema>>, CommandError> {
    let wiring = Wiring::new(session)?;
    let providers = ProviderSet::new(wiring, config);
    let schemas = providers.schemas_that_can_be_had(wanted).await;
    providers.close().await;
    Ok(schemas)
}

/// An object as a block.
pub(crate) fn object_text(
    address: &AbsResourceInstance,
    object: &Object,
    schema: Option<&ProviderSchema>,
) -> String {
    let keyword = match address.mode() {
        ResourceMode::Managed => "resource",
        ResourceMode::Data => "data",
        ResourceMode::Ephemeral => "ephemeral",
    };
    let resource = &address.resource.resource;
    let value = terrace_plan::stored_value(address, object, schema);
    let table = schema.map(|schema| match address.mode() {
        ResourceMode::Managed => &schema.resources,
        ResourceMode::Data => &schema.data_sources,
        ResourceMode::Ephemeral => &schema.ephemeral_resources,
    });
    let block = table.and_then(|table| table.get(address.type_name()));
    let rows = plan_view::attributes(&value, block.map(|schema| &schema.block));
    format!(
        "{keyword} \"{}\" \"{}\" {{\n{}\n}}",
        resource.type_name,
        resource.name,
        rows.join("\n")
    )
}

/// Root outputs as lines.
pub(crate) fn outputs_text(state: &State) -> String {
    let rows: Vec<String> = state
        .outputs
        .iter()
        .map(|(name, output)| {
            let text = if output.sensitive {
                "<sensitive>".to_owned()
            } else {
                value_text(&output.value, 0)
            };
            format!("{name} = {text}")
        })
        .collect();
    rows.join("\n")
}

/// Root outputs as `output -json` gives them: sensitive ones in clear, because they are asked for.
pub(crate) fn outputs_json(state: &State) -> String {
    let mut object = serde_json::Map::new();
    for (name, output) in &state.outputs {
        let value = terrace_value::json::simple_encode(&output.value)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        let ty: serde_json::Value =
            serde_json::from_str(&terrace_value::json::encode_type(&output.value.ty()))
                .unwrap_or_default();
        let entry = serde_json::json!({"sensitive": output.sensitive, "type": ty, "value": value.unwrap_or(serde_json::Value::Null)});
        object.insert(name.to_string(), entry);
    }
    format!("{:#}", serde_json::Value::Object(object))
}
