//! What differs between rules in force and those that a project file states: in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Policy, Rules};

impl Rules {
    /// How `proposed` differs from these, in clauses such as `the role "lead" has other members`; nothing where it does not.
    pub fn differences(&self, proposed: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.environment != proposed.environment {
            found.push(format!(
                "the environment is called {:?}",
                proposed.environment
            ));
        }
        let mut differs = |is_other: bool, what: &str| {
            if is_other {
                found.push(what.to_owned());
            }
        };
        differs(
            self.after != proposed.after,
            "it comes after other environments",
        );
        differs(
            self.branch != proposed.branch,
            "it is bound to another branch, or to none",
        );
        differs(
            self.gate != proposed.gate,
            "its gate asks for something else",
        );
        differs(
            self.github != proposed.github,
            "reviews are looked for elsewhere",
        );
        differs(
            self.identities != proposed.identities,
            "other workflows may stand for a plan's author",
        );
        differs(
            self.credentials != proposed.credentials,
            "its credentials are others",
        );
        differs(self.freezes != proposed.freezes, "freezes are others");
        differs(
            self.required_statements != proposed.required_statements,
            "runs must state something else",
        );
        compare(
            &mut found,
            "person",
            &self.people,
            &proposed.people,
            "has other keys or another login",
        );
        compare(
            &mut found,
            "role",
            &self.roles,
            &proposed.roles,
            "has other members",
        );
        let named = |rules: &Self| -> BTreeMap<String, crate::ChangeRule> {
            let changes = rules.changes.iter();
            changes
                .map(|(kind, rule)| (kind.name().to_owned(), rule.clone()))
                .collect()
        };
        compare(
            &mut found,
            "change type",
            &named(self),
            &named(proposed),
            "is another",
        );
        let named = |rules: &Self| -> BTreeMap<String, crate::Risk> {
            let risks = rules.risks.iter();
            risks
                .map(|risk| (risk.name.clone(), risk.clone()))
                .collect()
        };
        compare(
            &mut found,
            "risk",
            &named(self),
            &named(proposed),
            "is another",
        );
        policies(&mut found, self, proposed);
        found
    }
}

fn compare<T: PartialEq>(
    found: &mut Vec<String>,
    kind: &str,
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    differs: &str,
) {
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let what = match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(_)) => differs,
            (Some(_), None) => "is gone",
            (None, _) => "is new",
        };
        found.push(format!("the {kind} {name:?} {what}"));
    }
}

fn policies(found: &mut Vec<String>, old: &Rules, new: &Rules) {
    let named = |rules: &'_ Rules| -> BTreeMap<String, Policy> {
        let policies = rules.policies.iter();
        policies
            .map(|policy| (policy.name.clone(), policy.clone()))
            .collect()
    };
    let (old, new) = (named(old), named(new));
    for name in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => policy(found, old, new),
            (Some(_), None) => found.push(format!("the policy {name:?} is gone")),
            (None, _) => found.push(format!("the policy {name:?} is new")),
        }
    }
}

fn policy(found: &mut Vec<String>, old: &Policy, new: &Policy) {
    let name = &old.name;
    let mut differs = |is_other: bool, what: &str| {
        if is_other {
            found.push(format!("the policy {name:?} {what}"));
        }
    };
    differs(
        old.level != new.level,
        &format!("is {} instead of {}", new.level.name(), old.level.name()),
    );
    differs(old.except != new.except, "excepts other change types");
    differs(
        old.namespaces != new.namespaces,
        "judges by other namespaces",
    );
    differs(
        old.is_strict != new.is_strict,
        "takes misused functions otherwise",
    );
    let texts = |policy: &Policy| -> BTreeMap<String, String> {
        let rules = policy.rules.iter().map(|file| (&file.path, &file.text));
        let data = policy.data.iter().map(|file| (&file.path, &file.text));
        rules
            .chain(data)
            .map(|(path, text)| (path.clone(), text.clone()))
            .collect()
    };
    let (old, new) = (texts(old), texts(new));
    for path in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        match (old.get(path), new.get(path)) {
            (Some(old), Some(new)) => differs(old != new, &format!("has another text in {path}")),
            (Some(_), None) => differs(true, &format!("lacks {path}")),
            (None, _) => differs(true, &format!("has {path} besides")),
        }
    }
}
