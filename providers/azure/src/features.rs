//! The block `features`: how the provider does what it does. Most of azurerm's members are about types that are not here; they are taken and
//! change nothing.

use terrace_provider_sdk::{Attribute, Block, Object, Schema, Value};

/// Members of the block with what they are about. Each is a flag that may be set.
const PARTS: &[(&str, &[(&str, &str)])] = &[
    (
        "api_management",
        &[
            ("purge_soft_delete_on_destroy", ""),
            ("recover_soft_deleted", ""),
        ],
    ),
    (
        "app_configuration",
        &[
            ("purge_soft_delete_on_destroy", ""),
            ("recover_soft_deleted", ""),
        ],
    ),
    ("application_insights", &[("disable_generated_rule", "")]),
    ("cognitive_account", &[("purge_soft_delete_on_destroy", "")]),
    (
        "databricks_workspace",
        &[(
            "force_delete",
            "Whether destroying a workspace deletes the catalogue in its managed group too.",
        )],
    ),
    ("key_vault", KEY_VAULT),
    (
        "log_analytics_workspace",
        &[("permanently_delete_on_destroy", "")],
    ),
    (
        "machine_learning",
        &[("purge_soft_deleted_workspace_on_destroy", "")],
    ),
    ("managed_disk", &[("expand_without_downtime", "")]),
    (
        "netapp",
        &[
            (
                "delete_backups_on_backup_vault_destroy",
                "Whether destroying a backup vault deletes its backups.",
            ),
            (
                "prevent_volume_destruction",
                "Whether volumes are kept from being destroyed.",
            ),
        ],
    ),
    (
        "postgresql_flexible_server",
        &[("restart_server_on_configuration_value_change", "")],
    ),
    (
        "recovery_service",
        &[
            ("purge_protected_items_from_vault_on_destroy", ""),
            ("vm_backup_stop_protection_and_retain_data_on_destroy", ""),
            (
                "vm_backup_suspend_protection_and_retain_data_on_destroy",
                "",
            ),
        ],
    ),
    (
        "recovery_services_vaults",
        &[("recover_soft_deleted_backup_protected_vm", "")],
    ),
    (
        "resource_group",
        &[("prevent_deletion_if_contains_resources", "")],
    ),
    (
        "servicebus",
        &[(
            "auto_delete_subscription_default_rule",
            "Whether the rule that each new subscription has is deleted.",
        )],
    ),
    ("storage", &[("data_plane_available", "")]),
    ("subscription", &[("prevent_cancellation_on_destroy", "")]),
    (
        "virtual_machine",
        &[
            ("delete_os_disk_on_deletion", ""),
            ("detach_implicit_data_disk_on_deletion", ""),
            ("skip_shutdown_and_force_delete", ""),
        ],
    ),
    (
        "virtual_machine_scale_set",
        &[
            ("force_delete", ""),
            ("reimage_on_manual_upgrade", ""),
            ("roll_instances_when_required", ""),
            ("scale_to_zero_before_deletion", ""),
        ],
    ),
];

const KEY_VAULT: &[(&str, &str)] = &[
    (
        "purge_soft_delete_on_destroy",
        "Whether destroyed vaults are purged.",
    ),
    (
        "purge_soft_deleted_certificates_on_destroy",
        "Whether destroyed certificates are purged.",
    ),
    (
        "purge_soft_deleted_hardware_security_module_keys_on_destroy",
        "Whether destroyed keys of managed hardware modules are purged.",
    ),
    (
        "purge_soft_deleted_hardware_security_modules_on_destroy",
        "Whether destroyed managed hardware modules are purged.",
    ),
    (
        "purge_soft_deleted_keys_on_destroy",
        "Whether destroyed keys are purged.",
    ),
    (
        "purge_soft_deleted_secrets_on_destroy",
        "Whether destroyed secrets are purged.",
    ),
    (
        "recover_soft_deleted_certificates",
        "Whether a deleted certificate is recovered where one of its name is made.",
    ),
    (
        "recover_soft_deleted_hardware_security_module_keys",
        "Whether a deleted key of a managed hardware module is recovered where one of its name is made.",
    ),
    (
        "recover_soft_deleted_key_vaults",
        "Whether a deleted vault is recovered where one of its name is made.",
    ),
    (
        "recover_soft_deleted_keys",
        "Whether a deleted key is recovered where one of its name is made.",
    ),
    (
        "recover_soft_deleted_secrets",
        "Whether a deleted secret is recovered where one of its name is made.",
    ),
];

fn flag(text: &str) -> Attribute {
    Attribute::bool().optional().describe_plain(text)
}

/// The block.
pub(crate) fn block() -> Block {
    let mut schema = Schema::new()
        .plain()
        .attribute(
            "persist_id_on_create_before_polling_for_completion",
            flag("Whether an object's id is kept while its creation goes on. Here it always is."),
        )
        .attribute(
            "skip_import_check_on_create_and_allow_overwriting_existing_resources",
            flag("Whether an object that exists already is taken over and overwritten, where otherwise its creation fails."),
        )
        .block("enhanced_validation", enhanced_validation())
        .block(
            "template_deployment",
            Block::list(Schema::new().plain().attribute(
                "delete_nested_items_during_deletion",
                Attribute::bool().required(),
            )),
        );
    for (name, members) in PARTS {
        let part = members
            .iter()
            .fold(Schema::new().plain(), |part, (name, text)| {
                part.attribute(name, flag(text))
            });
        schema = schema.block(name, Block::list(part));
    }
    Block::list(schema)
}

fn enhanced_validation() -> Block {
    Block::list(
        Schema::new()
            .plain()
            .attribute("locations", flag("Whether locations are held against Azure's list while planning. Not done here."))
            .attribute(
                "preflight_enabled",
                flag("Whether Azure is asked while planning if it would take a request. Not done here."),
            )
            .attribute(
                "preflight_location_fallback",
                Attribute::string()
                    .optional()
                    .describe_plain("The location that is asked for where a resource names none."),
            )
            .attribute(
                "resource_providers",
                flag("Whether names of resource providers are held against Azure's list. Not done here."),
            ),
    )
}

/// What is set of it and counts here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Features {
    /// Whether what exists is taken over by a creation.
    pub(crate) overwrite: bool,
    /// Whether a group that holds something is not deleted.
    pub(crate) keep_filled_groups: bool,
}

impl Features {
    /// Reads the provider's configuration.
    pub(crate) fn of(config: &Object) -> Self {
        let first = |object: &Object, name: &str| object.items(name).first().and_then(Object::of);
        let features = first(config, "features").unwrap_or_default();
        let flag = |object: &Object, name: &str| object.value(name).as_bool();
        let groups = first(&features, "resource_group").unwrap_or_default();
        Self {
            overwrite: flag(
                &features,
                "skip_import_check_on_create_and_allow_overwriting_existing_resources",
            )
            .unwrap_or(false),
            keep_filled_groups: flag(&groups, "prevent_deletion_if_contains_resources")
                .unwrap_or(true),
        }
    }

    /// Whether any of it is not known yet.
    pub(crate) fn is_unknown(config: &Object) -> bool {
        let whole: &Value = config.value("features");
        !whole.is_wholly_known()
    }
}
