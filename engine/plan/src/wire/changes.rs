//! Changes on the wire.

use serde::{Deserialize, Serialize};

use super::values::{Base64, PathWire, TypeTable, ValueWire};
use crate::{Action, ActionReason, Importing, OutputChange, Reason, ResourceChange};

#[derive(Serialize, Deserialize)]
pub(super) struct ChangeWire {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    previous_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    deposed: Option<String>,
    provider: String,
    action: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    reason: Option<String>,
    before: ValueWire,
    after: ValueWire,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    replace_paths: Vec<PathWire>,
    private: Base64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    identity: Option<ValueWire>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    importing: Option<ImportingWire>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    generated_config: Option<String>,
    schema_version: i64,
    create_before_destroy: bool,
    dependencies: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    reasons: Vec<(String, String, String)>,
}

#[derive(Serialize, Deserialize)]
struct ImportingWire {
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    identity: Option<ValueWire>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OutputWire {
    action: String,
    before: ValueWire,
    after: ValueWire,
    sensitive: bool,
}

const ACTIONS: [(Action, &str); 9] = [
    (Action::NoOp, "no-op"),
    (Action::Create, "create"),
    (Action::Read, "read"),
    (Action::Update, "update"),
    (Action::DeleteThenCreate, "delete-create"),
    (Action::CreateThenDelete, "create-delete"),
    (Action::ForgetThenCreate, "forget-create"),
    (Action::Delete, "delete"),
    (Action::Forget, "forget"),
];

impl ActionReason {
    const ALL: [Self; 15] = [
        Self::None,
        Self::ReplaceBecauseTainted,
        Self::ReplaceByRequest,
        Self::ReplaceByTriggers,
        Self::ReplaceBecauseCannotUpdate,
        Self::DeleteBecauseNoResourceConfig,
        Self::DeleteBecauseWrongRepetition,
        Self::DeleteBecauseCountIndex,
        Self::DeleteBecauseEachKey,
        Self::DeleteBecauseEnabledFalse,
        Self::DeleteBecauseNoModule,
        Self::DeleteBecauseNoMoveTarget,
        Self::ReadBecauseConfigUnknown,
        Self::ReadBecauseDependencyPending,
        Self::ReadBecauseCheckNested,
    ];

    /// The name in plan JSON; empty for [`ActionReason::None`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::ReplaceBecauseTainted => "replace_because_tainted",
            Self::ReplaceByRequest => "replace_by_request",
            Self::ReplaceByTriggers => "replace_by_triggers",
            Self::ReplaceBecauseCannotUpdate => "replace_because_cannot_update",
            Self::DeleteBecauseNoResourceConfig => "delete_because_no_resource_config",
            Self::DeleteBecauseWrongRepetition => "delete_because_wrong_repetition",
            Self::DeleteBecauseCountIndex => "delete_because_count_index",
            Self::DeleteBecauseEachKey => "delete_because_each_key",
            Self::DeleteBecauseEnabledFalse => "delete_because_enabled_false",
            Self::DeleteBecauseNoModule => "delete_because_no_module",
            Self::DeleteBecauseNoMoveTarget => "delete_because_no_move_target",
            Self::ReadBecauseConfigUnknown => "read_because_config_unknown",
            Self::ReadBecauseDependencyPending => "read_because_dependency_pending",
            Self::ReadBecauseCheckNested => "read_because_check_nested",
        }
    }
}

fn action_name(action: Action) -> String {
    let found = ACTIONS.iter().find(|(candidate, _)| *candidate == action);
    found.map_or("", |(_, name)| name).to_owned()
}

fn action_of(name: &str) -> Result<Action, String> {
    let found = ACTIONS.iter().find(|(_, candidate)| *candidate == name);
    found
        .map(|(action, _)| *action)
        .ok_or_else(|| format!("{name:?} is not an action"))
}

fn parse<T: std::str::FromStr<Err = terrace_addr::ParseError>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error: terrace_addr::ParseError| error.to_string())
}

impl ChangeWire {
    pub(super) fn encode(change: &ResourceChange, types: &mut TypeTable) -> Self {
        Self {
            address: change.address.to_string(),
            previous_address: change.previous_address.as_ref().map(ToString::to_string),
            deposed: change.deposed.as_ref().map(ToString::to_string),
            provider: change.provider.to_string(),
            action: action_name(change.action),
            reason: Some(change.action_reason.name().to_owned()).filter(|name| !name.is_empty()),
            before: ValueWire::encode(&change.before, types),
            after: ValueWire::encode(&change.after, types),
            replace_paths: change.replace_paths.iter().map(PathWire::encode).collect(),
            private: Base64(change.private.clone()),
            identity: change
                .identity
                .as_ref()
                .map(|identity| ValueWire::encode(identity, types)),
            importing: change.importing.as_ref().map(|importing| ImportingWire {
                id: importing.id.clone(),
                identity: importing
                    .identity
                    .as_ref()
                    .map(|identity| ValueWire::encode(identity, types)),
            }),
            generated_config: change.generated_config.clone(),
            schema_version: change.schema_version,
            create_before_destroy: change.create_before_destroy,
            dependencies: change
                .dependencies
                .iter()
                .map(ToString::to_string)
                .collect(),
            reasons: change
                .reasons
                .iter()
                .map(|reason| {
                    (
                        reason.attribute.clone(),
                        reason.place.clone(),
                        reason.cause.clone(),
                    )
                })
                .collect(),
        }
    }

    pub(super) fn decode(self, types: &TypeTable) -> Result<ResourceChange, String> {
        let reason = self.reason.unwrap_or_default();
        let action_reason = ActionReason::ALL
            .into_iter()
            .find(|candidate| candidate.name() == reason);
        let dependency = |text: &String| {
            parse::<terrace_addr::AbsResource>(text).map(|address| address.config())
        };
        Ok(ResourceChange {
            address: parse(&self.address)?,
            previous_address: self.previous_address.as_deref().map(parse).transpose()?,
            deposed: self.deposed.map(|key| terrace_addr::DeposedKey(key.into())),
            provider: parse(&self.provider)?,
            action: action_of(&self.action)?,
            action_reason: action_reason.ok_or_else(|| format!("{reason:?} is not a reason"))?,
            before: self.before.decode(types)?,
            after: self.after.decode(types)?,
            replace_paths: self
                .replace_paths
                .iter()
                .map(PathWire::decode)
                .collect::<Result<_, _>>()?,
            private: self.private.0,
            identity: self
                .identity
                .map(|identity| identity.decode(types))
                .transpose()?,
            importing: self
                .importing
                .map(|importing| {
                    let identity = importing.identity;
                    Ok::<_, String>(Importing {
                        id: importing.id,
                        identity: identity.map(|value| value.decode(types)).transpose()?,
                    })
                })
                .transpose()?,
            generated_config: self.generated_config,
            schema_version: self.schema_version,
            create_before_destroy: self.create_before_destroy,
            dependencies: self
                .dependencies
                .iter()
                .map(dependency)
                .collect::<Result<_, _>>()?,
            reasons: self
                .reasons
                .into_iter()
                .map(|(attribute, place, cause)| Reason {
                    attribute,
                    place,
                    cause,
                })
                .collect(),
        })
    }
}

impl OutputWire {
    pub(super) fn encode(output: &OutputChange, types: &mut TypeTable) -> Self {
        Self {
            action: action_name(output.action),
            before: ValueWire::encode(&output.before, types),
            after: ValueWire::encode(&output.after, types),
            sensitive: output.sensitive,
        }
    }

    pub(super) fn decode(self, types: &TypeTable) -> Result<OutputChange, String> {
        Ok(OutputChange {
            action: action_of(&self.action)?,
            before: self.before.decode(types)?,
            after: self.after.decode(types)?,
            sensitive: self.sensitive,
        })
    }
}
