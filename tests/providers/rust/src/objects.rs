//! Resource types with objects in files, with identities, and such as were otherwise.

use terrace_provider_sdk::{
    Attribute, Call, Diagnostic, IdentityAttribute, IdentitySchema, ImportFrom, MoveFrom, Number,
    Object, Outcome, Resource, Schema, Type, async_trait,
};

use crate::client::{Client, failed};
use crate::plain::with_id;

/// `conformance_object`: a file.
pub(crate) struct File;

#[async_trait]
impl Resource for File {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_object".into()
    }

    fn schema(&self) -> Schema {
        with_id()
            .attribute("name", Attribute::string().required().replace())
            .attribute("content", Attribute::string().required())
            .attribute("length", Attribute::number().computed())
    }

    async fn create(&self, call: &mut Call<Client>, planned: Object) -> Outcome<Object> {
        let object = write(call, planned)?;
        call.client.event(&format!("created {}", name(&object)))?;
        Ok(object)
    }

    async fn read(&self, call: &mut Call<Client>, mut state: Object) -> Outcome<Option<Object>> {
        match std::fs::read_to_string(call.client.object(name(&state))?) {
            Ok(content) => {
                state.set("length", content.len());
                state.set("content", content);
                Ok(Some(state))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        _prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        let object = write(call, planned)?;
        call.client.event(&format!("updated {}", name(&object)))?;
        Ok(object)
    }

    async fn delete(&self, call: &mut Call<Client>, state: Object) -> Outcome<()> {
        match std::fs::remove_file(call.client.object(name(&state))?) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed(&error));
            }
            _ => {}
        }
        call.client.event(&format!("deleted {}", name(&state)))
    }

    async fn import(&self, call: &mut Call<Client>, from: ImportFrom) -> Outcome<Object> {
        let name = from.key("name").unwrap_or_default();
        if !call.client.object(name)?.is_file() {
            let detail = format!("There is no object named \"{name}\".");
            return Err(Diagnostic::error("Cannot import", detail).into());
        }
        let mut object = Object::new();
        object.set("id", name);
        object.set("name", name);
        Ok(object)
    }
}

fn name(object: &Object) -> &str {
    object.text("name").unwrap_or_default()
}

fn write(call: &Call<Client>, mut object: Object) -> Outcome<Object> {
    let path = call.client.object(name(&object))?;
    let content = object.text("content").unwrap_or_default().to_owned();
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|error| failed(&error))?;
    }
    std::fs::write(path, &content).map_err(|error| failed(&error))?;
    object.set("id", name(&object).to_owned());
    object.set("length", content.len());
    Ok(object)
}

/// `conformance_identified`.
pub(crate) struct Identified;

#[async_trait]
impl Resource for Identified {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_identified".into()
    }

    fn schema(&self) -> Schema {
        let region = Attribute::string().optional().default_to("home").replace();
        with_id()
            .attribute("region", region)
            .attribute("name", Attribute::string().required().replace())
            .attribute("note", Attribute::string().optional())
    }

    fn identity(&self) -> Option<IdentitySchema> {
        let part = |required_for_import| IdentityAttribute {
            ty: Type::String,
            required_for_import,
            description: "".into(),
        };
        Some(IdentitySchema {
            version: 0,
            attributes: [("region".into(), part(false)), ("name".into(), part(true))].into(),
        })
    }

    async fn create(&self, call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        identify(call, &mut planned);
        Ok(planned)
    }

    async fn read(&self, call: &mut Call<Client>, mut state: Object) -> Outcome<Option<Object>> {
        identify(call, &mut state);
        Ok(Some(state))
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        _prior: Object,
        mut planned: Object,
    ) -> Outcome<Object> {
        identify(call, &mut planned);
        Ok(planned)
    }

    async fn import(&self, call: &mut Call<Client>, from: ImportFrom) -> Outcome<Object> {
        let (region, name) = match &from {
            ImportFrom::Id(id) => id.split_once('/').ok_or_else(|| {
                let detail = format!("Expected <region>/<name>, got \"{id}\".");
                Diagnostic::error("Unexpected import id", detail)
            })?,
            ImportFrom::Identity(identity) => (
                identity.text("region").unwrap_or("home"),
                identity.text("name").unwrap_or_default(),
            ),
        };
        let mut object = Object::new();
        object.set("region", region);
        object.set("name", name);
        identify(call, &mut object);
        Ok(object)
    }
}

fn identify(call: &mut Call<Client>, object: &mut Object) {
    let (region, name) = (
        object.text("region").unwrap_or_default().to_owned(),
        object.text("name").unwrap_or_default().to_owned(),
    );
    object.set("id", format!("{region}/{name}"));
    let mut identity = Object::new();
    identity.set("region", region);
    identity.set("name", name);
    call.identity = Some(identity);
}

/// `conformance_new`, which takes over a `conformance_old`.
pub(crate) struct New;

#[async_trait]
impl Resource for New {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_new".into()
    }

    fn schema(&self) -> Schema {
        with_id()
            .attribute("name", Attribute::string().required().replace())
            .attribute("total", Attribute::number().optional())
    }

    async fn create(&self, _call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        let id = format!("new-{}", name(&planned));
        planned.set("id", id);
        Ok(planned)
    }

    fn takes_over(&self) -> bool {
        true
    }

    async fn take_over(&self, from: MoveFrom) -> Outcome<Option<Object>> {
        if from.type_name != "conformance_old" || !from.provider.ends_with("/conformance") {
            return Ok(None);
        }
        let total = match from.state.text("count_text") {
            None => None,
            Some(text) => Some(Number::parse(text).ok_or_else(|| {
                Diagnostic::error("Cannot move", format!("\"{text}\" is no number."))
            })?),
        };
        let mut object = Object::new();
        object.set("id", format!("new-{}", name(&from.state)));
        object.set("name", name(&from.state).to_owned());
        object.set("total", total);
        Ok(Some(object))
    }
}

/// `conformance_versioned`.
pub(crate) struct Versioned;

#[async_trait]
impl Resource for Versioned {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        "conformance_versioned".into()
    }

    fn schema(&self) -> Schema {
        with_id()
            .version(2)
            .attribute("name", Attribute::string().required().replace())
            .attribute("size", Attribute::number().optional())
            .attribute("unit", Attribute::string().optional())
    }

    async fn create(&self, _call: &mut Call<Client>, mut planned: Object) -> Outcome<Object> {
        let id = format!("versioned-{}", name(&planned));
        planned.set("id", id);
        Ok(planned)
    }

    async fn upgrade(&self, version: i64, mut state: Object) -> Outcome<Object> {
        let old = if version == 0 { "size_text" } else { "size" };
        let size = state.text(old).and_then(Number::parse);
        state.set("size", size);
        if version == 0 {
            state.set("unit", "none");
        }
        Ok(state)
    }
}
