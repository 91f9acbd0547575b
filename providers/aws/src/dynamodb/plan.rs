//! What the schema alone does not tell of a table's plan.

use std::collections::BTreeSet;

use terrace_provider_sdk::{Diagnostics, Object, Plan, Type, attribute};

use super::indices::{self, INDICES};
use super::replicas;
use super::spec::{block, blocks, by_request, text};
use crate::client::Client;

/// What is said of a table's stream.
const STREAM: [&str; 2] = ["stream_enabled", "stream_view_type"];

/// Checks a configuration, which may hold unknowns.
pub(super) fn validate(config: &Object, diagnostics: &mut Diagnostics) {
    stream(config, diagnostics);
    capacity(config, diagnostics);
    let sources = [
        "import_table",
        "restore_source_name",
        "restore_source_table_arn",
        "restore_backup_arn",
    ];
    let set: Vec<&str> = sources
        .into_iter()
        .filter(|name| match config.value(name).as_sequence() {
            Some(blocks) => !blocks.is_empty(),
            None => config.is_set(name) && config.is_known(name),
        })
        .collect();
    if set.len() > 1 {
        diagnostics.error_at(
            attribute(set[1]),
            "Invalid combination of arguments",
            format!(
                "A table is filled from one source: set one of {}.",
                set.join(" and ")
            ),
        );
    }
    for index in blocks(config, INDICES) {
        let schema = !index.items("key_schema").is_empty() || !index.is_known("key_schema");
        let hash = index.is_set("hash_key");
        if schema == hash {
            diagnostics.error_at(
                attribute(INDICES),
                "Invalid combination of arguments",
                format!(
                    "The index {} needs its key once, in key_schema blocks or in hash_key.",
                    index.text("name").unwrap_or_default()
                ),
            );
        }
    }
    replicas::validate(config, diagnostics);
}

fn stream(config: &Object, diagnostics: &mut Diagnostics) {
    if !config.is_known("stream_enabled") || !config.is_known("stream_view_type") {
        return;
    }
    let view = text(config, "stream_view_type");
    match (config.flag("stream_enabled"), view) {
        (Some(true), None) => diagnostics.error_at(
            attribute("stream_view_type"),
            "Missing required argument",
            "A stream that is enabled needs stream_view_type: what it tells of each change.",
        ),
        (None | Some(false), Some(_)) => diagnostics.error_at(
            attribute("stream_view_type"),
            "Invalid combination of arguments",
            "stream_view_type is for tables with stream_enabled = true.",
        ),
        _ => {}
    }
}

fn capacity(config: &Object, diagnostics: &mut Diagnostics) {
    for name in ["read_capacity", "write_capacity"] {
        let Some(units) = config.whole(name) else {
            continue;
        };
        match config.text("billing_mode") {
            Some(super::spec::BY_REQUEST) if units != 0 => diagnostics.error_at(
                attribute(name),
                "Invalid combination of arguments",
                format!("{name} is for tables with billing_mode = \"PROVISIONED\": this one is paid for by request."),
            ),
            Some("PROVISIONED") if units < 1 => diagnostics.error_at(
                attribute(name),
                "Invalid capacity",
                format!("{name} must be 1 or more where billing_mode is \"PROVISIONED\"."),
            ),
            _ => {}
        }
    }
}

/// Completes a plan.
pub(super) fn complete(plan: &mut Plan<Client>) {
    let (Some(config), Some(planned)) = (&plan.config, &mut plan.planned) else {
        return;
    };
    let on_request = by_request(planned);
    if let Some(indices) = indices::planned(plan.prior.as_ref(), config, on_request) {
        planned.set(INDICES, indices);
    }
    let streams_change = plan.prior.as_ref().is_some_and(|prior| {
        STREAM
            .iter()
            .any(|name| prior.value(name) != planned.value(name))
    });
    if let Some(replicas) = replicas::planned(plan.prior.as_ref(), config, streams_change) {
        planned.set(replicas::REPLICAS, replicas);
    }
    replicas::without_witness(config, planned);
    let Some(prior) = &plan.prior else {
        keys(planned, &mut plan.diagnostics);
        return;
    };
    for units in ["read_capacity", "write_capacity"] {
        let billed_otherwise = prior.value("billing_mode") != planned.value("billing_mode");
        if billed_otherwise && !config.is_set(units) {
            planned.forget(units, Type::Number);
        }
    }
    if planned.value(INDICES) == prior.value(INDICES) {
        planned.set("attribute", prior.value("attribute").clone());
    }
    for name in ["server_side_encryption", "point_in_time_recovery", "ttl"] {
        let off = |object: &Object| {
            block(object, name).is_none_or(|block| block.flag("enabled") == Some(false))
        };
        if planned.is_known(name) && off(prior) && off(planned) {
            planned.set(name, prior.value(name).clone());
        }
    }
    if streams_change {
        planned.forget("stream_arn", Type::String);
        planned.forget("stream_label", Type::String);
    }
    let cools = |name: &str| {
        let units = |object: &Object| {
            block(object, "warm_throughput")
                .and_then(|warm| warm.whole(name))
                .unwrap_or(0)
        };
        units(planned) != 0 && units(planned) < units(prior)
    };
    let cools = cools("read_units_per_second") || cools("write_units_per_second");
    let other =
        |name: &str| text(planned, name).is_some() && planned.value(name) != prior.value(name);
    let restored: Vec<&str> = [
        "restore_source_name",
        "restore_source_table_arn",
        "restore_backup_arn",
    ]
    .into_iter()
    .filter(|name| other(name))
    .collect();
    for name in restored {
        plan.replace_for(name);
    }
    if cools {
        plan.replace_for("warm_throughput");
    }
}

/// Checks that a new table defines the attributes that its keys are made of, and no others: DynamoDB wants it so.
fn keys(planned: &Object, diagnostics: &mut Diagnostics) {
    if !planned.is_known("attribute") || !planned.value(INDICES).is_wholly_known() {
        return;
    }
    let filled = [
        "restore_source_name",
        "restore_source_table_arn",
        "restore_backup_arn",
    ];
    if filled.iter().any(|name| planned.is_set(name)) {
        return;
    }
    let indices = blocks(planned, INDICES);
    let locals = blocks(planned, "local_secondary_index");
    let whole = [planned.clone()];
    let mut used = BTreeSet::new();
    for keyed in whole.iter().chain(&indices).chain(&locals) {
        for name in ["hash_key", "range_key"] {
            if !keyed.is_known(name) {
                return;
            }
            used.extend(text(keyed, name).map(str::to_owned));
        }
        let schema = blocks(keyed, "key_schema");
        used.extend(
            schema
                .iter()
                .filter_map(|key| key.text("attribute_name"))
                .map(str::to_owned),
        );
    }
    let attributes = blocks(planned, "attribute");
    if attributes
        .iter()
        .any(|attribute| !attribute.is_known("name"))
    {
        return;
    }
    let defined: BTreeSet<String> = attributes
        .iter()
        .filter_map(|attribute| attribute.text("name"))
        .map(str::to_owned)
        .collect();
    let listed = |names: Vec<&String>| {
        names
            .into_iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let unused: Vec<&String> = defined.difference(&used).collect();
    let undefined: Vec<&String> = used.difference(&defined).collect();
    if !unused.is_empty() {
        diagnostics.error_at(
            attribute("attribute"),
            "Attributes without a key",
            format!("attribute blocks define what keys are made of, and no key of the table or its indices has {}. Leave them out: items may have any attributes.", listed(unused)),
        );
    }
    if !undefined.is_empty() {
        diagnostics.error_at(
            attribute("attribute"),
            "Keys without an attribute",
            format!("Keys of the table or its indices have {}: add an attribute block with the type of each.", listed(undefined)),
        );
    }
}
