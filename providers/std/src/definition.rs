//! Resource types, data sources and ephemeral resource types as tables of functions, on the provider SDK.
//!
//! Their work is quick or waits for files and processes; it is done apart from the engine's own tasks.

use std::sync::Arc;

use terrace_provider_sdk::{
    Call, DataSource, Diagnostic, Diagnostics, EphemeralResource, ImportFrom, Object, Opened,
    Outcome, Path, Resource, Schema, async_trait,
};

use crate::Outside;

/// Why something failed.
pub(crate) type Failure = Diagnostic;

/// Checks a configuration, which may hold unknowns.
pub(crate) type Validate = fn(&Object) -> Vec<Diagnostic>;
/// Completes a planned object (the third): prior (if there is one) and configured.
pub(crate) type Plan = fn(Option<&Object>, &Object, &mut Object, &Outside) -> Vec<&'static str>;
/// Makes an object (or, with a prior one, changes it) from the planned one, whose computed attributes may be unknown. The
/// second is what is configured.
pub(crate) type Apply = fn(Change<'_>, Object, &Outside) -> Result<Object, Failure>;
/// Reads an object; `None` when it is gone.
pub(crate) type Read = fn(Object, &Outside) -> Result<Option<Object>, Failure>;
/// Ends an object.
pub(crate) type Delete = fn(&Object, &Outside) -> Result<(), Failure>;
/// The object of an id.
pub(crate) type Import = fn(&str, &Outside) -> Result<Object, Failure>;
/// Completes an object of a version of the schema.
pub(crate) type Upgrade = fn(i64, &mut Object) -> Result<(), Failure>;

/// What an object was, and what is configured.
#[derive(Clone, Copy)]
pub(crate) struct Change<'c> {
    /// What it was; `None` for one that is made.
    pub(crate) prior: Option<&'c Object>,
    /// What is configured, write-only attributes included.
    pub(crate) config: &'c Object,
}

/// A resource type.
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) schema: fn() -> Schema,
    pub(crate) validate: Validate,
    pub(crate) plan: Plan,
    pub(crate) apply: Apply,
    pub(crate) read: Read,
    pub(crate) delete: Delete,
    pub(crate) import: Option<Import>,
    pub(crate) upgrade: Upgrade,
}

impl Definition {
    /// A type that needs no check, no reading and no end.
    pub(crate) fn new(name: &'static str, schema: fn() -> Schema, apply: Apply) -> Self {
        Self {
            name,
            schema,
            validate: |_| Vec::new(),
            plan: |_, _, _, _| Vec::new(),
            apply,
            read: |state, _| Ok(Some(state)),
            delete: |_, _| Ok(()),
            import: None,
            upgrade: |_, _| Ok(()),
        }
    }

    async fn change_apart(
        &self,
        call: &Call<Outside>,
        prior: Option<Object>,
        planned: Object,
    ) -> Outcome<Object> {
        let (apply, outside, config) = (self.apply, call.client.clone(), call.config.clone());
        apart(move || {
            let change = Change {
                prior: prior.as_ref(),
                config: &config,
            };
            apply(change, planned, &outside)
        })
        .await
    }
}

/// Does what takes its time where it keeps nobody waiting.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Outcome<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[async_trait]
impl Resource for Definition {
    type Client = Outside;
    type State = Object;

    fn type_name(&self) -> String {
        self.name.into()
    }

    fn schema(&self) -> Schema {
        (self.schema)()
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        diagnostics.extend((self.validate)(config));
    }

    async fn plan(&self, plan: &mut terrace_provider_sdk::Plan<Outside>) -> Outcome<()> {
        let (Some(planned), Some(config), Some(outside)) =
            (&mut plan.planned, &plan.config, &plan.client)
        else {
            return Ok(());
        };
        for name in (self.plan)(plan.prior.as_ref(), config, planned, outside) {
            plan.replace.push(Path::root().attribute(name));
        }
        Ok(())
    }

    async fn create(&self, call: &mut Call<Outside>, planned: Object) -> Outcome<Object> {
        self.change_apart(call, None, planned).await
    }

    async fn read(&self, call: &mut Call<Outside>, state: Object) -> Outcome<Option<Object>> {
        let (read, outside) = (self.read, call.client.clone());
        apart(move || read(state, &outside)).await
    }

    async fn update(
        &self,
        call: &mut Call<Outside>,
        prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        self.change_apart(call, Some(prior), planned).await
    }

    async fn delete(&self, call: &mut Call<Outside>, state: Object) -> Outcome<()> {
        let (delete, outside) = (self.delete, call.client.clone());
        apart(move || delete(&state, &outside)).await
    }

    async fn import(&self, call: &mut Call<Outside>, from: ImportFrom) -> Outcome<Object> {
        let Some(import) = self.import else {
            let detail = format!("A {} cannot be imported.", self.name);
            return Err(Diagnostic::error("Resource Import Not Implemented", detail).into());
        };
        let id = from.key("id").unwrap_or_default().to_owned();
        let outside = call.client.clone();
        apart(move || import(&id, &outside)).await
    }

    async fn upgrade(&self, version: i64, mut state: Object) -> Outcome<Object> {
        let upgrade = self.upgrade;
        apart(move || {
            upgrade(version, &mut state)?;
            Ok(state)
        })
        .await
    }
}

/// Reads what is configured.
pub(crate) type ReadSource =
    Arc<dyn Fn(Object, &Outside, &mut Diagnostics) -> Result<Object, Failure> + Send + Sync>;

/// A data source, or an ephemeral resource type that is opened as one is read.
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) schema: fn() -> Schema,
    pub(crate) validate: Validate,
    pub(crate) read: ReadSource,
}

impl Source {
    /// One that needs no check.
    pub(crate) fn new(
        name: &'static str,
        schema: fn() -> Schema,
        read: impl Fn(Object, &Outside, &mut Diagnostics) -> Result<Object, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            name,
            schema,
            validate: |_| Vec::new(),
            read: Arc::new(read),
        }
    }

    async fn read_apart(&self, call: &mut Call<Outside>, config: Object) -> Outcome<Object> {
        let (read, outside) = (self.read.clone(), call.client.clone());
        let (object, said) = apart(move || {
            let mut diagnostics = Diagnostics::new();
            let object = read(config, &outside, &mut diagnostics)?;
            Ok((object, diagnostics))
        })
        .await?;
        call.diagnostics.extend(said);
        Ok(object)
    }
}

#[async_trait]
impl DataSource for Source {
    type Client = Outside;
    type State = Object;

    fn type_name(&self) -> String {
        self.name.into()
    }

    fn schema(&self) -> Schema {
        (self.schema)()
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        diagnostics.extend((self.validate)(config));
    }

    async fn read(&self, call: &mut Call<Outside>, config: Object) -> Outcome<Object> {
        self.read_apart(call, config).await
    }
}

#[async_trait]
impl EphemeralResource for Source {
    type Client = Outside;
    type State = Object;

    fn type_name(&self) -> String {
        self.name.into()
    }

    fn schema(&self) -> Schema {
        (self.schema)()
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        diagnostics.extend((self.validate)(config));
    }

    async fn open(&self, call: &mut Call<Outside>, config: Object) -> Outcome<Opened<Object>> {
        self.read_apart(call, config).await.map(Opened::lasting)
    }
}

/// A problem with one attribute.
pub(crate) fn problem(name: &str, summary: &str, detail: impl Into<String>) -> Diagnostic {
    Diagnostic::error(summary, detail).at(Path::root().attribute(name))
}
