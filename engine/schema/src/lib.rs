//! Schemas of providers: blocks, attributes, nested attributes; coercion of configuration, the proposed new state.

mod types;

pub use types::{
    Attribute, AttributeType, Block, BlockNesting, FunctionParameter, FunctionSchema, NestedBlock, NestedObject, Nesting,
    ProviderSchema, ResourceSchema, StringKind,
};
