//! Names bound inside an expression.

use terrace_value::Value;

/// Names that an expression itself binds: the variables of `for`, of a template, the item of a splat.
pub(crate) struct Frame<'f> {
    parent: Option<&'f Self>,
    binding: Binding<'f>,
}

enum Binding<'f> {
    Pair(Option<(&'f str, Value)>, (&'f str, Value)),
    Names(&'f std::collections::BTreeMap<terrace_addr::Name, Value>),
    Item(Value),
}

impl<'f> Frame<'f> {
    /// With the names of a `for`.
    pub(crate) const fn pair(
        parent: Option<&'f Self>,
        key: Option<(&'f str, Value)>,
        value: (&'f str, Value),
    ) -> Self {
        Self {
            parent,
            binding: Binding::Pair(key, value),
        }
    }

    /// With the names of a template.
    pub(crate) const fn names(
        parent: Option<&'f Self>,
        names: &'f std::collections::BTreeMap<terrace_addr::Name, Value>,
    ) -> Self {
        Self {
            parent,
            binding: Binding::Names(names),
        }
    }

    /// With the item of a splat.
    pub(crate) const fn with_item(parent: Option<&'f Self>, item: Value) -> Self {
        Self {
            parent,
            binding: Binding::Item(item),
        }
    }

    /// What `name` is bound to.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let mut frame = Some(self);
        while let Some(Frame { parent, binding }) = frame {
            let found = match binding {
                Binding::Pair(_, (bound, value)) if *bound == name => Some(value),
                Binding::Pair(Some((bound, value)), _) if *bound == name => Some(value),
                Binding::Names(names) => names.get(name),
                _ => None,
            };
            if found.is_some() {
                return found.cloned();
            }
            frame = *parent;
        }
        None
    }

    /// The item of the innermost splat.
    pub(crate) fn item(&self) -> Option<Value> {
        let mut frame = Some(self);
        while let Some(Frame { parent, binding }) = frame {
            if let Binding::Item(value) = binding {
                return Some(value.clone());
            }
            frame = *parent;
        }
        None
    }
}
