//! Protocol 5: messages that are the same on the wire are read as those of protocol 6; the others are mapped.

use std::sync::Arc;

use prost::Message;
use terrace_provider_protocol::tfplugin5::provider_server::Provider;
use terrace_provider_protocol::{tfplugin5 as p5, tfplugin6 as p6};
use tonic::{Request, Response, Status};

use crate::handler::Handler;

pub(crate) struct V5(pub(crate) Arc<Handler>);

type Answer<T> = Result<Response<T>, Status>;

/// A message as the one of the other version that has the same fields under the same numbers.
fn same<A: Message, B: Message + Default>(message: &A) -> Result<B, Status> {
    B::decode(&message.encode_to_vec()[..]).map_err(|error| Status::internal(error.to_string()))
}

fn same_all<A: Message, B: Message + Default>(list: &[A]) -> Result<Vec<B>, Status> {
    list.iter().map(same).collect()
}

#[tonic::async_trait]
impl Provider for V5 {
    async fn get_schema(
        &self,
        _request: Request<p5::get_provider_schema::Request>,
    ) -> Answer<p5::get_provider_schema::Response> {
        let schema = self.0.schema().await?;
        let schemas = |map: std::collections::HashMap<String, p6::Schema>| {
            map.into_iter()
                .map(|(name, schema)| Ok((name, provider_schema(schema)?)))
                .collect::<Result<_, Status>>()
        };
        Ok(Response::new(p5::get_provider_schema::Response {
            provider: schema.provider.map(provider_schema).transpose()?,
            provider_meta: schema.provider_meta.map(provider_schema).transpose()?,
            resource_schemas: schemas(schema.resource_schemas)?,
            data_source_schemas: schemas(schema.data_source_schemas)?,
            ephemeral_resource_schemas: schemas(schema.ephemeral_resource_schemas)?,
            functions: schema
                .functions
                .into_iter()
                .map(|(name, function)| Ok((name, same(&function)?)))
                .collect::<Result<_, Status>>()?,
            server_capabilities: schema
                .server_capabilities
                .map(|server| same(&server))
                .transpose()?,
            ..p5::get_provider_schema::Response::default()
        }))
    }

    async fn prepare_provider_config(
        &self,
        request: Request<p5::prepare_provider_config::Request>,
    ) -> Answer<p5::prepare_provider_config::Response> {
        let config = request
            .into_inner()
            .config
            .map(|config| same(&config))
            .transpose()?;
        let (prepared, diagnostics) = self.0.validate_provider(config).await?;
        Ok(Response::new(p5::prepare_provider_config::Response {
            prepared_config: prepared.map(|prepared| same(&prepared)).transpose()?,
            diagnostics: same_all(&diagnostics)?,
        }))
    }

    async fn configure(
        &self,
        request: Request<p5::configure::Request>,
    ) -> Answer<p5::configure::Response> {
        let config = request
            .into_inner()
            .config
            .map(|config| same(&config))
            .transpose()?;
        let diagnostics = same_all(&self.0.configure(config).await?)?;
        Ok(Response::new(p5::configure::Response { diagnostics }))
    }

    async fn validate_resource_type_config(
        &self,
        request: Request<p5::validate_resource_type_config::Request>,
    ) -> Answer<p5::validate_resource_type_config::Response> {
        let request = request.into_inner();
        let config = request.config.map(|config| same(&config)).transpose()?;
        let diagnostics = same_all(&self.0.validate_resource(&request.type_name, config).await?)?;
        Ok(Response::new(p5::validate_resource_type_config::Response {
            diagnostics,
        }))
    }

    async fn validate_data_source_config(
        &self,
        request: Request<p5::validate_data_source_config::Request>,
    ) -> Answer<p5::validate_data_source_config::Response> {
        let request = request.into_inner();
        let config = request.config.map(|config| same(&config)).transpose()?;
        let diagnostics = same_all(&self.0.validate_data(&request.type_name, config).await?)?;
        Ok(Response::new(p5::validate_data_source_config::Response {
            diagnostics,
        }))
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<p5::upgrade_resource_state::Request>,
    ) -> Answer<p5::upgrade_resource_state::Response> {
        same(&self.0.upgrade(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn read_resource(
        &self,
        request: Request<p5::read_resource::Request>,
    ) -> Answer<p5::read_resource::Response> {
        same(&self.0.read(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn plan_resource_change(
        &self,
        request: Request<p5::plan_resource_change::Request>,
    ) -> Answer<p5::plan_resource_change::Response> {
        same(&self.0.plan(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn apply_resource_change(
        &self,
        request: Request<p5::apply_resource_change::Request>,
    ) -> Answer<p5::apply_resource_change::Response> {
        same(&self.0.apply(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn import_resource_state(
        &self,
        request: Request<p5::import_resource_state::Request>,
    ) -> Answer<p5::import_resource_state::Response> {
        same(&self.0.import(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn read_data_source(
        &self,
        request: Request<p5::read_data_source::Request>,
    ) -> Answer<p5::read_data_source::Response> {
        same(&self.0.read_data(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn call_function(
        &self,
        request: Request<p5::call_function::Request>,
    ) -> Answer<p5::call_function::Response> {
        same(&self.0.call_function(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn get_resource_identity_schemas(
        &self,
        _request: Request<p5::get_resource_identity_schemas::Request>,
    ) -> Answer<p5::get_resource_identity_schemas::Response> {
        same(&self.0.identity_schemas().await?).map(Response::new)
    }

    async fn get_metadata(
        &self,
        _request: Request<p5::get_metadata::Request>,
    ) -> Answer<p5::get_metadata::Response> {
        same(&self.0.metadata().await?).map(Response::new)
    }

    async fn get_functions(
        &self,
        _request: Request<p5::get_functions::Request>,
    ) -> Answer<p5::get_functions::Response> {
        same(&self.0.functions().await?).map(Response::new)
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<p5::upgrade_resource_identity::Request>,
    ) -> Answer<p5::upgrade_resource_identity::Response> {
        same(&self.0.upgrade_identity(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn move_resource_state(
        &self,
        request: Request<p5::move_resource_state::Request>,
    ) -> Answer<p5::move_resource_state::Response> {
        same(&self.0.move_state(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn open_ephemeral_resource(
        &self,
        request: Request<p5::open_ephemeral_resource::Request>,
    ) -> Answer<p5::open_ephemeral_resource::Response> {
        same(&self.0.open(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn renew_ephemeral_resource(
        &self,
        request: Request<p5::renew_ephemeral_resource::Request>,
    ) -> Answer<p5::renew_ephemeral_resource::Response> {
        same(&self.0.renew(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn close_ephemeral_resource(
        &self,
        request: Request<p5::close_ephemeral_resource::Request>,
    ) -> Answer<p5::close_ephemeral_resource::Response> {
        same(&self.0.close(same(request.get_ref())?).await?).map(Response::new)
    }

    async fn validate_ephemeral_resource_config(
        &self,
        request: Request<p5::validate_ephemeral_resource_config::Request>,
    ) -> Answer<p5::validate_ephemeral_resource_config::Response> {
        let request = request.into_inner();
        let config = request.config.map(|config| same(&config)).transpose()?;
        let found = self
            .0
            .validate_ephemeral(&request.type_name, config)
            .await?;
        Ok(Response::new(
            p5::validate_ephemeral_resource_config::Response {
                diagnostics: same_all(&found)?,
            },
        ))
    }

    async fn stop(&self, _request: Request<p5::stop::Request>) -> Answer<p5::stop::Response> {
        Ok(Response::new(p5::stop::Response {
            error: self.0.stop().await,
        }))
    }
}

fn provider_schema(schema: p6::Schema) -> Result<p5::Schema, Status> {
    Ok(p5::Schema {
        version: schema.version,
        block: schema.block.map(block).transpose()?,
    })
}

fn block(block: p6::schema::Block) -> Result<p5::schema::Block, Status> {
    Ok(p5::schema::Block {
        version: block.version,
        attributes: block
            .attributes
            .into_iter()
            .map(attribute)
            .collect::<Result<_, _>>()?,
        block_types: block
            .block_types
            .into_iter()
            .map(nested_block)
            .collect::<Result<_, _>>()?,
        description: block.description,
        description_kind: block.description_kind,
        deprecated: block.deprecated,
        deprecation_message: block.deprecation_message,
    })
}

fn nested_block(nested: p6::schema::NestedBlock) -> Result<p5::schema::NestedBlock, Status> {
    Ok(p5::schema::NestedBlock {
        type_name: nested.type_name,
        block: nested.block.map(block).transpose()?,
        nesting: nested.nesting,
        min_items: nested.min_items,
        max_items: nested.max_items,
    })
}

fn attribute(attribute: p6::schema::Attribute) -> Result<p5::schema::Attribute, Status> {
    if attribute.nested_type.is_some() {
        return Err(Status::internal(format!(
            "protocol 5 has no nested attributes, such as {:?}",
            attribute.name
        )));
    }
    Ok(p5::schema::Attribute {
        name: attribute.name,
        r#type: attribute.r#type,
        description: attribute.description,
        required: attribute.required,
        optional: attribute.optional,
        computed: attribute.computed,
        sensitive: attribute.sensitive,
        description_kind: attribute.description_kind,
        deprecated: attribute.deprecated,
        write_only: attribute.write_only,
        deprecation_message: attribute.deprecation_message,
    })
}
