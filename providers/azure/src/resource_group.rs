//! `azurerm_resource_group`.

use azure_mgmt_resources::package_resources_2021_04::models::{
    ResourceGroup, ResourceGroupPatchable,
};
use serde_json::Value as Json;
use terrace_provider_sdk::{
    Attribute, Call, Diagnostic, ImportFrom, Object, Outcome, Resource, Schema, async_trait,
};
use tokio::time::Instant;

use crate::arm::{During as _, Session, Target, body as request_body};
use crate::common::{
    Limits, all_timeouts, exists, filled, group_name, id, imported, known, like, location,
    location_attribute, of_text_map, stored, tags_attribute, text_map,
};
use crate::configuration::Client;
use crate::ids::GroupId;

/// The version of the interface, that of the models.
const VERSION: &str = "2021-04-01";
const LIMITS: Limits = Limits {
    change: 90,
    read: 5,
};
/// How many of the objects that keep a group from going are named.
const NAMED: usize = 10;

/// The type.
pub(crate) struct ResourceGroups;

fn target(id: &GroupId) -> Target {
    Target::new(id.to_string(), VERSION)
}

fn what(id: &GroupId) -> String {
    format!("Resource Group {:?}", id.name)
}

/// The state of a group: `before` with what Azure says.
fn flatten(before: &Object, id: &GroupId, group: &ResourceGroup) -> Object {
    let mut state = before.clone();
    state.set("id", id.to_string());
    state.set("name", id.name.as_str());
    state.set("location", location(&group.location));
    state.set("managed_by", group.managed_by.clone().unwrap_or_default());
    state.set("tags", of_text_map(group.tags.as_ref()));
    state
}

#[async_trait]
impl Resource for ResourceGroups {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "azurerm_resource_group".into()
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .plain()
            .legacy()
            .attribute("id", id())
            .attribute("location", location_attribute())
            .attribute(
                "managed_by",
                Attribute::string().optional().validate(filled()),
            )
            .attribute("name", group_name())
            .attribute("tags", tags_attribute(50))
            .block("timeouts", all_timeouts())
    }

    async fn create(&self, call: &mut Call<Client>, planned: Object) -> Outcome<Object> {
        let session = LIMITS.session(call, "create", &planned)?;
        let id = GroupId {
            subscription: session.arm.subscription.clone(),
            name: planned.get("name")?,
        };
        let (target, what) = (target(&id), what(&id));
        if !call.client.features.overwrite {
            let found = session.get::<ResourceGroup>(&target).await;
            if found.during("looking for", &what)?.is_some() {
                return Err(exists(&self.type_name(), &id).into());
            }
        }
        let body = ResourceGroup {
            managed_by: planned
                .text("managed_by")
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            tags: Some(text_map(planned.value("tags"))),
            ..ResourceGroup::new(location(planned.text("location").unwrap_or_default()))
        };
        let answer = session
            .put(&target, request_body(&body))
            .await
            .during("creating", &what)?;
        let mut begun = known(&planned);
        begun.set("id", id.to_string());
        call.keep(begun);
        session.settled(answer).await.during("creating", &what)?;
        let group = session.appeared(&target).await.during("reading", &what)?;
        Ok(flatten(&planned, &id, &group))
    }

    async fn read(&self, call: &mut Call<Client>, state: Object) -> Outcome<Option<Object>> {
        let session = LIMITS.session(call, "read", &state)?;
        let id = stored(&state, GroupId::parse, GroupId::FORM)?;
        let found = session.get::<ResourceGroup>(&target(&id)).await;
        let found = found.during("reading", &what(&id))?;
        Ok(found.map(|group| like(&state, &flatten(&state, &id, &group))))
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        let session = LIMITS.session(call, "update", &planned)?;
        let id = stored(&prior, GroupId::parse, GroupId::FORM)?;
        let (target, what) = (target(&id), what(&id));
        let changed = |name: &str| prior.value(name) != planned.value(name);
        let body = ResourceGroupPatchable {
            managed_by: changed("managed_by")
                .then(|| planned.text("managed_by").unwrap_or_default().to_owned()),
            tags: changed("tags").then(|| text_map(planned.value("tags"))),
            ..ResourceGroupPatchable::new()
        };
        if body != ResourceGroupPatchable::new() {
            session
                .patch(&target, request_body(&body))
                .await
                .during("updating", &what)?;
        }
        let group = session.appeared(&target).await.during("reading", &what)?;
        Ok(flatten(&planned, &id, &group))
    }

    async fn delete(&self, call: &mut Call<Client>, state: Object) -> Outcome<()> {
        let session = LIMITS.session(call, "delete", &state)?;
        let id = stored(&state, GroupId::parse, GroupId::FORM)?;
        if call.client.features.keep_filled_groups {
            must_be_empty(&session, &id).await?;
        }
        let deleted = session.delete(&target(&id)).await;
        deleted.during("deleting", &what(&id))
    }

    async fn import(&self, _call: &mut Call<Client>, from: ImportFrom) -> Outcome<Object> {
        let id = imported(&from, GroupId::parse, GroupId::FORM)?;
        let mut state = Object::new();
        state.set("id", id.to_string());
        state.set("name", id.name);
        Ok(state)
    }
}

/// A group takes everything in it along when it goes, so one that holds something does not go. What was deleted a moment ago may
/// still be listed, so it is looked at again for a while.
async fn must_be_empty(session: &Session, id: &GroupId) -> Outcome<()> {
    let list = Target {
        query: "$expand=provisioningState&$top=500",
        ..Target::new(format!("{id}/resources"), VERSION)
    };
    let latest = Instant::now() + session.arm.pace.appearance;
    loop {
        let listed = match session.all::<Json>(&list).await {
            Err(failure) if failure.is_absence() => return Ok(()),
            listed => listed.during("listing what is in", &what(id))?,
        };
        if listed.is_empty() {
            return Ok(());
        }
        if Instant::now() >= latest {
            return Err(filled_group(id, &listed).into());
        }
        session.look_again().await.during("deleting", &what(id))?;
    }
}

fn filled_group(id: &GroupId, listed: &[Json]) -> Diagnostic {
    let mut names: Vec<String> = listed
        .iter()
        .filter_map(|found| found["id"].as_str())
        .take(NAMED)
        .map(|id| format!("- {id}"))
        .collect();
    if let more @ 1.. = listed.len().saturating_sub(NAMED) {
        names.push(format!("- and {more} more"));
    }
    Diagnostic::error(
        format!("{} still holds objects", what(id)),
        format!(
            "Deleting the group would delete {} objects with it that this configuration does not manage, or that were made outside of it:\n\n{}\n\n\
             Delete or move them first. To have groups deleted with all that is in them, set \"prevent_deletion_if_contains_resources = false\" in a \
             block \"resource_group\" of the provider's block \"features\".",
            listed.len(),
            names.join("\n")
        ),
    )
}
