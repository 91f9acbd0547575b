//! A provider: its types, its functions, and how it is configured.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;
use terrace_schema::ProviderSchema;
use terrace_value::{Text, Value};
use tokio::sync::watch;

use crate::call::Stop;
use crate::erased::{AnyDataSource, AnyEphemeral, AnyResource, Entry, Erased};
use crate::{
    Call, DataSource, Diagnostic, Diagnostics, EphemeralResource, Function, Object, Outcome,
    Private, Resource, Schema,
};

type Configure<C> = Box<dyn Fn(Object) -> BoxFuture<'static, Outcome<C>> + Send + Sync>;
type Check = Box<dyn Fn(&Object, &mut Diagnostics) + Send + Sync>;

/// A provider whose handlers use a client of type `C`.
///
/// It is what the engine's port asks for, so it links into an engine; `terrace-provider-serve` makes a plugin of it.
pub struct Provider<C> {
    pub(crate) shared: Arc<Shared<C>>,
    /// What a module says to it, where this is the provider as that module sees it.
    meta: Option<Object>,
}

/// What a provider is, whichever module sees it.
pub(crate) struct Shared<C> {
    config: Schema,
    pub(crate) meta_ty: Option<terrace_value::Type>,
    check: Check,
    configure: Option<Configure<C>>,
    client: RwLock<Option<Arc<C>>>,
    pub(crate) resources: BTreeMap<Text, Arc<Entry<dyn AnyResource<C>>>>,
    pub(crate) data_sources: BTreeMap<Text, Arc<Entry<dyn AnyDataSource<C>>>>,
    pub(crate) ephemeral: BTreeMap<Text, Arc<Entry<dyn AnyEphemeral<C>>>>,
    pub(crate) functions: BTreeMap<Text, Function>,
    pub(crate) schema: Arc<ProviderSchema>,
    pub(crate) stop: watch::Sender<bool>,
}

/// A provider in the making.
pub struct ProviderBuilder<C> {
    provider: Shared<C>,
    meta: Option<Schema>,
}

impl<C: Send + Sync + 'static> Provider<C> {
    /// A provider that is configured: `schema` says with what, and `configure` makes the client of it. The configuration may
    /// hold unknowns while a change is planned.
    pub fn configured<F>(
        schema: Schema,
        configure: impl Fn(Object) -> F + Send + Sync + 'static,
    ) -> ProviderBuilder<C>
    where
        F: Future<Output = Outcome<C>> + Send + 'static,
    {
        let boxed: Configure<C> = Box::new(move |config| Box::pin(configure(config)));
        Self::builder(schema, Some(boxed), None)
    }

    /// A provider without configuration, whose handlers use `client`.
    pub fn with_client(client: C) -> ProviderBuilder<C> {
        Self::builder(Schema::new().plain(), None, Some(Arc::new(client)))
    }

    fn builder(
        config: Schema,
        configure: Option<Configure<C>>,
        client: Option<Arc<C>>,
    ) -> ProviderBuilder<C> {
        ProviderBuilder {
            provider: Shared {
                config,
                meta_ty: None,
                check: Box::new(|_, _| {}),
                configure,
                client: RwLock::new(client),
                resources: BTreeMap::new(),
                data_sources: BTreeMap::new(),
                ephemeral: BTreeMap::new(),
                functions: BTreeMap::new(),
                schema: Arc::default(),
                stop: watch::Sender::new(false),
            },
            meta: None,
        }
    }

    /// Its schema as engines know it.
    pub fn provider_schema(&self) -> &ProviderSchema {
        &self.shared.schema
    }

    /// The same provider, as a module sees it that says `meta` to it.
    pub(crate) fn told(&self, meta: &Value) -> Self {
        Self {
            shared: self.shared.clone(),
            meta: Object::of(meta),
        }
    }

    pub(crate) fn client(&self) -> Option<Arc<C>> {
        self.shared
            .client
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn call(&self, config: &Value, private: &[u8]) -> Outcome<Call<C>> {
        let client = self.client().ok_or_else(|| {
            Diagnostic::error(
                "Unconfigured provider",
                "The provider was asked for something before it was configured. This is a bug in the engine, or the provider's configuration failed.",
            )
        })?;
        Ok(Call {
            client,
            config: Object::of(config).unwrap_or_default(),
            private: Private::decode(private),
            meta: self.meta.clone(),
            identity: None,
            diagnostics: Diagnostics::new(),
            stop: Stop(self.shared.stop.subscribe()),
            kept: None,
        })
    }

    pub(crate) fn check_config(&self, config: &Object) -> Diagnostics {
        let mut diagnostics = self.shared.config.validated(config);
        (self.shared.check)(config, &mut diagnostics);
        diagnostics
    }

    pub(crate) async fn set_up(&self, config: Object) -> Outcome<()> {
        if let Some(configure) = &self.shared.configure {
            let client = configure(config).await?;
            *self
                .shared
                .client
                .write()
                .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(client));
        }
        Ok(())
    }
}

impl<C: Send + Sync + 'static> ProviderBuilder<C> {
    /// Adds a managed resource type.
    #[must_use]
    pub fn resource(mut self, resource: impl Resource<Client = C>) -> Self {
        let name = Text::from(resource.type_name());
        let schema = resource.schema();
        let entry = Entry::new(
            schema,
            Box::new(Erased(resource)) as Box<dyn AnyResource<C>>,
        );
        self.provider.resources.insert(name, entry);
        self
    }

    /// Adds a data source.
    #[must_use]
    pub fn data_source(mut self, source: impl DataSource<Client = C>) -> Self {
        let name = Text::from(source.type_name());
        let schema = source.schema();
        let entry = Entry::new(
            schema,
            Box::new(Erased(source)) as Box<dyn AnyDataSource<C>>,
        );
        self.provider.data_sources.insert(name, entry);
        self
    }

    /// Adds an ephemeral resource type.
    #[must_use]
    pub fn ephemeral(mut self, resource: impl EphemeralResource<Client = C>) -> Self {
        let name = Text::from(resource.type_name());
        let schema = resource.schema();
        let entry = Entry::new(
            schema,
            Box::new(Erased(resource)) as Box<dyn AnyEphemeral<C>>,
        );
        self.provider.ephemeral.insert(name, entry);
        self
    }

    /// Adds a function.
    #[must_use]
    pub fn function(mut self, function: Function) -> Self {
        let name = Text::from(function.name.as_str());
        self.provider.functions.insert(name, function);
        self
    }

    /// Adds functions.
    #[must_use]
    pub fn functions(self, functions: impl IntoIterator<Item = Function>) -> Self {
        functions.into_iter().fold(self, Self::function)
    }

    /// Checks the provider's configuration beyond what the schema's validators do. It may hold unknowns.
    #[must_use]
    pub fn check(
        mut self,
        check: impl Fn(&Object, &mut Diagnostics) + Send + Sync + 'static,
    ) -> Self {
        self.provider.check = Box::new(check);
        self
    }

    /// What `provider_meta` blocks of modules may say.
    #[must_use]
    pub fn meta(mut self, schema: Schema) -> Self {
        self.meta = Some(schema);
        self
    }

    /// The provider.
    pub fn build(self) -> Provider<C> {
        let mut provider = self.provider;
        let port = |schema: &Schema| Arc::new(schema.to_port());
        let schema = ProviderSchema {
            provider: provider.config.to_port(),
            provider_meta: self.meta.as_ref().map(Schema::to_port),
            resources: provider
                .resources
                .iter()
                .map(|(name, entry)| (name.clone(), port(&entry.schema)))
                .collect(),
            data_sources: provider
                .data_sources
                .iter()
                .map(|(name, entry)| (name.clone(), port(&entry.schema)))
                .collect(),
            ephemeral_resources: provider
                .ephemeral
                .iter()
                .map(|(name, entry)| (name.clone(), port(&entry.schema)))
                .collect(),
            identities: provider
                .resources
                .iter()
                .filter_map(|(name, entry)| Some((name.clone(), Arc::new(entry.of.identity()?))))
                .collect(),
            functions: provider
                .functions
                .iter()
                .map(|(name, function)| (name.clone(), Arc::new(function.schema.clone())))
                .collect(),
            move_resource_state: provider
                .resources
                .values()
                .any(|entry| entry.of.takes_over()),
            plan_destroy: true,
            ..ProviderSchema::default()
        };
        let meta_ty = schema.provider_meta.as_ref();
        provider.meta_ty = meta_ty.map(|meta| meta.block.implied_type());
        provider.schema = Arc::new(schema);
        Provider {
            shared: Arc::new(provider),
            meta: None,
        }
    }
}
