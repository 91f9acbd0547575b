//! A plan with everything in it that a plan can hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_addr::{DeposedKey, ProviderAddr};
use terrace_config::{Snapshot, SnapshotFile};
use terrace_plan::{
    Action, ActionReason, ChangeRequest, ExecGraph, FileRead, Importing, Op, OpKind, OutputChange,
    Plan, PlanInputs, PlanMode, PlannedProvider, Reason, RelevantAttribute, ResourceChange,
    UsedOutput, VariableInput,
};
use terrace_schema::{
    Attribute, AttributeType, Block, BlockNesting, NestedBlock, NestedObject, Nesting,
    ProviderSchema, ResourceSchema, SchemaTable,
};
use terrace_state::{CheckResult, CheckStatus, ObjectCheckResult, State};
use terrace_value::{Marks, Number, Path, Refinements, Text, Type, Value};

const PROVIDER: &str = "provider[\"registry.terraform.io/hashicorp/test\"]";

/// A state of one resource with one object.
pub(crate) fn state(serial: u64) -> State {
    let text = format!(
        r#"{{"version":4,"terraform_version":"1.11.4","serial":{serial},"lineage":"line",
        "outputs":{{"url":{{"value":"http://a","type":"string"}}}},
        "resources":[{{"mode":"managed","type":"test_object","name":"a","provider":"{}",
        "instances":[{{"schema_version":1,"attributes":{{"id":"i","name":"old"}},"private":"cHJpdmF0ZQ=="}}]}}],
        "check_results":null}}"#,
        PROVIDER.replace('"', "\\\"")
    );
    terrace_state::read(text.as_bytes()).expect("a state")
}

fn schema() -> Arc<ProviderSchema> {
    let nested = |nesting| Attribute {
        ty: AttributeType::Nested(NestedObject {
            attributes: BTreeMap::from([
                ("size".into(), Attribute::optional(Type::Number)),
                (
                    "secret".into(),
                    Attribute {
                        sensitive: true,
                        ..Attribute::optional(Type::String)
                    },
                ),
            ]),
            nesting,
        }),
        ..Attribute::optional(Type::Dynamic)
    };
    let block = |nesting| NestedBlock {
        block: Block {
            attributes: BTreeMap::from([("port".into(), Attribute::required(Type::Number))]),
            ..Block::default()
        },
        nesting,
        min_items: 0,
        max_items: 2,
    };
    let object = Block {
        attributes: BTreeMap::from([
            ("id".into(), Attribute::computed(Type::String)),
            ("name".into(), Attribute::required(Type::String)),
            (
                "token".into(),
                Attribute {
                    write_only: true,
                    deprecated: true,
                    ..Attribute::optional(Type::String)
                },
            ),
            ("anything".into(), Attribute::optional(Type::Dynamic)),
            ("single".into(), nested(Nesting::Single)),
            ("list".into(), nested(Nesting::List)),
            ("set".into(), nested(Nesting::Set)),
            ("map".into(), nested(Nesting::Map)),
        ]),
        blocks: BTreeMap::from([
            ("b_single".into(), block(BlockNesting::Single)),
            ("b_group".into(), block(BlockNesting::Group)),
            ("b_list".into(), block(BlockNesting::List)),
            ("b_set".into(), block(BlockNesting::Set)),
            ("b_map".into(), block(BlockNesting::Map)),
        ]),
        ..Block::default()
    };
    Arc::new(ProviderSchema {
        resources: SchemaTable::from([(
            Text::from("test_object"),
            Arc::new(ResourceSchema {
                version: 1,
                block: object,
            }),
        )]),
        data_sources: SchemaTable::from([(
            Text::from("test_data"),
            Arc::new(ResourceSchema::default()),
        )]),
        ..ProviderSchema::default()
    })
}

pub(crate) fn change(address: &str, action: Action, before: Value, after: Value) -> ResourceChange {
    ResourceChange {
        address: address.parse().expect("an address"),
        previous_address: None,
        deposed: None,
        provider: PROVIDER.parse().expect("a provider configuration"),
        action,
        action_reason: ActionReason::None,
        before,
        after,
        replace_paths: Vec::new(),
        private: Arc::default(),
        identity: None,
        importing: None,
        generated_config: None,
        schema_version: 1,
        create_before_destroy: false,
        dependencies: Arc::default(),
        reasons: Vec::new(),
    }
}

/// Every kind of value, marked and unknown in many places.
pub(crate) fn values() -> Value {
    let element = Type::object([("port", Type::Number), ("name", Type::String)]);
    let item = |port: i64, name: Value| Value::object([("port", Value::int(port)), ("name", name)]);
    Value::object([
        (
            "id",
            Value::unknown_refined(Type::String, Refinements::not_null()),
        ),
        ("name", Value::string("new \u{1f980} \"x\"\n")),
        ("secret", Value::string("hush").sensitive()),
        ("passing", Value::string("by").with_marks(Marks::EPHEMERAL)),
        (
            "both",
            Value::TRUE.with_marks(Marks::SENSITIVE.union(Marks::EPHEMERAL)),
        ),
        ("typed_null", Value::null(Type::list(Type::Bool))),
        ("null", Value::NULL),
        ("later", Value::unknown(Type::map(Type::Number))),
        ("anything", Value::dynamic()),
        (
            "exact",
            Value::number(
                Number::parse("0.1234567890123456789012345678901234567890").expect("a number"),
            ),
        ),
        (
            "list",
            Value::list(
                Type::String,
                [Value::string("a").sensitive(), Value::unknown(Type::String)],
            ),
        ),
        ("empty", Value::list(element.clone(), [])),
        (
            "set",
            Value::set(
                element,
                [
                    item(1, Value::string("x")),
                    item(2, Value::unknown(Type::String)),
                ],
            ),
        ),
        (
            "tuple",
            Value::tuple([Value::int(1), Value::string("s"), Value::FALSE]),
        ),
        (
            "map",
            Value::map(
                Type::String,
                [
                    ("k.e\"y", Value::string("v").sensitive()),
                    ("", Value::string("")),
                ],
            ),
        ),
    ])
}

fn changes() -> Vec<ResourceChange> {
    let element = Value::object([("port", Value::int(1)), ("name", Value::string("x"))]);
    let mut replaced = change(
        "test_object.a",
        Action::CreateThenDelete,
        Value::object([("id", Value::string("i")), ("name", Value::string("old"))]),
        values(),
    );
    replaced.action_reason = ActionReason::ReplaceBecauseCannotUpdate;
    replaced.previous_address = Some(
        "module.m[\"k\"].test_object.b[3]"
            .parse()
            .expect("an address"),
    );
    replaced.create_before_destroy = true;
    replaced.private = b"\x00private\xff"[..].into();
    replaced.dependencies = ["test_object.z"
        .parse::<terrace_addr::AbsResource>()
        .expect("a resource")
        .config()]
    .into();
    replaced.replace_paths = vec![
        Path::root().attribute("name"),
        Path::root().attribute("list").index(Value::int(0)),
        Path::root().attribute("map").index(Value::string("k.e\"y")),
        Path::root()
            .attribute("set")
            .index(element)
            .attribute("port"),
    ];
    replaced.reasons = vec![Reason {
        attribute: ".name".into(),
        place: "main.tf:4".into(),
        cause: "var.name changed".into(),
    }];
    let mut deposed = change("test_object.a", Action::Delete, values(), Value::NULL);
    deposed.deposed = Some(DeposedKey("0a1b2c3d".into()));
    let mut imported = change(
        "module.m[\"k\"].test_object.c[0]",
        Action::NoOp,
        values(),
        values(),
    );
    imported.importing = Some(Importing {
        id: Some("i-1".into()),
        identity: None,
    });
    imported.generated_config = Some("resource \"x\" \"y\" {}\n".into());
    let mut unknown_import = change("test_object.d", Action::Create, Value::NULL, values());
    unknown_import.importing = Some(Importing {
        id: None,
        identity: Some(Value::object([("id", Value::string("i-2"))])),
    });
    let mut read = change(
        "data.test_data.e",
        Action::Read,
        Value::NULL,
        Value::dynamic(),
    );
    read.action_reason = ActionReason::ReadBecauseConfigUnknown;
    vec![replaced, deposed, imported, unknown_import, read]
}

fn inputs() -> PlanInputs {
    let file = |path: &str, bytes: &[u8]| SnapshotFile {
        path: path.into(),
        bytes: bytes.into(),
    };
    PlanInputs {
        configuration: Arc::new(Snapshot {
            modules: BTreeMap::from([
                (String::new(), ".".to_owned()),
                ("m".to_owned(), "modules/m".to_owned()),
            ]),
            files: vec![
                file("main.tf", b"variable \"name\" {}\n"),
                file("modules/m/odd.tf", b"\xff\xfe not utf-8"),
            ],
        }),
        variables: BTreeMap::from([
            (
                "name".into(),
                VariableInput {
                    value: Some(Value::string("new").sensitive()),
                    set: true,
                },
            ),
            (
                "session".into(),
                VariableInput {
                    value: None,
                    set: true,
                },
            ),
        ]),
        files: vec![
            FileRead {
                path: "templates/a.tpl".into(),
                content: Some(b"text"[..].into()),
            },
            FileRead {
                path: "logo.png".into(),
                content: Some(b"\x89PNG"[..].into()),
            },
            FileRead {
                path: "missing".into(),
                content: None,
            },
        ],
        providers: vec![PlannedProvider {
            provider: ProviderAddr::default_for("test"),
            version: "1.2.3".into(),
            hash: "h1:abc=".into(),
        }],
        workspace: "default".into(),
        environment: Some("prd".into()),
        targets: vec!["module.m".parse().expect("a target")],
        replace: vec!["test_object.a".parse().expect("an address")],
        timestamp: "2026-01-02T03:04:05Z".into(),
        working_directory: Some("stacks/web".into()),
        request: ChangeRequest {
            kind: "emergency".into(),
            reason: Some("the shop is down".into()),
            statements: BTreeMap::from([("purpose".to_owned(), "to sell again".to_owned())]),
            commit: Some("0f1e2d".into()),
            rules: Some("ab12".into()),
        },
        upstream: vec![UsedOutput {
            variable: "name".into(),
            stack: "stacks/network".into(),
            output: "vpc_id".into(),
            run: "3f9c01ab77de".into(),
            document: "00ff".into(),
        }],
    }
}

fn exec() -> ExecGraph {
    let ephemeral = || {
        let address = "module.m[\"k\"].ephemeral.test_session.s[0]";
        address.parse().expect("an address")
    };
    let provider = || PROVIDER.parse().expect("a provider configuration");
    let op = |kind, after: &[u32]| Op {
        kind,
        after: after.to_vec(),
    };
    ExecGraph {
        ops: vec![
            op(OpKind::OpenProvider(provider()), &[]),
            op(OpKind::Create { change: 0 }, &[0]),
            op(OpKind::Delete { change: 0 }, &[1]),
            op(OpKind::Delete { change: 1 }, &[0]),
            op(OpKind::Record { change: 2 }, &[]),
            op(OpKind::Update { change: 3 }, &[0, 1]),
            op(OpKind::Forget { change: 2 }, &[]),
            op(OpKind::Read { change: 4 }, &[5]),
            op(OpKind::Join, &[5, 7]),
            op(
                OpKind::Check {
                    address: "check.health".into(),
                },
                &[8],
            ),
            op(OpKind::Outputs, &[8]),
            op(OpKind::CloseProvider(provider()), &[2, 3, 5, 7, 13]),
            op(
                OpKind::OpenEphemeral {
                    address: ephemeral(),
                    provider: provider(),
                },
                &[0],
            ),
            op(
                OpKind::CloseEphemeral {
                    address: ephemeral(),
                },
                &[5, 12],
            ),
        ],
    }
}

/// The plan.
pub(crate) fn plan() -> Plan {
    Plan {
        mode: PlanMode::Normal,
        inputs: inputs(),
        previous_state: Arc::new(state(3)),
        prior_state: Arc::new(state(4)),
        changes: changes(),
        drift: vec![change(
            "test_object.a",
            Action::Update,
            values(),
            Value::NULL,
        )],
        outputs: BTreeMap::from([(
            "url".into(),
            OutputChange {
                action: Action::Update,
                before: Value::string("http://a"),
                after: Value::unknown(Type::String).sensitive(),
                sensitive: true,
            },
        )]),
        exec: exec(),
        checks: vec![CheckResult {
            kind: "check".into(),
            config_address: "check.health".into(),
            status: CheckStatus::Fail,
            objects: vec![ObjectCheckResult {
                address: "check.health".into(),
                status: CheckStatus::Unknown,
                failures: vec!["it is down".into()],
            }],
        }],
        relevant_attributes: vec![RelevantAttribute {
            resource: "test_object.a".into(),
            attribute: Path::root().attribute("list").index(Value::int(0)),
        }],
        schemas: BTreeMap::from([(ProviderAddr::default_for("test"), schema())]),
        errored: false,
    }
}
