//! Where a new table comes from: it is empty, restored from another or from a backup, or filled from files in S3.

use std::time::Duration;

use aws_sdk_dynamodb::types::{
    BillingMode, CsvOptions, ImportStatus, InputCompressionType, InputFormat, InputFormatOptions,
    S3BucketSource, TableClass, TableCreationParameters,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use super::spec;
use super::spec::{block, text};
use crate::failure::{Answered as _, Subject};
use crate::kind::Context;
use crate::retry::says;
use crate::tags;

/// What of a table is not said by the call that made it.
pub(super) struct Left {
    /// Its tags.
    pub(super) tags: bool,
    /// Its stream, class and protection.
    pub(super) settings: bool,
}

/// Makes a table and says what is left to be set.
pub(super) async fn make(
    context: &mut Context,
    planned: &Object,
    name: &str,
    longest: Duration,
) -> Outcome<Left> {
    let subject = super::table::subject(name);
    let restored = Left {
        tags: true,
        settings: true,
    };
    if text(planned, "restore_source_name")
        .or(text(planned, "restore_source_table_arn"))
        .is_some()
    {
        restore(context, planned, name, &subject, longest).await?;
        return Ok(restored);
    }
    if text(planned, "restore_backup_arn").is_some() {
        restore_backup(context, planned, name, &subject, longest).await?;
        return Ok(restored);
    }
    if let Some(import) = block(planned, "import_table") {
        fill(context, planned, &import, name, &subject, longest).await?;
        return Ok(restored);
    }
    create(context, planned, name, &subject, longest).await?;
    Ok(Left {
        tags: false,
        settings: false,
    })
}

/// Sends a request for a table until DynamoDB does not work on too many at once any more.
async fn begin<T, E, F>(
    context: &Context,
    longest: Duration,
    (doing, subject, permission): (&str, &Subject, &str),
    send: impl Fn() -> F + Send + Sync,
) -> Outcome<()>
where
    T: Send,
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
{
    let look = || async {
        match send().await {
            Err(error) if says(&error, "LimitExceededException", "simultaneously") => Ok(None),
            answer => answer.when(doing, subject, permission).map(Some),
        }
    };
    context
        .patience(longest)
        .until(subject, "begun: other tables are being changed", look)
        .await?;
    Ok(())
}

fn billing(planned: &Object) -> BillingMode {
    BillingMode::from(planned.text("billing_mode").unwrap_or("PROVISIONED"))
}

async fn create(
    context: &Context,
    planned: &Object,
    name: &str,
    subject: &Subject,
    longest: Duration,
) -> Outcome<()> {
    let tags = tags::planned(planned);
    let streams = planned.flag("stream_enabled") == Some(true);
    let encrypts = !planned.items("server_side_encryption").is_empty();
    let request = context
        .client
        .dynamodb(&context.region)
        .create_table()
        .table_name(name)
        .billing_mode(billing(planned))
        .set_key_schema(Some(spec::table_keys(planned)))
        .set_attribute_definitions(Some(spec::attributes(planned)))
        .set_provisioned_throughput(spec::throughput(planned, spec::by_request(planned)))
        .set_local_secondary_indexes(spec::locals(planned))
        .set_global_secondary_indexes(spec::globals(planned))
        .set_on_demand_throughput(spec::on_demand(planned))
        .set_warm_throughput(spec::warm(planned))
        .set_stream_specification(streams.then(|| spec::stream(planned)))
        .set_sse_specification(encrypts.then(|| spec::encryption(planned)))
        .set_table_class(text(planned, "table_class").map(TableClass::from))
        .set_deletion_protection_enabled(
            planned.flag("deletion_protection_enabled").filter(|on| *on),
        )
        .set_tags((!tags.is_empty()).then(|| spec::sdk_tags(&tags)));
    let doing = ("creating", subject, "dynamodb:CreateTable");
    begin(context, longest, doing, || request.clone().send()).await
}

async fn restore(
    context: &Context,
    planned: &Object,
    name: &str,
    subject: &Subject,
    longest: Duration,
) -> Outcome<()> {
    let at =
        text(planned, "restore_date_time").map(|time| DateTime::from_str(time, Format::DateTime));
    let at = at.transpose().map_err(|error| {
        Diagnostic::error("Invalid time", format!("{subject}: restore_date_time is no time in UTC such as 2026-01-31T12:00:00Z: {error}."))
    })?;
    let encrypts = !planned.items("server_side_encryption").is_empty();
    let request = context
        .client
        .dynamodb(&context.region)
        .restore_table_to_point_in_time()
        .target_table_name(name)
        .set_source_table_name(text(planned, "restore_source_name").map(str::to_owned))
        .set_source_table_arn(text(planned, "restore_source_table_arn").map(str::to_owned))
        .set_restore_date_time(at)
        .set_use_latest_restorable_time(
            planned
                .flag("restore_to_latest_time")
                .filter(|latest| *latest),
        )
        .billing_mode_override(billing(planned))
        .set_provisioned_throughput_override(spec::throughput(planned, spec::by_request(planned)))
        .set_local_secondary_index_override(spec::locals(planned))
        .set_global_secondary_index_override(spec::globals(planned))
        .set_sse_specification_override(encrypts.then(|| spec::encryption(planned)));
    let doing = ("restoring", subject, "dynamodb:RestoreTableToPointInTime");
    begin(context, longest, doing, || request.clone().send()).await
}

async fn restore_backup(
    context: &Context,
    planned: &Object,
    name: &str,
    subject: &Subject,
    longest: Duration,
) -> Outcome<()> {
    let encrypts = !planned.items("server_side_encryption").is_empty();
    let request = context
        .client
        .dynamodb(&context.region)
        .restore_table_from_backup()
        .target_table_name(name)
        .backup_arn(text(planned, "restore_backup_arn").unwrap_or_default())
        .billing_mode_override(billing(planned))
        .set_provisioned_throughput_override(spec::throughput(planned, spec::by_request(planned)))
        .set_local_secondary_index_override(spec::locals(planned))
        .set_global_secondary_index_override(spec::globals(planned))
        .set_sse_specification_override(encrypts.then(|| spec::encryption(planned)));
    let doing = ("restoring", subject, "dynamodb:RestoreTableFromBackup");
    begin(context, longest, doing, || request.clone().send()).await
}

/// Makes a table of files in S3, and waits until they are read.
async fn fill(
    context: &mut Context,
    planned: &Object,
    import: &Object,
    name: &str,
    subject: &Subject,
    longest: Duration,
) -> Outcome<()> {
    let incomplete = |error: aws_smithy_types::error::operation::BuildError| {
        Diagnostic::error("Incomplete import", format!("{subject}: {error}."))
    };
    let source = block(import, "s3_bucket_source").unwrap_or_default();
    let bucket = S3BucketSource::builder()
        .s3_bucket(source.text("bucket").unwrap_or_default())
        .set_s3_bucket_owner(text(&source, "bucket_owner").map(str::to_owned))
        .set_s3_key_prefix(text(&source, "key_prefix").map(str::to_owned))
        .build()
        .map_err(incomplete)?;
    let table = TableCreationParameters::builder()
        .table_name(name)
        .billing_mode(billing(planned))
        .set_key_schema(Some(spec::table_keys(planned)))
        .set_attribute_definitions(Some(spec::attributes(planned)))
        .set_provisioned_throughput(spec::throughput(planned, spec::by_request(planned)))
        .set_on_demand_throughput(spec::on_demand(planned))
        .set_global_secondary_indexes(spec::globals(planned))
        .set_sse_specification(
            (!planned.items("server_side_encryption").is_empty())
                .then(|| spec::encryption(planned)),
        )
        .build()
        .map_err(incomplete)?;
    let csv = block(import, "input_format_options")
        .and_then(|options| block(&options, "csv"))
        .map(|csv| {
            let header: Vec<String> = csv
                .texts("header_list")
                .into_iter()
                .map(str::to_owned)
                .collect();
            let csv = CsvOptions::builder()
                .set_delimiter(text(&csv, "delimiter").map(str::to_owned))
                .set_header_list((!header.is_empty()).then_some(header))
                .build();
            InputFormatOptions::builder().csv(csv).build()
        });
    let answer = context
        .client
        .dynamodb(&context.region)
        .import_table()
        .s3_bucket_source(bucket)
        .input_format(InputFormat::from(
            import.text("input_format").unwrap_or_default(),
        ))
        .set_input_compression_type(
            text(import, "input_compression_type").map(InputCompressionType::from),
        )
        .set_input_format_options(csv)
        .table_creation_parameters(table)
        .send()
        .await
        .when("importing", subject, "dynamodb:ImportTable")?;
    context.made(name);
    let arn = answer
        .import_table_description
        .and_then(|told| told.import_arn)
        .unwrap_or_default();
    let look = || async {
        let answer = context
            .client
            .dynamodb(&context.region)
            .describe_import()
            .import_arn(&arn)
            .send()
            .await
            .when("reading the import of", subject, "dynamodb:DescribeImport")?;
        let told = answer.import_table_description;
        match told.as_ref().and_then(|told| told.import_status.as_ref()) {
            Some(ImportStatus::Completed) => Ok(Some(())),
            Some(ImportStatus::Failed | ImportStatus::Cancelled | ImportStatus::Cancelling) => {
                let why = told
                    .and_then(|told| told.failure_message)
                    .unwrap_or_else(|| "DynamoDB says no reason".into());
                Err(Diagnostic::error("The import failed", format!("{subject}: its files were not imported: {why}. The table stays in the state: it is replaced by the next apply.")).into())
            }
            _ => Ok(None),
        }
    };
    context
        .patience(longest)
        .until(subject, "imported", look)
        .await
}
