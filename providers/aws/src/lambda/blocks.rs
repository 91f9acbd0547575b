//! The blocks of a function, as Lambda wants and tells them.

use aws_sdk_lambda::types::{
    ApplicationLogLevel, CapacityProviderConfig, DeadLetterConfig, DurableConfig, Environment,
    EphemeralStorage, FileSystemConfig, FunctionConfiguration, ImageConfig,
    LambdaManagedInstancesCapacityProviderConfig, LogFormat, LoggingConfig, SnapStart,
    SnapStartApplyOn, SystemLogLevel, TenancyConfig, TenantIsolationMode, TracingConfig,
    TracingMode, VpcConfig,
};
use terrace_provider_sdk::{Data as _, Object, Value};

use crate::blocks::{all, block, blocks, given, list, number_or_null, one, owned, small, text};
use crate::tags;

/// Where functions of events that failed go; to nowhere, where nothing is configured.
pub(super) fn dead_letters(object: &Object) -> Option<DeadLetterConfig> {
    let target = one(object, "dead_letter_config").and_then(|block| given(&block, "target_arn"))?;
    Some(DeadLetterConfig::builder().target_arn(target).build())
}

pub(super) fn environment(object: &Object) -> Option<Environment> {
    let variables = one(object, "environment").map(|block| tags::of(block.value("variables")))?;
    let variables = (!variables.is_empty()).then(|| variables.into_iter().collect())?;
    Some(
        Environment::builder()
            .set_variables(Some(variables))
            .build(),
    )
}

pub(super) fn storage(object: &Object) -> Option<EphemeralStorage> {
    let size = one(object, "ephemeral_storage").and_then(|block| small(&block, "size"))?;
    let storage = EphemeralStorage::builder().size(size).build();
    Some(storage.expect("storage with a size is complete"))
}

pub(super) fn file_systems(object: &Object) -> Vec<FileSystemConfig> {
    all(object, "file_system_config")
        .iter()
        .map(|block| {
            FileSystemConfig::builder()
                .arn(given(block, "arn").unwrap_or_default())
                .local_mount_path(given(block, "local_mount_path").unwrap_or_default())
                .build()
                .expect("a file system with ARN and path is complete")
        })
        .collect()
}

pub(super) fn image(object: &Object) -> Option<ImageConfig> {
    let block = one(object, "image_config")?;
    let texts = |name| Some(owned(&block, name)).filter(|texts| !texts.is_empty());
    let image = ImageConfig::builder()
        .set_entry_point(texts("entry_point"))
        .set_command(texts("command"))
        .working_directory(given(&block, "working_directory").unwrap_or_default())
        .build();
    Some(image)
}

pub(super) fn logging(object: &Object) -> Option<LoggingConfig> {
    let block = one(object, "logging_config")?;
    let text = |name| given(&block, name);
    let logging = LoggingConfig::builder()
        .set_log_format(text("log_format").map(|format| LogFormat::from(format.as_str())))
        .set_application_log_level(
            text("application_log_level").map(|level| ApplicationLogLevel::from(level.as_str())),
        )
        .set_system_log_level(
            text("system_log_level").map(|level| SystemLogLevel::from(level.as_str())),
        )
        .set_log_group(text("log_group"))
        .build();
    Some(logging)
}

pub(super) fn snap_start(object: &Object) -> Option<SnapStart> {
    let apply_on = one(object, "snap_start").and_then(|block| given(&block, "apply_on"))?;
    let apply_on = SnapStartApplyOn::from(apply_on.as_str());
    Some(SnapStart::builder().apply_on(apply_on).build())
}

pub(super) fn tenancy(object: &Object) -> Option<TenancyConfig> {
    let mode =
        one(object, "tenancy_config").and_then(|block| given(&block, "tenant_isolation_mode"))?;
    let mode = TenantIsolationMode::from(mode.as_str());
    let tenancy = TenancyConfig::builder().tenant_isolation_mode(mode).build();
    Some(tenancy.expect("a tenancy with a mode is complete"))
}

pub(super) fn tracing(object: &Object) -> Option<TracingConfig> {
    let mode = one(object, "tracing_config").and_then(|block| given(&block, "mode"))?;
    let mode = TracingMode::from(mode.as_str());
    Some(TracingConfig::builder().mode(mode).build())
}

pub(super) fn durable(object: &Object) -> Option<DurableConfig> {
    let block = one(object, "durable_config")?;
    let durable = DurableConfig::builder()
        .set_execution_timeout(small(&block, "execution_timeout"))
        .set_retention_period_in_days(small(&block, "retention_period"))
        .build();
    Some(durable)
}

pub(super) fn capacity(object: &Object) -> Option<CapacityProviderConfig> {
    let outer = one(object, "capacity_provider_config")?;
    let block = one(&outer, "lambda_managed_instances_capacity_provider_config")?;
    let memory = block
        .value("execution_environment_memory_gib_per_vcpu")
        .as_number()
        .map(terrace_provider_sdk::Number::to_f64);
    let instances = LambdaManagedInstancesCapacityProviderConfig::builder()
        .capacity_provider_arn(given(&block, "capacity_provider_arn").unwrap_or_default())
        .set_execution_environment_memory_gib_per_v_cpu(memory.filter(|memory| *memory > 0.0))
        .set_per_execution_environment_max_concurrency(
            small(&block, "per_execution_environment_max_concurrency").filter(|most| *most > 0),
        )
        .build()
        .expect("a capacity provider with an ARN is complete");
    let config = CapacityProviderConfig::builder()
        .lambda_managed_instances_capacity_provider_config(instances)
        .build();
    Some(config)
}

/// The network of a function; none at all where nothing is configured.
pub(super) fn network(object: &Object) -> Option<VpcConfig> {
    let block = one(object, "vpc_config")?;
    let network = VpcConfig::builder()
        .set_subnet_ids(Some(owned(&block, "subnet_ids")))
        .set_security_group_ids(Some(owned(&block, "security_group_ids")))
        .ipv6_allowed_for_dual_stack(block.flag("ipv6_allowed_for_dual_stack").unwrap_or(false))
        .build();
    Some(network)
}

/// A network that is none.
pub(super) fn no_network() -> VpcConfig {
    VpcConfig::builder()
        .set_subnet_ids(Some(Vec::new()))
        .set_security_group_ids(Some(Vec::new()))
        .ipv6_allowed_for_dual_stack(false)
        .build()
}

/// What Lambda tells of the blocks that resource and data source both have.
pub(super) fn told(object: &mut Object, told: &FunctionConfiguration) {
    let target = told.dead_letter_config.as_ref();
    let target = target.and_then(|config| config.target_arn.as_deref());
    object.set(
        "dead_letter_config",
        blocks(target.map(|target| block([("target_arn", Value::string(target))]))),
    );
    let variables = told.environment.as_ref().map(|environment| {
        let variables = environment.variables.clone().unwrap_or_default();
        let variables: tags::Tags = variables.into_iter().collect();
        block([("variables", variables.into_value())])
    });
    object.set("environment", blocks(variables));
    let storage = told.ephemeral_storage.as_ref();
    object.set(
        "ephemeral_storage",
        blocks(storage.map(|storage| block([("size", Value::int(storage.size.into()))]))),
    );
    let systems = told.file_system_configs().iter().map(|system| {
        block([
            ("arn", Value::string(system.arn.as_str())),
            (
                "local_mount_path",
                Value::string(system.local_mount_path.as_str()),
            ),
        ])
    });
    object.set("file_system_config", blocks(systems));
    let logging = told.logging_config.as_ref().map(|logging| {
        let application = logging.application_log_level.as_ref();
        let system = logging.system_log_level.as_ref();
        block([
            (
                "application_log_level",
                text(application.map(ApplicationLogLevel::as_str)),
            ),
            (
                "log_format",
                text(logging.log_format.as_ref().map(LogFormat::as_str)),
            ),
            ("log_group", text(logging.log_group.as_deref())),
            ("system_log_level", text(system.map(SystemLogLevel::as_str))),
        ])
    });
    object.set("logging_config", blocks(logging));
    let tracing = told
        .tracing_config
        .as_ref()
        .and_then(|tracing| tracing.mode.as_ref());
    let mode = tracing.map_or("PassThrough", TracingMode::as_str);
    object.set(
        "tracing_config",
        blocks([block([("mode", Value::string(mode))])]),
    );
    let tenancy = told.tenancy_config.as_ref().map(|tenancy| {
        let mode = tenancy.tenant_isolation_mode.as_str();
        block([("tenant_isolation_mode", Value::string(mode))])
    });
    object.set("tenancy_config", blocks(tenancy));
    // A function that left its network still has one, in which is nothing.
    let network = told.vpc_config.as_ref();
    let network =
        network.filter(|network| network.vpc_id.as_deref().is_some_and(|id| !id.is_empty()));
    let network = network.map(|network| {
        block([
            (
                "ipv6_allowed_for_dual_stack",
                Value::bool(network.ipv6_allowed_for_dual_stack.unwrap_or(false)),
            ),
            ("security_group_ids", list(network.security_group_ids())),
            ("subnet_ids", list(network.subnet_ids())),
            ("vpc_id", text(network.vpc_id.as_deref())),
        ])
    });
    object.set("vpc_config", blocks(network));
    object.set("durable_config", blocks(told_durable(told)));
    object.set("capacity_provider_config", blocks(told_capacity(told)));
    object.set("layers", list(&layers(told)));
}

/// What Lambda tells of the blocks that only the resource has.
pub(super) fn told_more(object: &mut Object, told: &FunctionConfiguration) {
    let image = told.image_config_response.as_ref();
    let image = image.filter(|image| image.error.is_none());
    let image = image
        .and_then(|image| image.image_config.as_ref())
        .map(|image| {
            block([
                ("command", list(image.command())),
                ("entry_point", list(image.entry_point())),
                (
                    "working_directory",
                    text(image.working_directory.as_deref()),
                ),
            ])
        });
    object.set("image_config", blocks(image));
    let snap = told.snap_start.as_ref();
    let snap = snap.filter(|snap| {
        snap.apply_on
            .as_ref()
            .is_some_and(|on| *on != SnapStartApplyOn::None)
    });
    let snap = snap.map(|snap| {
        let status = snap.optimization_status.as_ref();
        block([
            (
                "apply_on",
                text(snap.apply_on.as_ref().map(SnapStartApplyOn::as_str)),
            ),
            (
                "optimization_status",
                text(status.map(aws_sdk_lambda::types::SnapStartOptimizationStatus::as_str)),
            ),
        ])
    });
    object.set("snap_start", blocks(snap));
}

fn told_durable(told: &FunctionConfiguration) -> Option<Value> {
    let durable = told.durable_config.as_ref()?;
    durable.execution_timeout?;
    Some(block([
        (
            "execution_timeout",
            number_or_null(durable.execution_timeout),
        ),
        (
            "retention_period",
            number_or_null(durable.retention_period_in_days),
        ),
    ]))
}

fn told_capacity(told: &FunctionConfiguration) -> Option<Value> {
    let config = told.capacity_provider_config.as_ref()?;
    let instances = config
        .lambda_managed_instances_capacity_provider_config
        .as_ref()?;
    let inner = block([
        (
            "capacity_provider_arn",
            Value::string(instances.capacity_provider_arn.as_str()),
        ),
        (
            "execution_environment_memory_gib_per_vcpu",
            instances
                .execution_environment_memory_gib_per_v_cpu
                .into_value(),
        ),
        (
            "per_execution_environment_max_concurrency",
            number_or_null(instances.per_execution_environment_max_concurrency),
        ),
    ]);
    Some(block([(
        "lambda_managed_instances_capacity_provider_config",
        blocks([inner]),
    )]))
}

fn layers(told: &FunctionConfiguration) -> Vec<String> {
    let layers = told.layers().iter();
    layers.filter_map(|layer| layer.arn.clone()).collect()
}
