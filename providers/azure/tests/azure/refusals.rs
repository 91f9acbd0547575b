//! What is refused before anything is asked of Azure.

use serde_json::json;

use crate::driver::Driver;
use crate::table::{ACCOUNT, CONTAINER, GROUP, account_base, container_base, furnished, merged};

#[test]
fn what_does_not_go_together_is_told_in_the_plan() {
    let driver = furnished();
    for (more, wanted) in [
        (
            json!({"provisioned_billing_model_version": "V2"}),
            "hashicorp/azurerm",
        ),
        (
            json!({"account_kind": "BlockBlobStorage", "account_tier": "Premium", "access_tier": "Hot"}),
            "have access tiers",
        ),
        (
            json!({"account_kind": "FileStorage", "account_tier": "Premium", "is_hns_enabled": true}),
            "hierarchical namespace",
        ),
        (
            json!({"account_kind": "BlobStorage", "account_replication_type": "ZRS"}),
            "cannot be replicated by ZRS",
        ),
        (json!({"nfsv3_enabled": true}), "NFS 3 takes"),
        (
            json!({"account_kind": "Storage", "large_file_share_enabled": true}),
            "large shares",
        ),
        (
            json!({"account_kind": "Storage", "infrastructure_encryption_enabled": true}),
            "encrypted twice",
        ),
        (
            json!({"account_kind": "Storage", "queue_encryption_key_type": "Account"}),
            "by the account's key",
        ),
        (
            json!({"customer_managed_key": [{"key_vault_key_id": "https://v.vault.azure.net/keys/k", "user_assigned_identity_id": "/i"}]}),
            "user assigned identity",
        ),
        (
            json!({"account_kind": "FileStorage", "account_tier": "Premium", "blob_properties": [{}]}),
            "have no blobs",
        ),
        (
            json!({"is_hns_enabled": true, "blob_properties": [{"versioning_enabled": true}]}),
            "does not go with",
        ),
        (
            json!({"blob_properties": [{"restore_policy": [{"days": 5}]}]}),
            "takes \"versioning_enabled = true\"",
        ),
        (
            json!({"account_kind": "Storage", "blob_properties": [{"change_feed_enabled": true}]}),
            "kind Storage know no change feed",
        ),
        (
            json!({"account_kind": "BlobStorage", "share_properties": [{}]}),
            "have shares of files",
        ),
        (
            json!({"share_properties": [{"smb": [{"multichannel_enabled": true}]}]}),
            "takes an account of the tier Premium",
        ),
        (
            json!({"azure_files_authentication": [{"directory_type": "AD"}]}),
            "takes a block \"active_directory\"",
        ),
        (
            json!({"immutability_policy": [{"allow_protected_append_writes": false, "period_since_creation_in_days": 3, "state": "Locked"}]}),
            "can only be locked",
        ),
    ] {
        let json = merged(&account_base(), &more);
        let told = driver.create(ACCOUNT, &json).unwrap_err();
        assert!(told.contains(wanted), "{more}: {told}");
    }
    assert_eq!(driver.azure.ids().len(), 2, "nothing was made");
}

#[test]
fn what_is_invalid_is_told_before_anything_is_asked() {
    let driver = Driver::new();
    for (type_name, more, wanted) in [
        (
            ACCOUNT,
            json!({"name": "Not-Good"}),
            "lowercase letters and digits",
        ),
        (
            ACCOUNT,
            json!({"network_rules": [{"default_action": "Deny", "ip_rules": ["10.0.0.1"]}]}),
            "no public IPv4 address",
        ),
        (
            ACCOUNT,
            json!({"network_rules": [{"default_action": "Deny", "ip_rules": ["8.8.8.0/31"]}]}),
            "no public IPv4 address",
        ),
        (
            ACCOUNT,
            json!({"min_tls_version": "TLS1_0"}),
            "must be one of",
        ),
        (
            ACCOUNT,
            json!({"timeouts": {"create": "soon"}}),
            "is no duration",
        ),
        (
            ACCOUNT,
            json!({"blob_properties": [{"delete_retention_policy": [{"days": 400}]}]}),
            "between 1 and 365",
        ),
        (
            GROUP,
            json!({"name": "ends-with."}),
            "must not end with a period",
        ),
        (
            CONTAINER,
            json!({"name": "-no"}),
            "begins with a letter or digit",
        ),
        (
            CONTAINER,
            json!({"metadata": {"Upper": "x"}}),
            "lowercase letters",
        ),
        (
            CONTAINER,
            json!({"storage_account_id": "accountone"}),
            "no id of a storage account",
        ),
    ] {
        let base = match type_name {
            ACCOUNT => account_base(),
            GROUP => json!({"name": "group", "location": "westeurope"}),
            _ => container_base(),
        };
        let told = driver.validate(type_name, &merged(&base, &more));
        assert!(told.contains(wanted), "{more}: {told}");
    }
    assert_eq!(driver.azure.requests(), Vec::<String>::new());
}
