//! What the backend takes.

use std::sync::LazyLock;

use terrace_backend_remote::Argument;
use terrace_bearer::azure;

const STORAGE: &[Argument] = &[
    Argument::text("storage_account_name", "The storage account.").required(),
    Argument::text("container_name", "The container.").required(),
    Argument::text("key", "The name of the state's blob.").required(),
    Argument::text("access_key", "A key of the storage account.")
        .from_environment(&["ARM_ACCESS_KEY"])
        .sensitive(),
    Argument::text(
        "blob_endpoint",
        "URL of the account's blobs, where it is not the environment's.",
    ),
    Argument::flag(
        "lookup_blob_endpoint",
        "Whether the account is asked for the URL of its blobs.",
    )
    .from_environment(&["ARM_USE_DNS_ZONE_ENDPOINT"]),
    Argument::text(
        "resource_group_name",
        "The resource group of the storage account.",
    ),
    Argument::text("sas_token", "A shared access signature.")
        .from_environment(&["ARM_SAS_TOKEN"])
        .sensitive(),
    Argument::flag(
        "snapshot",
        "Whether a snapshot of the state is taken before it is written.",
    )
    .from_environment(&["ARM_SNAPSHOT"]),
    Argument::flag(
        "use_azuread_auth",
        "Whether blobs are reached by Microsoft Entra ID and not by a key.",
    )
    .from_environment(&["ARM_USE_AZUREAD"]),
];

/// The arguments of the backend: the reference's, and `blob_endpoint`.
pub fn arguments() -> &'static [Argument] {
    static ARGUMENTS: LazyLock<Vec<Argument>> =
        LazyLock::new(|| [STORAGE, azure::arguments()].concat());
    &ARGUMENTS
}
