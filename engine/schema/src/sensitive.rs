//! Which parts of a value its schema says are never to be shown.

use std::collections::BTreeMap;

use terrace_value::{Kind, Marks, Path, Text, Value};

use crate::parts::keyed;
use crate::{Attribute, Block, BlockNesting, NestedObject, Nesting};

impl Block {
    /// Paths of the sensitive attributes of `value`, also of those that are null. What is sensitive within an element of
    /// a set makes the whole set so, since its elements have no place of their own.
    pub fn sensitive_paths(&self, value: &Value) -> Vec<Path> {
        let mut paths = Vec::new();
        if self.contains_sensitive() {
            block_paths(self, value, &Path::root(), &mut paths);
        }
        paths
    }

    /// `value` with its sensitive attributes marked so.
    #[must_use]
    pub fn mark_sensitive(&self, value: &Value) -> Value {
        let paths: Vec<(Path, Marks)> = self
            .sensitive_paths(value)
            .into_iter()
            .map(|path| (path, Marks::SENSITIVE))
            .collect();
        value.mark_with_paths(&paths)
    }
}

fn block_paths(schema: &Block, value: &Value, path: &Path, paths: &mut Vec<Path>) {
    attribute_paths(&schema.attributes, value, path, paths);
    for (name, nested) in &schema.blocks {
        let Some(content) = value
            .get(name)
            .filter(|_| nested.block.contains_sensitive())
        else {
            continue;
        };
        let path = path.attribute(name.clone());
        match nested.nesting {
            BlockNesting::Single | BlockNesting::Group if content.is_null() => {}
            BlockNesting::Single | BlockNesting::Group => {
                block_paths(&nested.block, content, &path, paths);
            }
            BlockNesting::List | BlockNesting::Map => {
                for (key, item) in keyed(content) {
                    block_paths(&nested.block, item, &path.index(key.value()), paths);
                }
            }
            BlockNesting::Set => set_path(content, path, paths),
        }
    }
}

fn attribute_paths(
    schema: &BTreeMap<Text, Attribute>,
    value: &Value,
    path: &Path,
    paths: &mut Vec<Path>,
) {
    if value.is_null() || !value.is_known() {
        return;
    }
    for (name, attribute) in schema {
        if attribute.sensitive {
            paths.push(path.attribute(name.clone()));
        } else if let Some(nested) = attribute
            .nested()
            .filter(|nested| nested.contains_sensitive())
        {
            if let Some(content) = value.get(name) {
                nested_paths(nested, content, &path.attribute(name.clone()), paths);
            }
        }
    }
}

fn nested_paths(nested: &NestedObject, value: &Value, path: &Path, paths: &mut Vec<Path>) {
    if value.is_null() || !value.is_known() {
        return;
    }
    match nested.nesting {
        Nesting::Single => attribute_paths(&nested.attributes, value, path, paths),
        Nesting::List | Nesting::Map => {
            for (key, item) in keyed(value) {
                attribute_paths(&nested.attributes, item, &path.index(key.value()), paths);
            }
        }
        Nesting::Set => set_path(value, path.clone(), paths),
    }
}

fn set_path(value: &Value, path: Path, paths: &mut Vec<Path>) {
    if matches!(value.kind(), Kind::Set(_, items) if !items.is_empty()) {
        paths.push(path);
    }
}
