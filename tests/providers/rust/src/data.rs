//! The data source and the ephemeral resource type.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use terrace_provider_sdk::{
    Attribute, Block, Call, DataSource, Diagnostic, EphemeralResource, Object, Opened, Outcome,
    Schema, Type, async_trait, attribute,
};

use crate::client::Client;

/// `conformance_lookup`.
pub(crate) struct Lookup;

#[async_trait]
impl DataSource for Lookup {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_lookup".into()
    }

    fn schema(&self) -> Schema {
        let filter = Schema::new()
            .attribute("name", Attribute::string().required())
            .attribute("values", Attribute::list(Type::String).required());
        Schema::new()
            .attribute("id", Attribute::string().computed())
            .attribute("key", Attribute::string().required())
            .attribute("value", Attribute::string().computed())
            .attribute("label", Attribute::string().computed())
            .attribute("matches", Attribute::number().computed())
            .block("filter", Block::set(filter))
    }

    async fn read(&self, call: &mut Call<Client>, mut config: Object) -> Outcome<Object> {
        let key = config.text("key").unwrap_or_default().to_owned();
        if key == "missing" {
            return Err(
                Diagnostic::error("Not found", "There is nothing under \"missing\".")
                    .at(attribute("key"))
                    .into(),
            );
        }
        config.set("value", format!("value of {key}"));
        config.set("id", key);
        config.set("label", call.client.label.clone());
        config.set("matches", config.items("filter").len());
        Ok(config)
    }
}

/// `conformance_session`.
pub(crate) struct Session;

#[async_trait]
impl EphemeralResource for Session {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_session".into()
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .attribute("name", Attribute::string().required())
            .attribute("renew_after", Attribute::number().optional())
            .attribute("token", Attribute::string().computed().sensitive())
    }

    async fn open(&self, call: &mut Call<Client>, mut config: Object) -> Outcome<Opened<Object>> {
        let name = config.text("name").unwrap_or_default().to_owned();
        if name == "refused" {
            return Err(
                Diagnostic::error("Cannot open", "The name \"refused\" is not allowed.")
                    .at(attribute("name"))
                    .into(),
            );
        }
        call.client.event(&format!("opened {name}"))?;
        call.private.set("name", name.as_str());
        let after = config.whole("renew_after");
        if let Some(after) = after {
            call.private.set("renew_after", after.to_string());
        }
        config.set("token", format!("token-{name}"));
        Ok(Opened {
            state: config,
            renew_at: after.map(later),
        })
    }

    async fn renew(&self, call: &mut Call<Client>) -> Outcome<Option<(i64, u32)>> {
        let name = kept(call, "name").unwrap_or_default();
        call.client.event(&format!("renewed {name}"))?;
        let after = kept(call, "renew_after").and_then(|text| text.parse().ok());
        Ok(after.map(later))
    }

    async fn close(&self, call: &mut Call<Client>) -> Outcome<()> {
        let name = kept(call, "name").unwrap_or_default();
        call.client.event(&format!("closed {name}"))
    }
}

fn kept(call: &Call<Client>, key: &str) -> Option<String> {
    let bytes = call.private.get(key)?;
    String::from_utf8(bytes.to_vec()).ok()
}

/// The time when so many milliseconds have passed.
fn later(milliseconds: i64) -> (i64, u32) {
    let wait = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
    let since = (SystemTime::now() + wait)
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        since.subsec_nanos(),
    )
}
