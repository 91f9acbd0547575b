//! Write a provider in Rust.
//!
//! A provider built here is an implementation of the engine's port: it links into an engine in process, and
//! `terrace-provider-serve` serves it as a plugin of protocols 5 and 6, so that every engine that starts plugins can run it.
//!
//! ```
//! use terrace_provider_sdk::{
//!     Attribute, Call, Data, Function, Outcome, Parameter, Provider, Resource, Schema,
//!     async_trait, validate,
//! };
//!
//! /// What handlers use: here a greeting, elsewhere a connection.
//! struct Client {
//!     greeting: String,
//! }
//!
//! /// The state of a `greeter_card`. Attributes that are computed are `Option`s: they are not known before they are.
//! #[derive(Data)]
//! struct Card {
//!     name: String,
//!     text: Option<String>,
//! }
//!
//! struct Cards;
//!
//! #[async_trait]
//! impl Resource for Cards {
//!     type Client = Client;
//!     type State = Card;
//!
//!     fn type_name(&self) -> String {
//!         "greeter_card".into()
//!     }
//!
//!     fn schema(&self) -> Schema {
//!         Schema::new()
//!             .describe("A card with a greeting.")
//!             .attribute(
//!                 "name",
//!                 Attribute::string()
//!                     .required()
//!                     .replace()
//!                     .validate(validate::length(1..=80))
//!                     .describe("Who is greeted."),
//!             )
//!             .attribute("text", Attribute::string().computed().keep().describe("The greeting."))
//!     }
//!
//!     async fn create(&self, call: &mut Call<Client>, planned: Card) -> Outcome<Card> {
//!         let text = format!("{}, {}!", call.client.greeting, planned.name);
//!         Ok(Card { text: Some(text), ..planned })
//!     }
//! }
//!
//! let provider = Provider::configured(
//!     Schema::new().attribute("greeting", Attribute::string().optional()),
//!     async |config| {
//!         let greeting = config.get::<Option<String>>("greeting")?;
//!         Ok(Client { greeting: greeting.unwrap_or_else(|| "Hello".into()) })
//!     },
//! )
//! .resource(Cards)
//! .function(
//!     Function::new("shout", |arguments| Ok(arguments.get::<String>(0)?.to_uppercase()))
//!         .parameter(Parameter::of::<String>("text")),
//! )
//! .build();
//! assert!(provider.provider_schema().resources.contains_key("greeter_card"));
//! ```
//!
//! What a schema says of an attribute is planned without further ado: defaults, what becomes unknown when an object changes,
//! what stays ([`Attribute::keep`]), what asks for a replacement ([`Attribute::replace`]). [`docs::pages`] writes the reference
//! documentation from the same schema.

mod answer;
mod call;
mod data;
mod data_source;
mod diagnostics;
pub mod docs;
mod erased;
mod function;
mod legacy;
mod object;
mod plan;
mod port;
mod private;
mod provider;
mod resource;
mod schema;
mod schema_json;
mod timeouts;
pub mod validate;

pub use async_trait::async_trait;
pub use terrace_provider_sdk_derive::Data;
pub use terrace_schema::{IdentityAttribute, IdentitySchema, Nesting};
pub use terrace_value::{Kind, Number, Path, Text, Type, Value};

pub use call::{Call, Stop};
pub use data::{Data, Field, Mismatch};
pub use data_source::{DataSource, EphemeralResource, Opened};
pub use diagnostics::{Diagnostic, Diagnostics, Outcome, attribute, shown};
pub use function::{Arguments, Function, FunctionError, Parameter};
pub use object::Object;
pub use plan::{Change, Plan};
pub use private::Private;
pub use provider::{Provider, ProviderBuilder};
pub use resource::{ImportFrom, MoveFrom, Resource};
pub use schema::{Attribute, Block, Schema};
pub use schema_json::schema_of_json;
