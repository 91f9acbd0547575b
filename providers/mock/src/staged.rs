//! Where the providers of a test come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use terrace_addr::{AbsProviderConfig, ProviderAddr, Target};
use terrace_port::{Provider, ProviderError, ProviderSource};
use terrace_schema::ProviderSchema;
use terrace_test::{Cast, Replacement};
use terrace_value::Value;

use crate::mock::{Made, MockProvider};
use crate::overriding::Overriding;

/// The providers of a test: made up ones for the configurations that are, and the real ones for all others, which are not
/// asked about objects that are overridden.
pub struct Staged {
    real: Arc<dyn ProviderSource>,
    schemas: BTreeMap<ProviderAddr, Arc<ProviderSchema>>,
    cast: Cast,
    overrides: Arc<[(Target, Replacement)]>,
    made: Made,
}

impl Staged {
    /// Before the providers of `real`, whose schemas these are.
    pub fn new(
        real: Arc<dyn ProviderSource>,
        schemas: BTreeMap<ProviderAddr, Arc<ProviderSchema>>,
        cast: Cast,
    ) -> Self {
        Self {
            real,
            schemas,
            overrides: cast.overrides.iter().cloned().collect(),
            cast,
            made: Made::default(),
        }
    }

    /// The schemas by which configurations are read: those of providers that are made up ask for no argument.
    pub fn schemas(&self) -> BTreeMap<ProviderAddr, Arc<ProviderSchema>> {
        let mut schemas = self.schemas.clone();
        for address in self.cast.mocks.keys() {
            if let Some(schema) = schemas.get_mut(&address.provider) {
                let schema = Arc::make_mut(schema);
                for attribute in schema.provider.block.attributes.values_mut() {
                    attribute.optional |= attribute.required;
                    attribute.required = false;
                }
                for nested in schema.provider.block.blocks.values_mut() {
                    nested.min_items = 0;
                }
            }
        }
        schemas
    }

    fn schema(&self, provider: &ProviderAddr) -> Result<Arc<ProviderSchema>, ProviderError> {
        self.schemas
            .get(provider)
            .cloned()
            .ok_or_else(|| ProviderError {
                message: "its schema is not known".to_owned(),
            })
    }

    fn before(
        &self,
        real: Arc<dyn Provider>,
        provider: &ProviderAddr,
    ) -> Result<Arc<dyn Provider>, ProviderError> {
        if self.overrides.is_empty() {
            return Ok(real);
        }
        Ok(Arc::new(Overriding {
            real,
            schema: self.schema(provider)?,
            overrides: Arc::clone(&self.overrides),
            made: Arc::clone(&self.made),
        }))
    }
}

#[async_trait]
impl ProviderSource for Staged {
    async fn open(&self, provider: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        let real = self.real.open(provider).await?;
        self.before(real, provider)
    }

    async fn open_for(
        &self,
        configuration: &AbsProviderConfig,
    ) -> Result<Arc<dyn Provider>, ProviderError> {
        if let Some(mocked) = self.cast.mocks.get(&configuration.whole()) {
            let schema = self.schema(&configuration.provider)?;
            let overrides = self.overrides.iter().cloned();
            let mock = MockProvider::new(schema, mocked.clone(), overrides).remembering(&self.made);
            return Ok(Arc::new(mock));
        }
        let real = self.real.open_for(configuration).await?;
        self.before(real, &configuration.provider)
    }

    fn call_function(
        &self,
        provider: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        self.real.call_function(provider, name, arguments)
    }
}
