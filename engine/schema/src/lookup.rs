//! Questions about schemas.

use terrace_value::{Path, PathStep, Type};

use crate::{Attribute, AttributeType, Block, NestedObject};

impl Block {
    /// The attribute that `path` leads to exactly; `None` for blocks, elements, and parts of an attribute's value.
    pub fn attribute_at(&self, path: &Path) -> Option<&Attribute> {
        let mut block = self;
        for (at, step) in path.0.iter().enumerate() {
            let PathStep::Attribute(name) = step else {
                continue;
            };
            if let Some(attribute) = block.attributes.get(name) {
                return attribute_below(attribute, &path.0[at + 1..]);
            }
            block = &block.blocks.get(name)?.block;
        }
        None
    }

    /// Whether any attribute of it, or of a block in it, is sensitive.
    pub fn contains_sensitive(&self) -> bool {
        self.attributes.values().any(Attribute::contains_sensitive)
            || self
                .blocks
                .values()
                .any(|nested| nested.block.contains_sensitive())
    }

    /// Whether any attribute of it, or of a block in it, is write-only.
    pub fn contains_write_only(&self) -> bool {
        self.attributes.values().any(Attribute::contains_write_only)
            || self
                .blocks
                .values()
                .any(|nested| nested.block.contains_write_only())
    }
}

fn attribute_below<'s>(attribute: &'s Attribute, rest: &[PathStep]) -> Option<&'s Attribute> {
    if rest.is_empty() {
        return Some(attribute);
    }
    let AttributeType::Nested(nested) = &attribute.ty else {
        return None;
    };
    let at = rest
        .iter()
        .position(|step| matches!(step, PathStep::Attribute(_)))?;
    let PathStep::Attribute(name) = &rest[at] else {
        return None;
    };
    attribute_below(nested.attributes.get(name)?, &rest[at + 1..])
}

impl Attribute {
    /// Its nested attributes, if it has some.
    pub const fn nested(&self) -> Option<&NestedObject> {
        match &self.ty {
            AttributeType::Nested(nested) => Some(nested),
            AttributeType::Plain(_) => None,
        }
    }

    /// Whether it is sensitive, or has nested attributes that are.
    pub fn contains_sensitive(&self) -> bool {
        self.sensitive || self.nested().is_some_and(NestedObject::contains_sensitive)
    }

    /// Whether it is write-only, or has nested attributes that are.
    pub fn contains_write_only(&self) -> bool {
        self.write_only
            || self
                .nested()
                .is_some_and(|nested| nested.attributes.values().any(Self::contains_write_only))
    }

    /// The constraint that a configured value is converted to: nested attributes that need not be set may be left out.
    pub fn constraint(&self) -> Type {
        match &self.ty {
            AttributeType::Plain(ty) => ty.clone(),
            AttributeType::Nested(nested) => nested.constraint(),
        }
    }
}

impl NestedObject {
    /// Whether any of its attributes is sensitive.
    pub fn contains_sensitive(&self) -> bool {
        self.attributes.values().any(Attribute::contains_sensitive)
    }

    /// Like [`Self::value_type`], with the attributes that need not be set optional.
    pub fn constraint(&self) -> Type {
        let optional = self
            .attributes
            .iter()
            .filter(|(_, attribute)| attribute.optional || attribute.computed)
            .map(|(name, _)| name.clone())
            .collect();
        let attributes = self
            .attributes
            .iter()
            .map(|(name, attribute)| (name.clone(), attribute.constraint()))
            .collect();
        let object = Type::Object(std::sync::Arc::new(terrace_value::ObjectType {
            attributes,
            optional,
        }));
        self.nesting.of(object)
    }
}

impl crate::Nesting {
    /// The type of values whose objects are of type `object`.
    pub(crate) fn of(self, object: Type) -> Type {
        match self {
            Self::Single => object,
            Self::List => Type::list(object),
            Self::Set => Type::set(object),
            Self::Map => Type::map(object),
        }
    }
}
