//! What is special to kinds of targets, as `EventBridge` wants and tells it.

use std::collections::HashMap;

use aws_sdk_eventbridge::types::{
    AppSyncParameters, AssignPublicIp, AwsVpcConfiguration, BatchArrayProperties, BatchParameters,
    BatchRetryStrategy, CapacityProviderStrategyItem, DeadLetterConfig, EcsParameters,
    HttpParameters, InputTransformer, KinesisParameters, LaunchType, NetworkConfiguration,
    PlacementConstraint, PlacementConstraintType, PlacementStrategy, PlacementStrategyType,
    PropagateTags, RedshiftDataParameters, RetryPolicy, RunCommandParameters, RunCommandTarget,
    SageMakerPipelineParameter, SageMakerPipelineParameters, SqsParameters, Tag, Target,
};
use terrace_provider_sdk::{Data as _, Object, Value};

use crate::blocks::{all, block, blocks, count, given, list, number, one, owned, small, text};
use crate::tags::{self, Tags};

/// A target as it is to be.
pub(super) fn target(id: &str, planned: &Object) -> Target {
    let said = |name: &str| given(planned, name);
    Target::builder()
        .id(id)
        .arn(said("arn").unwrap_or_default())
        .set_input(said("input"))
        .set_input_path(said("input_path"))
        .set_role_arn(said("role_arn"))
        .set_app_sync_parameters(one(planned, "appsync_target").map(|block| {
            AppSyncParameters::builder()
                .set_graph_ql_operation(given(&block, "graphql_operation"))
                .build()
        }))
        .set_batch_parameters(one(planned, "batch_target").map(|block| batch(&block)))
        .set_dead_letter_config(one(planned, "dead_letter_config").map(|block| {
            DeadLetterConfig::builder()
                .set_arn(given(&block, "arn"))
                .build()
        }))
        .set_ecs_parameters(one(planned, "ecs_target").map(|block| ecs(&block)))
        .set_http_parameters(one(planned, "http_target").map(|block| http(&block)))
        .set_input_transformer(one(planned, "input_transformer").map(|block| {
            InputTransformer::builder()
                .set_input_paths_map(map(&block, "input_paths"))
                .input_template(block.text("input_template").unwrap_or_default())
                .build()
                .expect("a transformer with a template is complete")
        }))
        .set_kinesis_parameters(one(planned, "kinesis_target").map(|block| {
            KinesisParameters::builder()
                .partition_key_path(block.text("partition_key_path").unwrap_or_default())
                .build()
                .expect("a stream with a path is complete")
        }))
        .set_redshift_data_parameters(one(planned, "redshift_target").map(|block| redshift(&block)))
        .set_retry_policy(one(planned, "retry_policy").map(|block| {
            RetryPolicy::builder()
                .set_maximum_event_age_in_seconds(count(&block, "maximum_event_age_in_seconds"))
                .maximum_retry_attempts(small(&block, "maximum_retry_attempts").unwrap_or(0))
                .build()
        }))
        .set_run_command_parameters(commands(planned))
        .set_sage_maker_pipeline_parameters(
            one(planned, "sagemaker_pipeline_target").map(|block| pipeline(&block)),
        )
        .set_sqs_parameters(one(planned, "sqs_target").map(|block| {
            SqsParameters::builder()
                .set_message_group_id(given(&block, "message_group_id"))
                .build()
        }))
        .build()
        .expect("a target with id and ARN is complete")
}

/// A map that says something.
fn map(block: &Object, name: &str) -> Option<HashMap<String, String>> {
    let entries: HashMap<String, String> = tags::of(block.value(name)).into_iter().collect();
    (!entries.is_empty()).then_some(entries)
}

fn batch(block: &Object) -> BatchParameters {
    let array = count(block, "array_size");
    let attempts = count(block, "job_attempts");
    BatchParameters::builder()
        .job_definition(block.text("job_definition").unwrap_or_default())
        .job_name(block.text("job_name").unwrap_or_default())
        .set_array_properties(array.map(|size| BatchArrayProperties::builder().size(size).build()))
        .set_retry_strategy(
            attempts.map(|attempts| BatchRetryStrategy::builder().attempts(attempts).build()),
        )
        .build()
        .expect("a job with name and definition is complete")
}

fn http(block: &Object) -> HttpParameters {
    let values = owned(block, "path_parameter_values");
    HttpParameters::builder()
        .set_header_parameters(map(block, "header_parameters"))
        .set_path_parameter_values((!values.is_empty()).then_some(values))
        .set_query_string_parameters(map(block, "query_string_parameters"))
        .build()
}

fn redshift(block: &Object) -> RedshiftDataParameters {
    RedshiftDataParameters::builder()
        .database(block.text("database").unwrap_or_default())
        .set_db_user(given(block, "db_user"))
        .set_secret_manager_arn(given(block, "secrets_manager_arn"))
        .set_sql(given(block, "sql"))
        .set_statement_name(given(block, "statement_name"))
        .with_event(block.flag("with_event").unwrap_or(false))
        .build()
        .expect("a statement with a database is complete")
}

fn commands(planned: &Object) -> Option<RunCommandParameters> {
    let targets: Vec<RunCommandTarget> = all(planned, "run_command_targets")
        .iter()
        .map(|block| {
            RunCommandTarget::builder()
                .key(block.text("key").unwrap_or_default())
                .set_values(Some(owned(block, "values")))
                .build()
                .expect("a target of commands with key and values is complete")
        })
        .collect();
    let parameters = RunCommandParameters::builder().set_run_command_targets(Some(targets.clone()));
    (!targets.is_empty()).then(|| {
        parameters
            .build()
            .expect("commands with targets are complete")
    })
}

fn pipeline(block: &Object) -> SageMakerPipelineParameters {
    let parameters = all(block, "pipeline_parameter_list")
        .into_iter()
        .map(|block| {
            SageMakerPipelineParameter::builder()
                .name(block.text("name").unwrap_or_default())
                .value(block.text("value").unwrap_or_default())
                .build()
                .expect("a parameter with name and value is complete")
        });
    SageMakerPipelineParameters::builder()
        .set_pipeline_parameter_list(Some(parameters.collect()))
        .build()
}

fn ecs(block: &Object) -> EcsParameters {
    let said = |name: &str| given(block, name);
    let strategies: Vec<_> = all(block, "capacity_provider_strategy")
        .iter()
        .map(|item| {
            CapacityProviderStrategyItem::builder()
                .capacity_provider(item.text("capacity_provider").unwrap_or_default())
                .base(small(item, "base").unwrap_or(0))
                .weight(small(item, "weight").unwrap_or(0))
                .build()
                .expect("a strategy with a provider is complete")
        })
        .collect();
    let constraints: Vec<_> = all(block, "placement_constraint")
        .iter()
        .map(|item| {
            let ty = given(item, "type");
            PlacementConstraint::builder()
                .set_expression(given(item, "expression"))
                .set_type(ty.map(|ty| PlacementConstraintType::from(ty.as_str())))
                .build()
        })
        .collect();
    let placements: Vec<_> = all(block, "ordered_placement_strategy")
        .iter()
        .map(|item| {
            let ty = given(item, "type");
            PlacementStrategy::builder()
                .set_field(given(item, "field"))
                .set_type(ty.map(|ty| PlacementStrategyType::from(ty.as_str())))
                .build()
        })
        .collect();
    let labels: Vec<Tag> = tags::of(block.value("tags"))
        .into_iter()
        .map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.expect("a tag with key and value is complete")
        })
        .collect();
    EcsParameters::builder()
        .task_definition_arn(said("task_definition_arn").unwrap_or_default())
        .set_task_count(small(block, "task_count"))
        .set_group(said("group"))
        .set_launch_type(said("launch_type").map(|ty| LaunchType::from(ty.as_str())))
        .set_platform_version(said("platform_version"))
        .set_propagate_tags(said("propagate_tags").map(|from| PropagateTags::from(from.as_str())))
        .enable_ecs_managed_tags(block.flag("enable_ecs_managed_tags").unwrap_or(false))
        .enable_execute_command(block.flag("enable_execute_command").unwrap_or(false))
        .set_network_configuration(one(block, "network_configuration").map(|block| network(&block)))
        .set_capacity_provider_strategy((!strategies.is_empty()).then_some(strategies))
        .set_placement_constraints((!constraints.is_empty()).then_some(constraints))
        .set_placement_strategy((!placements.is_empty()).then_some(placements))
        .set_tags((!labels.is_empty()).then_some(labels))
        .build()
        .expect("a task with a definition is complete")
}

fn network(block: &Object) -> NetworkConfiguration {
    let public = if block.flag("assign_public_ip") == Some(true) {
        AssignPublicIp::Enabled
    } else {
        AssignPublicIp::Disabled
    };
    let vpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(owned(block, "subnets")))
        .set_security_groups(Some(owned(block, "security_groups")))
        .assign_public_ip(public)
        .build()
        .expect("a network with subnets is complete");
    NetworkConfiguration::builder()
        .awsvpc_configuration(vpc)
        .build()
}

/// What `EventBridge` tells of a target's blocks.
pub(super) fn told(object: &mut Object, told: &Target) {
    let appsync = told.app_sync_parameters.as_ref();
    object.set(
        "appsync_target",
        blocks(appsync.map(|sync| {
            block([(
                "graphql_operation",
                text(sync.graph_ql_operation.as_deref()),
            )])
        })),
    );
    let batch = told.batch_parameters.as_ref().map(|batch| {
        let (array, retry) = (
            batch.array_properties.as_ref(),
            batch.retry_strategy.as_ref(),
        );
        block([
            ("array_size", number(array.map(|array| array.size))),
            ("job_attempts", number(retry.map(|retry| retry.attempts))),
            (
                "job_definition",
                Value::string(batch.job_definition.as_str()),
            ),
            ("job_name", Value::string(batch.job_name.as_str())),
        ])
    });
    object.set("batch_target", blocks(batch));
    let letters = told.dead_letter_config.as_ref();
    object.set(
        "dead_letter_config",
        blocks(letters.map(|letters| block([("arn", text(letters.arn.as_deref()))]))),
    );
    object.set(
        "ecs_target",
        blocks(told.ecs_parameters.as_ref().map(told_ecs)),
    );
    let http = told.http_parameters.as_ref().map(|http| {
        block([
            (
                "header_parameters",
                told_map(http.header_parameters.as_ref()),
            ),
            ("path_parameter_values", list(http.path_parameter_values())),
            (
                "query_string_parameters",
                told_map(http.query_string_parameters.as_ref()),
            ),
        ])
    });
    object.set("http_target", blocks(http));
    let transformer = told.input_transformer.as_ref().map(|transformer| {
        block([
            (
                "input_paths",
                told_map(transformer.input_paths_map.as_ref()),
            ),
            (
                "input_template",
                Value::string(transformer.input_template.as_str()),
            ),
        ])
    });
    object.set("input_transformer", blocks(transformer));
    let stream = told.kinesis_parameters.as_ref().map(|stream| {
        block([(
            "partition_key_path",
            Value::string(stream.partition_key_path.as_str()),
        )])
    });
    object.set("kinesis_target", blocks(stream));
    told_more(object, told);
}

fn told_more(object: &mut Object, told: &Target) {
    let redshift = told.redshift_data_parameters.as_ref().map(|statement| {
        block([
            ("database", Value::string(statement.database.as_str())),
            ("db_user", text(statement.db_user.as_deref())),
            (
                "secrets_manager_arn",
                text(statement.secret_manager_arn.as_deref()),
            ),
            ("sql", text(statement.sql.as_deref())),
            ("statement_name", text(statement.statement_name.as_deref())),
            ("with_event", Value::bool(statement.with_event)),
        ])
    });
    object.set("redshift_target", blocks(redshift));
    let retry = told.retry_policy.as_ref().map(|retry| {
        block([
            (
                "maximum_event_age_in_seconds",
                number(retry.maximum_event_age_in_seconds),
            ),
            (
                "maximum_retry_attempts",
                number(retry.maximum_retry_attempts),
            ),
        ])
    });
    object.set("retry_policy", blocks(retry));
    let commands = told.run_command_parameters.iter().flat_map(|commands| {
        commands.run_command_targets.iter().map(|command| {
            block([
                ("key", Value::string(command.key.as_str())),
                ("values", list(&command.values)),
            ])
        })
    });
    object.set("run_command_targets", blocks(commands));
    let pipeline = told
        .sage_maker_pipeline_parameters
        .as_ref()
        .map(|pipeline| {
            let parameters = pipeline.pipeline_parameter_list().iter().map(|parameter| {
                block([
                    ("name", Value::string(parameter.name.as_str())),
                    ("value", Value::string(parameter.value.as_str())),
                ])
            });
            block([("pipeline_parameter_list", blocks(parameters))])
        });
    object.set("sagemaker_pipeline_target", blocks(pipeline));
    let queue = told.sqs_parameters.as_ref();
    object.set(
        "sqs_target",
        blocks(
            queue.map(|queue| {
                block([("message_group_id", text(queue.message_group_id.as_deref()))])
            }),
        ),
    );
}

fn told_map(told: Option<&HashMap<String, String>>) -> Value {
    let entries = told.into_iter().flatten();
    let entries: Tags = entries
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if entries.is_empty() {
        return Value::null(tags::ty());
    }
    entries.into_value()
}

fn told_ecs(told: &EcsParameters) -> Value {
    let strategies = told.capacity_provider_strategy().iter().map(|item| {
        block([
            ("base", Value::int(item.base.into())),
            (
                "capacity_provider",
                Value::string(item.capacity_provider.as_str()),
            ),
            ("weight", Value::int(item.weight.into())),
        ])
    });
    let constraints = told.placement_constraints().iter().map(|item| {
        block([
            ("expression", text(item.expression.as_deref())),
            (
                "type",
                text(item.r#type.as_ref().map(PlacementConstraintType::as_str)),
            ),
        ])
    });
    let placements = told.placement_strategy().iter().map(|item| {
        block([
            ("field", text(item.field.as_deref())),
            (
                "type",
                text(item.r#type.as_ref().map(PlacementStrategyType::as_str)),
            ),
        ])
    });
    let vpc = told.network_configuration.as_ref();
    let vpc = vpc
        .and_then(|network| network.awsvpc_configuration.as_ref())
        .map(|vpc| {
            let public = vpc.assign_public_ip == Some(AssignPublicIp::Enabled);
            block([
                ("assign_public_ip", Value::bool(public)),
                ("security_groups", list(vpc.security_groups())),
                ("subnets", list(&vpc.subnets)),
            ])
        });
    let labels: HashMap<String, String> = told
        .tags()
        .iter()
        .map(|tag| (tag.key.clone(), tag.value.clone()))
        .collect();
    block([
        ("capacity_provider_strategy", blocks(strategies)),
        (
            "enable_ecs_managed_tags",
            Value::bool(told.enable_ecs_managed_tags),
        ),
        (
            "enable_execute_command",
            Value::bool(told.enable_execute_command),
        ),
        ("group", text(told.group.as_deref())),
        (
            "launch_type",
            text(told.launch_type.as_ref().map(LaunchType::as_str)),
        ),
        ("network_configuration", blocks(vpc)),
        ("ordered_placement_strategy", blocks(placements)),
        ("placement_constraint", blocks(constraints)),
        ("platform_version", text(told.platform_version.as_deref())),
        (
            "propagate_tags",
            text(told.propagate_tags.as_ref().map(PropagateTags::as_str)),
        ),
        ("tags", told_map(Some(&labels))),
        ("task_count", number(told.task_count)),
        (
            "task_definition_arn",
            Value::string(told.task_definition_arn.as_str()),
        ),
    ])
}
