//! How the services for blobs and for files of an account behave: objects of their own, which live and die with the account.

use std::collections::BTreeSet;

use azure_mgmt_storage::package_2023_05::models::{
    BlobServiceProperties, ChangeFeed, CorsRule, CorsRules, DeleteRetentionPolicy,
    FileServiceProperties, LastAccessTimeTrackingPolicy, Multichannel, ProtocolSettings,
    RestorePolicyProperties, SmbSetting, blob_service_properties, file_service_properties,
};
use serde_json::{Value as Json, json};

use super::blocks::{BlobService, Cors, Days, DeleteRetention, ShareService, Smb};
use super::rules::Kind;
use crate::arm::body;

/// How long deleted things are kept where it is not said.
const USUAL_DAYS: i64 = 7;

fn first<T>(blocks: Option<Vec<T>>) -> Option<T> {
    blocks.and_then(|blocks| blocks.into_iter().next())
}

fn cors(rules: Option<Vec<Cors>>) -> CorsRules {
    let rules = rules.unwrap_or_default().into_iter();
    CorsRules {
        cors_rules: rules
            .map(|rule| {
                CorsRule::new(
                    rule.allowed_origins,
                    rule.allowed_methods,
                    rule.max_age_in_seconds,
                    rule.exposed_headers,
                    rule.allowed_headers,
                )
            })
            .collect(),
    }
}

fn cors_blocks(rules: Option<&CorsRules>) -> Vec<Cors> {
    let rules = rules.map(|rules| rules.cors_rules.as_slice());
    rules
        .unwrap_or_default()
        .iter()
        .cloned()
        .map(|rule| Cors {
            allowed_headers: rule.allowed_headers,
            allowed_methods: rule.allowed_methods,
            allowed_origins: rule.allowed_origins,
            exposed_headers: rule.exposed_headers,
            max_age_in_seconds: rule.max_age_in_seconds,
        })
        .collect()
}

fn retention(days: Option<Days>) -> DeleteRetentionPolicy {
    DeleteRetentionPolicy {
        enabled: Some(days.is_some()),
        days: days.map(|days| days.days.unwrap_or(USUAL_DAYS)),
        allow_permanent_delete: None,
    }
}

/// A policy that is switched on.
fn enabled(policy: Option<&DeleteRetentionPolicy>) -> Option<&DeleteRetentionPolicy> {
    policy.filter(|policy| policy.enabled == Some(true))
}

fn retention_blocks(policy: Option<&DeleteRetentionPolicy>) -> Vec<Days> {
    let policy = enabled(policy).map(|policy| Days {
        days: Some(policy.days.unwrap_or_default()),
    });
    policy.into_iter().collect()
}

/// The models leave an empty list out, which then stays as it was.
fn with_rules(mut document: Json) -> Json {
    if let Some(Json::Object(cors)) = document.pointer_mut("/properties/cors") {
        cors.entry("corsRules").or_insert_with(|| json!([]));
    }
    document
}

/// The body that sets how blobs behave.
pub(super) fn blob_body(kind: &Kind<'_>, wanted: BlobService) -> Json {
    let deleted = first(wanted.delete_retention_policy);
    let mut properties = blob_service_properties::Properties {
        cors: Some(cors(wanted.cors_rule)),
        default_service_version: wanted
            .default_service_version
            .filter(|text| !text.is_empty()),
        delete_retention_policy: Some(DeleteRetentionPolicy {
            allow_permanent_delete: deleted
                .as_ref()
                .map(|policy| policy.permanent_delete_enabled.unwrap_or(false)),
            ..retention(deleted.map(|policy| Days { days: policy.days }))
        }),
        container_delete_retention_policy: Some(retention(first(
            wanted.container_delete_retention_policy,
        ))),
        ..blob_service_properties::Properties::default()
    };
    // Accounts of the oldest kind know nothing of these.
    if !kind.is_oldest() {
        let feed_days = wanted
            .change_feed_retention_in_days
            .filter(|days| *days != 0);
        let restore = first(wanted.restore_policy);
        properties.is_versioning_enabled = Some(wanted.versioning_enabled.unwrap_or(false));
        properties.last_access_time_tracking_policy = Some(LastAccessTimeTrackingPolicy::new(
            wanted.last_access_time_enabled.unwrap_or(false),
        ));
        properties.change_feed = Some(ChangeFeed {
            enabled: Some(wanted.change_feed_enabled.unwrap_or(false)),
            retention_in_days: feed_days.and_then(|days| i32::try_from(days).ok()),
        });
        properties.restore_policy = Some(RestorePolicyProperties {
            days: restore.as_ref().and_then(|policy| policy.days),
            ..RestorePolicyProperties::new(restore.is_some())
        });
    }
    with_rules(body(&BlobServiceProperties {
        properties: Some(properties),
        ..BlobServiceProperties::default()
    }))
}

/// The body that ends that blobs can be restored, which goes before what it rests on.
pub(super) fn no_restoring() -> Json {
    body(&BlobServiceProperties {
        properties: Some(blob_service_properties::Properties {
            restore_policy: Some(RestorePolicyProperties::new(false)),
            ..blob_service_properties::Properties::default()
        }),
        ..BlobServiceProperties::default()
    })
}

/// How blobs behave, as a block.
pub(super) fn blob_block(found: &BlobServiceProperties) -> Option<BlobService> {
    let properties = found.properties.as_ref()?;
    let feed = properties.change_feed.as_ref();
    let restore = properties.restore_policy.as_ref();
    let deleted = enabled(properties.delete_retention_policy.as_ref());
    let access = properties.last_access_time_tracking_policy.as_ref();
    Some(BlobService {
        change_feed_enabled: Some(feed.and_then(|feed| feed.enabled).unwrap_or(false)),
        change_feed_retention_in_days: Some(
            feed.and_then(|feed| feed.retention_in_days)
                .map_or(0, i64::from),
        ),
        container_delete_retention_policy: Some(retention_blocks(
            properties.container_delete_retention_policy.as_ref(),
        )),
        cors_rule: Some(cors_blocks(properties.cors.as_ref())),
        default_service_version: Some(
            properties
                .default_service_version
                .clone()
                .unwrap_or_default(),
        ),
        delete_retention_policy: Some(
            deleted
                .map(|policy| DeleteRetention {
                    days: Some(policy.days.unwrap_or_default()),
                    permanent_delete_enabled: Some(policy.allow_permanent_delete.unwrap_or(false)),
                })
                .into_iter()
                .collect(),
        ),
        last_access_time_enabled: Some(access.is_some_and(|access| access.enable)),
        restore_policy: Some(
            restore
                .filter(|policy| policy.enabled)
                .map(|policy| Days {
                    days: Some(policy.days.unwrap_or_default()),
                })
                .into_iter()
                .collect(),
        ),
        versioning_enabled: Some(properties.is_versioning_enabled.unwrap_or(false)),
    })
}

fn joined(texts: Option<BTreeSet<String>>) -> String {
    let texts: Vec<String> = texts.unwrap_or_default().into_iter().collect();
    texts.join(";")
}

fn parted(text: Option<&String>) -> BTreeSet<String> {
    let parts = text.into_iter().flat_map(|text| text.split(';'));
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The body that sets how shares of files behave. Several channels are a matter of premium accounts, and others may not speak of them.
pub(super) fn share_body(kind: &Kind<'_>, wanted: ShareService) -> Json {
    let smb = first(wanted.smb);
    let channels = smb.as_ref().map(|smb| Multichannel {
        enabled: Some(smb.multichannel_enabled.unwrap_or(false)),
    });
    let smb = smb.unwrap_or(Smb {
        authentication_types: None,
        channel_encryption_type: None,
        kerberos_ticket_encryption_type: None,
        multichannel_enabled: None,
        versions: None,
    });
    let properties = file_service_properties::Properties {
        cors: Some(cors(wanted.cors_rule)),
        share_delete_retention_policy: Some(retention(first(wanted.retention_policy))),
        protocol_settings: Some(ProtocolSettings {
            smb: Some(SmbSetting {
                multichannel: channels.filter(|_| kind.is_premium()),
                versions: Some(joined(smb.versions)),
                authentication_methods: Some(joined(smb.authentication_types)),
                kerberos_ticket_encryption: Some(joined(smb.kerberos_ticket_encryption_type)),
                channel_encryption: Some(joined(smb.channel_encryption_type)),
            }),
        }),
    };
    with_rules(body(&FileServiceProperties {
        properties: Some(properties),
        ..FileServiceProperties::default()
    }))
}

/// How shares behave, as a block.
pub(super) fn share_block(found: &FileServiceProperties) -> Option<ShareService> {
    let properties = found.properties.as_ref()?;
    let smb = properties
        .protocol_settings
        .as_ref()
        .and_then(|settings| settings.smb.as_ref());
    Some(ShareService {
        cors_rule: Some(cors_blocks(properties.cors.as_ref())),
        retention_policy: Some(retention_blocks(
            properties.share_delete_retention_policy.as_ref(),
        )),
        smb: Some(smb.and_then(smb_block).into_iter().collect()),
    })
}

/// Settings that say nothing are no block.
fn smb_block(found: &SmbSetting) -> Option<Smb> {
    let channels = found
        .multichannel
        .as_ref()
        .and_then(|channels| channels.enabled);
    let texts = [
        &found.authentication_methods,
        &found.channel_encryption,
        &found.kerberos_ticket_encryption,
        &found.versions,
    ]
    .map(|text| parted(text.as_ref()));
    if channels.is_none() && texts.iter().all(BTreeSet::is_empty) {
        return None;
    }
    let [authentication, channel, ticket, versions] = texts;
    Some(Smb {
        authentication_types: Some(authentication),
        channel_encryption_type: Some(channel),
        kerberos_ticket_encryption_type: Some(ticket),
        multichannel_enabled: Some(channels.unwrap_or(false)),
        versions: Some(versions),
    })
}
