//! Protocol 5: its messages to and from those of protocol 6.

use std::collections::HashMap;

use async_trait::async_trait;
use prost::Message as _;
use prost::bytes::Bytes;
use terrace_provider_protocol::tfplugin5::provider_client::ProviderClient;
use terrace_provider_protocol::{tfplugin5 as p5, tfplugin6 as p6};
use tonic::Status;
use tonic::transport::Channel;

use crate::rpc::{Rpc, ask_raw};

/// A connection of protocol 5.
pub(crate) struct V5 {
    channel: Channel,
    client: ProviderClient<Channel>,
}

impl V5 {
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: ProviderClient::new(channel.clone())
                .max_decoding_message_size(usize::MAX)
                .max_encoding_message_size(usize::MAX),
            channel,
        }
    }

    fn client(&self) -> ProviderClient<Channel> {
        self.client.clone()
    }
}

#[async_trait]
impl Rpc for V5 {
    async fn schema(&self) -> Result<Bytes, Status> {
        ask_raw(self.channel.clone(), "/tfplugin5.Provider/GetSchema").await
    }

    fn decode_schema(&self, answer: Bytes) -> Result<p6::get_provider_schema::Response, String> {
        let response =
            p5::get_provider_schema::Response::decode(answer).map_err(|error| error.to_string())?;
        Ok(p6::get_provider_schema::Response {
            provider: response.provider.map(schema),
            resource_schemas: each(response.resource_schemas, schema),
            data_source_schemas: each(response.data_source_schemas, schema),
            ephemeral_resource_schemas: each(response.ephemeral_resource_schemas, schema),
            list_resource_schemas: each(response.list_resource_schemas, schema),
            state_store_schemas: HashMap::new(),
            action_schemas: each(response.action_schemas, |action| p6::ActionSchema {
                schema: action.schema.map(schema),
            }),
            functions: each(response.functions, function),
            diagnostics: diagnostics(response.diagnostics),
            provider_meta: response.provider_meta.map(schema),
            server_capabilities: response.server_capabilities.map(server),
        })
    }

    async fn metadata(&self) -> Result<p6::get_metadata::Response, Status> {
        use p6::get_metadata as to;
        let request = p5::get_metadata::Request {};
        let response = self.client().get_metadata(request).await?.into_inner();
        Ok(to::Response {
            server_capabilities: response.server_capabilities.map(server),
            diagnostics: diagnostics(response.diagnostics),
            data_sources: list(response.data_sources, |one| to::DataSourceMetadata {
                type_name: one.type_name,
            }),
            resources: list(response.resources, |one| to::ResourceMetadata {
                type_name: one.type_name,
            }),
            functions: list(response.functions, |one| to::FunctionMetadata {
                name: one.name,
            }),
            ephemeral_resources: list(response.ephemeral_resources, |one| {
                to::EphemeralResourceMetadata {
                    type_name: one.type_name,
                }
            }),
            list_resources: list(response.list_resources, |one| to::ListResourceMetadata {
                type_name: one.type_name,
            }),
            state_stores: Vec::new(),
            actions: list(response.actions, |one| to::ActionMetadata {
                type_name: one.type_name,
            }),
        })
    }

    async fn functions(&self) -> Result<p6::get_functions::Response, Status> {
        let request = p5::get_functions::Request {};
        let response = self.client().get_functions(request).await?.into_inner();
        Ok(p6::get_functions::Response {
            functions: each(response.functions, function),
            diagnostics: diagnostics(response.diagnostics),
        })
    }

    async fn identity_schemas(
        &self,
    ) -> Result<p6::get_resource_identity_schemas::Response, Status> {
        let request = p5::get_resource_identity_schemas::Request {};
        let response = self
            .client()
            .get_resource_identity_schemas(request)
            .await?
            .into_inner();
        Ok(p6::get_resource_identity_schemas::Response {
            identity_schemas: each(response.identity_schemas, identity_schema),
            diagnostics: diagnostics(response.diagnostics),
        })
    }

    async fn validate_provider(
        &self,
        config: p6::DynamicValue,
    ) -> Result<(Option<p6::DynamicValue>, Vec<p6::Diagnostic>), Status> {
        let request = p5::prepare_provider_config::Request {
            config: to_value(Some(config)),
        };
        let response = self
            .client()
            .prepare_provider_config(request)
            .await?
            .into_inner();
        Ok((
            from_value(response.prepared_config),
            diagnostics(response.diagnostics),
        ))
    }

    async fn configure(
        &self,
        request: p6::configure_provider::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let request = p5::configure::Request {
            terraform_version: request.terraform_version,
            config: to_value(request.config),
            client_capabilities: capabilities(request.client_capabilities),
        };
        Ok(diagnostics(
            self.client()
                .configure(request)
                .await?
                .into_inner()
                .diagnostics,
        ))
    }

    async fn validate_resource(
        &self,
        request: p6::validate_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let request = p5::validate_resource_type_config::Request {
            type_name: request.type_name,
            config: to_value(request.config),
            client_capabilities: capabilities(request.client_capabilities),
        };
        Ok(diagnostics(
            self.client()
                .validate_resource_type_config(request)
                .await?
                .into_inner()
                .diagnostics,
        ))
    }

    async fn validate_data(
        &self,
        request: p6::validate_data_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let request = p5::validate_data_source_config::Request {
            type_name: request.type_name,
            config: to_value(request.config),
        };
        Ok(diagnostics(
            self.client()
                .validate_data_source_config(request)
                .await?
                .into_inner()
                .diagnostics,
        ))
    }

    async fn validate_ephemeral(
        &self,
        request: p6::validate_ephemeral_resource_config::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let request = p5::validate_ephemeral_resource_config::Request {
            type_name: request.type_name,
            config: to_value(request.config),
        };
        Ok(diagnostics(
            self.client()
                .validate_ephemeral_resource_config(request)
                .await?
                .into_inner()
                .diagnostics,
        ))
    }

    async fn upgrade_identity(
        &self,
        request: p6::upgrade_resource_identity::Request,
    ) -> Result<p6::upgrade_resource_identity::Response, Status> {
        let request = p5::upgrade_resource_identity::Request {
            type_name: request.type_name,
            version: request.version,
            raw_identity: request.raw_identity.map(to_raw),
        };
        let response = self
            .client()
            .upgrade_resource_identity(request)
            .await?
            .into_inner();
        Ok(p6::upgrade_resource_identity::Response {
            upgraded_identity: from_identity(response.upgraded_identity),
            diagnostics: diagnostics(response.diagnostics),
        })
    }

    async fn move_state(
        &self,
        request: p6::move_resource_state::Request,
    ) -> Result<p6::move_resource_state::Response, Status> {
        let request = p5::move_resource_state::Request {
            source_provider_address: request.source_provider_address,
            source_type_name: request.source_type_name,
            source_schema_version: request.source_schema_version,
            source_state: request.source_state.map(to_raw),
            target_type_name: request.target_type_name,
            source_private: request.source_private,
            source_identity: request.source_identity.map(to_raw),
            source_identity_schema_version: request.source_identity_schema_version,
        };
        let response = self
            .client()
            .move_resource_state(request)
            .await?
            .into_inner();
        Ok(p6::move_resource_state::Response {
            target_state: from_value(response.target_state),
            diagnostics: diagnostics(response.diagnostics),
            target_private: response.target_private,
            target_identity: from_identity(response.target_identity),
        })
    }

    async fn upgrade(
        &self,
        request: p6::upgrade_resource_state::Request,
    ) -> Result<p6::upgrade_resource_state::Response, Status> {
        let request = p5::upgrade_resource_state::Request {
            type_name: request.type_name,
            version: request.version,
            raw_state: request.raw_state.map(to_raw),
        };
        let response = self
            .client()
            .upgrade_resource_state(request)
            .await?
            .into_inner();
        Ok(p6::upgrade_resource_state::Response {
            upgraded_state: from_value(response.upgraded_state),
            diagnostics: diagnostics(response.diagnostics),
        })
    }

    async fn read(
        &self,
        request: p6::read_resource::Request,
    ) -> Result<p6::read_resource::Response, Status> {
        let request = p5::read_resource::Request {
            type_name: request.type_name,
            current_state: to_value(request.current_state),
            private: request.private,
            provider_meta: to_value(request.provider_meta),
            client_capabilities: capabilities(request.client_capabilities),
            current_identity: to_identity(request.current_identity),
        };
        let response = self.client().read_resource(request).await?.into_inner();
        Ok(p6::read_resource::Response {
            new_state: from_value(response.new_state),
            diagnostics: diagnostics(response.diagnostics),
            private: response.private,
            deferred: deferred(response.deferred),
            new_identity: from_identity(response.new_identity),
        })
    }

    async fn plan(
        &self,
        request: p6::plan_resource_change::Request,
    ) -> Result<p6::plan_resource_change::Response, Status> {
        let request = p5::plan_resource_change::Request {
            type_name: request.type_name,
            prior_state: to_value(request.prior_state),
            proposed_new_state: to_value(request.proposed_new_state),
            config: to_value(request.config),
            prior_private: request.prior_private,
            provider_meta: to_value(request.provider_meta),
            client_capabilities: capabilities(request.client_capabilities),
            prior_identity: to_identity(request.prior_identity),
        };
        let response = self
            .client()
            .plan_resource_change(request)
            .await?
            .into_inner();
        Ok(p6::plan_resource_change::Response {
            planned_state: from_value(response.planned_state),
            requires_replace: response.requires_replace.into_iter().map(path).collect(),
            planned_private: response.planned_private,
            diagnostics: diagnostics(response.diagnostics),
            legacy_type_system: response.legacy_type_system,
            deferred: deferred(response.deferred),
            planned_identity: from_identity(response.planned_identity),
        })
    }

    async fn apply(
        &self,
        request: p6::apply_resource_change::Request,
    ) -> Result<p6::apply_resource_change::Response, Status> {
        let request = p5::apply_resource_change::Request {
            type_name: request.type_name,
            prior_state: to_value(request.prior_state),
            planned_state: to_value(request.planned_state),
            config: to_value(request.config),
            planned_private: request.planned_private,
            provider_meta: to_value(request.provider_meta),
            planned_identity: to_identity(request.planned_identity),
        };
        let response = self
            .client()
            .apply_resource_change(request)
            .await?
            .into_inner();
        Ok(p6::apply_resource_change::Response {
            new_state: from_value(response.new_state),
            private: response.private,
            diagnostics: diagnostics(response.diagnostics),
            legacy_type_system: response.legacy_type_system,
            new_identity: from_identity(response.new_identity),
        })
    }

    async fn import(
        &self,
        request: p6::import_resource_state::Request,
    ) -> Result<p6::import_resource_state::Response, Status> {
        let request = p5::import_resource_state::Request {
            type_name: request.type_name,
            id: request.id,
            client_capabilities: capabilities(request.client_capabilities),
            identity: to_identity(request.identity),
        };
        let response = self
            .client()
            .import_resource_state(request)
            .await?
            .into_inner();
        let imported = |resource: p5::import_resource_state::ImportedResource| {
            p6::import_resource_state::ImportedResource {
                type_name: resource.type_name,
                state: from_value(resource.state),
                private: resource.private,
                identity: from_identity(resource.identity),
            }
        };
        Ok(p6::import_resource_state::Response {
            imported_resources: response
                .imported_resources
                .into_iter()
                .map(imported)
                .collect(),
            diagnostics: diagnostics(response.diagnostics),
            deferred: deferred(response.deferred),
        })
    }

    async fn read_data(
        &self,
        request: p6::read_data_source::Request,
    ) -> Result<p6::read_data_source::Response, Status> {
        let request = p5::read_data_source::Request {
            type_name: request.type_name,
            config: to_value(request.config),
            provider_meta: to_value(request.provider_meta),
            client_capabilities: capabilities(request.client_capabilities),
        };
        let response = self.client().read_data_source(request).await?.into_inner();
        Ok(p6::read_data_source::Response {
            state: from_value(response.state),
            diagnostics: diagnostics(response.diagnostics),
            deferred: deferred(response.deferred),
        })
    }

    async fn open_ephemeral(
        &self,
        request: p6::open_ephemeral_resource::Request,
    ) -> Result<p6::open_ephemeral_resource::Response, Status> {
        let request = p5::open_ephemeral_resource::Request {
            type_name: request.type_name,
            config: to_value(request.config),
            client_capabilities: capabilities(request.client_capabilities),
        };
        let response = self
            .client()
            .open_ephemeral_resource(request)
            .await?
            .into_inner();
        Ok(p6::open_ephemeral_resource::Response {
            diagnostics: diagnostics(response.diagnostics),
            renew_at: response.renew_at,
            result: from_value(response.result),
            private: response.private,
            deferred: deferred(response.deferred),
        })
    }

    async fn renew_ephemeral(
        &self,
        request: p6::renew_ephemeral_resource::Request,
    ) -> Result<p6::renew_ephemeral_resource::Response, Status> {
        let request = p5::renew_ephemeral_resource::Request {
            type_name: request.type_name,
            private: request.private,
        };
        let response = self
            .client()
            .renew_ephemeral_resource(request)
            .await?
            .into_inner();
        Ok(p6::renew_ephemeral_resource::Response {
            diagnostics: diagnostics(response.diagnostics),
            renew_at: response.renew_at,
            private: response.private,
        })
    }

    async fn close_ephemeral(
        &self,
        request: p6::close_ephemeral_resource::Request,
    ) -> Result<Vec<p6::Diagnostic>, Status> {
        let request = p5::close_ephemeral_resource::Request {
            type_name: request.type_name,
            private: request.private,
        };
        Ok(diagnostics(
            self.client()
                .close_ephemeral_resource(request)
                .await?
                .into_inner()
                .diagnostics,
        ))
    }

    async fn call_function(
        &self,
        request: p6::call_function::Request,
    ) -> Result<p6::call_function::Response, Status> {
        let arguments = request
            .arguments
            .into_iter()
            .filter_map(|argument| to_value(Some(argument)))
            .collect();
        let request = p5::call_function::Request {
            name: request.name,
            arguments,
        };
        let response = self.client().call_function(request).await?.into_inner();
        Ok(p6::call_function::Response {
            result: from_value(response.result),
            error: response.error.map(|error| p6::FunctionError {
                text: error.text,
                function_argument: error.function_argument,
            }),
        })
    }

    async fn stop(&self) -> Result<String, Status> {
        Ok(self
            .client()
            .stop(p5::stop::Request {})
            .await?
            .into_inner()
            .error)
    }
}

/// Each value of a map, changed.
fn each<A, B>(map: HashMap<String, A>, change: impl Fn(A) -> B) -> HashMap<String, B> {
    map.into_iter()
        .map(|(name, value)| (name, change(value)))
        .collect()
}

/// Each item of a list, changed.
fn list<A, B>(items: Vec<A>, change: impl Fn(A) -> B) -> Vec<B> {
    items.into_iter().map(change).collect()
}

fn server(server: p5::ServerCapabilities) -> p6::ServerCapabilities {
    p6::ServerCapabilities {
        plan_destroy: server.plan_destroy,
        get_provider_schema_optional: server.get_provider_schema_optional,
        move_resource_state: server.move_resource_state,
        generate_resource_config: server.generate_resource_config,
    }
}

fn to_raw(state: p6::RawState) -> p5::RawState {
    p5::RawState {
        json: state.json,
        flatmap: state.flatmap,
    }
}

fn to_identity(identity: Option<p6::ResourceIdentityData>) -> Option<p5::ResourceIdentityData> {
    identity.map(|identity| p5::ResourceIdentityData {
        identity_data: to_value(identity.identity_data),
    })
}

fn from_identity(identity: Option<p5::ResourceIdentityData>) -> Option<p6::ResourceIdentityData> {
    identity.map(|identity| p6::ResourceIdentityData {
        identity_data: from_value(identity.identity_data),
    })
}

fn identity_schema(schema: p5::ResourceIdentitySchema) -> p6::ResourceIdentitySchema {
    p6::ResourceIdentitySchema {
        version: schema.version,
        identity_attributes: list(schema.identity_attributes, |attribute| {
            p6::resource_identity_schema::IdentityAttribute {
                name: attribute.name,
                r#type: attribute.r#type,
                required_for_import: attribute.required_for_import,
                optional_for_import: attribute.optional_for_import,
                description: attribute.description,
            }
        }),
    }
}

fn to_value(value: Option<p6::DynamicValue>) -> Option<p5::DynamicValue> {
    value.map(|value| p5::DynamicValue {
        msgpack: value.msgpack,
        json: value.json,
    })
}

fn from_value(value: Option<p5::DynamicValue>) -> Option<p6::DynamicValue> {
    value.map(|value| p6::DynamicValue {
        msgpack: value.msgpack,
        json: value.json,
    })
}

fn capabilities(client: Option<p6::ClientCapabilities>) -> Option<p5::ClientCapabilities> {
    client.map(|client| p5::ClientCapabilities {
        deferral_allowed: client.deferral_allowed,
        write_only_attributes_allowed: client.write_only_attributes_allowed,
    })
}

fn deferred(deferred: Option<p5::Deferred>) -> Option<p6::Deferred> {
    deferred.map(|deferred| p6::Deferred {
        reason: deferred.reason,
    })
}

fn diagnostics(list: Vec<p5::Diagnostic>) -> Vec<p6::Diagnostic> {
    let one = |diagnostic: p5::Diagnostic| p6::Diagnostic {
        severity: diagnostic.severity,
        summary: diagnostic.summary,
        detail: diagnostic.detail,
        attribute: diagnostic.attribute.map(path),
    };
    list.into_iter().map(one).collect()
}

fn path(path: p5::AttributePath) -> p6::AttributePath {
    use p5::attribute_path::step::Selector as From;
    use p6::attribute_path::step::Selector as To;
    let step = |step: p5::attribute_path::Step| p6::attribute_path::Step {
        selector: step.selector.map(|selector| match selector {
            From::AttributeName(name) => To::AttributeName(name),
            From::ElementKeyString(key) => To::ElementKeyString(key),
            From::ElementKeyInt(index) => To::ElementKeyInt(index),
        }),
    };
    p6::AttributePath {
        steps: path.steps.into_iter().map(step).collect(),
    }
}

fn schema(schema: p5::Schema) -> p6::Schema {
    p6::Schema {
        version: schema.version,
        block: schema.block.map(block),
    }
}

fn block(block: p5::schema::Block) -> p6::schema::Block {
    p6::schema::Block {
        version: block.version,
        attributes: block.attributes.into_iter().map(attribute).collect(),
        block_types: block.block_types.into_iter().map(nested_block).collect(),
        description: block.description,
        description_kind: block.description_kind,
        deprecated: block.deprecated,
        deprecation_message: block.deprecation_message,
    }
}

fn nested_block(nested: p5::schema::NestedBlock) -> p6::schema::NestedBlock {
    p6::schema::NestedBlock {
        type_name: nested.type_name,
        block: nested.block.map(block),
        nesting: nested.nesting,
        min_items: nested.min_items,
        max_items: nested.max_items,
    }
}

fn attribute(attribute: p5::schema::Attribute) -> p6::schema::Attribute {
    p6::schema::Attribute {
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
        nested_type: None,
    }
}

fn function(function: p5::Function) -> p6::Function {
    p6::Function {
        parameters: function.parameters.into_iter().map(parameter).collect(),
        variadic_parameter: function.variadic_parameter.map(parameter),
        r#return: function.r#return.map(|result| p6::function::Return {
            r#type: result.r#type,
        }),
        summary: function.summary,
        description: function.description,
        description_kind: function.description_kind,
        deprecation_message: function.deprecation_message,
    }
}

fn parameter(parameter: p5::function::Parameter) -> p6::function::Parameter {
    p6::function::Parameter {
        name: parameter.name,
        r#type: parameter.r#type,
        allow_null_value: parameter.allow_null_value,
        allow_unknown_values: parameter.allow_unknown_values,
        description: parameter.description,
        description_kind: parameter.description_kind,
    }
}
