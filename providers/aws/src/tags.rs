//! Tags: those of an object, those that the provider sets on all, and those that it leaves to others.

use std::collections::BTreeMap;

use terrace_provider_sdk::{Object, Type, Value};

use crate::configuration::IgnoredTags;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// What the provider's configuration says of tags.
#[derive(Clone, Debug, Default)]
pub(crate) struct TagRules {
    /// Set on every object.
    pub(crate) defaults: Tags,
    /// Left to others.
    pub(crate) ignored: IgnoredTags,
}

impl TagRules {
    /// All tags that an object is to have; `None` where its own are not all known.
    pub(crate) fn all(&self, own: &Value) -> Option<Tags> {
        if !own.is_wholly_known() {
            return None;
        }
        let mut all = self.defaults.clone();
        all.extend(of(own));
        Some(all)
    }

    /// Whether a tag is nobody's business here: AWS sets it, or others do.
    fn is_ignored(&self, key: &str) -> bool {
        key.starts_with("aws:") || self.ignored.holds(key)
    }

    /// What AWS tells of an object's tags, as `tags` and `tags_all`. Those that are only there by default are not its own.
    pub(crate) fn split(&self, told: Tags, own_before: &Value) -> (Tags, Tags) {
        let before = of(own_before);
        let all: Tags = told
            .into_iter()
            .filter(|(key, _)| !self.is_ignored(key))
            .collect();
        let own = all
            .iter()
            .filter(|(key, value)| {
                self.defaults.get(*key) != Some(value) || before.contains_key(*key)
            })
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        (own, all)
    }
}

/// The known tags of a value.
pub(crate) fn of(value: &Value) -> Tags {
    let entries = value.as_entries().into_iter().flatten();
    entries
        .filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())))
        .collect()
}

/// All tags that a planned object is to have.
pub(crate) fn planned(object: &Object) -> Tags {
    of(object.value("tags_all"))
}

/// What becomes of an object's tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagChange {
    /// To be set, new or with a new value.
    pub(crate) set: Tags,
    /// To go.
    pub(crate) gone: Vec<String>,
}

impl TagChange {
    /// From what was to what shall be; nothing where nothing changes.
    pub(crate) fn between(prior: &Object, planned: &Object) -> Option<Self> {
        let (before, after) = (self::planned(prior), self::planned(planned));
        let change = Self {
            set: after
                .iter()
                .filter(|(key, value)| before.get(*key) != Some(value))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            gone: before
                .into_keys()
                .filter(|key| !after.contains_key(key))
                .collect(),
        };
        (change != Self::default()).then_some(change)
    }
}

/// The type of `tags` and `tags_all`.
pub(crate) fn ty() -> Type {
    Type::map(Type::String)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use terrace_provider_sdk::Data as _;

    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn defaults_are_told_apart_from_an_objects_own() {
        let rules = TagRules {
            defaults: tags(&[("team", "a"), ("cost", "1")]),
            ignored: IgnoredTags {
                keys: BTreeSet::from(["scanned".to_owned()]),
                prefixes: BTreeSet::from(["kubernetes.io/".to_owned()]),
            },
        };
        let own = tags(&[("name", "x"), ("cost", "1")]).into_value();
        let all = rules.all(&own).unwrap();
        assert_eq!(all, tags(&[("name", "x"), ("team", "a"), ("cost", "1")]));
        let mut told = all.clone();
        told.extend(tags(&[
            ("aws:cloudformation:stack", "s"),
            ("scanned", "y"),
            ("kubernetes.io/cluster", "c"),
        ]));
        let (split_own, split_all) = rules.split(told, &own);
        assert_eq!(split_own, tags(&[("name", "x"), ("cost", "1")]));
        assert_eq!(split_all, all);
    }

    #[test]
    fn a_change_sets_what_differs_and_ends_what_is_left_out() {
        let object = |pairs: &[(&str, &str)]| {
            let mut object = Object::new();
            object.set("tags_all", tags(pairs));
            object
        };
        let change = TagChange::between(
            &object(&[("a", "1"), ("b", "2"), ("c", "3")]),
            &object(&[("a", "1"), ("b", "3")]),
        );
        let expected = TagChange {
            set: tags(&[("b", "3")]),
            gone: vec!["c".into()],
        };
        assert_eq!(change, Some(expected));
        assert_eq!(TagChange::between(&object(&[]), &object(&[])), None);
    }
}
