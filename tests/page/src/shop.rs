//! A shop's infrastructure, as large as one likes.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{AbsResourceInstance, ConfigResource};
use terrace_gate::{Run, RunCounts, RunStatus};
use terrace_page::{Approval, GateState, Missing, PolicyOutcome, PolicyVerdict, Rendered, RunPage};
use terrace_plan::{
    Action, ActionReason, ChangeRequest, OutputChange, Plan, PlanDigest, ResourceChange,
};
use terrace_value::{Path, Type, Value};

use crate::{change, empty, reason};

const SERVICES: [&str; 25] = [
    "accounts",
    "basket",
    "billing",
    "catalog",
    "checkout",
    "content",
    "delivery",
    "discounts",
    "events",
    "fraud",
    "gateway",
    "identity",
    "images",
    "inventory",
    "ledger",
    "mail",
    "media",
    "orders",
    "payments",
    "pricing",
    "profiles",
    "returns",
    "reviews",
    "search",
    "stock",
];

/// Changes of one service, one after the other, until there are enough.
const KINDS: usize = 10;

fn text(text: impl AsRef<str>) -> Value {
    Value::string(text.as_ref())
}

fn unknown() -> Value {
    Value::unknown(Type::String)
}

fn tags(service: &str, cost: &str) -> Value {
    let entries = [
        ("cost-centre", text(cost)),
        ("environment", text("prd")),
        ("service", text(service)),
    ];
    Value::map(Type::String, entries)
}

/// A plan with so many changes, in the order of their addresses.
pub fn shop(count: usize) -> Plan {
    let mut plan = empty();
    let mut changes: Vec<ResourceChange> = (0..count).map(one).collect();
    for change in &mut changes {
        change.dependencies = behind(&change.address);
    }
    changes.sort_by(|a, b| a.address.cmp(&b.address));
    plan.changes = changes;
    plan.inputs.request = ChangeRequest {
        commit: Some("9f3c1d7a40be55d2c1f2a6b7f1c0de9d8a77e411".into()),
        statements: BTreeMap::from([
            (
                "purpose".into(),
                "Orders of the Christmas sale need more throughput, and queues keep what could not be delivered."
                    .into(),
            ),
            (
                "impact".into(),
                "The orders table is replaced; reads are served from its replica for about four minutes.".into(),
            ),
            (
                "rollback".into(),
                "Apply the run before, f01c2ab93d77; the table's last backup is of 09:00 UTC.".into(),
            ),
        ]),
        ..ChangeRequest::default()
    };
    plan.drift = vec![change(
        "module.service[\"orders\"].aws_sqs_queue.work[0]",
        Action::Update,
        Value::object([
            ("id", text("orders-work-0")),
            ("visibility_timeout_seconds", Value::int(30)),
        ]),
        Value::object([
            ("id", text("orders-work-0")),
            ("visibility_timeout_seconds", Value::int(300)),
        ]),
    )];
    let output = |before: Value, after: Value, sensitive: bool| OutputChange {
        action: if before.is_null() {
            Action::Create
        } else {
            Action::Update
        },
        before,
        after,
        sensitive,
    };
    plan.outputs = BTreeMap::from([
        (
            "orders_table_arn".into(),
            output(
                text("arn:aws:dynamodb:eu-west-1:123456789012:table/orders-0"),
                unknown(),
                false,
            ),
        ),
        (
            "queues".into(),
            output(
                Value::NULL,
                Value::map(Type::String, [("basket", unknown()), ("orders", unknown())]),
                false,
            ),
        ),
        (
            "webhook_secret".into(),
            output(
                text("whsec_before_4711").sensitive(),
                text("whsec_after_0815").sensitive(),
                true,
            ),
        ),
    ]);
    plan
}

/// The change of this number.
fn one(index: usize) -> ResourceChange {
    let service = SERVICES[(index / KINDS) % SERVICES.len()];
    let number = index / (KINDS * SERVICES.len());
    let at = |name: &str| format!("module.service[\"{service}\"].{name}[{number}]");
    let id = format!("{service}-{number}");
    match index % KINDS {
        0 => table(&at("aws_dynamodb_table.records"), service, &id, number),
        1 => function(&at("aws_lambda_function.handler"), service, &id),
        2 => queue(&at("aws_sqs_queue.work"), service, &id),
        3 => role(&at("aws_iam_role.handler"), &id),
        4 => parameter(&at("aws_ssm_parameter.token"), &id),
        5 => bucket(&at("aws_s3_bucket.files"), service, &id),
        6 => change(
            &at("aws_cloudwatch_log_group.handler"),
            Action::Delete,
            Value::object([
                ("id", text(format!("/shop/{id}"))),
                ("name", text(format!("/shop/{id}"))),
                ("retention_in_days", Value::int(30)),
            ]),
            Value::NULL,
        ),
        7 => change(
            &format!(
                "module.service[\"{service}\"].data.aws_iam_policy_document.handler[{number}]"
            ),
            Action::Read,
            Value::NULL,
            Value::object([("id", unknown()), ("json", unknown())]),
        ),
        8 => alarm(&at("aws_cloudwatch_metric_alarm.errors"), &id),
        _ => rule(
            &format!("module.transit.aws_security_group_rule.{service}[{number}]"),
            &id,
        ),
    }
}

fn table(address: &str, service: &str, id: &str, number: usize) -> ResourceChange {
    let object = |key: &str, hash: Value, cost: &str| {
        Value::object([
            ("arn", hash),
            ("billing_mode", text("PAY_PER_REQUEST")),
            ("hash_key", text(key)),
            ("id", text(id)),
            ("name", text(id)),
            ("read_capacity", Value::int(0)),
            ("tags", tags(service, cost)),
            ("write_capacity", Value::int(0)),
        ])
    };
    let arn = text(format!(
        "arn:aws:dynamodb:eu-west-1:123456789012:table/{id}"
    ));
    if number.is_multiple_of(4) {
        let mut change = change(
            address,
            Action::DeleteThenCreate,
            object("id", arn, "4711"),
            object("order_id", unknown(), "4711"),
        );
        change.action_reason = ActionReason::ReplaceBecauseCannotUpdate;
        change.replace_paths = vec![Path::root().attribute("hash_key")];
        change.reasons = vec![
            reason(
                "hash_key",
                "modules/service/main.tf:12",
                "changed in the configuration",
            ),
            reason("arn", "", "known after the replacement"),
        ];
        return change;
    }
    let mut change = change(
        address,
        Action::Update,
        object("id", arn.clone(), "4711"),
        object("id", arn, "4712"),
    );
    change.reasons = vec![reason(
        "tags",
        "modules/service/main.tf:31",
        "var.cost_centre changed in environments/prd.tfvars:4",
    )];
    change
}

fn function(address: &str, service: &str, id: &str) -> ResourceChange {
    let object = |memory: i64, version: &str, timeout: i64| {
        let variables = [
            ("LOG_LEVEL", text("info")),
            ("SERVICE", text(service)),
            ("TABLE", text(id)),
            ("VERSION", text(version)),
        ];
        Value::object([
            ("function_name", text(id)),
            ("id", text(id)),
            ("memory_size", Value::int(memory)),
            ("runtime", text("provided.al2023")),
            ("timeout", Value::int(timeout)),
            (
                "environment",
                Value::object([("variables", Value::map(Type::String, variables))]),
            ),
        ])
    };
    let mut change = change(
        address,
        Action::Update,
        object(512, "2026.11.1", 15),
        object(1024, "2026.11.2", 15),
    );
    change.reasons = vec![
        reason(
            "memory_size",
            "modules/service/handler.tf:8",
            "changed in the configuration",
        ),
        reason(
            "environment",
            "modules/service/handler.tf:14",
            "var.release changed in environments/prd.tfvars:2",
        ),
    ];
    change
}

fn queue(address: &str, service: &str, id: &str) -> ResourceChange {
    let redrive = format!(
        "{{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:123456789012:{id}-dead\",\"maxReceiveCount\":5}}"
    );
    change(
        address,
        Action::Create,
        Value::NULL,
        Value::object([
            ("arn", unknown()),
            ("fifo_queue", Value::FALSE),
            ("id", unknown()),
            ("message_retention_seconds", Value::int(1_209_600)),
            ("name", text(format!("{id}-work"))),
            ("redrive_policy", text(redrive)),
            ("tags", tags(service, "4711")),
            ("visibility_timeout_seconds", Value::int(30)),
        ]),
    )
}

fn role(address: &str, id: &str) -> ResourceChange {
    let object = |actions: &str| {
        Value::object([
            ("id", text(format!("{id}-handler"))),
            ("name", text(format!("{id}-handler"))),
            (
                "inline_policy",
                text(format!(
                    "{{\"Statement\":[{{\"Action\":[{actions}],\"Effect\":\"Allow\",\"Resource\":\"*\"}}],\"Version\":\"2012-10-17\"}}"
                )),
            ),
        ])
    };
    let mut change = change(
        address,
        Action::Update,
        object("\"dynamodb:GetItem\""),
        object("\"dynamodb:GetItem\",\"dynamodb:Query\",\"sqs:SendMessage\""),
    );
    change.reasons = vec![reason(
        "inline_policy",
        "modules/service/role.tf:5",
        "aws_sqs_queue.work is created",
    )];
    change
}

fn parameter(address: &str, id: &str) -> ResourceChange {
    let object = |value: &str, version: i64| {
        Value::object([
            ("id", text(format!("/shop/{id}/token"))),
            ("name", text(format!("/shop/{id}/token"))),
            ("type", text("SecureString")),
            ("value", text(format!("{value}-{id}")).sensitive()),
            ("version", Value::int(version)),
        ])
    };
    change(
        address,
        Action::Update,
        object("token-of-yesterday", 3),
        object("token-of-today", 4),
    )
}

fn bucket(address: &str, service: &str, id: &str) -> ResourceChange {
    change(
        address,
        Action::Create,
        Value::NULL,
        Value::object([
            ("bucket", text(format!("shop-{id}-files"))),
            ("force_destroy", Value::FALSE),
            ("id", unknown()),
            ("policy", text("one statement\nover several lines\nof text")),
            ("tags", tags(service, "4711")),
        ]),
    )
}

fn alarm(address: &str, id: &str) -> ResourceChange {
    let object = |threshold: i64, periods: &[i64]| {
        Value::object([
            ("id", text(format!("{id}-errors"))),
            ("threshold", Value::int(threshold)),
            (
                "periods",
                Value::list(
                    Type::Number,
                    periods.iter().map(|period| Value::int(*period)),
                ),
            ),
        ])
    };
    let mut change = change(
        address,
        Action::Update,
        object(5, &[60, 300]),
        object(2, &[60, 120, 300]),
    );
    change.reasons = vec![reason(
        "threshold",
        "modules/service/alarms.tf:9",
        "changed in the configuration",
    )];
    change
}

fn rule(address: &str, id: &str) -> ResourceChange {
    change(
        address,
        Action::Create,
        Value::NULL,
        Value::object([
            (
                "cidr_blocks",
                Value::list(Type::String, [text("10.0.0.0/16")]),
            ),
            ("description", text(format!("{id} to its table"))),
            ("from_port", Value::int(443)),
            ("id", unknown()),
            ("to_port", Value::int(443)),
        ]),
    )
}

/// What a resource of the shop depends on, by its type.
fn behind(address: &AbsResourceInstance) -> Arc<[ConfigResource]> {
    let service = "module.service[\"x\"]";
    let names: &[&str] = match &**address.type_name() {
        "aws_lambda_function" => &[
            "aws_dynamodb_table.records",
            "aws_iam_role.handler",
            "aws_s3_bucket.files",
            "aws_sqs_queue.work",
        ],
        "aws_iam_role" => &["aws_sqs_queue.work", "aws_dynamodb_table.records"],
        "aws_cloudwatch_metric_alarm" | "aws_cloudwatch_log_group" => &[
            "aws_dynamodb_table.records",
            "aws_iam_role.handler",
            "aws_lambda_function.handler",
            "aws_s3_bucket.files",
            "aws_sqs_queue.work",
        ],
        "aws_security_group_rule" => &["aws_lambda_function.handler"],
        _ => &[],
    };
    names
        .iter()
        .map(|name| {
            let instance: AbsResourceInstance = format!("{service}.{name}").parse().unwrap();
            instance.resource.config()
        })
        .collect()
}

/// The run of a plan.
fn run_of(plan: &Plan, digest: PlanDigest) -> Run {
    Run {
        id: digest.short(),
        plan: digest,
        configuration: String::new(),
        environment: plan.inputs.environment.clone(),
        workspace: "prd".into(),
        mode: "normal".into(),
        status: RunStatus::Planned,
        actor: "ann".into(),
        commit: plan.inputs.request.commit.clone(),
        version: "0.1.0".into(),
        created: "2026-11-20T09:12:44.118Z".into(),
        finished: None,
        counts: RunCounts::of(plan),
        message: None,
        change: String::new(),
        reason: None,
        statements: plan.inputs.request.statements.clone(),
    }
}

/// A gate that has one of two approvals.
fn shop_gate(plan: &Plan, run: &str) -> GateState {
    let risky = plan
        .changes
        .iter()
        .filter(|change| change.action.is_replace());
    GateState {
        environment: "prd".into(),
        kind: "normal".into(),
        is_over: false,
        asks: vec![
            "2 approvals by people other than the author".into(),
            "of role \"infra-lead\" at least 1".into(),
            "the environment before has run the same without drift for 24 hours".into(),
            "applied within mon, tue, wed, thu 08:00 to 16:00 (Europe/Berlin)".into(),
        ],
        authors: vec!["ann (key SHA256:m1Q9v0Zb4yT7r2sW8eXk6cLp3nHdUaJfGiOzYtRqEwM)".into()],
        missing: vec![
            Missing {
                reason: "It needs 2 approvals by people other than its author, and has 1: by ben.".into(),
                remedy: Some(format!(
                    "people other than its author run `terrace approve -env=prd -key=FILE {run}`"
                )),
            },
            Missing {
                reason: "Someone of role \"infra-lead\" must approve it: cem. The risk \"data\" asks for that.".into(),
                remedy: Some(format!("cem runs `terrace approve -env=prd -key=FILE {run}`")),
            },
        ],
        approvals: vec![Approval {
            person: "ben".into(),
            fingerprint: "SHA256:2vJx0mJmU0wq3k1fP9C3hT8qk0n5sYb7c1dRzE4uLQk".into(),
            signed: "2026-11-20T10:02:10Z".into(),
            expires: Some("2026-11-23T10:02:10Z".into()),
            comment: "Tried the replacement in stg, replica holds.".into(),
            counts: true,
        }],
        risks: vec![(
            "data".into(),
            risky.map(|change| format!("{} (replace)", change.address)).collect(),
        )],
    }
}

/// What some policies say of it.
fn shop_policies() -> Vec<PolicyOutcome> {
    let outcome = |policy: &str, level: &str, verdict, message: &str| PolicyOutcome {
        policy: policy.into(),
        level: level.into(),
        verdict,
        message: message.into(),
    };
    vec![
        outcome("encryption", "mandatory", PolicyVerdict::Passed, ""),
        outcome(
            "least privilege",
            "advisory",
            PolicyVerdict::Warned,
            "25 roles allow actions on every resource (\"*\").",
        ),
        outcome("tags", "mandatory", PolicyVerdict::Passed, ""),
    ]
}

/// The page of a plan, as a run of the shop that waits for approvals.
pub fn rendered(plan: &Plan) -> Rendered {
    let digest = plan.digest();
    let run = run_of(plan, digest);
    let page = RunPage {
        plan,
        digest,
        run: Some(&run),
        stack: Some("storefront".to_owned()),
        gate: Some(shop_gate(plan, &run.id)),
        policies: shop_policies(),
        version: "0.1.0",
    };
    page.render()
}
