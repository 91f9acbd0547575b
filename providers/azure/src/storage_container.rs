//! `azurerm_storage_container`, through the Resource Manager.

use azure_mgmt_storage::package_2023_05::models::{
    BlobContainer, ContainerProperties, StorageAccount,
};
use terrace_provider_sdk::{
    Attribute, Call, Diagnostic, Diagnostics, ImportFrom, Object, Outcome, Resource, Schema, Text,
    Type, Value, async_trait, attribute, validate,
};

use crate::arm::{During as _, Failure, Session, Target, body as request_body};
use crate::common::{
    Limits, all_timeouts, exists, id, imported, known, name_of, named, of_text_map, stored,
    text_map,
};
use crate::configuration::Client;
use crate::ids::{AccountId, ContainerId};
use crate::storage_account;

const LIMITS: Limits = Limits {
    change: 30,
    read: 5,
};
/// Levels of access with what the interface calls them.
const ACCESS: [(&str, &str); 3] = [
    ("private", "None"),
    ("blob", "Blob"),
    ("container", "Container"),
];

/// The type.
pub(crate) struct StorageContainers;

fn target(id: &ContainerId) -> Target {
    Target::new(id.to_string(), storage_account::VERSION)
}

fn what(id: &ContainerId) -> String {
    format!(
        "Container {:?} (Storage Account {:?}, Resource Group {:?})",
        id.name, id.account.name, id.account.group.name
    )
}

/// An id of an account as it is written; something else stays what it is, and is refused elsewhere.
fn account_form(text: &str) -> String {
    AccountId::parse(text).map_or_else(|| text.to_owned(), |id| id.to_string())
}

fn name_attribute() -> Attribute {
    Attribute::string()
        .required()
        .replace()
        .validate(validate::length(3..=63))
        .validate(validate::matches(
            r"^(\$root|\$web|[0-9a-z][0-9a-z-]*)$",
            "may hold lowercase letters, digits and hyphens, and begins with a letter or digit; or it is $root or $web",
        ))
}

fn metadata_attribute() -> Attribute {
    Attribute::map(Type::String)
        .optional()
        .computed()
        .validate(validate::custom(|checked, diagnostics| {
            let keys = checked.value.as_entries().into_iter().flatten();
            for (key, _) in keys {
                let right = key.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
                    && key
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                if !right {
                    diagnostics.error_at(
                        checked.path.index(Value::string(Text::clone(key))),
                        "Invalid name of metadata",
                        format!("{key:?} may hold lowercase letters, digits and underscores, and must not begin with a digit."),
                    );
                }
            }
        }))
}

/// The state of a container: `before` with what Azure says.
fn flatten(
    before: &Object,
    id: &ContainerId,
    found: &BlobContainer,
    account: &StorageAccount,
) -> Object {
    let nothing = ContainerProperties::default();
    let properties = found.properties.as_ref().unwrap_or(&nothing);
    let access = properties.public_access.as_ref().map(name_of);
    let access = ACCESS
        .iter()
        .find(|(_, theirs)| Some(*theirs) == access.as_deref())
        .map_or("private", |(ours, _)| ours);
    let scope = properties.default_encryption_scope.clone();
    let endpoint = storage_account::blob_endpoint(account);
    let mut state = before.clone();
    state.set("id", id.to_string());
    state.set("name", id.name.as_str());
    state.set("storage_account_id", id.account.to_string());
    state.set("container_access_type", access);
    state.set("default_encryption_scope", scope.unwrap_or_default());
    state.set(
        "encryption_scope_override_enabled",
        !properties.deny_encryption_scope_override.unwrap_or(false),
    );
    state.set("metadata", of_text_map(properties.metadata.as_ref()));
    state.set(
        "has_immutability_policy",
        properties.has_immutability_policy.unwrap_or(false),
    );
    state.set("has_legal_hold", properties.has_legal_hold.unwrap_or(false));
    state.set(
        "url",
        format!("{}/{}", endpoint.trim_end_matches('/'), id.name),
    );
    state
}

fn access(
    object: &Object,
) -> Option<azure_mgmt_storage::package_2023_05::models::container_properties::PublicAccess> {
    let wanted = object.text("container_access_type").unwrap_or("private");
    let (_, theirs) = ACCESS.iter().find(|(ours, _)| *ours == wanted)?;
    named(theirs)
}

#[async_trait]
impl Resource for StorageContainers {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "azurerm_storage_container".into()
    }

    fn schema(&self) -> Schema {
        let account = validate::custom(|checked, diagnostics| {
            let wrong = |id: &&str| AccountId::parse(id).is_none();
            if let Some(id) = checked.value.as_str().filter(wrong) {
                diagnostics.error_at(
                    checked.path.clone(),
                    "Invalid id of a storage account",
                    format!(
                        "{id:?} is no id of a storage account. It looks like {}.",
                        AccountId::FORM
                    ),
                );
            }
        });
        Schema::new()
            .plain()
            .legacy()
            .version(2)
            .attribute(
                "container_access_type",
                Attribute::string()
                    .optional()
                    .legacy_default("private".to_owned())
                    .validate(validate::one_of(["blob", "container", "private"])),
            )
            .attribute(
                "default_encryption_scope",
                Attribute::string()
                    .optional()
                    .computed()
                    .replace()
                    .validate(validate::matches(
                        r"^([0-9A-Za-z]{4,63}|\$account-encryption-key)$",
                        "must be 4 to 63 letters and digits, or $account-encryption-key",
                    )),
            )
            .attribute(
                "encryption_scope_override_enabled",
                Attribute::bool()
                    .optional()
                    .legacy_default(true)
                    .replace()
                    .validate(validate::also_requires(["default_encryption_scope"])),
            )
            .attribute("has_immutability_policy", Attribute::bool().computed())
            .attribute("has_legal_hold", Attribute::bool().computed())
            .attribute("id", id())
            .attribute("metadata", metadata_attribute())
            .attribute("name", name_attribute())
            .attribute(
                "storage_account_id",
                Attribute::string()
                    .required()
                    .replace()
                    .modify(crate::common::normalized(account_form))
                    .validate(account),
            )
            .attribute("url", Attribute::string().computed())
            .block("timeouts", all_timeouts())
    }

    async fn create(&self, call: &mut Call<Client>, planned: Object) -> Outcome<Object> {
        let session = LIMITS.session(call, "create", &planned)?;
        let account = planned
            .text("storage_account_id")
            .and_then(AccountId::parse);
        let id = ContainerId {
            account: account.ok_or_else(|| {
                Diagnostic::error(
                    "Invalid id of a storage account",
                    "It names no storage account.",
                )
                .at(attribute("storage_account_id"))
            })?,
            name: planned.get("name")?,
        };
        let (target, what) = (target(&id), what(&id));
        if !call.client.features.overwrite {
            let found = session.get::<BlobContainer>(&target).await;
            if found.during("looking for", &what)?.is_some() {
                return Err(exists(&self.type_name(), &id).into());
            }
        }
        let scope = planned
            .text("default_encryption_scope")
            .filter(|scope| !scope.is_empty());
        let body = BlobContainer {
            properties: Some(ContainerProperties {
                public_access: access(&planned),
                metadata: Some(text_map(planned.value("metadata"))),
                default_encryption_scope: scope.map(str::to_owned),
                deny_encryption_scope_override: scope
                    .map(|_| planned.flag("encryption_scope_override_enabled") == Some(false)),
                ..ContainerProperties::default()
            }),
            ..BlobContainer::default()
        };
        let answer = begun(&session, &id, &body)
            .await
            .during("creating", &what)?;
        let mut made = known(&planned);
        made.set("id", id.to_string());
        call.keep(made);
        session.settled(answer).await.during("creating", &what)?;
        let found = session.appeared(&target).await.during("reading", &what)?;
        let account = session
            .appeared(&storage_account::target(&id.account))
            .await;
        let account = account.during("reading the account of", &what)?;
        Ok(flatten(&planned, &id, &found, &account))
    }

    async fn read(&self, call: &mut Call<Client>, state: Object) -> Outcome<Option<Object>> {
        let session = LIMITS.session(call, "read", &state)?;
        let id = stored(&state, ContainerId::parse, ContainerId::FORM)?;
        let found = session.get::<BlobContainer>(&target(&id)).await;
        let Some(found) = found.during("reading", &what(&id))? else {
            return Ok(None);
        };
        let account = session.get(&storage_account::target(&id.account)).await;
        let account = account.during("reading the account of", &what(&id))?;
        // The account went in between, and the container with it.
        Ok(account.map(|account| flatten(&state, &id, &found, &account)))
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        let session = LIMITS.session(call, "update", &planned)?;
        let id = stored(&prior, ContainerId::parse, ContainerId::FORM)?;
        let (target, what) = (target(&id), what(&id));
        let changed = |name: &str| prior.value(name) != planned.value(name);
        let properties = ContainerProperties {
            public_access: changed("container_access_type")
                .then(|| access(&planned))
                .flatten(),
            metadata: changed("metadata").then(|| text_map(planned.value("metadata"))),
            ..ContainerProperties::default()
        };
        if properties != ContainerProperties::default() {
            let body = BlobContainer {
                properties: Some(properties),
                ..BlobContainer::default()
            };
            session
                .patch(&target, request_body(&body))
                .await
                .during("updating", &what)?;
        }
        let found = session.appeared(&target).await.during("reading", &what)?;
        let account = session
            .appeared(&storage_account::target(&id.account))
            .await;
        let account = account.during("reading the account of", &what)?;
        Ok(flatten(&planned, &id, &found, &account))
    }

    async fn delete(&self, call: &mut Call<Client>, state: Object) -> Outcome<()> {
        let session = LIMITS.session(call, "delete", &state)?;
        let id = stored(&state, ContainerId::parse, ContainerId::FORM)?;
        let deleted = session.delete(&target(&id)).await;
        deleted.during("deleting", &what(&id))
    }

    async fn import(&self, _call: &mut Call<Client>, from: ImportFrom) -> Outcome<Object> {
        let id = imported(&from, ContainerId::parse, ContainerId::FORM)?;
        let mut state = Object::new();
        state.set("id", id.to_string());
        state.set("name", id.name);
        Ok(state)
    }

    /// States of version 0 and 1 may name the container by its URL and the account by its name alone.
    async fn upgrade(&self, _version: i64, mut state: Object) -> Outcome<Object> {
        let manager_id = state
            .text("resource_manager_id")
            .and_then(ContainerId::parse);
        let id = state.text("id").and_then(ContainerId::parse).or(manager_id);
        let Some(id) = id else {
            let mut told = Diagnostics::new();
            told.error_at(
                attribute("id"),
                "The state is too old",
                format!(
                    "The state names the container by {:?}, and does not say its id in the Resource Manager. Remove it from the state, and import it \
                     by its id, which looks like {}.",
                    state.text("id").unwrap_or_default(),
                    ContainerId::FORM
                ),
            );
            return Err(told);
        };
        state.set("id", id.to_string());
        state.set("storage_account_id", id.account.to_string());
        Ok(state)
    }
}

/// Begins to make a container. An account that was made a moment ago may not be known everywhere; one that is gone is told of.
async fn begun(
    session: &Session,
    id: &ContainerId,
    body: &BlobContainer,
) -> Result<crate::arm::Answer, Failure> {
    let account = storage_account::target(&id.account);
    session
        .put_into(&target(id), request_body(body), &account, || {
            storage_account::what(&id.account)
        })
        .await
}
