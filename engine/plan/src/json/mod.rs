//! `show -json`: plan representation 1.2 and state representation 1.0, as the reference gives them.

mod changes;
mod configuration;
mod path_order;
mod state;
mod values;
mod writer;

use std::collections::BTreeMap;

use terrace_addr::ResourceMode;
use terrace_config::Config;
use terrace_state::{CheckResult, CheckStatus, State};

use crate::{Plan, ResourceChange};
pub use changes::change_json;
pub use state::{SchemaLookup, stored_value};
use writer::Writer;

/// Version of the plan's representation.
const PLAN_FORMAT: &str = "1.2";
/// Version of the state's representation.
const STATE_FORMAT: &str = "1.0";
/// What other tools take the engine's version for: the one whose formats these are.
const ENGINE_VERSION: &str = terrace_state::TERRAFORM_VERSION;

/// A plan with the configuration that it was made from, as one line of JSON.
pub fn plan_json(plan: &Plan, config: &Config) -> String {
    let mut out = Writer::new();
    out.object(|out| {
        out.string("format_version", PLAN_FORMAT);
        out.string("terraform_version", ENGINE_VERSION);
        variables(out, plan, config);
        out.key("planned_values");
        changes::planned_values(out, plan);
        if !plan.drift.is_empty() {
            out.array("resource_drift", |out| {
                for change in data_first(&plan.drift) {
                    let before = changes::identity_in(&plan.previous_state, change);
                    changes::change(out, change, before);
                }
            });
        }
        if !plan.changes.is_empty() {
            out.array("resource_changes", |out| {
                for change in data_first(&plan.changes) {
                    let before = changes::identity_in(&plan.prior_state, change);
                    changes::change(out, change, before);
                }
            });
        }
        if !plan.outputs.is_empty() {
            out.key("output_changes");
            out.object(|out| {
                for (name, output) in &plan.outputs {
                    out.key(name);
                    changes::output(out, output);
                }
            });
        }
        prior_state(out, plan);
        out.key("configuration");
        configuration::configuration(out, config, &plan.schemas);
        if !plan.relevant_attributes.is_empty() {
            out.array("relevant_attributes", |out| {
                for relevant in &plan.relevant_attributes {
                    out.object(|out| {
                        out.string("resource", &relevant.resource);
                        out.key("attribute");
                        changes::path(out, &relevant.attribute);
                    });
                }
            });
        }
        checks(out, &plan.checks);
        out.string("timestamp", &plan.inputs.timestamp);
        out.bool("applyable", !plan.errored && plan.has_changes());
        out.bool("complete", !plan.errored && plan.inputs.targets.is_empty());
        out.bool("errored", plan.errored);
    });
    out.finish()
}

/// The changes in the order of the document: in each module, what is read comes before what is managed.
fn data_first(changes: &[ResourceChange]) -> Vec<&ResourceChange> {
    let mut ordered: Vec<&ResourceChange> = changes.iter().collect();
    ordered.sort_by(|one, other| {
        let managed = |change: &ResourceChange| change.address.mode() != ResourceMode::Data;
        one.address
            .module()
            .cmp(other.address.module())
            .then_with(|| managed(one).cmp(&managed(other)))
    });
    ordered
}

/// A state, as one line of JSON. `schemas` tell what is sensitive by schema.
pub fn state_json(state: &State, schemas: &SchemaLookup<'_>) -> String {
    let mut out = Writer::new();
    out.object(|out| {
        out.string("format_version", STATE_FORMAT);
        if !state.outputs.is_empty() || !state.resources.is_empty() {
            out.string("terraform_version", ENGINE_VERSION);
            out.key("values");
            state::values(out, state, schemas, None);
            checks(out, state.check_results.as_deref().unwrap_or_default());
        }
    });
    out.finish()
}

/// Root variables; one whose value no plan holds stands with its default.
fn variables(out: &mut Writer, plan: &Plan, config: &Config) {
    let given = plan
        .inputs
        .variables
        .iter()
        .filter_map(|(name, variable)| variable.value.as_ref().map(|value| (name, value)));
    let declared = config.root.module.variables.iter();
    let mut shown: BTreeMap<_, _> = declared
        .filter_map(|(name, variable)| variable.default.as_ref().map(|value| (name, value)))
        .collect();
    shown.extend(given);
    if shown.is_empty() {
        return;
    }
    out.key("variables");
    out.object(|out| {
        for (name, value) in shown {
            out.key(name);
            out.object(|out| {
                out.key("value");
                values::value(out, value);
            });
        }
    });
}

fn prior_state(out: &mut Writer, plan: &Plan) {
    if plan.prior_state.resources.is_empty()
        && plan.prior_state.outputs.is_empty()
        && plan.previous_state.lineage.is_empty()
    {
        return;
    }
    out.key("prior_state");
    out.object(|out| {
        out.string("format_version", STATE_FORMAT);
        out.string("terraform_version", ENGINE_VERSION);
        out.key("values");
        state::values(
            out,
            &plan.prior_state,
            &|provider| plan.schemas.get(provider).cloned(),
            None,
        );
    });
}

fn checks(out: &mut Writer, checks: &[CheckResult]) {
    if checks.is_empty() {
        return;
    }
    // The order of the document is that of the addresses as texts.
    let mut checks: Vec<&CheckResult> = checks.iter().collect();
    checks.sort_by(|one, other| one.config_address.cmp(&other.config_address));
    out.array("checks", |out| {
        for check in checks {
            out.object(|out| {
                out.key("address");
                check_address(out, check);
                out.string("status", status(check.status));
                if check.objects.is_empty() {
                    return;
                }
                out.array("instances", |out| {
                    for object in &check.objects {
                        out.object(|out| {
                            out.key("address");
                            instance_address(out, &object.address);
                            out.string("status", status(object.status));
                            if !object.failures.is_empty() {
                                out.array("problems", |out| {
                                    for failure in &object.failures {
                                        out.object(|out| out.string("message", failure));
                                    }
                                });
                            }
                        });
                    }
                });
            });
        }
    });
}

const fn status(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Unknown => "unknown",
        CheckStatus::Pass => "pass",
        CheckStatus::Fail => "fail",
        CheckStatus::Error => "error",
    }
}

/// The parts of a check's address: kind, module, and what names it.
fn check_address(out: &mut Writer, check: &CheckResult) {
    out.object(|out| {
        let kind = match &*check.kind {
            "output" => "output_value",
            "var" => "var",
            kind => kind,
        };
        out.string("kind", kind);
        let address = check.config_address.as_str();
        let (module, rest) = split_module(address);
        if let Ok(resource) = rest.parse::<terrace_addr::AbsResource>()
            && kind == "resource"
        {
            let mode = if resource.resource.mode == terrace_addr::ResourceMode::Data {
                "data"
            } else {
                "managed"
            };
            out.string("mode", mode);
            out.string_unless_empty("module", module);
            out.string("name", &resource.resource.name);
            out.string("to_display", address);
            out.string("type", &resource.resource.type_name);
            return;
        }
        out.string_unless_empty("module", module);
        out.string("name", rest.split_once('.').map_or(rest, |(_, name)| name));
        out.string("to_display", address);
    });
}

fn instance_address(out: &mut Writer, address: &str) {
    out.object(|out| {
        let (module, rest) = split_module(address);
        if let Ok(instance) = rest.parse::<terrace_addr::AbsResourceInstance>()
            && let Some(key) = &instance.key
            && !rest.starts_with("check.")
        {
            out.key("instance_key");
            changes::instance_key(out, key);
        }
        out.string_unless_empty("module", module);
        out.string("to_display", address);
    });
}

/// The module part of an address and the rest.
fn split_module(address: &str) -> (&str, &str) {
    let mut end = 0;
    let mut rest = address;
    while let Some(after) = rest.strip_prefix("module.") {
        let mut depth = 0_usize;
        let mut quoted = false;
        let mut escaped = false;
        let step = after.char_indices().find(|(_, c)| {
            if escaped {
                escaped = false;
                return false;
            }
            match c {
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '[' if !quoted => depth += 1,
                ']' if !quoted => depth = depth.saturating_sub(1),
                '.' if !quoted && depth == 0 => return true,
                _ => {}
            }
            false
        });
        let Some((dot, _)) = step else {
            return (address, "");
        };
        let taken = "module.".len() + dot + 1;
        end += taken;
        rest = &address[end..];
    }
    (address[..end].trim_end_matches('.'), rest)
}
