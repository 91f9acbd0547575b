//! Types of a provider behind traits that know nothing of their states' Rust types.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_schema::IdentitySchema;
use terrace_value::Value;

use crate::{
    Call, Data, DataSource, Diagnostics, EphemeralResource, ImportFrom, MoveFrom, Object, Opened,
    Outcome, Plan, Resource, Schema,
};

pub(crate) struct Erased<T>(pub(crate) T);

#[async_trait]
pub(crate) trait AnyResource<C>: Send + Sync {
    fn identity(&self) -> Option<IdentitySchema>;
    fn takes_over(&self) -> bool;
    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics);
    async fn plan(&self, plan: &mut Plan<C>) -> Outcome<()>;
    async fn create(&self, call: &mut Call<C>, planned: &Value) -> Outcome<Value>;
    async fn read(&self, call: &mut Call<C>, state: &Value) -> Outcome<Option<Value>>;
    async fn update(&self, call: &mut Call<C>, prior: &Value, planned: &Value) -> Outcome<Value>;
    async fn delete(&self, call: &mut Call<C>, state: &Value) -> Outcome<()>;
    async fn import(&self, call: &mut Call<C>, from: ImportFrom) -> Outcome<Object>;
    async fn id_before_creation(&self, call: &mut Call<C>, planned: &Value) -> Option<String>;
    async fn upgrade(&self, version: i64, state: Object) -> Outcome<Object>;
    async fn upgrade_identity(&self, version: i64, identity: Object) -> Outcome<Object>;
    async fn take_over(&self, from: MoveFrom) -> Outcome<Option<Object>>;
}

#[async_trait]
impl<R: Resource> AnyResource<R::Client> for Erased<R> {
    fn identity(&self) -> Option<IdentitySchema> {
        self.0.identity()
    }

    fn takes_over(&self) -> bool {
        self.0.takes_over()
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        self.0.validate(config, diagnostics);
    }

    async fn plan(&self, plan: &mut Plan<R::Client>) -> Outcome<()> {
        self.0.plan(plan).await
    }

    async fn create(&self, call: &mut Call<R::Client>, planned: &Value) -> Outcome<Value> {
        let planned = R::State::from_value(planned)?;
        Ok(self.0.create(call, planned).await?.into_value())
    }

    async fn read(&self, call: &mut Call<R::Client>, state: &Value) -> Outcome<Option<Value>> {
        let state = R::State::from_value(state)?;
        Ok(self.0.read(call, state).await?.map(Data::into_value))
    }

    async fn update(
        &self,
        call: &mut Call<R::Client>,
        prior: &Value,
        planned: &Value,
    ) -> Outcome<Value> {
        let prior = R::State::from_value(prior)?;
        let planned = R::State::from_value(planned)?;
        Ok(self.0.update(call, prior, planned).await?.into_value())
    }

    async fn delete(&self, call: &mut Call<R::Client>, state: &Value) -> Outcome<()> {
        self.0.delete(call, R::State::from_value(state)?).await
    }

    async fn import(&self, call: &mut Call<R::Client>, from: ImportFrom) -> Outcome<Object> {
        self.0.import(call, from).await
    }

    async fn id_before_creation(
        &self,
        call: &mut Call<R::Client>,
        planned: &Value,
    ) -> Option<String> {
        let planned = R::State::from_value(planned).ok()?;
        self.0.id_before_creation(call, planned).await
    }

    async fn upgrade(&self, version: i64, state: Object) -> Outcome<Object> {
        self.0.upgrade(version, state).await
    }

    async fn upgrade_identity(&self, version: i64, identity: Object) -> Outcome<Object> {
        self.0.upgrade_identity(version, identity).await
    }

    async fn take_over(&self, from: MoveFrom) -> Outcome<Option<Object>> {
        self.0.take_over(from).await
    }
}

#[async_trait]
pub(crate) trait AnyDataSource<C>: Send + Sync {
    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics);
    async fn read(&self, call: &mut Call<C>, config: &Value) -> Outcome<Value>;
}

#[async_trait]
impl<D: DataSource> AnyDataSource<D::Client> for Erased<D> {
    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        self.0.validate(config, diagnostics);
    }

    async fn read(&self, call: &mut Call<D::Client>, config: &Value) -> Outcome<Value> {
        let config = D::State::from_value(config)?;
        Ok(self.0.read(call, config).await?.into_value())
    }
}

#[async_trait]
pub(crate) trait AnyEphemeral<C>: Send + Sync {
    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics);
    async fn open(&self, call: &mut Call<C>, config: &Value) -> Outcome<Opened<Value>>;
    async fn renew(&self, call: &mut Call<C>) -> Outcome<Option<(i64, u32)>>;
    async fn close(&self, call: &mut Call<C>) -> Outcome<()>;
}

#[async_trait]
impl<E: EphemeralResource> AnyEphemeral<E::Client> for Erased<E> {
    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        self.0.validate(config, diagnostics);
    }

    async fn open(&self, call: &mut Call<E::Client>, config: &Value) -> Outcome<Opened<Value>> {
        let config = E::State::from_value(config)?;
        let opened = self.0.open(call, config).await?;
        Ok(Opened {
            state: opened.state.into_value(),
            renew_at: opened.renew_at,
        })
    }

    async fn renew(&self, call: &mut Call<E::Client>) -> Outcome<Option<(i64, u32)>> {
        self.0.renew(call).await
    }

    async fn close(&self, call: &mut Call<E::Client>) -> Outcome<()> {
        self.0.close(call).await
    }
}

/// A type with its schema, which is made once.
pub(crate) struct Entry<T: ?Sized> {
    pub(crate) schema: Schema,
    pub(crate) block: terrace_schema::Block,
    pub(crate) ty: terrace_value::Type,
    pub(crate) of: Box<T>,
}

impl<T: ?Sized> Entry<T> {
    pub(crate) fn new(schema: Schema, of: Box<T>) -> Arc<Self> {
        let block = schema.to_block();
        Arc::new(Self {
            ty: block.implied_type(),
            block,
            schema,
            of,
        })
    }
}
