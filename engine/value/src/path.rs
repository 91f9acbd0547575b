//! Paths into values.

use std::fmt;

use crate::{Text, Value};

/// One step into a value.
#[derive(Clone, Debug, PartialEq)]
pub enum PathStep {
    /// An attribute of an object.
    Attribute(Text),
    /// An element of a list or tuple (a number), of a map (a string), or of a set (the element itself).
    Index(Value),
}

/// Steps from a value to a part of it; empty for the value itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path(pub Vec<PathStep>);

impl Path {
    /// The value itself.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// This path and then attribute `name`.
    #[must_use]
    pub fn attribute(&self, name: impl Into<Text>) -> Self {
        let mut steps = self.0.clone();
        steps.push(PathStep::Attribute(name.into()));
        Self(steps)
    }

    /// This path and then element `key`.
    #[must_use]
    pub fn index(&self, key: Value) -> Self {
        let mut steps = self.0.clone();
        steps.push(PathStep::Index(key));
        Self(steps)
    }

    /// Whether it is the value itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `prefix` leads to this path's value or to one that contains it.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }
}

impl fmt::Display for Path {
    /// As it is written behind an address: `.tags["x"]`, `.list[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                PathStep::Attribute(name) => write!(f, ".{name}")?,
                PathStep::Index(key) => match key.as_str() {
                    Some(text) => write!(f, "[{text:?}]")?,
                    None => match key.as_number() {
                        Some(number) => write!(f, "[{number}]")?,
                        None => f.write_str("[...]")?,
                    },
                },
            }
        }
        Ok(())
    }
}
