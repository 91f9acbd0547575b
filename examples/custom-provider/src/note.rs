//! `notes_note`: a resource type with typed state, defaults, validators, plan modifiers, an identity and an import.

use std::collections::BTreeSet;

use terrace_provider_sdk::{
    Attribute, Call, Data, Diagnostic, IdentityAttribute, IdentitySchema, ImportFrom, Object,
    Outcome, Resource, Schema, Type, async_trait, validate,
};

use crate::notebook::Notebook;

/// The state. What the provider computes is an `Option`: it is not known before it is.
#[derive(Data)]
pub(crate) struct Note {
    title: String,
    body: String,
    tags: Option<BTreeSet<String>>,
    path: Option<String>,
    words: Option<i64>,
}

pub(crate) struct Notes;

#[async_trait]
impl Resource for Notes {
    type Client = Notebook;
    type State = Note;

    fn type_name(&self) -> String {
        "notes_note".into()
    }

    fn schema(&self) -> Schema {
        Schema::new()
            .describe("A note in a file of its own.")
            .attribute(
                "title",
                Attribute::string()
                    .required()
                    .replace()
                    .validate(validate::matches(
                        "[A-Za-z0-9]",
                        "must have a letter or a digit",
                    ))
                    .describe("What it is about. A note of another title is another note."),
            )
            .attribute(
                "body",
                Attribute::string()
                    .optional()
                    .default_to("")
                    .describe("What it says."),
            )
            .attribute(
                "tags",
                Attribute::set(Type::String)
                    .optional()
                    .validate(validate::each(validate::length(1..=20)))
                    .describe("Words that it is found by."),
            )
            .attribute(
                "path",
                Attribute::string().computed().keep().describe("The file."),
            )
            .attribute(
                "words",
                Attribute::number()
                    .computed()
                    .describe("How many words its body has."),
            )
    }

    fn identity(&self) -> Option<IdentitySchema> {
        let title = IdentityAttribute {
            ty: Type::String,
            required_for_import: true,
            description: "What it is about.".into(),
        };
        Some(IdentitySchema {
            version: 0,
            attributes: [("title".into(), title)].into(),
        })
    }

    async fn create(&self, call: &mut Call<Notebook>, planned: Note) -> Outcome<Note> {
        if call.client.read(&planned.title)?.is_some() {
            let detail = format!(
                "There is a note {:?} already. Import it, or give this one another title.",
                planned.title
            );
            return Err(Diagnostic::error("Note exists", detail).into());
        }
        store(call, planned)
    }

    async fn read(&self, call: &mut Call<Notebook>, state: Note) -> Outcome<Option<Note>> {
        let content = call.client.read(&state.title)?;
        Ok(content.map(|content| {
            let (tags, body) = parsed(&content);
            identify(call, &state.title);
            complete(
                call,
                Note {
                    body,
                    tags,
                    ..state
                },
            )
        }))
    }

    async fn update(
        &self,
        call: &mut Call<Notebook>,
        _prior: Note,
        planned: Note,
    ) -> Outcome<Note> {
        store(call, planned)
    }

    async fn delete(&self, call: &mut Call<Notebook>, state: Note) -> Outcome<()> {
        call.client.remove(&state.title)
    }

    async fn import(&self, call: &mut Call<Notebook>, from: ImportFrom) -> Outcome<Object> {
        let title = from.key("title").unwrap_or_default();
        if call.client.read(title)?.is_none() {
            let detail = format!("There is no note {title:?}.");
            return Err(Diagnostic::error("Cannot import note", detail).into());
        }
        let mut found = Object::new();
        found.set("title", title);
        found.set("body", "");
        Ok(found)
    }
}

fn identify(call: &mut Call<Notebook>, title: &str) {
    let mut identity = Object::new();
    identity.set("title", title);
    call.identity = Some(identity);
}

fn store(call: &mut Call<Notebook>, note: Note) -> Outcome<Note> {
    call.client.write(&note.title, &written(&note))?;
    identify(call, &note.title);
    Ok(complete(call, note))
}

/// What the provider computes.
fn complete(call: &Call<Notebook>, note: Note) -> Note {
    let words = note.body.split_whitespace().count();
    Note {
        path: Some(call.client.path(&note.title).display().to_string()),
        words: i64::try_from(words).ok(),
        ..note
    }
}

/// A line of tags, and the body.
fn written(note: &Note) -> String {
    let tags: Vec<String> = note
        .tags
        .iter()
        .flatten()
        .map(|tag| format!("#{tag}"))
        .collect();
    format!("{}\n{}", tags.join(" "), note.body)
}

fn parsed(content: &str) -> (Option<BTreeSet<String>>, String) {
    let (tags, body) = content.split_once('\n').unwrap_or((content, ""));
    let tags: BTreeSet<String> = tags
        .split_whitespace()
        .filter_map(|word| word.strip_prefix('#').map(str::to_owned))
        .collect();
    (Some(tags).filter(|tags| !tags.is_empty()), body.to_owned())
}
