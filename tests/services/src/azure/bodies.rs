//! The bodies that the stand-in takes, by what the interface's versions describe. What only the service sets is not among it.

use super::shape::Shape::{Flag, List, Map, Name, Names, Object, Text, Whole};
use super::shape::{Field, Shape, may, must};

const TAGS: Shape = Map(&Text);
const SKUS: Shape = Name(&[
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
]);
const KINDS: Shape = Name(&[
    "Storage",
    "StorageV2",
    "BlobStorage",
    "FileStorage",
    "BlockBlobStorage",
]);
const TIERS: Shape = Name(&["Hot", "Cool", "Cold", "Premium"]);
const SWITCH: Shape = Name(&["Enabled", "Disabled"]);

const SKU: Shape = Object(&[
    must("name", SKUS),
    may("tier", Name(&["Standard", "Premium"])),
]);
const IDENTITY: Shape = Object(&[
    must(
        "type",
        Name(&[
            "None",
            "SystemAssigned",
            "UserAssigned",
            "SystemAssigned,UserAssigned",
        ]),
    ),
    may("userAssignedIdentities", Map(&Object(&[]))),
]);
const EXTENDED_LOCATION: Shape = Object(&[must("name", Text), must("type", Name(&["EdgeZone"]))]);

const ENCRYPTION_SERVICE: Shape = Object(&[
    may("enabled", Flag),
    may("keyType", Name(&["Account", "Service"])),
]);
const ENCRYPTION: Shape = Object(&[
    may(
        "services",
        Object(&[
            may("blob", ENCRYPTION_SERVICE),
            may("file", ENCRYPTION_SERVICE),
            may("queue", ENCRYPTION_SERVICE),
            may("table", ENCRYPTION_SERVICE),
        ]),
    ),
    must(
        "keySource",
        Name(&["Microsoft.Storage", "Microsoft.Keyvault"]),
    ),
    may("requireInfrastructureEncryption", Flag),
    may(
        "keyvaultproperties",
        Object(&[
            must("keyname", Text),
            may("keyversion", Text),
            must("keyvaulturi", Text),
        ]),
    ),
    may("identity", Object(&[must("userAssignedIdentity", Text)])),
]);
const NETWORK: Shape = Object(&[
    must("defaultAction", Name(&["Allow", "Deny"])),
    may(
        "bypass",
        Names(&["None", "Logging", "Metrics", "AzureServices"]),
    ),
    may(
        "ipRules",
        List(&Object(&[
            must("value", Text),
            may("action", Name(&["Allow"])),
        ])),
    ),
    may(
        "virtualNetworkRules",
        List(&Object(&[
            must("id", Text),
            may("action", Name(&["Allow"])),
        ])),
    ),
    may(
        "resourceAccessRules",
        List(&Object(&[must("tenantId", Text), must("resourceId", Text)])),
    ),
]);
const DIRECTORY: Shape = Object(&[
    must(
        "directoryServiceOptions",
        Name(&["None", "AADDS", "AD", "AADKERB"]),
    ),
    may(
        "activeDirectoryProperties",
        Object(&[
            must("domainName", Text),
            must("domainGuid", Text),
            may("netBiosDomainName", Text),
            may("forestName", Text),
            may("domainSid", Text),
            may("azureStorageSid", Text),
        ]),
    ),
    may(
        "defaultSharePermission",
        Name(&[
            "None",
            "StorageFileDataSmbShareReader",
            "StorageFileDataSmbShareContributor",
            "StorageFileDataSmbShareElevatedContributor",
        ]),
    ),
]);
const IMMUTABLE: Shape = Object(&[
    may("enabled", Flag),
    may(
        "immutabilityPolicy",
        Object(&[
            must("immutabilityPeriodSinceCreationInDays", Whole),
            must("state", Name(&["Disabled", "Unlocked", "Locked"])),
            must("allowProtectedAppendWrites", Flag),
        ]),
    ),
]);
const ROUTING: Shape = Object(&[
    may(
        "routingChoice",
        Name(&["MicrosoftRouting", "InternetRouting"]),
    ),
    may("publishMicrosoftEndpoints", Flag),
    may("publishInternetEndpoints", Flag),
]);
const SAS: Shape = Object(&[
    must("sasExpirationPeriod", Text),
    must("expirationAction", Name(&["Log", "Block"])),
]);

/// What can be set whenever it is; the rest only when an account is made.
const CHANGEABLE: [Field; 20] = [
    may("accessTier", TIERS),
    may("allowBlobPublicAccess", Flag),
    may("allowCrossTenantReplication", Flag),
    may("allowSharedKeyAccess", Flag),
    may("allowedCopyScope", Name(&["AAD", "PrivateLink"])),
    may("azureFilesIdentityBasedAuthentication", DIRECTORY),
    may(
        "customDomain",
        Object(&[must("name", Text), may("useSubDomainName", Flag)]),
    ),
    may("defaultToOAuthAuthentication", Flag),
    may("dnsEndpointType", Name(&["Standard", "AzureDnsZone"])),
    may("encryption", ENCRYPTION),
    may("immutableStorageWithVersioning", IMMUTABLE),
    may("isLocalUserEnabled", Flag),
    may("isSftpEnabled", Flag),
    may("largeFileSharesState", SWITCH),
    may(
        "minimumTlsVersion",
        Name(&["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"]),
    ),
    may("networkAcls", NETWORK),
    may("publicNetworkAccess", SWITCH),
    may("routingPreference", ROUTING),
    may("sasPolicy", SAS),
    may("supportsHttpsTrafficOnly", Flag),
];

const CREATED: [Field; 22] = {
    let mut all = [may("isHnsEnabled", Flag); 22];
    let mut place = 0;
    while place < CHANGEABLE.len() {
        all[place] = CHANGEABLE[place];
        place += 1;
    }
    all[21] = may("isNfsV3Enabled", Flag);
    all
};

pub(super) const GROUP: Shape = Object(&[
    must("location", Text),
    may("tags", TAGS),
    may("managedBy", Text),
]);
pub(super) const GROUP_PATCH: Shape = Object(&[may("tags", TAGS), may("managedBy", Text)]);

pub(super) const ACCOUNT: Shape = Object(&[
    must("sku", SKU),
    must("kind", KINDS),
    must("location", Text),
    may("extendedLocation", EXTENDED_LOCATION),
    may("tags", TAGS),
    may("identity", IDENTITY),
    may("properties", Object(&CREATED)),
]);
pub(super) const ACCOUNT_PATCH: Shape = Object(&[
    may("sku", SKU),
    may("kind", KINDS),
    may("tags", TAGS),
    may("identity", IDENTITY),
    may("properties", Object(&CHANGEABLE)),
]);

const CORS: Shape = Object(&[may(
    "corsRules",
    List(&Object(&[
        must("allowedOrigins", List(&Text)),
        must(
            "allowedMethods",
            List(&Name(&[
                "DELETE", "GET", "HEAD", "MERGE", "POST", "OPTIONS", "PUT", "PATCH",
            ])),
        ),
        must("maxAgeInSeconds", Whole),
        must("exposedHeaders", List(&Text)),
        must("allowedHeaders", List(&Text)),
    ])),
)]);
const RETENTION: Shape = Object(&[
    may("enabled", Flag),
    may("days", Whole),
    may("allowPermanentDelete", Flag),
]);

pub(super) const BLOB_SERVICE: Shape = Object(&[must(
    "properties",
    Object(&[
        may("cors", CORS),
        may("defaultServiceVersion", Text),
        may("deleteRetentionPolicy", RETENTION),
        may("containerDeleteRetentionPolicy", RETENTION),
        may("isVersioningEnabled", Flag),
        may(
            "changeFeed",
            Object(&[must("enabled", Flag), may("retentionInDays", Whole)]),
        ),
        may(
            "restorePolicy",
            Object(&[must("enabled", Flag), may("days", Whole)]),
        ),
        may(
            "lastAccessTimeTrackingPolicy",
            Object(&[must("enable", Flag)]),
        ),
    ]),
)]);
pub(super) const FILE_SERVICE: Shape = Object(&[must(
    "properties",
    Object(&[
        may("cors", CORS),
        may("shareDeleteRetentionPolicy", RETENTION),
        may(
            "protocolSettings",
            Object(&[may(
                "smb",
                Object(&[
                    may("multichannel", Object(&[must("enabled", Flag)])),
                    may("versions", Text),
                    may("authenticationMethods", Text),
                    may("kerberosTicketEncryption", Text),
                    may("channelEncryption", Text),
                ]),
            )]),
        ),
    ]),
)]);
pub(super) const CONTAINER: Shape = Object(&[must(
    "properties",
    Object(&[
        may("publicAccess", Name(&["None", "Blob", "Container"])),
        may("metadata", Map(&Text)),
        may("defaultEncryptionScope", Text),
        may("denyEncryptionScopeOverride", Flag),
    ]),
)]);
pub(super) const CONTAINER_PATCH: Shape = Object(&[must(
    "properties",
    Object(&[
        may("publicAccess", Name(&["None", "Blob", "Container"])),
        may("metadata", Map(&Text)),
    ]),
)]);
