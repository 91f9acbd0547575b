//! A provider of notes: text files in a directory. It is small, and uses what most providers need.

mod lock;
mod note;
mod notebook;
mod search;
mod slug;

use std::collections::BTreeMap;

use terrace_provider_sdk::docs::About;
use terrace_provider_sdk::{Attribute, Provider, Schema, validate};

use notebook::Notebook;

/// The provider. A program serves it as a plugin; an engine may link it as well.
pub fn provider() -> Provider<Notebook> {
    let schema = Schema::new()
        .describe("Notes, kept as text files in a directory.")
        .attribute(
            "directory",
            Attribute::string()
                .optional()
                .validate(validate::length(1..=4096))
                .describe("Where the notes are. Defaults to `notes` in the working directory."),
        );
    Provider::configured(schema, async |config| {
        let directory = config.get::<Option<String>>("directory")?;
        Ok(Notebook::new(directory.unwrap_or_else(|| "notes".into())))
    })
    .resource(note::Notes)
    .data_source(search::Search)
    .ephemeral(lock::Lock)
    .function(slug::function())
    .build()
}

/// What the documentation says beside the schema: names and examples.
pub fn about() -> About {
    About {
        name: "notes".into(),
        source: "example/notes".into(),
        examples: BTreeMap::from([
            ("index".into(), include_str!("../demo/main.tf").into()),
            (
                "functions/slug".into(),
                "output \"file\" {\n  value = provider::notes::slug(\"A Title\") # a-title\n}\n"
                    .into(),
            ),
        ]),
    }
}
