//! What a bucket has at most one of: its policy, its encryption and the like.

use async_trait::async_trait;
use terrace_provider_sdk::{Diagnostics, Object, Outcome, Plan, Schema};

use super::place::{Bucket, split_id};
use crate::client::Client;
use crate::kind::{Change, Context, Kind};
use crate::shape::Behaviour as _;

/// One part of a bucket's configuration, which is always written whole. [`Of`] makes a kind of it.
#[async_trait]
pub(super) trait Setting: Default + Send + Sync + 'static {
    const NAME: &'static str;
    const WHAT: &'static str;
    const LEGACY: bool = true;

    /// Adds to its shape what it does not tell.
    fn behave(shape: Schema) -> Schema {
        shape
    }

    fn validate(_config: &Object, _diagnostics: &mut Diagnostics) {}

    fn plan(_plan: &mut Plan<Client>) {}

    /// Its id.
    fn id(bucket: &Bucket<'_>, _planned: &Object) -> String {
        bucket.id()
    }

    /// What an import id says of it.
    fn import(id: &str) -> Object {
        let (bucket, owner) = split_id(id);
        let mut object = Object::new();
        object.set("id", id);
        object.set("bucket", bucket);
        if let Some(owner) = owner {
            object.set("expected_bucket_owner", owner);
        }
        object
    }

    /// Writes it; `doing` says whether it is there already.
    async fn put(bucket: &Bucket<'_>, planned: &Object, doing: &'static str) -> Outcome<()>;

    /// Reads it; `None` where there is none.
    async fn get(bucket: &Bucket<'_>, state: &Object) -> Outcome<Option<Object>>;

    /// Takes it from the bucket.
    async fn delete(bucket: &Bucket<'_>, state: &Object) -> Outcome<()>;
}

/// A [`Setting`] as a kind.
#[derive(Default)]
pub(super) struct Of<S>(S);

#[async_trait]
impl<S: Setting> Kind for Of<S> {
    const NAME: &'static str = S::NAME;
    const WHAT: &'static str = S::WHAT;
    const LEGACY: bool = S::LEGACY;

    fn behave(&self, shape: Schema) -> Schema {
        S::behave(shape.replaces(&["bucket", "expected_bucket_owner"]))
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        S::validate(config, diagnostics);
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        S::plan(plan);
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let bucket = Bucket::of(context, planned, Self::subject);
        S::put(&bucket, planned, "creating").await?;
        Ok(S::id(&bucket, planned))
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let bucket = Bucket::of(context, state, Self::subject);
        let Some(mut found) = S::get(&bucket, state).await? else {
            return Ok(None);
        };
        found.set("bucket", bucket.name.clone());
        if state.entries().contains_key("expected_bucket_owner") {
            found.set("expected_bucket_owner", bucket.owner.unwrap_or_default());
        }
        Ok(Some(found))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        let bucket = Bucket::of(context, change.planned, Self::subject);
        S::put(&bucket, change.planned, "updating").await
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        let bucket = Bucket::of(context, state, Self::subject);
        S::delete(&bucket, state).await
    }

    async fn foretold(&self, context: &Context, planned: &Object) -> Option<String> {
        planned.text("bucket")?;
        let bucket = Bucket::of(context, planned, Self::subject);
        Some(S::id(&bucket, planned))
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        Ok(S::import(id))
    }
}
