//! `notes_lock`: an ephemeral resource type. It is there while a run lasts, and in no state.

use terrace_provider_sdk::{
    Attribute, Call, Data, EphemeralResource, Opened, Outcome, Schema, async_trait,
};

use crate::notebook::Notebook;

#[derive(Data)]
pub(crate) struct Held {
    holder: String,
}

pub(crate) struct Lock;

#[async_trait]
impl EphemeralResource for Lock {
    type Client = Notebook;
    type State = Held;

    fn type_name(&self) -> String {
        "notes_lock".into()
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("Keeps others away from the notes while a run lasts.")
            .attribute(
                "holder",
                Attribute::string()
                    .required()
                    .describe("Who holds it; told to those who want it too."),
            )
    }

    async fn open(&self, call: &mut Call<Notebook>, config: Held) -> Outcome<Opened<Held>> {
        call.client.lock(&config.holder)?;
        Ok(Opened::lasting(config))
    }

    async fn close(&self, call: &mut Call<Notebook>) -> Outcome<()> {
        call.client.unlock()
    }
}
