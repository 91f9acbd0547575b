//! What goes together in a storage account and what does not, as far as it is known.

use terrace_provider_sdk::{Diagnostics, Object, attribute};

/// Replications of the oldest kind of account with which it has queues and shares.
const OLD_WITH_ALL: [&str; 3] = ["LRS", "GRS", "RAGRS"];

/// What kind of account it is: what it can do follows from that.
pub(super) struct Kind<'o> {
    name: &'o str,
    tier: &'o str,
    replication: &'o str,
}

impl<'o> Kind<'o> {
    pub(super) fn of(object: &'o Object) -> Self {
        let text = |name| object.text(name).unwrap_or_default();
        Self {
            name: text("account_kind"),
            tier: text("account_tier"),
            replication: text("account_replication_type"),
        }
    }

    fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.name)
    }

    pub(super) fn is_premium(&self) -> bool {
        self.tier == "Premium"
    }

    pub(super) fn is_oldest(&self) -> bool {
        self.is(&["Storage"])
    }

    pub(super) fn has_access_tiers(&self) -> bool {
        self.is(&["BlobStorage", "FileStorage", "StorageV2"])
    }

    /// Whether it has a service for blobs.
    pub(super) fn has_blobs(&self) -> bool {
        !self.is(&["FileStorage"])
    }

    /// Whether it has a service for shares of files.
    pub(super) fn has_shares(&self) -> bool {
        let old = self.is_oldest() && OLD_WITH_ALL.contains(&self.replication);
        self.is(&["FileStorage"]) || !self.is_premium() && (self.is(&["StorageV2"]) || old)
    }
}

/// The only block of a type; none where it is not known.
fn block(object: &Object, name: &str) -> Option<Object> {
    object.items(name).first().and_then(Object::of)
}

fn flag(object: &Object, name: &str) -> bool {
    object.flag(name) == Some(true)
}

/// Says what does not go together, of an account as it is configured and as it will be.
pub(super) fn check(config: &Object, planned: &Object, told: &mut Diagnostics) {
    let known = ["account_kind", "account_tier", "account_replication_type"];
    if known.iter().all(|name| planned.is_known(name)) {
        let kind = Kind::of(planned);
        kinds(&kind, config, planned, told);
        blobs(&kind, config, planned, told);
        shares(&kind, config, told);
        keys(&kind, planned, told);
    }
    directory(config, told);
    if planned.text("provisioned_billing_model_version") == Some("V2") {
        refuse(
            told,
            "provisioned_billing_model_version",
            "Terrace's native provider speaks the version 2023-05-01 of the interface of storage, which does not know accounts that are provisioned \
             in this way. Use the plugin hashicorp/azurerm for them.",
        );
    }
}

fn refuse(told: &mut Diagnostics, name: &str, why: &str) {
    told.error_at(attribute(name), "Unsupported combination", why);
}

fn kinds(kind: &Kind<'_>, config: &Object, planned: &Object, told: &mut Diagnostics) {
    if config.text("access_tier").is_some() && !kind.has_access_tiers() {
        refuse(
            told,
            "access_tier",
            "Only accounts of the kinds BlobStorage, FileStorage and StorageV2 have access tiers.",
        );
    }
    if flag(planned, "is_hns_enabled")
        && !kind.is(&["BlobStorage", "BlockBlobStorage", "StorageV2"])
    {
        refuse(
            told,
            "is_hns_enabled",
            "Only accounts of the kinds BlobStorage, BlockBlobStorage and StorageV2 have a hierarchical namespace.",
        );
    }
    if kind.is(&["BlobStorage"]) && kind.replication == "ZRS" && !kind.is_premium() {
        refuse(
            told,
            "account_replication_type",
            "Accounts of the kind BlobStorage cannot be replicated by ZRS.",
        );
    }
    if flag(planned, "nfsv3_enabled") {
        let right = if kind.is_premium() {
            kind.is(&["BlockBlobStorage"])
        } else {
            kind.is(&["StorageV2"])
        };
        if !flag(planned, "is_hns_enabled") || !right {
            refuse(
                told,
                "nfsv3_enabled",
                "NFS 3 takes a hierarchical namespace (\"is_hns_enabled\"), and an account of the tier Standard and the kind StorageV2, or of the tier \
                 Premium and the kind BlockBlobStorage.",
            );
        }
    }
    if flag(config, "large_file_share_enabled") && !kind.is(&["FileStorage", "StorageV2"]) {
        refuse(
            told,
            "large_file_share_enabled",
            "Only accounts of the kinds FileStorage and StorageV2 have large shares.",
        );
    }
    let twice = kind.is(&["StorageV2", "FileStorage"])
        || kind.is_premium() && kind.is(&["BlockBlobStorage"]);
    if flag(planned, "infrastructure_encryption_enabled") && !twice {
        refuse(
            told,
            "infrastructure_encryption_enabled",
            "Only accounts of the kinds StorageV2 and FileStorage, and premium ones of the kind BlockBlobStorage, are encrypted twice.",
        );
    }
}

fn keys(kind: &Kind<'_>, planned: &Object, told: &mut Diagnostics) {
    for name in ["queue_encryption_key_type", "table_encryption_key_type"] {
        if kind.is_oldest() && planned.text(name) == Some("Account") {
            refuse(
                told,
                name,
                "Accounts of the kind Storage cannot encrypt this by the account's key.",
            );
        }
    }
    if block(planned, "customer_managed_key").is_none() {
        return;
    }
    if !kind.is_premium() && !kind.is(&["StorageV2"]) {
        refuse(
            told,
            "customer_managed_key",
            "Only accounts of the kind StorageV2 or of the tier Premium are encrypted by a customer's key.",
        );
    }
    let identity = block(planned, "identity");
    let assigned = identity.as_ref().and_then(|identity| identity.text("type"));
    if planned.is_known("identity") && !assigned.is_some_and(|kind| kind.ends_with("UserAssigned"))
    {
        refuse(
            told,
            "customer_managed_key",
            "The account reads the key by a user assigned identity. Add a block \"identity\" with the type \"UserAssigned\" or \"SystemAssigned, \
             UserAssigned\" and the identity's id.",
        );
    }
}

fn blobs(kind: &Kind<'_>, config: &Object, planned: &Object, told: &mut Diagnostics) {
    const NAME: &str = "blob_properties";
    let Some(wanted) = block(config, NAME) else {
        return;
    };
    if !kind.has_blobs() {
        refuse(
            told,
            NAME,
            "Accounts of the kind FileStorage have no blobs.",
        );
        return;
    }
    let versioning = flag(&wanted, "versioning_enabled");
    let restore = block(&wanted, "restore_policy").is_some();
    if kind.is_oldest() {
        let days = wanted.whole("change_feed_retention_in_days").is_some();
        let more = [
            "last_access_time_enabled",
            "change_feed_enabled",
            "versioning_enabled",
        ];
        if days || restore || more.iter().any(|name| flag(&wanted, name)) {
            refuse(
                told,
                NAME,
                "Accounts of the kind Storage know no change feed, no times of access, no versions and no restoring.",
            );
        }
        return;
    }
    if versioning && flag(planned, "is_hns_enabled") {
        refuse(
            told,
            NAME,
            "\"versioning_enabled\" does not go with a hierarchical namespace (\"is_hns_enabled\").",
        );
    }
    if block(config, "immutability_policy").is_some()
        && wanted.is_known("versioning_enabled")
        && !versioning
    {
        refuse(
            told,
            NAME,
            "An \"immutability_policy\" of the account takes \"versioning_enabled = true\".",
        );
    }
    if !restore {
        return;
    }
    for name in ["versioning_enabled", "change_feed_enabled"] {
        if wanted.is_known(name) && !flag(&wanted, name) {
            refuse(
                told,
                NAME,
                &format!("A \"restore_policy\" takes \"{name} = true\"."),
            );
        }
    }
    if wanted.is_known("delete_retention_policy")
        && block(&wanted, "delete_retention_policy").is_none()
    {
        refuse(
            told,
            NAME,
            "A \"restore_policy\" takes a \"delete_retention_policy\" beside it.",
        );
    }
    if planned.text("dns_endpoint_type") == Some("AzureDnsZone") {
        refuse(
            told,
            NAME,
            "A \"restore_policy\" does not go with \"dns_endpoint_type = \\\"AzureDnsZone\\\"\".",
        );
    }
}

fn shares(kind: &Kind<'_>, config: &Object, told: &mut Diagnostics) {
    const NAME: &str = "share_properties";
    let Some(wanted) = block(config, NAME) else {
        return;
    };
    if !kind.has_shares() {
        refuse(
            told,
            NAME,
            "Only accounts of the kind FileStorage, and of the tier Standard those of the kinds StorageV2 and Storage, have shares of files.",
        );
    }
    let smb = block(&wanted, "smb");
    if smb.is_some_and(|smb| flag(&smb, "multichannel_enabled")) && !kind.is_premium() {
        refuse(
            told,
            NAME,
            "\"multichannel_enabled\" takes an account of the tier Premium.",
        );
    }
}

fn directory(config: &Object, told: &mut Diagnostics) {
    const NAME: &str = "azure_files_authentication";
    const WANTED: [&str; 4] = [
        "storage_sid",
        "domain_sid",
        "forest_name",
        "netbios_domain_name",
    ];
    let Some(wanted) =
        block(config, NAME).filter(|wanted| wanted.text("directory_type") == Some("AD"))
    else {
        return;
    };
    if !wanted.is_known("active_directory") {
        return;
    }
    let Some(active) = block(&wanted, "active_directory") else {
        refuse(
            told,
            NAME,
            "The directory type AD takes a block \"active_directory\".",
        );
        return;
    };
    for name in WANTED.into_iter().filter(|name| !active.is_set(name)) {
        refuse(
            told,
            NAME,
            &format!("The directory type AD takes {name:?} in \"active_directory\"."),
        );
    }
}

/// What may become of the policy that makes blobs immutable. Asks for a replacement where it comes or goes.
pub(super) fn immutability(
    prior: Option<&Object>,
    planned: &Object,
    told: &mut Diagnostics,
) -> bool {
    const NAME: &str = "immutability_policy";
    let state = |object: &Object| Some(block(object, NAME)?.text("state")?.to_owned());
    let (before, after) = (prior.and_then(state), state(planned));
    if after.as_deref() == Some("Locked")
        && !matches!(before.as_deref(), Some("Locked" | "Unlocked"))
    {
        refuse(
            told,
            NAME,
            "A policy can only be locked that is \"Unlocked\" in the account already: apply it with that state first.",
        );
    }
    let count = |object: &Object| object.items(NAME).len();
    prior.is_some_and(|prior| count(prior) != count(planned))
}
