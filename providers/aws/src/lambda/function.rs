//! `aws_lambda_function`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput as Told;
use aws_sdk_lambda::types::{
    Architecture, FunctionCode, FunctionVersionLatestPublished, PackageType, Runtime, State,
};
use aws_smithy_types::Blob;
use terrace_provider_sdk::{
    Attribute, Change as Planned, Diagnostic, Diagnostics, Object, Outcome, Plan, Schema, Type,
    Value, attribute, validate,
};

use super::{GONE, LATEST, PROPAGATION, blocks, invoke_arn, streaming_arn, update};
use crate::blocks::{given, list, one, or_empty, owned, small};
use crate::client::Client;
use crate::failure::{Answered as _, Subject, is_one_of};
use crate::kind::{Change, Context, Kind, id};
use crate::retry::says;
use crate::shape::Behaviour as _;
use crate::tags;
use crate::timeouts;

/// How long an operation usually takes at most.
pub(super) const USUAL: Duration = Duration::from_mins(10);

/// What says where the code is, or changes what is made of it.
pub(super) const CODE: [&str; 9] = [
    "filename",
    "code_sha256",
    "source_code_hash",
    "s3_bucket",
    "s3_key",
    "s3_object_version",
    "source_kms_key_arn",
    "image_uri",
    "architectures",
];

/// What else of a function makes a new version of it.
pub(super) const SETTINGS: [&str; 20] = [
    "description",
    "handler",
    "file_system_config",
    "image_config",
    "logging_config",
    "memory_size",
    "role",
    "timeout",
    "kms_key_arn",
    "layers",
    "dead_letter_config",
    "durable_config",
    "snap_start",
    "tracing_config",
    "vpc_config",
    "runtime",
    "environment",
    "ephemeral_storage",
    "capacity_provider_config",
    "publish_to",
];

#[derive(Default)]
pub(crate) struct Function;

#[async_trait]
impl Kind for Function {
    const NAME: &'static str = "aws_lambda_function";
    const WHAT: &'static str = "Lambda Function";
    const ID_OF: Option<(&'static [&'static str], &'static str)> = Some((&["function_name"], ""));

    fn behave(&self, shape: Schema) -> Schema {
        let between =
            |attribute: Attribute, least, most| attribute.validate(validate::between(least..=most));
        shape
            .replaces(&["function_name", "package_type", "tenancy_config"])
            .defaults_to_text(&[("package_type", "Zip")])
            .defaults_to_number(&[
                ("memory_size", 128),
                ("timeout", 3),
                ("reserved_concurrent_executions", -1),
            ])
            .defaults_to_bool(&[("publish", false), ("skip_destroy", false)])
            .fills_in(&["ephemeral_storage", "logging_config", "tracing_config"])
            .within("durable_config", |durable| {
                durable.defaults_to_number(&[("retention_period", 14)])
            })
            .within("vpc_config", |network| {
                network.defaults_to_bool(&[("ipv6_allowed_for_dual_stack", false)])
            })
            .within("logging_config", |logging| {
                logging
                    .defaults_to_text(&[("application_log_level", ""), ("system_log_level", "")])
                    .change("application_log_level", |level| level.modify(keep_level))
                    .change("system_log_level", |level| level.modify(keep_level))
                    .change("log_format", |format| {
                        format.validate(validate::one_of(["JSON", "Text"]))
                    })
            })
            .within("ephemeral_storage", |storage| {
                storage.change("size", |size| between(size, 512, 10_240))
            })
            .change("memory_size", |size| between(size, 128, 32_768))
            .change("timeout", |timeout| between(timeout, 1, 900))
            .change("reserved_concurrent_executions", |count| {
                count.validate(validate::at_least(-1))
            })
            .change("package_type", |ty| {
                ty.validate(validate::one_of(["Zip", "Image"]))
            })
            .change("filename", |name| {
                name.validate(validate::conflicts_with([
                    "image_uri",
                    "s3_bucket",
                    "s3_object_version",
                ]))
            })
            .change("image_uri", |uri| {
                uri.validate(validate::conflicts_with([
                    "s3_bucket",
                    "s3_object_version",
                    "source_kms_key_arn",
                ]))
            })
            .change("s3_bucket", |bucket| {
                bucket.validate(validate::also_requires(["s3_key"]))
            })
            .change("s3_key", |key| {
                key.validate(validate::also_requires(["s3_bucket"]))
            })
            .change("replacement_security_group_ids", |ids| {
                ids.validate(validate::also_requires([
                    "replace_security_groups_on_destroy",
                ]))
            })
    }

    fn validate(&self, config: &Object, diagnostics: &mut Diagnostics) {
        if !["filename", "image_uri", "s3_bucket"]
            .iter()
            .any(|name| config.is_set(name))
        {
            diagnostics.error_at(
                attribute("filename"),
                "Missing code",
                "One of filename, image_uri and s3_bucket must say where the code of the function is.",
            );
        }
        let zip = config.is_known("package_type")
            && config.text("package_type").unwrap_or("Zip") == "Zip";
        let missing = |name: &str| config.value(name).is_null() || config.text(name) == Some("");
        if zip && (missing("handler") || missing("runtime")) {
            diagnostics.error_at(
                attribute("handler"),
                "Missing handler or runtime",
                "A function whose package_type is Zip needs handler and runtime. One that is an image has package_type Image.",
            );
        }
    }

    async fn plan(&self, plan: &mut Plan<Client>) -> Outcome<()> {
        quiet(plan);
        if plan.prior.is_none() {
            return Ok(());
        }
        let code = CODE.iter().any(|name| plan.changes(name));
        let settings = SETTINGS.iter().any(|name| plan.changes(name));
        let publish = plan.changes("publish");
        let durable = |object: &Option<Object>| {
            object
                .as_ref()
                .is_some_and(|object| one(object, "durable_config").is_some())
        };
        if durable(&plan.prior) != durable(&plan.planned) {
            plan.replace_for("durable_config");
        }
        let hash_set = plan
            .config
            .as_ref()
            .is_some_and(|config| config.is_set("code_sha256"));
        let Some(planned) = &mut plan.planned else {
            return Ok(());
        };
        if code {
            planned.forget("source_code_size", Type::Number);
            if !hash_set {
                planned.forget("code_sha256", Type::String);
            }
        }
        if code || settings {
            planned.forget("last_modified", Type::String);
        }
        if planned.flag("publish") == Some(true) && (code || settings || publish) {
            for name in ["version", "qualified_arn", "qualified_invoke_arn"] {
                planned.forget(name, Type::String);
            }
        }
        Ok(())
    }

    async fn create(&self, context: &mut Context, planned: &Object) -> Outcome<String> {
        let lambda = context.client.lambda(&context.region);
        let name = planned.text("function_name").unwrap_or_default().to_owned();
        let subject = Self::subject(&name);
        let zip = planned.text("package_type") != Some("Image");
        let text = |key: &str| given(planned, key);
        let request = lambda
            .create_function()
            .function_name(&name)
            .code(code(planned).await?)
            .description(text("description").unwrap_or_default())
            .role(text("role").unwrap_or_default())
            .package_type(PackageType::from(
                planned.text("package_type").unwrap_or("Zip"),
            ))
            .publish(planned.flag("publish").unwrap_or(false))
            .set_publish_to(
                text("publish_to").map(|to| FunctionVersionLatestPublished::from(to.as_str())),
            )
            .set_memory_size(small(planned, "memory_size"))
            .set_timeout(small(planned, "timeout"))
            .set_handler(text("handler").filter(|_| zip))
            .set_runtime(
                text("runtime")
                    .filter(|_| zip)
                    .map(|runtime| Runtime::from(runtime.as_str())),
            )
            .set_architectures(architectures(planned))
            .set_layers(Some(owned(planned, "layers")).filter(|layers| !layers.is_empty()))
            .set_kms_key_arn(text("kms_key_arn"))
            .set_code_signing_config_arn(text("code_signing_config_arn"))
            .set_dead_letter_config(blocks::dead_letters(planned))
            .set_durable_config(blocks::durable(planned))
            .set_environment(blocks::environment(planned))
            .set_ephemeral_storage(blocks::storage(planned))
            .set_file_system_configs(
                Some(blocks::file_systems(planned)).filter(|systems| !systems.is_empty()),
            )
            .set_image_config(blocks::image(planned))
            .set_logging_config(blocks::logging(planned))
            .set_snap_start(blocks::snap_start(planned))
            .set_tenancy_config(blocks::tenancy(planned))
            .set_tracing_config(blocks::tracing(planned))
            .set_vpc_config(blocks::network(planned))
            .set_capacity_provider_config(blocks::capacity(planned))
            .set_tags(Some(tags::planned(planned).into_iter().collect()));
        context
            .patience(PROPAGATION)
            .again(
                |error| {
                    update::passes(error)
                        && !says(error, "ResourceConflictException", "already exist")
                },
                || request.clone().send(),
            )
            .await
            .when("creating", &subject, "lambda:CreateFunction")?;
        context.made(&name);
        let longest = timeouts::of(planned, "create", USUAL);
        until_active(context, &name, longest, &subject).await?;
        if let Some(count) =
            small(planned, "reserved_concurrent_executions").filter(|count| *count >= 0)
        {
            update::reserve(context, &name, Some(count), &subject).await?;
        }
        Ok(name)
    }

    async fn read(&self, context: &Context, state: &Object) -> Outcome<Option<Object>> {
        let name = id(state);
        let subject = Self::subject(name);
        let Some(told) = fetch(context, name, None, &subject).await? else {
            return Ok(None);
        };
        let Some(function) = &told.configuration else {
            return Ok(None);
        };
        let mut object = Object::new();
        facts(context, &mut object, &told);
        blocks::told_more(&mut object, function);
        object.set("function_name", name);
        object.set(
            "package_type",
            function
                .package_type
                .as_ref()
                .map_or("Zip", PackageType::as_str),
        );
        object.set("source_code_hash", or_empty(state.text("source_code_hash")));
        object.set("skip_destroy", state.flag("skip_destroy").unwrap_or(false));
        object.set("publish", state.flag("publish").unwrap_or(false));
        let (version, arn) = latest(context, name, &subject).await?;
        object.set("qualified_invoke_arn", invoke_arn(context, &arn));
        object.set("qualified_arn", arn);
        object.set("version", version);
        object.set(
            "code_signing_config_arn",
            signing(context, name, function, &subject).await?,
        );
        let tags = told.tags.clone().unwrap_or_default();
        object.set("tags_all", tags.into_iter().collect::<tags::Tags>());
        Ok(Some(object))
    }

    async fn update(&self, context: &Context, change: Change<'_>) -> Outcome<()> {
        update::all(context, change, &Self::subject(change.id())).await
    }

    async fn delete(&self, context: &Context, state: &Object) -> Outcome<()> {
        if state.flag("skip_destroy") == Some(true) {
            return Ok(());
        }
        let lambda = context.client.lambda(&context.region);
        let name = id(state);
        let subject = Self::subject(name);
        let longest = timeouts::of(state, "delete", USUAL);
        if state.flag("replace_security_groups_on_destroy") == Some(true)
            && fetch(context, name, None, &subject).await?.is_some()
        {
            update::leave_groups(context, state, longest, &subject).await?;
        }
        if one(state, "durable_config").is_some() {
            update::stop_executions(context, name, &subject).await?;
        }
        let request = lambda.delete_function().function_name(name);
        context
            .patience(longest)
            .again(
                |error| {
                    says(
                        error,
                        "InvalidParameterValueException",
                        "because it is a replicated function",
                    )
                },
                || request.clone().send(),
            )
            .await
            .unless_gone(&GONE, "deleting", &subject, "lambda:DeleteFunction")?;
        let gone = async || match fetch(context, name, None, &subject).await? {
            Some(_) => Ok(None),
            None => Ok(Some(())),
        };
        context
            .patience(longest)
            .until(&subject, "deleted", gone)
            .await
    }

    fn import(&self, id: &str) -> Outcome<Object> {
        let mut object = Object::new();
        object.set("id", id);
        object.set("function_name", id);
        Ok(object)
    }
}

/// A level that nobody configures any more stays while the format does.
fn keep_level(change: &mut Planned<'_>) {
    let format = |object: Option<&Object>| {
        let block = one(object?, "logging_config")?;
        given(&block, "log_format")
    };
    let same_format = format(change.prior_object) == format(Some(change.config_object));
    let was_set = change.prior.as_str().is_some_and(|level| !level.is_empty());
    if same_format && was_set && change.planned.as_str().is_none_or(str::is_empty) {
        change.planned = Value::clone(change.prior);
    }
}

/// Blocks that say nothing are the same as none.
fn quiet(plan: &mut Plan<Client>) {
    let (Some(prior), Some(planned)) = (&plan.prior, &mut plan.planned) else {
        return;
    };
    let nothing = |name: &str, parts: &[&str], planned: &Object| {
        one(planned, name).is_some_and(|block| {
            parts.iter().all(|part| {
                let value = block.value(part);
                let empty = value.as_sequence().is_some_and(<[Value]>::is_empty)
                    || value
                        .as_entries()
                        .is_some_and(std::collections::BTreeMap::is_empty)
                    || value.as_bool() == Some(false)
                    || value.as_str() == Some("");
                value.is_null() || empty
            })
        })
    };
    for (name, parts) in [
        ("environment", &["variables"][..]),
        (
            "image_config",
            &["command", "entry_point", "working_directory"],
        ),
        (
            "vpc_config",
            &[
                "security_group_ids",
                "subnet_ids",
                "ipv6_allowed_for_dual_stack",
            ],
        ),
    ] {
        if prior.items(name).is_empty() && nothing(name, parts, planned) {
            planned.set(name, prior.value(name).clone());
        }
    }
}

/// Where the code of a function is; its archive itself where it is a file.
async fn code(planned: &Object) -> Outcome<FunctionCode> {
    let text = |name: &str| given(planned, name);
    let code = FunctionCode::builder().set_source_kms_key_arn(text("source_kms_key_arn"));
    let code = if let Some(name) = text("filename") {
        code.zip_file(archive(&name).await?)
    } else if let Some(uri) = text("image_uri") {
        code.image_uri(uri)
    } else {
        code.set_s3_bucket(text("s3_bucket"))
            .set_s3_key(text("s3_key"))
            .set_s3_object_version(text("s3_object_version"))
    };
    Ok(code.build())
}

/// An archive of code.
pub(super) async fn archive(name: &str) -> Outcome<Blob> {
    let bytes = tokio::fs::read(name).await.map_err(|error| {
        let detail = format!("The archive {name:?} cannot be read: {error}. filename is relative to the directory of the run; paths of a module begin with ${{path.module}}.");
        Diagnostic::error("Unreadable archive of code", detail).at(attribute("filename"))
    })?;
    Ok(Blob::new(bytes))
}

/// The architectures that are configured.
pub(super) fn architectures(planned: &Object) -> Option<Vec<Architecture>> {
    let names = planned.texts("architectures");
    (!names.is_empty()).then(|| names.into_iter().map(Architecture::from).collect())
}

/// A function; `None` when there is none.
pub(super) async fn fetch(
    context: &Context,
    name: &str,
    qualifier: Option<String>,
    subject: &Subject,
) -> Outcome<Option<Told>> {
    context
        .client
        .lambda(&context.region)
        .get_function()
        .function_name(name)
        .set_qualifier(qualifier)
        .send()
        .await
        .unless_gone(&GONE, "reading", subject, "lambda:GetFunction")
}

/// What resource and data source both say of a function.
pub(super) fn facts(context: &Context, object: &mut Object, told: &Told) {
    let Some(function) = &told.configuration else {
        return;
    };
    let arn = or_empty(function.function_arn.as_deref());
    object.set("invoke_arn", invoke_arn(context, &arn));
    object.set(
        "response_streaming_invoke_arn",
        streaming_arn(context, &arn),
    );
    object.set("arn", arn);
    let architectures: Vec<&str> = function
        .architectures()
        .iter()
        .map(Architecture::as_str)
        .collect();
    object.set("architectures", list(&architectures));
    object.set("code_sha256", or_empty(function.code_sha256.as_deref()));
    object.set("description", or_empty(function.description.as_deref()));
    object.set("handler", or_empty(function.handler.as_deref()));
    object.set("kms_key_arn", or_empty(function.kms_key_arn.as_deref()));
    object.set("last_modified", or_empty(function.last_modified.as_deref()));
    object.set("memory_size", function.memory_size);
    object.set("role", or_empty(function.role.as_deref()));
    object.set(
        "runtime",
        or_empty(function.runtime.as_ref().map(Runtime::as_str)),
    );
    object.set(
        "signing_job_arn",
        or_empty(function.signing_job_arn.as_deref()),
    );
    object.set(
        "signing_profile_version_arn",
        or_empty(function.signing_profile_version_arn.as_deref()),
    );
    object.set("source_code_size", function.code_size);
    object.set("timeout", function.timeout);
    let code = told.code.as_ref();
    object.set(
        "image_uri",
        or_empty(code.and_then(|code| code.image_uri.as_deref())),
    );
    object.set(
        "source_kms_key_arn",
        or_empty(code.and_then(|code| code.source_kms_key_arn.as_deref())),
    );
    let reserved = told
        .concurrency
        .as_ref()
        .and_then(|reserved| reserved.reserved_concurrent_executions);
    object.set("reserved_concurrent_executions", reserved.unwrap_or(-1));
    blocks::told(object, function);
}

/// The version that was published last and its ARN; what was never published has a name for it too.
pub(super) async fn latest(
    context: &Context,
    name: &str,
    subject: &Subject,
) -> Outcome<(String, String)> {
    let versions: Result<Vec<_>, _> = context
        .client
        .lambda(&context.region)
        .list_versions_by_function()
        .function_name(name)
        .into_paginator()
        .items()
        .send()
        .collect()
        .await;
    let versions = versions.unless_gone(
        &GONE,
        "reading the versions of",
        subject,
        "lambda:ListVersionsByFunction",
    )?;
    let last = versions.and_then(|mut versions| versions.pop());
    Ok(last.map_or_else(
        || (LATEST.to_owned(), String::new()),
        |version| (or_empty(version.version), or_empty(version.function_arn)),
    ))
}

/// Regions that have the service that signs code; elsewhere Lambda refuses to tell of it.
const SIGNS: [&str; 20] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "af-south-1",
    "ap-east-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-south-1",
    "eu-north-1",
    "me-south-1",
    "sa-east-1",
];

/// Which signatures a function asks of its code; only archives are signed.
pub(super) async fn signing(
    context: &Context,
    name: &str,
    function: &aws_sdk_lambda::types::FunctionConfiguration,
    subject: &Subject,
) -> Outcome<String> {
    let zip = function
        .package_type
        .as_ref()
        .is_none_or(|ty| *ty == PackageType::Zip);
    if !zip || !SIGNS.contains(&context.region.as_str()) {
        return Ok(String::new());
    }
    let answer = context
        .client
        .lambda(&context.region)
        .get_function_code_signing_config()
        .function_name(name)
        .send()
        .await
        .unless_gone(
            &GONE,
            "reading the code signing of",
            subject,
            "lambda:GetFunctionCodeSigningConfig",
        )?;
    Ok(answer
        .map(|answer| answer.code_signing_config_arn)
        .unwrap_or_default())
}

/// Waits until a function that was made can be called.
async fn until_active(
    context: &Context,
    name: &str,
    longest: Duration,
    subject: &Subject,
) -> Outcome<()> {
    let look = async || {
        let told = fetch(context, name, None, subject).await?;
        let Some(function) = told.and_then(|told| told.configuration) else {
            return Ok(None);
        };
        match &function.state {
            Some(State::Pending) => Ok(None),
            Some(State::Failed) => Err(Diagnostic::error(
                "Lambda could not make the function",
                format!("{subject}: {}", or_empty(function.state_reason)),
            )
            .into()),
            _ => Ok(Some(())),
        }
    };
    context
        .patience(longest)
        .until(subject, "active", look)
        .await
}

/// Whether Lambda refused since something else goes on with the function.
pub(super) fn is_busy<E, R>(error: &aws_smithy_runtime_api::client::result::SdkError<E, R>) -> bool
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata,
{
    is_one_of(error, &["ResourceConflictException"])
}
