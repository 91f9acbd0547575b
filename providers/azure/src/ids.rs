//! Ids of the Resource Manager. What is fixed in them is read in any case, and written as Azure writes it.

use std::fmt;

const GROUP: &[&str] = &["subscriptions", "*", "resourceGroups", "*"];
const ACCOUNT: &[&str] = &["providers", "Microsoft.Storage", "storageAccounts", "*"];
const CONTAINER: &[&str] = &["blobServices", "default", "containers", "*"];

/// A resource group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupId {
    pub(crate) subscription: String,
    pub(crate) name: String,
}

/// A storage account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountId {
    pub(crate) group: GroupId,
    pub(crate) name: String,
}

/// A container of blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerId {
    pub(crate) account: AccountId,
    pub(crate) name: String,
}

/// What stands at the places of a path that are not fixed.
fn names(id: &str, patterns: &[&[&str]]) -> Option<Vec<String>> {
    let pattern: Vec<&str> = patterns.concat();
    let parts: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
    if parts.len() != pattern.len() {
        return None;
    }
    let mut names = Vec::new();
    for (part, wanted) in parts.into_iter().zip(pattern) {
        match wanted {
            "*" if part.is_empty() => return None,
            "*" => names.push(part.to_owned()),
            wanted if wanted.eq_ignore_ascii_case(part) => {}
            _ => return None,
        }
    }
    Some(names)
}

impl GroupId {
    /// How ids of this kind look.
    pub(crate) const FORM: &str = "/subscriptions/SUBSCRIPTION/resourceGroups/NAME";

    pub(crate) fn parse(id: &str) -> Option<Self> {
        let [subscription, name] = names(id, &[GROUP])?.try_into().ok()?;
        Some(Self { subscription, name })
    }
}

impl AccountId {
    /// How ids of this kind look.
    pub(crate) const FORM: &str = "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/NAME";

    pub(crate) fn parse(id: &str) -> Option<Self> {
        let [subscription, group, name] = names(id, &[GROUP, ACCOUNT])?.try_into().ok()?;
        Some(Self {
            group: GroupId {
                subscription,
                name: group,
            },
            name,
        })
    }
}

impl ContainerId {
    /// How ids of this kind look.
    pub(crate) const FORM: &str = "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/ACCOUNT/blobServices/default/containers/NAME";

    pub(crate) fn parse(id: &str) -> Option<Self> {
        let found = names(id, &[GROUP, ACCOUNT, CONTAINER])?;
        let [subscription, group, account, name] = found.try_into().ok()?;
        Some(Self {
            account: AccountId {
                group: GroupId {
                    subscription,
                    name: group,
                },
                name: account,
            },
            name,
        })
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "/subscriptions/{}/resourceGroups/{}",
            self.subscription, self.name
        )
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/providers/Microsoft.Storage/storageAccounts/{}",
            self.group, self.name
        )
    }
}

impl fmt::Display for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/blobServices/default/containers/{}",
            self.account, self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_any_case_and_written_in_one() {
        let id = "/Subscriptions/s/resourcegroups/Group/providers/microsoft.storage/storageaccounts/acc/blobservices/default/containers/c";
        let read = ContainerId::parse(id).unwrap();
        assert_eq!(
            read.to_string(),
            "/subscriptions/s/resourceGroups/Group/providers/Microsoft.Storage/storageAccounts/acc/blobServices/default/containers/c"
        );
        assert_eq!(ContainerId::parse(&read.to_string()), Some(read.clone()));
        assert_eq!(
            AccountId::parse(&read.account.to_string()),
            Some(read.account.clone())
        );
        assert_eq!(
            GroupId::parse(&read.account.group.to_string()),
            Some(read.account.group)
        );
    }

    #[test]
    fn ids_of_something_else_are_refused() {
        for id in [
            "",
            "group",
            "/subscriptions/s/resourceGroups/",
            "/subscriptions/s/resourceGroups/g/x",
            "https://a.blob.core.windows.net/c",
        ] {
            assert_eq!(GroupId::parse(id), None, "{id}");
            assert_eq!(AccountId::parse(id), None, "{id}");
            assert_eq!(ContainerId::parse(id), None, "{id}");
        }
    }
}
