//! Changes of a function.

use std::time::Duration;

use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationFluentBuilder as Request;
use aws_sdk_lambda::types::{
    DeadLetterConfig, Environment, ExecutionStatus, FunctionVersionLatestPublished, ImageConfig,
    LastUpdateStatus, Runtime, SnapStart, SnapStartApplyOn, VpcConfig,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use terrace_provider_sdk::{Diagnostic, Object, Outcome};

use super::function::{CODE, SETTINGS, USUAL, architectures, archive, fetch, is_busy};
use super::{GONE, PROPAGATION, blocks};
use crate::blocks::{given, one, or_empty, owned, small};
use crate::failure::{Answered as _, Subject};
use crate::kind::{Change, Context, id};
use crate::retry::says;
use crate::timeouts;

/// Whether Lambda refused for a reason that passes: a role, a key or a network is young, or another change is under way.
pub(super) fn passes<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    const YOUNG: [&str; 4] = [
        "The role defined for the function cannot be assumed by Lambda",
        "The provided execution role does not have permissions",
        "throttled by EC2",
        "the KMS key is invalid for CreateGrant",
    ];
    YOUNG
        .iter()
        .any(|message| says(error, "InvalidParameterValueException", message))
        || is_busy(error)
}

/// Carries out a change.
pub(super) async fn all(context: &Context, change: Change<'_>, subject: &Subject) -> Outcome<()> {
    let (name, planned) = (change.id(), change.planned);
    let longest = timeouts::of(planned, "update", USUAL);
    if change.of(&["code_signing_config_arn"]) {
        sign(
            context,
            name,
            given(planned, "code_signing_config_arn"),
            subject,
        )
        .await?;
    }
    let settings = change.of(&SETTINGS);
    if settings {
        let request = context
            .client
            .lambda(&context.region)
            .update_function_configuration()
            .function_name(name);
        configure(
            context,
            networked(edited(request, change), change),
            longest,
            name,
            subject,
        )
        .await?;
    }
    let code = change.of(&CODE);
    if code {
        rewrite(context, change, longest, subject).await?;
    }
    if change.of(&["reserved_concurrent_executions"]) {
        let count = small(planned, "reserved_concurrent_executions").filter(|count| *count >= 0);
        reserve(context, name, count, subject).await?;
    }
    let publishes = planned.flag("publish") == Some(true);
    if publishes && (code || settings || change.of(&["publish"])) {
        publish(context, name, planned, longest, subject).await?;
    }
    tag(context, change, subject).await
}

/// What changes of the settings, but for the network.
fn edited(request: Request, change: Change<'_>) -> Request {
    let planned = change.planned;
    let changed = |name: &str| change.of(&[name]);
    let text = |name: &str| planned.text(name).unwrap_or_default().to_owned();
    let mut request = request;
    for (name, set) in [
        (
            "description",
            Request::description as fn(Request, String) -> Request,
        ),
        ("handler", Request::handler),
        ("kms_key_arn", Request::kms_key_arn),
        ("role", Request::role),
    ] {
        if changed(name) {
            request = set(request, text(name));
        }
    }
    if changed("runtime") {
        request = request.runtime(Runtime::from(text("runtime").as_str()));
    }
    if changed("memory_size") {
        request = request.set_memory_size(small(planned, "memory_size"));
    }
    if changed("timeout") {
        request = request.set_timeout(small(planned, "timeout"));
    }
    if changed("layers") {
        request = request.set_layers(Some(owned(planned, "layers")));
    }
    if changed("dead_letter_config") {
        let none = || DeadLetterConfig::builder().target_arn("").build();
        request = request.dead_letter_config(blocks::dead_letters(planned).unwrap_or_else(none));
    }
    if changed("durable_config") {
        request = request.set_durable_config(blocks::durable(planned));
    }
    // Variables are sent with the key that they are encrypted with.
    if changed("environment") || changed("kms_key_arn") {
        let none = || {
            Environment::builder()
                .set_variables(Some([].into()))
                .build()
        };
        request = request.environment(blocks::environment(planned).unwrap_or_else(none));
    }
    if changed("ephemeral_storage") {
        request = request.set_ephemeral_storage(blocks::storage(planned));
    }
    if changed("file_system_config") {
        request = request.set_file_system_configs(Some(blocks::file_systems(planned)));
    }
    if changed("image_config") {
        let none = || ImageConfig::builder().build();
        request = request.image_config(blocks::image(planned).unwrap_or_else(none));
    }
    if changed("logging_config") {
        request = request.set_logging_config(blocks::logging(planned));
    }
    if changed("snap_start") {
        let none = || {
            SnapStart::builder()
                .apply_on(SnapStartApplyOn::None)
                .build()
        };
        request = request.snap_start(blocks::snap_start(planned).unwrap_or_else(none));
    }
    if changed("tracing_config") {
        request = request.set_tracing_config(blocks::tracing(planned));
    }
    if changed("capacity_provider_config") {
        request = request.set_capacity_provider_config(blocks::capacity(planned));
    }
    request
}

/// What changes of the network. A block that goes means that the function leaves it.
fn networked(request: Request, change: Change<'_>) -> Request {
    if !change.of(&["vpc_config"]) {
        return request;
    }
    request.vpc_config(blocks::network(change.planned).unwrap_or_else(blocks::no_network))
}

async fn configure(
    context: &Context,
    request: Request,
    longest: Duration,
    name: &str,
    subject: &Subject,
) -> Outcome<()> {
    context
        .patience(PROPAGATION)
        .again(passes, || request.clone().send())
        .await
        .when("updating", subject, "lambda:UpdateFunctionConfiguration")?;
    until_updated(context, name, None, longest, subject).await
}

async fn rewrite(
    context: &Context,
    change: Change<'_>,
    longest: Duration,
    subject: &Subject,
) -> Outcome<()> {
    let (name, planned) = (change.id(), change.planned);
    let text = |name: &str| given(planned, name);
    let request = context
        .client
        .lambda(&context.region)
        .update_function_code()
        .function_name(name)
        .set_architectures(architectures(planned).filter(|_| change.of(&["architectures"])))
        .set_source_kms_key_arn(text("source_kms_key_arn"));
    let request = if let Some(file) = text("filename") {
        request.zip_file(archive(&file).await?)
    } else if let Some(uri) = text("image_uri") {
        request.image_uri(uri)
    } else {
        request
            .set_s3_bucket(text("s3_bucket"))
            .set_s3_key(text("s3_key"))
            .set_s3_object_version(text("s3_object_version"))
    };
    context
        .patience(PROPAGATION)
        .again(is_busy, || request.clone().send())
        .await
        .when("updating the code of", subject, "lambda:UpdateFunctionCode")?;
    until_updated(context, name, None, longest, subject).await
}

/// Sets how many runs are kept for a function; none are, where nothing is said.
pub(super) async fn reserve(
    context: &Context,
    name: &str,
    count: Option<i32>,
    subject: &Subject,
) -> Outcome<()> {
    let lambda = context.client.lambda(&context.region);
    let doing = "setting the concurrency of";
    match count {
        Some(count) => {
            lambda
                .put_function_concurrency()
                .function_name(name)
                .reserved_concurrent_executions(count)
                .send()
                .await
                .when(doing, subject, "lambda:PutFunctionConcurrency")?;
        }
        None => {
            lambda
                .delete_function_concurrency()
                .function_name(name)
                .send()
                .await
                .when(doing, subject, "lambda:DeleteFunctionConcurrency")?;
        }
    }
    Ok(())
}

async fn sign(
    context: &Context,
    name: &str,
    arn: Option<String>,
    subject: &Subject,
) -> Outcome<()> {
    let lambda = context.client.lambda(&context.region);
    let doing = "setting the code signing of";
    match arn {
        Some(arn) => {
            lambda
                .put_function_code_signing_config()
                .function_name(name)
                .code_signing_config_arn(arn)
                .send()
                .await
                .when(doing, subject, "lambda:PutFunctionCodeSigningConfig")?;
        }
        None => {
            lambda
                .delete_function_code_signing_config()
                .function_name(name)
                .send()
                .await
                .when(doing, subject, "lambda:DeleteFunctionCodeSigningConfig")?;
        }
    }
    Ok(())
}

async fn publish(
    context: &Context,
    name: &str,
    planned: &Object,
    longest: Duration,
    subject: &Subject,
) -> Outcome<()> {
    let to = given(planned, "publish_to");
    let request = context
        .client
        .lambda(&context.region)
        .publish_version()
        .function_name(name)
        .set_publish_to(to.map(|to| FunctionVersionLatestPublished::from(to.as_str())));
    let answer = context
        .patience(PROPAGATION)
        .again(
            |error| says(error, "ResourceConflictException", "in progress"),
            || request.clone().send(),
        )
        .await
        .when("publishing", subject, "lambda:PublishVersion")?;
    until_updated(context, name, answer.version, longest, subject).await
}

async fn tag(context: &Context, change: Change<'_>, subject: &Subject) -> Outcome<()> {
    let arn = or_empty(change.prior.text("arn"));
    match change.tags() {
        Some(tags) => super::tag(context, &arn, tags, subject).await,
        None => Ok(()),
    }
}

/// Waits until a change is carried out.
async fn until_updated(
    context: &Context,
    name: &str,
    version: Option<String>,
    longest: Duration,
    subject: &Subject,
) -> Outcome<()> {
    let look = async || {
        let told = fetch(context, name, version.clone(), subject).await?;
        let Some(function) = told.and_then(|told| told.configuration) else {
            return Ok(None);
        };
        // A version that is being made may not say yet how that goes.
        match (&function.last_update_status, &version) {
            (Some(LastUpdateStatus::InProgress), _) | (None, Some(_)) => Ok(None),
            (Some(LastUpdateStatus::Failed), _) => Err(Diagnostic::error(
                "Lambda could not update the function",
                format!(
                    "{subject}: {}",
                    or_empty(function.last_update_status_reason)
                ),
            )
            .into()),
            _ => Ok(Some(())),
        }
    };
    context
        .patience(longest)
        .until(subject, "updated", look)
        .await
}

/// Puts a function that is to go into other security groups, so that its own can go before its network interfaces do.
pub(super) async fn leave_groups(
    context: &Context,
    state: &Object,
    longest: Duration,
    subject: &Subject,
) -> Outcome<()> {
    let has_groups =
        one(state, "vpc_config").is_some_and(|block| !block.items("security_group_ids").is_empty());
    if !has_groups {
        return Ok(());
    }
    let groups = owned(state, "replacement_security_group_ids");
    if groups.is_empty() {
        return Err(Diagnostic::error(
            "Missing replacement_security_group_ids",
            format!("{subject} is to leave its security groups before it goes, and which others it gets is not said. Set replacement_security_group_ids, to the VPC's default group for example, and apply that before."),
        )
        .into());
    }
    let network = VpcConfig::builder()
        .set_security_group_ids(Some(groups))
        .build();
    let request = context
        .client
        .lambda(&context.region)
        .update_function_configuration()
        .function_name(id(state))
        .vpc_config(network);
    configure(context, request, longest, id(state), subject).await
}

/// Ends the durable executions of a function: it cannot go before.
pub(super) async fn stop_executions(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<()> {
    let lambda = context.client.lambda(&context.region);
    let doing = "stopping the durable executions of";
    let running: Result<Vec<_>, _> = lambda
        .list_durable_executions_by_function()
        .function_name(name)
        .statuses(ExecutionStatus::Running)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let running = running.unless_gone(
        &GONE,
        doing,
        subject,
        "lambda:ListDurableExecutionsByFunction",
    )?;
    for execution in running.unwrap_or_default() {
        lambda
            .stop_durable_execution()
            .durable_execution_arn(execution.durable_execution_arn)
            .send()
            .await
            .unless_gone(&GONE, doing, subject, "lambda:StopDurableExecution")?;
    }
    Ok(())
}
