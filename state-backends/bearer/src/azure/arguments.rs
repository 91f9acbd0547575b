//! The arguments that say who signs in, and to which cloud.

use terrace_backend_remote::Argument;

const ARGUMENTS: &[Argument] = &[
    Argument::text(
        "ado_pipeline_service_connection_id",
        "The service connection of the Azure DevOps pipeline, for OIDC.",
    )
    .from_environment(&[
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
        "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
    ]),
    Argument::text(
        "client_certificate",
        "The certificate of the service principal with its key, PEM in base64.",
    )
    .from_environment(&["ARM_CLIENT_CERTIFICATE"])
    .sensitive(),
    Argument::text(
        "client_certificate_password",
        "The password of the certificate.",
    )
    .from_environment(&["ARM_CLIENT_CERTIFICATE_PASSWORD"])
    .sensitive(),
    Argument::text(
        "client_certificate_path",
        "A file with the certificate of the service principal and its key.",
    )
    .from_environment(&["ARM_CLIENT_CERTIFICATE_PATH"]),
    Argument::text(
        "client_id",
        "The service principal, or the managed identity.",
    )
    .from_environment(&["ARM_CLIENT_ID"]),
    Argument::text(
        "client_id_file_path",
        "A file that names the service principal.",
    )
    .from_environment(&["ARM_CLIENT_ID_FILE_PATH"]),
    Argument::text("client_secret", "The secret of the service principal.")
        .from_environment(&["ARM_CLIENT_SECRET"])
        .sensitive(),
    Argument::text(
        "client_secret_file_path",
        "A file with the secret of the service principal.",
    )
    .from_environment(&["ARM_CLIENT_SECRET_FILE_PATH"]),
    Argument::text("endpoint", "URL of the Azure Resource Manager.")
        .from_environment(&["ARM_ENDPOINT"])
        .deprecated("metadata_host"),
    Argument::text("environment", "The cloud: public, usgovernment or china.")
        .from_environment(&["ARM_ENVIRONMENT"]),
    Argument::text("metadata_host", "The host that describes the cloud.")
        .from_environment(&["ARM_METADATA_HOSTNAME", "ARM_METADATA_HOST"]),
    Argument::text(
        "msi_endpoint",
        "URL of the service that gives tokens of the managed identity.",
    )
    .from_environment(&["ARM_MSI_ENDPOINT"]),
    Argument::text(
        "oidc_request_token",
        "The token with which a token is asked for.",
    )
    .from_environment(&[
        "ARM_OIDC_REQUEST_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        "SYSTEM_ACCESSTOKEN",
    ])
    .sensitive(),
    Argument::text("oidc_request_url", "The URL at which a token is asked for.").from_environment(
        &[
            "ARM_OIDC_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "SYSTEM_OIDCREQUESTURI",
        ],
    ),
    Argument::text("oidc_token", "The token of the identity provider.")
        .from_environment(&["ARM_OIDC_TOKEN"])
        .sensitive(),
    Argument::text(
        "oidc_token_file_path",
        "A file with the token of the identity provider.",
    )
    .from_environment(&["ARM_OIDC_TOKEN_FILE_PATH"]),
    Argument::text(
        "subscription_id",
        "The subscription of the storage account.",
    )
    .from_environment(&["ARM_SUBSCRIPTION_ID"]),
    Argument::text("tenant_id", "The tenant to sign in to.").from_environment(&["ARM_TENANT_ID"]),
    Argument::flag(
        "use_aks_workload_identity",
        "Whether the workload identity of Kubernetes is used.",
    )
    .from_environment(&["ARM_USE_AKS_WORKLOAD_IDENTITY"]),
    Argument::flag(
        "use_cli",
        "Whether the Azure CLI is asked for tokens; true unless given.",
    )
    .from_environment(&["ARM_USE_CLI"]),
    Argument::flag("use_msi", "Whether the managed identity is used.")
        .from_environment(&["ARM_USE_MSI"]),
    Argument::flag(
        "use_oidc",
        "Whether a token of an identity provider is used.",
    )
    .from_environment(&["ARM_USE_OIDC"]),
];

/// The arguments that say who signs in, and to which cloud. They are the reference's of its backend `azurerm`.
pub const fn arguments() -> &'static [Argument] {
    ARGUMENTS
}
