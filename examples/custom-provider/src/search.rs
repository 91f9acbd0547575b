//! `notes_search`: a data source.

use terrace_provider_sdk::{
    Attribute, Call, Data, DataSource, Outcome, Schema, Type, async_trait, validate,
};

use crate::notebook::Notebook;

#[derive(Data)]
pub(crate) struct Found {
    tag: String,
    files: Option<Vec<String>>,
}

pub(crate) struct Search;

#[async_trait]
impl DataSource for Search {
    type Client = Notebook;
    type State = Found;

    fn type_name(&self) -> String {
        "notes_search".into()
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("The notes that have a tag.")
            .attribute(
                "tag",
                Attribute::string()
                    .required()
                    .validate(validate::length(1..=20))
                    .describe("The tag."),
            )
            .attribute(
                "files",
                Attribute::list(Type::String)
                    .computed()
                    .describe("The files of the notes, sorted."),
            )
    }

    async fn read(&self, call: &mut Call<Notebook>, config: Found) -> Outcome<Found> {
        let wanted = format!("#{}", config.tag);
        let files = call
            .client
            .list()?
            .into_iter()
            .filter(|(_, tags)| tags.split_whitespace().any(|tag| tag == wanted))
            .map(|(file, _)| file)
            .collect();
        Ok(Found {
            files: Some(files),
            ..config
        })
    }
}
