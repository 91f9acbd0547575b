//! The types of schemas, independent of any protocol version.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_value::{Text, Type};

use crate::SchemaTable;

/// Everything a provider tells of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderSchema {
    /// The provider's own configuration.
    pub provider: ResourceSchema,
    /// `provider_meta` blocks.
    pub provider_meta: Option<ResourceSchema>,
    /// Managed resource types.
    pub resources: SchemaTable<ResourceSchema>,
    /// Data sources.
    pub data_sources: SchemaTable<ResourceSchema>,
    /// Ephemeral resource types.
    pub ephemeral_resources: SchemaTable<ResourceSchema>,
    /// What configures a listing of objects of managed resource types, where the provider can list them.
    pub list_resources: BTreeMap<Text, Arc<ResourceSchema>>,
    /// Actions.
    pub actions: BTreeMap<Text, Arc<ResourceSchema>>,
    /// What identifies objects of managed resource types, where the provider says so.
    pub identities: BTreeMap<Text, Arc<IdentitySchema>>,
    /// Functions.
    pub functions: BTreeMap<Text, Arc<FunctionSchema>>,
    /// Whether the provider asks that a resource of another type may be moved to one of its own.
    pub move_resource_state: bool,
    /// Whether it can plan a destroy.
    pub plan_destroy: bool,
    /// What to do about a type that is not here, where there is another provider of the same address that has more of them.
    pub more_types: Option<Text>,
}

/// A block with its version.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceSchema {
    /// Schema version, against which states are upgraded.
    pub version: i64,
    /// The block.
    pub block: Block,
}

/// What identifies an object of a resource type for as long as it lives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IdentitySchema {
    /// Version, against which stored identities are upgraded.
    pub version: i64,
    /// Its parts.
    pub attributes: BTreeMap<Text, IdentityAttribute>,
}

/// A part of an identity.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityAttribute {
    /// Its type.
    pub ty: Type,
    /// Whether an import must say it; otherwise it may, and the provider finds it out.
    pub required_for_import: bool,
    /// What it is.
    pub description: Text,
}

impl IdentitySchema {
    /// The object type of its values.
    pub fn implied_type(&self) -> Type {
        Type::object(
            self.attributes
                .iter()
                .map(|(name, attribute)| (name.clone(), attribute.ty.clone())),
        )
    }
}

/// A block's arguments and nested blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Attributes by name.
    pub attributes: BTreeMap<Text, Attribute>,
    /// Nested blocks by type.
    pub blocks: BTreeMap<Text, NestedBlock>,
    /// What it is.
    pub description: Text,
    /// How `description` is written.
    pub description_kind: StringKind,
    /// Whether its use draws a warning.
    pub deprecated: bool,
}

/// How a description is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StringKind {
    /// Plain text.
    #[default]
    Plain,
    /// Markdown.
    Markdown,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its type.
    pub ty: AttributeType,
    /// Must be set in configuration.
    pub required: bool,
    /// May be set in configuration.
    pub optional: bool,
    /// The provider sets it (where configuration does not, when also optional).
    pub computed: bool,
    /// Never to be shown.
    pub sensitive: bool,
    /// Its use draws a warning.
    pub deprecated: bool,
    /// Passed to the provider and never stored.
    pub write_only: bool,
    /// What it is.
    pub description: Text,
    /// How `description` is written.
    pub description_kind: StringKind,
}

/// An attribute's type: a plain type, or an object with a schema of its own (protocol 6).
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeType {
    /// A type.
    Plain(Type),
    /// Nested attributes.
    Nested(NestedObject),
}

/// Nested attributes.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedObject {
    /// The attributes.
    pub attributes: BTreeMap<Text, Attribute>,
    /// One, or how many.
    pub nesting: Nesting,
}

/// How nested attributes repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// A map of objects.
    Map,
}

/// A nested block type.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedBlock {
    /// Its content.
    pub block: Block,
    /// One, or how many.
    pub nesting: BlockNesting,
    /// The least number of blocks.
    pub min_items: u64,
    /// The greatest number of blocks; 0 for no limit.
    pub max_items: u64,
}

/// How nested blocks repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockNesting {
    /// At most one; null when absent.
    Single,
    /// At most one; an object of nulls when absent.
    Group,
    /// A list (a tuple where the block's type holds `Dynamic`).
    List,
    /// A set.
    Set,
    /// A map by the block's label.
    Map,
}

/// A function that a provider offers.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionSchema {
    /// Its positional parameters.
    pub parameters: Vec<FunctionParameter>,
    /// The parameter of all further arguments.
    pub variadic: Option<FunctionParameter>,
    /// The type of its result.
    pub result: Type,
    /// One line.
    pub summary: Text,
    /// What it does.
    pub description: Text,
    /// Why it should not be used any more; empty if it may.
    pub deprecation_message: Text,
}

/// A parameter of a provider's function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    /// Its name.
    pub name: Text,
    /// Its type.
    pub ty: Type,
    /// Whether null is passed on.
    pub allow_null: bool,
    /// Whether unknown is passed on.
    pub allow_unknown: bool,
    /// What it is.
    pub description: Text,
}

impl Attribute {
    /// An attribute of a plain type that is neither required, optional nor computed yet.
    pub fn of(ty: Type) -> Self {
        Self {
            ty: AttributeType::Plain(ty),
            required: false,
            optional: false,
            computed: false,
            sensitive: false,
            deprecated: false,
            write_only: false,
            description: "".into(),
            description_kind: StringKind::Plain,
        }
    }

    /// A required attribute.
    pub fn required(ty: Type) -> Self {
        Self {
            required: true,
            ..Self::of(ty)
        }
    }

    /// An optional attribute.
    pub fn optional(ty: Type) -> Self {
        Self {
            optional: true,
            ..Self::of(ty)
        }
    }

    /// A computed attribute.
    pub fn computed(ty: Type) -> Self {
        Self {
            computed: true,
            ..Self::of(ty)
        }
    }

    /// An optional attribute that the provider sets where configuration does not.
    pub fn optional_computed(ty: Type) -> Self {
        Self {
            optional: true,
            computed: true,
            ..Self::of(ty)
        }
    }

    /// Marked sensitive.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// With a description in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.description = description.into();
        self.description_kind = StringKind::Markdown;
        self
    }

    /// The type of its values.
    pub fn value_type(&self) -> Type {
        match &self.ty {
            AttributeType::Plain(ty) => ty.without_optional(),
            AttributeType::Nested(nested) => nested.value_type(),
        }
    }
}

impl NestedObject {
    /// The type of one of its objects.
    pub fn object_type(&self) -> Type {
        Type::object(
            self.attributes
                .iter()
                .map(|(name, attribute)| (name.clone(), attribute.value_type())),
        )
    }

    /// The type of its values.
    pub fn value_type(&self) -> Type {
        let object = self.object_type();
        match self.nesting {
            Nesting::Single => object,
            Nesting::List => Type::list(object),
            Nesting::Set => Type::set(object),
            Nesting::Map => Type::map(object),
        }
    }
}

impl Block {
    /// The object type of its values.
    pub fn implied_type(&self) -> Type {
        let attributes = self
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.value_type()));
        let blocks = self
            .blocks
            .iter()
            .map(|(name, nested)| (name.clone(), nested.value_type()));
        Type::object(attributes.chain(blocks))
    }
}

impl NestedBlock {
    /// The type that the parent's attribute of this block has.
    pub fn value_type(&self) -> Type {
        let object = self.block.implied_type();
        match self.nesting {
            BlockNesting::Single | BlockNesting::Group => object,
            // A list or map whose elements may differ in type has no type of its own before it has a value.
            BlockNesting::List | BlockNesting::Map if object.has_dynamic() => Type::Dynamic,
            BlockNesting::List => Type::list(object),
            BlockNesting::Set => Type::set(object),
            BlockNesting::Map => Type::map(object),
        }
    }
}
