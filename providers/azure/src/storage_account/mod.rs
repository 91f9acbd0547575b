//! `azurerm_storage_account`.

mod blocks;
mod endpoints;
mod expand;
mod flatten;
mod keys;
mod rules;
mod schema;
mod services;

use azure_mgmt_storage::package_2023_05::models::{
    BlobServiceProperties, FileServiceProperties, StorageAccount,
};
use serde_json::Value as Json;
use terrace_provider_sdk::{
    Call, Diagnostics, ImportFrom, Object, Outcome, Plan, Resource, Schema, async_trait, attribute,
};

use crate::arm::{During as _, Session, Target};
use crate::common::{Limits, exists, imported, known, like, stored};
use crate::configuration::Client;
use crate::ids::{AccountId, GroupId};
use blocks::{BlobService, ShareService};
use expand::only;
use rules::Kind;

/// The version of the interface of storage, that of the models.
pub(crate) const VERSION: &str = "2023-05-01";
const LIMITS: Limits = Limits {
    change: 60,
    read: 5,
};

/// The type.
pub(crate) struct StorageAccounts;

/// An account.
pub(crate) fn target(id: &AccountId) -> Target {
    Target::new(id.to_string(), VERSION)
}

/// What people call it.
pub(crate) fn what(id: &AccountId) -> String {
    format!(
        "Storage Account {:?} (Resource Group {:?})",
        id.name, id.group.name
    )
}

/// Where the account's blobs are.
pub(crate) fn blob_endpoint(account: &StorageAccount) -> String {
    let properties = account.properties.as_ref();
    let endpoints = properties.and_then(|properties| properties.primary_endpoints.as_ref());
    let blob = endpoints.and_then(|endpoints| endpoints.blob.clone());
    blob.unwrap_or_default()
}

fn below(id: &AccountId, rest: &str) -> Target {
    Target::new(format!("{id}/{rest}"), VERSION)
}

fn blob_service(id: &AccountId) -> Target {
    below(id, "blobServices/default")
}

fn file_service(id: &AccountId) -> Target {
    below(id, "fileServices/default")
}

/// The whole state: the account, its keys and its services.
async fn whole(
    session: &Session,
    before: &Object,
    id: &AccountId,
    account: &StorageAccount,
) -> Outcome<Object> {
    let mut state = flatten::flatten(before, id, account);
    let keys = Target {
        query: "$expand=kerb",
        ..below(id, "listKeys")
    };
    // Who may not see the keys, or not while a lock is on, has the account without them.
    let keys = match session.post::<Json>(&keys).await {
        Err(failure) if failure.is_refusal_of_secrets() => Json::Null,
        answer => answer.during("listing the keys of", &what(id))?,
    };
    endpoints::set_keys(
        &mut state,
        &id.name,
        &session.arm.storage_suffix,
        &endpoints::keys_in(&keys),
    );
    let (blobs, shares) = {
        let kind = Kind::of(&state);
        (kind.has_blobs(), kind.has_shares())
    };
    let mut block = None;
    if blobs {
        let found = session
            .appeared::<BlobServiceProperties>(&blob_service(id))
            .await;
        block = services::blob_block(&found.during("reading the blob service of", &what(id))?);
    }
    state.set("blob_properties", flatten::at_most_one(block));
    let mut block = None;
    if shares {
        let found = session
            .appeared::<FileServiceProperties>(&file_service(id))
            .await;
        block = services::share_block(&found.during("reading the file service of", &what(id))?);
    }
    state.set("share_properties", flatten::at_most_one(block));
    Ok(state)
}

/// Sets how services behave, where that is configured and not so yet.
async fn set_services(
    session: &Session,
    id: &AccountId,
    prior: Option<&Object>,
    planned: &Object,
) -> Outcome<()> {
    let changed = |name: &str| prior.is_none_or(|prior| prior.value(name) != planned.value(name));
    let kind = Kind::of(planned);
    let blobs = only::<BlobService>(planned, "blob_properties")?;
    if let Some(wanted) = blobs.filter(|_| changed("blob_properties")) {
        let restored = match prior {
            Some(prior) => only::<BlobService>(prior, "blob_properties")?
                .and_then(|before| before.restore_policy)
                .is_some_and(|policies| !policies.is_empty()),
            None => false,
        };
        let ends = wanted.restore_policy.as_ref().is_none_or(Vec::is_empty);
        let mut bodies = Vec::new();
        if restored && ends {
            bodies.push(services::no_restoring());
        }
        bodies.push(services::blob_body(&kind, wanted));
        for body in bodies {
            let set = session.put_and_settle(&blob_service(id), body).await;
            set.during("setting the blob service of", &what(id))?;
        }
    }
    let shares = only::<ShareService>(planned, "share_properties")?;
    if let Some(wanted) = shares.filter(|_| changed("share_properties")) {
        let body = services::share_body(&kind, wanted);
        let set = session.put_and_settle(&file_service(id), body).await;
        set.during("setting the file service of", &what(id))?;
    }
    Ok(())
}

fn checked(config: &Object, planned: &Object) -> Outcome<()> {
    let mut told = Diagnostics::new();
    rules::check(config, planned, &mut told);
    if told.has_error() { Err(told) } else { Ok(()) }
}

#[async_trait]
impl Resource for StorageAccounts {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "azurerm_storage_account".into()
    }

    fn schema(&self) -> Schema {
        schema::schema()
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        let (Some(config), Some(planned)) = (&plan.config, &plan.planned) else {
            return Ok(());
        };
        rules::check(config, planned, &mut plan.diagnostics);
        let comes_or_goes =
            rules::immutability(plan.prior.as_ref(), planned, &mut plan.diagnostics);
        if comes_or_goes {
            plan.replace_for("immutability_policy");
        }
        Ok(())
    }

    async fn create(&self, call: &mut Call<Client>, planned: Object) -> Outcome<Object> {
        checked(&call.config, &planned)?;
        let session = LIMITS.session(call, "create", &planned)?;
        let id = AccountId {
            group: GroupId {
                subscription: session.arm.subscription.clone(),
                name: planned.get("resource_group_name")?,
            },
            name: planned.get("name")?,
        };
        let (target, what) = (target(&id), what(&id));
        if !call.client.features.overwrite {
            let found = session.get::<StorageAccount>(&target).await;
            if found.during("looking for", &what)?.is_some() {
                return Err(exists(&self.type_name(), &id).into());
            }
        }
        let body = expand::creation(&planned, session.arm.tenant.as_deref())?;
        let group = Target::new(id.group.to_string(), "2021-04-01");
        let name = || format!("Resource Group {:?}", id.group.name);
        let answer = session.put_into(&target, body, &group, name).await;
        let answer = answer.during("creating", &what)?;
        let mut begun = known(&planned);
        begun.set("id", id.to_string());
        call.keep(begun);
        session.settled(answer).await.during("creating", &what)?;
        let account = session.appeared::<StorageAccount>(&target).await;
        let account = account.during("reading", &what)?;
        set_services(&session, &id, None, &planned).await?;
        whole(&session, &planned, &id, &account).await
    }

    async fn read(&self, call: &mut Call<Client>, state: Object) -> Outcome<Option<Object>> {
        let session = LIMITS.session(call, "read", &state)?;
        let id = stored(&state, AccountId::parse, AccountId::FORM)?;
        let found = session.get::<StorageAccount>(&target(&id)).await;
        match found.during("reading", &what(&id))? {
            None => Ok(None),
            Some(account) => {
                let found = whole(&session, &state, &id, &account).await?;
                Ok(Some(like(&state, &found)))
            }
        }
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        checked(&call.config, &planned)?;
        let session = LIMITS.session(call, "update", &planned)?;
        let id = stored(&prior, AccountId::parse, AccountId::FORM)?;
        let (target, what) = (target(&id), what(&id));
        let changed = |name: &str| prior.value(name) != planned.value(name);
        if changed("sas_policy") && planned.items("sas_policy").is_empty() {
            call.diagnostics.warning_at(
                attribute("sas_policy"),
                "The policy stays",
                "Azure keeps the policy of signatures of an account once there is one. It can be changed, not taken away.",
            );
        }
        let body = expand::change(&prior, &planned, session.arm.tenant.as_deref())?;
        let directories = expand::directory_changes(&prior, &planned)?;
        for body in body.into_iter().chain(directories) {
            session
                .patch(&target, body)
                .await
                .during("updating", &what)?;
        }
        set_services(&session, &id, Some(&prior), &planned).await?;
        let account = session.appeared::<StorageAccount>(&target).await;
        let account = account.during("reading", &what)?;
        whole(&session, &planned, &id, &account).await
    }

    async fn delete(&self, call: &mut Call<Client>, state: Object) -> Outcome<()> {
        let session = LIMITS.session(call, "delete", &state)?;
        let id = stored(&state, AccountId::parse, AccountId::FORM)?;
        let deleted = session.delete(&target(&id)).await;
        deleted.during("deleting", &what(&id))
    }

    async fn import(&self, _call: &mut Call<Client>, from: ImportFrom) -> Outcome<Object> {
        let id = imported(&from, AccountId::parse, AccountId::FORM)?;
        let mut state = Object::new();
        state.set("id", id.to_string());
        state.set("name", id.name);
        state.set("resource_group_name", id.group.name);
        Ok(state)
    }
}
