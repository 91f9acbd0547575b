//! Schemas: what there is to configure, what of it is computed, how it is checked and planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_schema::{
    Attribute as PortAttribute, AttributeType, Block as PortBlock, BlockNesting, NestedBlock,
    NestedObject, Nesting, ResourceSchema, StringKind,
};
use terrace_value::{Text, Type, Value};

use crate::plan::Change;
use crate::validate::Validator;
use crate::{Data, Diagnostics, Object};

/// A plan modifier of one attribute.
pub(crate) type Modifier = Arc<dyn Fn(&mut Change<'_>) + Send + Sync>;
type Check = Arc<dyn Fn(&Object, &mut Diagnostics) + Send + Sync>;

/// Attributes and blocks: those of a provider's configuration, a resource type, a data source, an ephemeral resource, a nested
/// block or a nested attribute.
#[derive(Clone, Default)]
pub struct Schema {
    pub(crate) version: i64,
    pub(crate) attributes: BTreeMap<Text, Attribute>,
    pub(crate) blocks: BTreeMap<Text, Block>,
    pub(crate) checks: Vec<Check>,
    pub(crate) legacy: bool,
    description: Text,
    description_kind: StringKind,
    deprecated: bool,
}

/// One attribute: its type, who sets it, how it is checked, and what becomes of it in a plan.
#[derive(Clone)]
pub struct Attribute {
    facts: PortAttribute,
    pub(crate) nested: Option<(Schema, Nesting)>,
    pub(crate) default: Option<Arc<dyn Fn() -> Value + Send + Sync>>,
    pub(crate) legacy_default: Option<Arc<dyn Fn() -> Value + Send + Sync>>,
    pub(crate) keeps: bool,
    pub(crate) replace: Replace,
    pub(crate) modifiers: Vec<Modifier>,
    pub(crate) validators: Vec<Validator>,
}

/// When a change of an attribute asks for a replacement.
#[derive(Clone, Default)]
pub(crate) enum Replace {
    #[default]
    Never,
    Always,
    IfConfigured,
    If(Arc<dyn Fn(&Change<'_>) -> bool + Send + Sync>),
}

/// A nested block type.
#[derive(Clone)]
pub struct Block {
    pub(crate) schema: Schema,
    pub(crate) nesting: BlockNesting,
    min_items: u64,
    max_items: u64,
    pub(crate) replaces: bool,
    computed: bool,
    pub(crate) validators: Vec<Validator>,
}

impl Schema {
    /// Nothing to configure.
    pub fn new() -> Self {
        Self {
            description_kind: StringKind::Markdown,
            ..Self::default()
        }
    }

    /// What engines know of a type, as a schema to which its behaviour is added: what is replaced, defaults, validators.
    pub fn of_port(schema: &ResourceSchema) -> Self {
        Self::of_block(&schema.block).version(schema.version)
    }

    fn of_block(block: &PortBlock) -> Self {
        Self {
            blocks: block
                .blocks
                .iter()
                .map(|(name, nested)| (name.clone(), Block::of_port(nested)))
                .collect(),
            description: block.description.clone(),
            description_kind: block.description_kind,
            deprecated: block.deprecated,
            ..Self::of_attributes(&block.attributes)
        }
    }

    fn of_attributes(attributes: &BTreeMap<Text, PortAttribute>) -> Self {
        Self {
            attributes: attributes
                .iter()
                .map(|(name, attribute)| (name.clone(), Attribute::of_port(attribute)))
                .collect(),
            ..Self::default()
        }
    }

    /// The version that states are stored with. States of lower ones are upgraded.
    #[must_use]
    pub const fn version(mut self, version: i64) -> Self {
        self.version = version;
        self
    }

    /// What it is, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.description = description.into();
        self.description_kind = StringKind::Markdown;
        self
    }

    /// Its description is plain text, or there is none.
    #[must_use]
    pub const fn plain(mut self) -> Self {
        self.description_kind = StringKind::Plain;
        self
    }

    /// Its use draws a warning.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// Objects of this type are planned as those of the ecosystem's older plugin SDK are, which states in the field rely on: what
    /// is computed stays as it was, a default ([`Attribute::legacy_default`]) is no computed value, nothing and a zero are the
    /// same, and computed blocks ([`Block::computed`]) stay where configuration has none.
    #[must_use]
    pub const fn legacy(mut self) -> Self {
        self.legacy = true;
        self
    }

    /// Adds an attribute; one of this name that was there before goes.
    #[must_use]
    pub fn attribute(mut self, name: &str, attribute: Attribute) -> Self {
        self.attributes.insert(name.into(), attribute);
        self
    }

    /// Adds a nested block type.
    #[must_use]
    pub fn block(mut self, name: &str, block: Block) -> Self {
        self.blocks.insert(name.into(), block);
        self
    }

    /// Changes an attribute that is there; nothing where there is none.
    #[must_use]
    pub fn change(mut self, name: &str, change: impl FnOnce(Attribute) -> Attribute) -> Self {
        if let Some((name, attribute)) = self.attributes.remove_entry(name) {
            self.attributes.insert(name, change(attribute));
        }
        self
    }

    /// Changes a nested block type that is there; nothing where there is none.
    #[must_use]
    pub fn change_block(mut self, name: &str, change: impl FnOnce(Block) -> Block) -> Self {
        if let Some((name, block)) = self.blocks.remove_entry(name) {
            self.blocks.insert(name, change(block));
        }
        self
    }

    /// Adds a check of the whole object.
    #[must_use]
    pub fn check(
        mut self,
        check: impl Fn(&Object, &mut Diagnostics) + Send + Sync + 'static,
    ) -> Self {
        self.checks.push(Arc::new(check));
        self
    }

    /// Whether a block that goes asks for a replacement of the object, since it says something that cannot be changed.
    pub(crate) fn forces(&self) -> bool {
        let always = |attribute: &Attribute| matches!(attribute.replace, Replace::Always);
        self.attributes.values().any(always)
            || self.blocks.values().any(|block| block.schema.forces())
    }

    /// The schema as engines know it.
    pub fn to_port(&self) -> ResourceSchema {
        ResourceSchema {
            version: self.version,
            block: self.to_block(),
        }
    }

    pub(crate) fn to_block(&self) -> PortBlock {
        PortBlock {
            attributes: self.to_attributes(),
            blocks: self
                .blocks
                .iter()
                .map(|(name, block)| (name.clone(), block.to_port()))
                .collect(),
            description: self.description.clone(),
            description_kind: self.description_kind,
            deprecated: self.deprecated,
        }
    }

    fn to_attributes(&self) -> BTreeMap<Text, PortAttribute> {
        self.attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.to_port()))
            .collect()
    }
}

impl Attribute {
    /// An attribute of any type.
    pub fn of(ty: Type) -> Self {
        Self {
            facts: PortAttribute::of(ty),
            nested: None,
            default: None,
            legacy_default: None,
            keeps: false,
            replace: Replace::Never,
            modifiers: Vec::new(),
            validators: Vec::new(),
        }
    }

    fn of_port(port: &PortAttribute) -> Self {
        let nested = match &port.ty {
            AttributeType::Nested(object) => {
                Some((Schema::of_attributes(&object.attributes), object.nesting))
            }
            AttributeType::Plain(_) => None,
        };
        Self {
            facts: port.clone(),
            nested,
            ..Self::of(Type::Dynamic)
        }
    }

    /// An attribute of the type that a Rust type has.
    pub fn typed<T: Data>() -> Self {
        Self::of(T::ty())
    }

    /// A string.
    pub fn string() -> Self {
        Self::of(Type::String)
    }

    /// A bool.
    pub fn bool() -> Self {
        Self::of(Type::Bool)
    }

    /// A number.
    pub fn number() -> Self {
        Self::of(Type::Number)
    }

    /// A list.
    pub fn list(element: Type) -> Self {
        Self::of(Type::list(element))
    }

    /// A set.
    pub fn set(element: Type) -> Self {
        Self::of(Type::set(element))
    }

    /// A map.
    pub fn map(element: Type) -> Self {
        Self::of(Type::map(element))
    }

    /// A value of whatever type is configured.
    pub fn dynamic() -> Self {
        Self::of(Type::Dynamic)
    }

    /// An object with attributes of its own. Only engines that speak protocol 6 know these.
    pub fn object(schema: Schema) -> Self {
        Self::nested(Nesting::Single, schema)
    }

    /// Objects with attributes of their own. Only engines that speak protocol 6 know these. Blocks of `schema` do not count.
    pub fn nested(nesting: Nesting, schema: Schema) -> Self {
        Self {
            nested: Some((schema, nesting)),
            ..Self::of(Type::Dynamic)
        }
    }

    /// Configuration must set it.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.facts.required = true;
        self
    }

    /// Configuration may set it.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.facts.optional = true;
        self
    }

    /// The provider sets it, unless configuration may and does.
    #[must_use]
    pub const fn computed(mut self) -> Self {
        self.facts.computed = true;
        self
    }

    /// It is never shown.
    #[must_use]
    pub const fn sensitive(mut self) -> Self {
        self.facts.sensitive = true;
        self
    }

    /// It goes to the provider and is never stored. Handlers find it in `call.config`.
    #[must_use]
    pub const fn write_only(mut self) -> Self {
        self.facts.write_only = true;
        self
    }

    /// Its use draws a warning.
    #[must_use]
    pub const fn deprecated(mut self) -> Self {
        self.facts.deprecated = true;
        self
    }

    /// What it is, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &str) -> Self {
        self.facts = self.facts.describe(description);
        self
    }

    /// What it is, in plain text.
    #[must_use]
    pub fn describe_plain(mut self, description: &str) -> Self {
        self.facts.description = description.into();
        self.facts.description_kind = StringKind::Plain;
        self
    }

    /// Its value where configuration is silent. It is computed thereby.
    #[must_use]
    pub fn default_to<T: Data + Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.facts.computed = true;
        self.default = Some(Arc::new(move || value.clone().into_value()));
        self
    }

    /// Its value where configuration is silent, in a [legacy](Schema::legacy) schema. Unlike that of [`Self::default_to`], it
    /// does not show in the schema that engines see.
    #[must_use]
    pub fn legacy_default<T: Data + Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.legacy_default = Some(Arc::new(move || value.clone().into_value()));
        self
    }

    /// While it is not known what a change makes of it, it is what it was, where the object that it belongs to was there before.
    #[must_use]
    pub const fn keep(mut self) -> Self {
        self.keeps = true;
        self
    }

    /// A change of it asks for a replacement.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.replace = Replace::Always;
        self
    }

    /// A change of it that configuration says asks for a replacement.
    #[must_use]
    pub fn replace_if_configured(mut self) -> Self {
        self.replace = Replace::IfConfigured;
        self
    }

    /// A change of it asks for a replacement if `condition` holds.
    #[must_use]
    pub fn replace_if(
        mut self,
        condition: impl Fn(&Change<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.replace = Replace::If(Arc::new(condition));
        self
    }

    /// Adds a plan modifier. They run in the order in which they were added, after [`Self::keep`] and before replacement is
    /// judged.
    #[must_use]
    pub fn modify(mut self, modifier: impl Fn(&mut Change<'_>) + Send + Sync + 'static) -> Self {
        self.modifiers.push(Arc::new(modifier));
        self
    }

    /// Adds a validator.
    #[must_use]
    pub fn validate(mut self, validator: Validator) -> Self {
        self.validators.push(validator);
        self
    }

    pub(crate) const fn is_computed(&self) -> bool {
        self.facts.computed
    }

    pub(crate) const fn is_write_only(&self) -> bool {
        self.facts.write_only
    }

    /// Whether configuration may not set it.
    pub(crate) const fn is_read_only(&self) -> bool {
        self.facts.computed && !self.facts.optional && !self.facts.required
    }

    pub(crate) fn value_type(&self) -> Type {
        self.to_port().value_type()
    }

    fn to_port(&self) -> PortAttribute {
        let mut port = self.facts.clone();
        if let Some((schema, nesting)) = &self.nested {
            port.ty = AttributeType::Nested(NestedObject {
                attributes: schema.to_attributes(),
                nesting: *nesting,
            });
        }
        port
    }
}

impl Block {
    fn of(nesting: BlockNesting, schema: Schema) -> Self {
        Self {
            schema,
            nesting,
            min_items: 0,
            max_items: 0,
            replaces: false,
            computed: false,
            validators: Vec::new(),
        }
    }

    fn of_port(port: &NestedBlock) -> Self {
        Self {
            min_items: port.min_items,
            max_items: port.max_items,
            ..Self::of(port.nesting, Schema::of_block(&port.block))
        }
    }

    /// At most one block; null when absent.
    pub fn single(schema: Schema) -> Self {
        Self::of(BlockNesting::Single, schema)
    }

    /// At most one block; an object of nulls when absent.
    pub fn group(schema: Schema) -> Self {
        Self::of(BlockNesting::Group, schema)
    }

    /// Blocks in order.
    pub fn list(schema: Schema) -> Self {
        Self::of(BlockNesting::List, schema)
    }

    /// Blocks in no order.
    pub fn set(schema: Schema) -> Self {
        Self::of(BlockNesting::Set, schema)
    }

    /// Blocks by label. Protocol 6 of engines knows these; providers of the ecosystem hardly use them.
    pub fn map(schema: Schema) -> Self {
        Self::of(BlockNesting::Map, schema)
    }

    /// At least so many.
    #[must_use]
    pub const fn at_least(mut self, count: u64) -> Self {
        self.min_items = count;
        self
    }

    /// At most so many.
    #[must_use]
    pub const fn at_most(mut self, count: u64) -> Self {
        self.max_items = count;
        self
    }

    /// Changes what each block holds.
    #[must_use]
    pub fn within(mut self, change: impl FnOnce(Schema) -> Schema) -> Self {
        self.schema = change(self.schema);
        self
    }

    /// A change of the blocks as a whole asks for a replacement.
    #[must_use]
    pub const fn replace(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// The provider fills them in where configuration has none, in a [legacy](Schema::legacy) schema. It does not show in the
    /// schema that engines see.
    #[must_use]
    pub const fn computed(mut self) -> Self {
        self.computed = true;
        self
    }

    pub(crate) const fn is_computed(&self) -> bool {
        self.computed
    }

    pub(crate) fn value_type(&self) -> Type {
        self.to_port().value_type()
    }

    /// Adds a validator of the blocks as a whole.
    #[must_use]
    pub fn validate(mut self, validator: Validator) -> Self {
        self.validators.push(validator);
        self
    }

    fn to_port(&self) -> NestedBlock {
        NestedBlock {
            block: self.schema.to_block(),
            nesting: self.nesting,
            min_items: self.min_items,
            max_items: self.max_items,
        }
    }
}
