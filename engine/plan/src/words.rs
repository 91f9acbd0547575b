//! What happens to an object and why, in words.

use crate::{Action, ActionReason, ResourceChange};

impl ResourceChange {
    /// What happens, as a title: `aws_vpc.main will be created`.
    pub fn title(&self) -> String {
        let address = &self.address;
        if let Some(deposed) = &self.deposed {
            return format!("{address} (deposed object {deposed}) will be destroyed");
        }
        match self.action {
            Action::NoOp => match &self.previous_address {
                Some(previous) => format!("{previous} has moved to {address}"),
                None if self.importing.is_some() => format!("{address} will be imported"),
                None => format!("{address} stays as it is"),
            },
            Action::Create => format!("{address} will be created"),
            Action::Read => format!("{address} will be read during apply"),
            Action::Update => format!("{address} will be updated in-place"),
            Action::Delete => format!("{address} will be destroyed"),
            Action::Forget => {
                format!("{address} will no longer be managed by Terrace, but will not be destroyed")
            }
            Action::DeleteThenCreate | Action::CreateThenDelete | Action::ForgetThenCreate => {
                match self.action_reason {
                    ActionReason::ReplaceBecauseTainted => {
                        format!("{address} is tainted, so must be replaced")
                    }
                    ActionReason::ReplaceByRequest => {
                        format!("{address} will be replaced, as requested")
                    }
                    ActionReason::ReplaceByTriggers => {
                        format!("{address} will be replaced due to changes in replace_triggered_by")
                    }
                    _ => format!("{address} must be replaced"),
                }
            }
        }
    }

    /// Why, in words, where the title does not say it.
    pub fn why(&self) -> Option<String> {
        let address = &self.address;
        let key = address
            .key
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        if self.action == Action::Forget {
            return Some("destroy = false is set in the configuration".to_owned());
        }
        if self.action == Action::ForgetThenCreate {
            return Some(
                "the object before stays, since destroy = false is set in the configuration"
                    .to_owned(),
            );
        }
        Some(match self.action_reason {
            ActionReason::DeleteBecauseEnabledFalse => "because enabled is false".to_owned(),
            ActionReason::DeleteBecauseNoResourceConfig => format!(
                "because {} is not in configuration",
                address.resource.resource
            ),
            ActionReason::DeleteBecauseNoModule => {
                format!("because {} is not in configuration", address.module())
            }
            ActionReason::DeleteBecauseWrongRepetition if address.key.is_none() => {
                "because resource uses count or for_each".to_owned()
            }
            ActionReason::DeleteBecauseWrongRepetition => {
                "because resource does not use count or for_each".to_owned()
            }
            ActionReason::DeleteBecauseCountIndex => {
                format!("because index {key} is out of range for count")
            }
            ActionReason::DeleteBecauseEachKey => {
                format!("because key {key} is not in for_each map")
            }
            ActionReason::DeleteBecauseNoMoveTarget => {
                format!("because {address} was moved and its target is not in configuration")
            }
            ActionReason::ReadBecauseConfigUnknown => {
                "config refers to values not yet known".to_owned()
            }
            ActionReason::ReadBecauseDependencyPending => {
                "depends on a resource or a module with changes pending".to_owned()
            }
            ActionReason::ReadBecauseCheckNested => {
                "config will be reloaded to verify a check block".to_owned()
            }
            _ => return None,
        })
    }
}
