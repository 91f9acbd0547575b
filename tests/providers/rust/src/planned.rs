//! Resource types about plans, secrets and private bytes.

use terrace_provider_sdk::{
    Attribute, Call, Change, Field, Object, Outcome, Resource, Schema, async_trait,
};

use crate::client::Client;
use crate::plain::with_id;

/// `conformance_plan`.
pub(crate) struct Planned;

/// What is computed of an attribute stays while that one stays.
fn follows(of: &'static str) -> impl Fn(&mut Change<'_>) + Send + Sync {
    move |change| {
        if let Some(prior) = change.prior_object
            && !change.planned.is_known()
            && prior.value(of) == change.config_object.value(of)
        {
            change.planned = change.prior.clone();
        }
    }
}

#[async_trait]
impl Resource for Planned {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_plan".into()
    }

    fn schema(&self) -> Schema {
        let zone = Attribute::string()
            .optional()
            .computed()
            .keep()
            .replace_if_configured();
        let derived = Attribute::string()
            .computed()
            .sensitive()
            .modify(follows("secret"));
        with_id()
            .attribute("name", Attribute::string().required().replace())
            .attribute("note", Attribute::string().optional())
            .attribute("size", Attribute::number().optional().default_to(3_i64))
            .attribute("zone", zone)
            .attribute("generation", Attribute::number().computed())
            .attribute("secret", Attribute::string().optional().sensitive())
            .attribute("derived", derived)
    }

    async fn create(&self, _call: &mut Call<Client>, planned: Object) -> Outcome<Object> {
        Ok(completed(planned, 1))
    }

    async fn update(
        &self,
        _call: &mut Call<Client>,
        prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        let generation = prior.whole("generation").unwrap_or(0) + 1;
        Ok(completed(planned, generation))
    }
}

fn completed(mut object: Object, generation: i64) -> Object {
    let id = format!("plan-{}", object.text("name").unwrap_or_default());
    object.set("id", id);
    if object.text("zone").is_none() {
        object.set("zone", "zone-a");
    }
    object.set("generation", generation);
    let derived = format!("derived-{}", object.text("secret").unwrap_or_default());
    object.set("derived", derived);
    object
}

/// `conformance_secret`.
pub(crate) struct Secret;

#[async_trait]
impl Resource for Secret {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_secret".into()
    }

    fn schema(&self) -> Schema {
        let length = Attribute::number()
            .computed()
            .modify(follows("password_version"));
        with_id()
            .attribute("name", Attribute::string().required().replace())
            .attribute("password_wo", Attribute::string().optional().write_only())
            .attribute("password_version", Attribute::number().optional())
            .attribute("password_length", length)
    }

    async fn create(&self, call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        let id = format!("secret-{}", planned.text("name").unwrap_or_default());
        planned.set("id", id);
        store_password(call, &mut planned)?;
        Ok(planned)
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        prior: Object,
        mut planned: Object,
    ) -> Outcome<Object> {
        if prior.value("password_version") != planned.value("password_version") {
            store_password(call, &mut planned)?;
        }
        Ok(planned)
    }
}

fn store_password(call: &Call<Client>, planned: &mut Object) -> Outcome<()> {
    let password = call.config.text("password_wo").unwrap_or_default();
    planned.set("password_length", password.chars().count());
    call.client.event(&format!("password {password}"))
}

/// `conformance_private`.
pub(crate) struct Private;

#[async_trait]
impl Resource for Private {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_private".into()
    }

    fn schema(&self) -> Schema {
        with_id()
            .attribute("name", Attribute::string().required().replace())
            .attribute("note", Attribute::string().optional())
            .attribute("generation", Attribute::number().computed())
    }

    async fn create(&self, call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        let id = format!("private-{}", planned.text("name").unwrap_or_default());
        planned.set("id", id);
        planned.set("generation", 1_i64);
        call.private.set("generation", "1");
        Ok(planned)
    }

    async fn read(&self, call: &mut Call<Client>, mut state: Object) -> Outcome<Option<Object>> {
        state.set("generation", generation(call));
        Ok(Some(state))
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        _prior: Object,
        mut planned: Object,
    ) -> Outcome<Object> {
        let next = generation(call).unwrap_or(0) + 1;
        planned.set("generation", next);
        call.private.set("generation", next.to_string());
        Ok(planned)
    }
}

/// What the private bytes say.
fn generation(call: &Call<Client>) -> Option<i64> {
    let bytes = call.private.get("generation")?;
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// `conformance_metered`.
pub(crate) struct Metered;

#[async_trait]
impl Resource for Metered {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_metered".into()
    }

    fn schema(&self) -> Schema {
        with_id()
            .attribute("note", Attribute::string().optional())
            .attribute("module_name", Attribute::string().computed())
    }

    async fn create(&self, call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        planned.set("id", "metered");
        planned.set("module_name", module_name(call)?);
        Ok(planned)
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        _prior: Object,
        mut planned: Object,
    ) -> Outcome<Object> {
        planned.set("module_name", module_name(call)?);
        Ok(planned)
    }
}

fn module_name(call: &Call<Client>) -> Outcome<String> {
    let said: Field<String> = match &call.meta {
        Some(meta) => meta.get("module_name")?,
        None => Field::Null,
    };
    Ok(said.known().unwrap_or_default())
}
