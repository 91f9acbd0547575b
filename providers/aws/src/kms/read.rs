//! The data sources `aws_kms_key` and `aws_kms_alias`.

use async_trait::async_trait;
use aws_sdk_kms::types::{
    ExpirationModelType, KeyManagerType, KeyMetadata, KeyState, KeyUsageType, MultiRegionKey,
    MultiRegionKeyType, OriginType,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use super::alias::find;
use super::key::fetch;
use crate::failure::Subject;
use crate::kind::{Context, Source};

#[derive(Default)]
pub(crate) struct KeyData;

#[async_trait]
impl Source for KeyData {
    const NAME: &'static str = "aws_kms_key";
    const WHAT: &'static str = "KMS Key";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let key = config.text("key_id").unwrap_or_default();
        let grants = config
            .texts("grant_tokens")
            .into_iter()
            .map(str::to_owned)
            .collect();
        let subject = Self::subject(key);
        let told = fetch(context, key, grants, &subject)
            .await?
            .ok_or_else(|| missing(&subject, &context.region))?;
        Ok(facts(told))
    }
}

fn facts(told: KeyMetadata) -> Object {
    let mut object = Object::new();
    object.set("id", told.key_id.clone());
    object.set("arn", told.arn);
    object.set("aws_account_id", told.aws_account_id);
    object.set(
        "cloud_hsm_cluster_id",
        told.cloud_hsm_cluster_id.unwrap_or_default(),
    );
    object.set("creation_date", time(told.creation_date));
    object.set(
        "custom_key_store_id",
        told.custom_key_store_id.unwrap_or_default(),
    );
    let spec = told.key_spec.map(|spec| spec.as_str().to_owned());
    object.set("customer_master_key_spec", spec.clone());
    object.set("key_spec", spec);
    object.set("deletion_date", time(told.deletion_date));
    object.set("description", told.description.unwrap_or_default());
    object.set("enabled", told.enabled);
    object.set(
        "expiration_model",
        text(
            told.expiration_model
                .as_ref()
                .map(ExpirationModelType::as_str),
        ),
    );
    object.set(
        "key_manager",
        text(told.key_manager.as_ref().map(KeyManagerType::as_str)),
    );
    object.set(
        "key_state",
        text(told.key_state.as_ref().map(KeyState::as_str)),
    );
    object.set(
        "key_usage",
        text(told.key_usage.as_ref().map(KeyUsageType::as_str)),
    );
    object.set("origin", text(told.origin.as_ref().map(OriginType::as_str)));
    object.set("multi_region", told.multi_region.unwrap_or(false));
    object.set(
        "pending_deletion_window_in_days",
        told.pending_deletion_window_in_days.unwrap_or(0),
    );
    object.set("valid_to", time(told.valid_to));
    let regions = told.multi_region_configuration.map(|told| {
        let mut regions = Object::new();
        regions.set(
            "multi_region_key_type",
            text(
                told.multi_region_key_type
                    .as_ref()
                    .map(MultiRegionKeyType::as_str),
            ),
        );
        regions.set("primary_key", keys(told.primary_key));
        regions.set("replica_keys", keys(told.replica_keys.unwrap_or_default()));
        regions
    });
    object.set(
        "multi_region_configuration",
        regions.into_iter().collect::<Vec<_>>(),
    );
    let external = told.xks_key_configuration.map(|told| {
        let mut external = Object::new();
        external.set("id", told.id);
        external
    });
    object.set(
        "xks_key_configuration",
        external.into_iter().collect::<Vec<_>>(),
    );
    object
}

fn text(told: Option<&str>) -> String {
    told.unwrap_or_default().to_owned()
}

fn time(told: Option<DateTime>) -> Option<String> {
    DateTime::from_secs(told?.secs()).fmt(Format::DateTime).ok()
}

fn keys(told: impl IntoIterator<Item = MultiRegionKey>) -> Vec<Object> {
    let keys = told.into_iter().map(|told| {
        let mut key = Object::new();
        key.set("arn", told.arn);
        key.set("region", told.region);
        key
    });
    keys.collect()
}

#[derive(Default)]
pub(crate) struct AliasData;

#[async_trait]
impl Source for AliasData {
    const NAME: &'static str = "aws_kms_alias";
    const WHAT: &'static str = "KMS Alias";

    async fn read(&self, context: &Context, config: &Object) -> Outcome<Object> {
        let name = config.text("name").unwrap_or_default();
        let subject = Self::subject(name);
        let told = find(context, name, &subject)
            .await?
            .ok_or_else(|| missing(&subject, &context.region))?;
        // An alias of AWS may stand for a key that is made when it is first used: describing it does that.
        let target = told.target_key_id.as_deref().unwrap_or(name);
        let key = fetch(context, target, Vec::new(), &subject)
            .await?
            .ok_or_else(|| missing(&KeyData::subject(target), &context.region))?;
        let mut object = Object::new();
        object.set("id", told.alias_arn.clone());
        object.set("arn", told.alias_arn);
        object.set("target_key_arn", key.arn);
        object.set("target_key_id", key.key_id);
        Ok(object)
    }
}

fn missing(subject: &Subject, region: &str) -> Diagnostic {
    Diagnostic::error(
        "KMS key or alias not found",
        format!(
            "{subject} is not in {region}. Look at its name (that of an alias begins with alias/), the region and the account that this run signs in to."
        ),
    )
}
