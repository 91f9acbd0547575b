//! What all types have in common: regions, tags, ids, objects of which AWS tells late, and objects that were made by half.

use std::time::Duration;

use async_trait::async_trait;
use terrace_provider_sdk::{
    Call, DataSource, Diagnostics, ImportFrom, Kind as ValueKind, Object, Outcome, Plan, Resource,
    Schema, Stop, Type, Value,
};

use crate::client::Client;
use crate::failure::{Subject, by_half, vanished};
use crate::shape;
use crate::tags::{self, TagChange};
use crate::wait::Patience;

/// How long AWS may take to tell of an object that it has just made.
const UNTIL_TOLD: Duration = Duration::from_mins(2);

/// One type of objects in AWS: its behaviour and its calls. [`Managed`] makes a resource type of it.
#[async_trait]
pub(crate) trait Kind: Default + Send + Sync + 'static {
    /// The resource type, such as `aws_sqs_queue`.
    const NAME: &'static str;
    /// What one is in words, such as `SQS Queue`.
    const WHAT: &'static str;
    /// Whether hashicorp/aws has it on the older plugin SDK, whose objects are planned by other rules.
    const LEGACY: bool = true;

    /// The arguments whose values are the id, with this between them, of a type whose ids are known before there is an object;
    /// what is left out is no part of it.
    const ID_OF: Option<(&'static [&'static str], &'static str)> = None;

    /// Adds to the type's shape what it does not tell: replacements, defaults, what the service fills in, checks.
    fn behave(&self, shape: Schema) -> Schema;

    /// Checks a configuration, which may hold unknowns.
    fn validate(&self, _config: &Object, _diagnostics: &mut Diagnostics) {}

    /// Completes a plan: what else becomes unknown, what else asks for a replacement.
    async fn plan(&self, _plan: &mut Plan<Client>) -> Outcome<()> {
        Ok(())
    }

    /// Makes an object and gives its id. One that takes several calls says [`Context::made`] after the first.
    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String>;

    /// The attributes of the object that `state` is (its `id` at least); `None` when it is gone. What is left out stays as it was.
    /// Tags go into `tags_all`, all of them.
    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>>;

    /// Changes an object in place.
    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()>;

    /// Ends an object. One that is gone already is no error.
    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()>;

    /// What an import id says of the object; [`read`](Self::read) finds the rest.
    fn import(&self, id: &str) -> Outcome<Object> {
        let mut object = Object::new();
        object.set("id", id);
        Ok(object)
    }

    /// The id by which an object that is planned so can be imported, where that is known before it is made. By it, what was to be
    /// made when a run was killed is looked for.
    async fn foretold(&self, _context: &Context, planned: &Object) -> Option<String> {
        let (arguments, between) = Self::ID_OF?;
        let parts = arguments.iter().filter(|name| planned.is_set(name));
        let parts: Option<Vec<&str>> = parts.map(|name| planned.text(name)).collect();
        let id = parts?.join(between);
        (!id.is_empty()).then_some(id)
    }

    /// The object in words.
    fn subject(name: impl Into<String>) -> Subject {
        Subject::new(Self::WHAT, name)
    }
}

/// What a call of a type's handler has around it.
pub(crate) struct Context {
    /// The services.
    pub(crate) client: std::sync::Arc<Client>,
    /// The region where the object lives.
    pub(crate) region: String,
    /// What is configured, write-only arguments included; empty where there is no configuration.
    pub(crate) config: Object,
    /// Says when the user wants it to end.
    pub(crate) stop: Stop,
    made: Option<String>,
}

impl Context {
    pub(crate) fn of(call: &Call<Client>, object: &Object) -> Self {
        let region = object.text("region").unwrap_or(call.client.region());
        Self {
            region: region.to_owned(),
            client: call.client.clone(),
            config: call.config.clone(),
            stop: call.stop.clone(),
            made: None,
        }
    }

    /// Says that the object is there from now on, under this id, whatever fails afterwards.
    pub(crate) fn made(&mut self, id: impl Into<String>) {
        self.made = Some(id.into());
    }

    /// Waits for so long at most.
    pub(crate) fn patience(&self, longest: Duration) -> Patience {
        Patience {
            longest,
            stop: self.stop.clone(),
        }
    }
}

/// An object as it was and as it shall be.
#[derive(Clone, Copy)]
pub(crate) struct Change<'c> {
    pub(crate) prior: &'c Object,
    pub(crate) planned: &'c Object,
}

impl Change<'_> {
    /// Whether any of these attributes or blocks changes.
    pub(crate) fn of(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| self.prior.value(name) != self.planned.value(name))
    }

    /// What becomes of its tags; `None` where they stay.
    pub(crate) fn tags(&self) -> Option<TagChange> {
        TagChange::between(self.prior, self.planned)
    }

    /// The id of the object.
    pub(crate) fn id(&self) -> &str {
        id(self.prior)
    }
}

/// The id of an object that has one.
pub(crate) fn id(object: &Object) -> &str {
    object.text("id").unwrap_or_default()
}

/// A [`Kind`] as a resource type of the SDK.
#[derive(Default)]
pub(crate) struct Managed<K>(pub(crate) K);

impl<K: Kind> Managed<K> {
    fn has(name: &str) -> bool {
        shape::resource_has(K::NAME, name)
    }

    /// What was told of an object, on top of what was known of it.
    fn told(call: &Call<Client>, mut known: Object, told: Object) -> Object {
        let own_before = known.value("tags").clone();
        let all = told.value("tags_all").clone();
        known.extend(told);
        if !all.is_null() {
            let (own, all) = call.client.tags().split(tags::of(&all), &own_before);
            known.set("tags", own);
            known.set("tags_all", all);
        }
        known
    }

    /// The object as it is once AWS tells of it.
    async fn settled(
        &self,
        call: &mut Call<Client>,
        known: Object,
        context: &Context,
    ) -> Outcome<Object> {
        let subject = K::subject(id(&known));
        let look = || self.0.read(context, &known);
        let found = context.patience(UNTIL_TOLD).look(look).await?;
        match found {
            Some(found) => Ok(Self::told(call, known, found)),
            None if context.stop.is_wanted() => {
                Err(Patience::interrupted(&subject, "found again").into())
            }
            None => Err(vanished(&subject).into()),
        }
    }

    fn plan_tags(plan: &mut Plan<Client>) {
        let (Some(client), Some(planned)) = (&plan.client, &mut plan.planned) else {
            return;
        };
        let Some(all) = client.tags().all(planned.value("tags")) else {
            planned.forget("tags_all", tags::ty());
            return;
        };
        let before = plan
            .prior
            .as_ref()
            .map_or(Value::null(tags::ty()), |prior| {
                prior.value("tags_all").clone()
            });
        if all.is_empty() && !before.is_null() && tags::of(&before).is_empty() {
            planned.set("tags_all", before);
        } else if all.is_empty() {
            planned.forget("tags_all", tags::ty());
        } else {
            planned.set("tags_all", all);
        }
    }

    fn plan_region(plan: &mut Plan<Client>) {
        let (Some(client), Some(planned)) = (&plan.client, &mut plan.planned) else {
            return;
        };
        let configured = plan
            .config
            .as_ref()
            .is_some_and(|config| config.is_set("region"));
        if !configured && planned.text("region").is_none() {
            planned.set("region", client.region());
        }
        let before = plan.prior.as_ref().and_then(|prior| prior.text("region"));
        if let (Some(before), Some(after)) = (before, planned.text("region"))
            && before != after
        {
            plan.replace_for("region");
        }
    }
}

/// An object with nothing where a part is not known.
fn without_unknowns(object: &Object) -> Object {
    object
        .entries()
        .iter()
        .map(|(name, value)| (name.clone(), known(value)))
        .collect()
}

fn known(value: &Value) -> Value {
    match value.kind() {
        ValueKind::Unknown(_) => Value::null(value.ty()),
        _ if value.is_wholly_known() => value.clone(),
        ValueKind::List(ty, items) => Value::list(ty.clone(), items.iter().map(known)),
        ValueKind::Set(ty, items) => Value::set(ty.clone(), items.iter().map(known)),
        ValueKind::Map(ty, entries) => Value::map(
            ty.clone(),
            entries.iter().map(|(key, item)| (key.clone(), known(item))),
        ),
        ValueKind::Object(entries) => Value::object(
            entries
                .iter()
                .map(|(key, item)| (key.clone(), known(item)))
                .collect::<Vec<_>>(),
        ),
        _ => Value::null(Type::Dynamic),
    }
}

#[async_trait]
impl<K: Kind> Resource for Managed<K> {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        K::NAME.into()
    }

    fn schema(&self) -> Schema {
        let shape = shape::resource(K::NAME);
        self.0
            .behave(if K::LEGACY { shape.legacy() } else { shape })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        self.0.validate(config, diagnostics);
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        if plan.planned.is_none() {
            return Ok(());
        }
        if Self::has("tags_all") {
            Self::plan_tags(plan);
        }
        if Self::has("region") {
            Self::plan_region(plan);
        }
        self.0.plan(plan).await
    }

    async fn create(&self, call: &mut Call<Client>, planned: Object) -> Outcome<Object> {
        let mut context = Context::of(call, &planned);
        let made = self.0.create(&mut context, &planned).await;
        let mut known = without_unknowns(&planned);
        let id = match made {
            Ok(id) => id,
            Err(failure) => {
                let Some(id) = context.made else {
                    return Err(failure);
                };
                let failure = by_half(failure, &K::subject(&id));
                known.set("id", id);
                call.keep(known);
                return Err(failure);
            }
        };
        known.set("id", id);
        call.keep(known.clone());
        self.settled(call, known, &context).await
    }

    async fn read(&self, call: &mut Call<Client>, state: Object) -> Outcome<Option<Object>> {
        let context = Context::of(call, &state);
        let Some(found) = self.0.read(&context, &state).await? else {
            return Ok(None);
        };
        let mut found = Self::told(call, state, found);
        if Self::has("region") && !found.is_set("region") {
            found.set("region", context.region);
        }
        Ok(Some(found))
    }

    async fn update(
        &self,
        call: &mut Call<Client>,
        prior: Object,
        planned: Object,
    ) -> Outcome<Object> {
        let context = Context::of(call, &prior);
        let change = Change {
            prior: &prior,
            planned: &planned,
        };
        self.0.update(&context, change).await?;
        let mut known = without_unknowns(&planned);
        for (name, value) in prior.entries() {
            if !planned.is_known(name) {
                known.set(name, value.clone());
            }
        }
        self.settled(call, known, &context).await
    }

    async fn delete(&self, call: &mut Call<Client>, state: Object) -> Outcome<()> {
        let context = Context::of(call, &state);
        self.0.delete(&context, &state).await
    }

    async fn id_before_creation(&self, call: &mut Call<Client>, planned: Object) -> Option<String> {
        let context = Context::of(call, &planned);
        let id = self.0.foretold(&context, &planned).await?;
        let is_elsewhere = Self::has("region") && context.region != call.client.region();
        Some(if is_elsewhere {
            format!("{id}@{}", context.region)
        } else {
            id
        })
    }

    async fn import(&self, _call: &mut Call<Client>, from: ImportFrom) -> Outcome<Object> {
        let id = from.key("id").unwrap_or_default();
        let (id, region) = if Self::has("region") {
            split_region(id)
        } else {
            (id, None)
        };
        let mut object = self.0.import(id)?;
        if let Some(region) = region {
            object.set("region", region);
        }
        Ok(object)
    }
}

/// An import id that names a region behind an `@`.
fn split_region(id: &str) -> (&str, Option<&str>) {
    let is_region = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() >= 3
            && parts
                .last()
                .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
            && parts[..parts.len() - 1]
                .iter()
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
    };
    match id.rsplit_once('@') {
        Some((id, region)) if is_region(region) => (id, Some(region)),
        _ => (id, None),
    }
}

/// A data source: its calls. [`Looked`] makes a data source of the SDK of it.
#[async_trait]
pub(crate) trait Source: Default + Send + Sync + 'static {
    /// Its name, such as `aws_sqs_queue`.
    const NAME: &'static str;
    /// What it looks for, in words.
    const WHAT: &'static str;

    /// Adds to its shape what it does not tell.
    fn behave(&self, shape: Schema) -> Schema {
        shape
    }

    /// Reads it. What is left out of the answer is as configured.
    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object>;

    /// What is looked for, in words.
    fn subject(name: impl Into<String>) -> Subject {
        Subject::new(Self::WHAT, name)
    }
}

/// A [`Source`] as a data source of the SDK.
#[derive(Default)]
pub(crate) struct Looked<S>(S);

#[async_trait]
impl<S: Source> DataSource for Looked<S> {
    type Client = Client;
    type State = Object;

    fn type_name(&self) -> String {
        S::NAME.into()
    }

    fn schema(&self) -> Schema {
        self.0.behave(shape::data_source(S::NAME))
    }

    async fn read(&self, call: &mut Call<Client>, config: Object) -> Outcome<Object> {
        let context = Context::of(call, &config);
        let found = self.0.read(&context, &config).await?;
        let mut known = config;
        known.extend(found);
        let has_region = shape::data_source_has(S::NAME, "region");
        if has_region && !known.is_set("region") {
            known.set("region", context.region);
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_id_may_name_a_region() {
        assert_eq!(split_region("q@eu-west-1"), ("q", Some("eu-west-1")));
        assert_eq!(
            split_region("q@us-gov-west-1"),
            ("q", Some("us-gov-west-1"))
        );
        assert_eq!(split_region("a@b"), ("a@b", None));
        assert_eq!(split_region("me@example.com"), ("me@example.com", None));
    }
}
