//! Plans as people read them. A case is a small plan, and its whole text.
// size: one case for each way in which a plan shows a change, each with its whole text

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use terrace_addr::{DeposedKey, ProviderAddr};
use terrace_plan::{
    Action, ActionReason, ExecGraph, Importing, OutputChange, Plan, PlanInputs, PlanMode, Reason,
    RelevantAttribute, ResourceChange, VariableInput,
};
use terrace_schema::{
    Attribute, Block, BlockNesting, NestedBlock, ProviderSchema, ResourceSchema, SchemaTable,
};
use terrace_state::State;
use terrace_value::{Path, Text, Type, Value};

use super::render;
use crate::view::style::Style;

const PROVIDER: &str = "provider[\"registry.terraform.io/hashicorp/test\"]";

fn change(address: &str, action: Action, before: Value, after: Value) -> ResourceChange {
    ResourceChange {
        address: address.parse().unwrap(),
        previous_address: None,
        deposed: None,
        provider: PROVIDER.parse().unwrap(),
        action,
        action_reason: ActionReason::None,
        before,
        after,
        replace_paths: Vec::new(),
        private: Arc::default(),
        identity: None,
        importing: None,
        generated_config: None,
        schema_version: 0,
        create_before_destroy: false,
        dependencies: Arc::default(),
        reasons: Vec::new(),
    }
}

fn nested(nesting: BlockNesting) -> NestedBlock {
    NestedBlock {
        block: Block {
            attributes: BTreeMap::from([
                ("port".into(), Attribute::required(Type::Number)),
                ("text".into(), Attribute::optional(Type::String)),
            ]),
            ..Block::default()
        },
        nesting,
        min_items: 0,
        max_items: 0,
    }
}

fn schema() -> Arc<ProviderSchema> {
    let member = Type::object([("a", Type::Number), ("b", Type::String)]);
    let block = Block {
        attributes: BTreeMap::from([
            ("id".into(), Attribute::computed(Type::String)),
            ("name".into(), Attribute::required(Type::String)),
            ("size".into(), Attribute::optional(Type::Number)),
            ("document".into(), Attribute::optional(Type::String)),
            ("tags".into(), Attribute::optional(Type::map(Type::String))),
            (
                "items".into(),
                Attribute::optional(Type::list(Type::String)),
            ),
            ("group".into(), Attribute::optional(Type::set(Type::String))),
            ("member".into(), Attribute::optional(member)),
            ("anything".into(), Attribute::optional(Type::Dynamic)),
        ]),
        blocks: BTreeMap::from([
            ("rule".into(), nested(BlockNesting::List)),
            ("label".into(), nested(BlockNesting::Map)),
            ("peer".into(), nested(BlockNesting::Set)),
            ("timeouts".into(), nested(BlockNesting::Single)),
        ]),
        ..Block::default()
    };
    Arc::new(ProviderSchema {
        resources: SchemaTable::from([(
            Text::from("test_object"),
            Arc::new(ResourceSchema { version: 0, block }),
        )]),
        data_sources: SchemaTable::from([(Text::from("test_data"), Arc::default())]),
        ..ProviderSchema::default()
    })
}

fn plan(changes: Vec<ResourceChange>) -> Plan {
    let state = Arc::new(State::default());
    Plan {
        mode: PlanMode::Normal,
        inputs: PlanInputs::default(),
        previous_state: state.clone(),
        prior_state: state,
        changes,
        drift: Vec::new(),
        outputs: BTreeMap::new(),
        exec: ExecGraph::default(),
        checks: Vec::new(),
        relevant_attributes: Vec::new(),
        schemas: BTreeMap::from([(ProviderAddr::default_for("test"), schema())]),
        errored: false,
    }
}

fn text(plan: &Plan) -> String {
    let text = render(plan, &crate::view::View::plain());
    for line in text.lines() {
        // Titles are as long as their addresses.
        assert!(
            line.starts_with("  # ") || line.chars().count() <= 80,
            "{line}"
        );
        assert_eq!(line, line.trim_end());
    }
    text
}

/// The text of one change, without what every plan says.
fn shown(change: ResourceChange) -> String {
    let text = text(&plan(vec![change]));
    let begin = text.find("  # ").unwrap();
    let end = text.find("\nPlan: ").unwrap();
    text[begin..end].trim_end().to_owned()
}

fn object<const N: usize>(attributes: [(&str, Value); N]) -> Value {
    Value::object(attributes)
}

fn string(text: &str) -> Value {
    Value::string(text)
}

fn unknown() -> Value {
    Value::unknown(Type::String)
}

fn strings<const N: usize>(items: [&str; N]) -> Value {
    Value::list(Type::String, items.map(Value::string))
}

/// An update of one attribute.
fn updated(name: &str, before: Value, after: Value) -> String {
    let object = |value| {
        object([
            ("id", string("i-1")),
            ("size", Value::int(1)),
            (name, value),
        ])
    };
    shown(change(
        "test_object.a",
        Action::Update,
        object(before),
        object(after),
    ))
}

#[test]
fn a_whole_plan() {
    let mut plan = plan(vec![
        change(
            "test_object.a",
            Action::Create,
            Value::NULL,
            object([("id", unknown()), ("name", string("new"))]),
        ),
        change(
            "test_object.b",
            Action::Update,
            object([("id", string("b")), ("size", Value::int(1))]),
            object([("id", string("b")), ("size", Value::int(2))]),
        ),
        change(
            "test_object.c",
            Action::Delete,
            object([("id", string("c"))]),
            Value::NULL,
        ),
        change(
            "test_object.d",
            Action::NoOp,
            object([("id", string("d"))]),
            object([("id", string("d"))]),
        ),
    ]);
    plan.changes[2].action_reason = ActionReason::DeleteBecauseNoResourceConfig;
    plan.outputs.insert(
        "url".into(),
        OutputChange {
            action: Action::Create,
            before: Value::NULL,
            after: unknown(),
            sensitive: false,
        },
    );
    assert_snapshot!(text(&plan), @r##"
        Terrace used the selected providers to generate the following execution
        plan. Resource actions are indicated with the following symbols:
          + create
          ~ update in-place
          - destroy

        Terrace will perform the following actions:

          # test_object.a will be created
          + resource "test_object" "a" {
              + id   = (known after apply)
              + name = "new"
            }

          # test_object.b will be updated in-place
          ~ resource "test_object" "b" {
                id   = "b"
              ~ size = 1 -> 2
            }

          # test_object.c will be destroyed
          # (because test_object.c is not in configuration)
          - resource "test_object" "c" {
              - id = "c" -> null
            }

        Plan: 1 to add, 1 to change, 1 to destroy.

        Changes to Outputs:
          + url = (known after apply)
        "##);
}

#[test]
fn a_creation_shows_what_is_known() {
    let after = object([
        ("id", unknown()),
        ("name", string("with \"quotes\" and ${braces}")),
        ("size", Value::null(Type::Number)),
        (
            "tags",
            Value::map(Type::String, [("env", string("dev")), ("a b", unknown())]),
        ),
        ("items", strings(["x", "y"])),
        ("group", Value::unknown(Type::set(Type::String))),
        (
            "member",
            object([("a", Value::int(1)), ("b", Value::null(Type::String))]),
        ),
        (
            "anything",
            object([
                ("a", Value::NULL),
                ("b", Value::tuple([Value::TRUE, Value::empty_object()])),
            ]),
        ),
        ("document", string("{\"k\":[1,{\"n\":null}]}")),
    ]);
    assert_snapshot!(shown(change("test_object.a", Action::Create, Value::NULL, after)), @r##"
        # test_object.a will be created
        + resource "test_object" "a" {
            + anything = {
                + a = null
                + b = [
                    + true,
                    + {},
                  ]
              }
            + document = jsonencode(
                  {
                    + k = [
                        + 1,
                        + {
                            + n = null
                          },
                      ]
                  }
              )
            + group    = (known after apply)
            + id       = (known after apply)
            + items    = [
                + "x",
                + "y",
              ]
            + member   = {
                + a = 1
              }
            + name     = "with \"quotes\" and $${braces}"
            + tags     = {
                + "a b" = (known after apply)
                + "env" = "dev"
              }
          }
        "##);
}

#[test]
fn maps_objects_lists_and_sets_show_what_changes() {
    let tags = |entries: [(&str, &str); 2]| {
        Value::map(
            Type::String,
            entries.map(|(key, value)| (key, Value::string(value))),
        )
    };
    assert_snapshot!(updated("tags", tags([("a", "1"), ("b", "2")]), tags([("a", "1"), ("c", "3")])), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
              id   = "i-1"
            ~ tags = {
                - "b" = "2" -> null
                + "c" = "3"
                  # (1 unchanged element hidden)
              }
              # (1 unchanged attribute hidden)
          }
        "##);
    let member = |a: i64, b: &str| object([("a", Value::int(a)), ("b", string(b))]);
    assert_snapshot!(updated("member", member(1, "x"), member(1, "y")), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
              id     = "i-1"
            ~ member = {
                ~ b = "x" -> "y"
                  # (1 unchanged attribute hidden)
              }
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("items", strings(["a", "b", "c", "d", "e"]), strings(["a", "b", "x", "d", "e", "f"])), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
              id    = "i-1"
            ~ items = [
                  # (1 unchanged element hidden)
                  "b",
                ~ "c" -> "x",
                  "d",
                  "e",
                + "f",
              ]
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("items", strings([]), strings(["a"])), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
              id    = "i-1"
            ~ items = [
                + "a",
              ]
              # (1 unchanged attribute hidden)
          }
        "##);
    let set = |items: [&str; 2]| Value::set(Type::String, items.map(Value::string));
    assert_snapshot!(updated("group", set(["a", "b"]), set(["b", "c"])), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ group = [
                - "a",
                + "c",
                  # (1 unchanged element hidden)
              ]
              id    = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("anything", Value::int(5), Value::tuple([Value::int(5)])), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ anything = 5 -> [
                + 5,
              ]
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("anything", Value::tuple([Value::int(5)]), string("x")), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ anything = [
                - 5,
              ] -> "x"
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
}

#[test]
fn values_come_go_and_become_unknown() {
    assert_snapshot!(updated("document", Value::null(Type::String), string("new")), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            + document = "new"
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("document", string("old"), Value::null(Type::String)), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            - document = "old" -> null
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("document", string("old"), unknown()), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ document = "old" -> (known after apply)
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("items", strings(["a"]), Value::unknown(Type::list(Type::String))), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
              id    = "i-1"
            ~ items = [
                - "a",
              ] -> (known after apply)
              # (1 unchanged attribute hidden)
          }
        "##);
}

#[test]
fn texts_of_many_lines_show_the_lines_that_change() {
    let lines = |middle: &str| {
        let text: Vec<String> = (1..20)
            .map(|number| {
                if number == 10 {
                    middle.to_owned()
                } else {
                    format!("line {number}")
                }
            })
            .collect();
        string(&(text.join("\n") + "\n"))
    };
    assert_snapshot!(updated("document", lines("before"), lines("after")), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ document = <<-EOT
                  # (6 unchanged lines hidden)
                  line 7
                  line 8
                  line 9
                - before
                + after
                  line 11
                  line 12
                  line 13
                  # (6 unchanged lines hidden)
              EOT
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("document", string("a\nb"), string("a\nb\n")), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ document = "a\nb" -> "a\nb\n"
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("document", string("a\nb\u{1b}[2J"), string("a\n\u{7}c")), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ document = <<-EOT
                  a
                - b\u{1b}[2J
                + \u{7}c
              EOT
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
}

#[test]
fn documents_in_json_show_what_changes_in_them() {
    assert_snapshot!(
        updated("document", string(r#"{"a":1,"b":[1,2],"c":{"d":"x"}}"#), string(r#"{"a":1,"b":[1,3],"c":{"d":"y","e":null}}"#)),
        @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ document = jsonencode(
                ~ {
                    ~ b = [
                          1,
                        ~ 2 -> 3,
                      ]
                    ~ c = {
                        ~ d = "x" -> "y"
                        + e = null
                      }
                      # (1 unchanged attribute hidden)
                  }
              )
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##
    );
    assert_snapshot!(updated("document", string(r#"{"a": 1}"#), string(r#"{"a":1}"#)), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ document = (the same JSON, written otherwise)
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
    assert_snapshot!(updated("document", string(r#"{"a":1}"#), unknown()), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
            ~ document = jsonencode(
                  {
                    - a = 1
                  }
              ) -> (known after apply)
              id       = "i-1"
              # (1 unchanged attribute hidden)
          }
        "##);
}

#[test]
fn a_replacement_says_what_forces_it_and_why() {
    let mut replaced = change(
        "module.m[\"k\"].test_object.a[0]",
        Action::DeleteThenCreate,
        object([
            ("id", string("i-1")),
            ("name", string("old")),
            ("items", strings(["a"])),
            ("size", Value::int(1)),
        ]),
        object([
            ("id", unknown()),
            ("name", string("new")),
            ("items", strings(["b"])),
            ("size", Value::int(1)),
        ]),
    );
    replaced.replace_paths = vec![
        Path::root().attribute("name"),
        Path::root().attribute("items").index(Value::int(0)),
    ];
    replaced.action_reason = ActionReason::ReplaceBecauseCannotUpdate;
    replaced.reasons = vec![Reason {
        attribute: ".name".into(),
        place: "main.tf:4".into(),
        cause: "var.name changed".into(),
    }];
    assert_snapshot!(shown(replaced.clone()), @r##"
          # module.m["k"].test_object.a[0] must be replaced
          # <- name at main.tf:4: var.name changed
        -/+ resource "test_object" "a" {
              ~ id    = "i-1" -> (known after apply)
              ~ items = [
                  ~ "a" -> "b", # forces replacement
                ]
              ~ name  = "old" -> "new" # forces replacement
                # (1 unchanged attribute hidden)
            }
        "##);
    replaced.action = Action::CreateThenDelete;
    let titles = [
        (
            ActionReason::ReplaceBecauseTainted,
            "is tainted, so must be replaced",
        ),
        (
            ActionReason::ReplaceByRequest,
            "will be replaced, as requested",
        ),
        (
            ActionReason::ReplaceByTriggers,
            "will be replaced due to changes in replace_triggered_by",
        ),
    ];
    for (reason, title) in titles {
        replaced.action_reason = reason;
        let text = shown(replaced.clone());
        assert!(text.lines().next().unwrap().ends_with(title), "{text}");
        assert!(text.contains("+/- resource"), "{text}");
    }
}

#[test]
fn moves_imports_forgets_and_deposed_objects() {
    let still = || object([("id", string("i-1")), ("size", Value::int(1))]);
    let mut moved = change("test_object.b", Action::NoOp, still(), still());
    moved.previous_address = Some("test_object.a".parse().unwrap());
    let mut moved_and_changed = change(
        "test_object.c",
        Action::Update,
        still(),
        object([("id", string("i-1")), ("size", Value::int(2))]),
    );
    moved_and_changed.previous_address = Some("test_object.z".parse().unwrap());
    let mut imported = change("test_object.d", Action::NoOp, still(), still());
    imported.importing = Some(Importing {
        id: Some("i-1".into()),
        identity: None,
    });
    let mut forgotten = change("test_object.e", Action::Forget, still(), Value::NULL);
    forgotten.action_reason = ActionReason::DeleteBecauseNoResourceConfig;
    let mut deposed = change("test_object.f", Action::Delete, still(), Value::NULL);
    deposed.deposed = Some(DeposedKey("0a1b2c3d".into()));
    let mut read = change(
        "data.test_data.g",
        Action::Read,
        Value::NULL,
        object([("id", unknown())]),
    );
    read.action_reason = ActionReason::ReadBecauseDependencyPending;
    assert_snapshot!(text(&plan(vec![moved, moved_and_changed, imported, forgotten, deposed, read])), @r##"
        Terrace used the selected providers to generate the following execution
        plan. Resource actions are indicated with the following symbols:
          ~ update in-place
          - destroy
         <= read (data resources)
          . forget (not destroyed, no longer managed)

        Terrace will perform the following actions:

          # test_object.a has moved to test_object.b
            resource "test_object" "b" {
                id = "i-1"
                # (1 unchanged attribute hidden)
            }

          # test_object.c will be updated in-place
          # (moved from test_object.z)
          ~ resource "test_object" "c" {
                id   = "i-1"
              ~ size = 1 -> 2
            }

          # test_object.d will be imported
          # (imported from "i-1")
            resource "test_object" "d" {
                id = "i-1"
                # (1 unchanged attribute hidden)
            }

          # test_object.e will no longer be managed by Terrace, but will not be destroyed
          # (destroy = false is set in the configuration)
          . resource "test_object" "e" {
                id = "i-1"
                # (1 unchanged attribute hidden)
            }

          # test_object.f (deposed object 0a1b2c3d) will be destroyed
          - resource "test_object" "f" {
              - id   = "i-1" -> null
              - size = 1 -> null
            }

          # data.test_data.g will be read during apply
          # (depends on a resource or a module with changes pending)
         <= data "test_data" "g" {
              + id = (known after apply)
            }

        Plan: 1 to import, 0 to add, 1 to change, 1 to destroy, 1 to forget.
        "##);
}

#[test]
fn every_reason_of_a_destruction_is_told() {
    for (address, reason, expected) in [
        (
            "test_object.a",
            ActionReason::DeleteBecauseNoResourceConfig,
            "because test_object.a is not in configuration",
        ),
        (
            "module.m.test_object.a",
            ActionReason::DeleteBecauseNoModule,
            "because module.m is not in configuration",
        ),
        (
            "test_object.a",
            ActionReason::DeleteBecauseWrongRepetition,
            "because resource uses count or for_each",
        ),
        (
            "test_object.a[0]",
            ActionReason::DeleteBecauseWrongRepetition,
            "because resource does not use count or for_each",
        ),
        (
            "test_object.a[2]",
            ActionReason::DeleteBecauseCountIndex,
            "because index [2] is out of range for count",
        ),
        (
            "test_object.a[\"k\"]",
            ActionReason::DeleteBecauseEachKey,
            "because key [\"k\"] is not in for_each map",
        ),
    ] {
        let mut deleted = change(
            address,
            Action::Delete,
            object([("id", string("i"))]),
            Value::NULL,
        );
        deleted.action_reason = reason;
        let text = shown(deleted);
        assert_eq!(
            text.lines().nth(1),
            Some(format!("  # ({expected})").as_str())
        );
    }
}

#[test]
fn blocks_are_added_removed_and_changed() {
    let rule = |port: i64, text: &str| object([("port", Value::int(port)), ("text", string(text))]);
    let element = Type::object([("port", Type::Number), ("text", Type::String)]);
    let with =
        |rules: Vec<Value>, labels: Vec<(&str, Value)>, peers: Vec<Value>, timeouts: Value| {
            object([
                ("id", string("i-1")),
                ("rule", Value::list(element.clone(), rules)),
                ("label", Value::map(element.clone(), labels)),
                ("peer", Value::set(element.clone(), peers)),
                ("timeouts", timeouts),
            ])
        };
    let before = with(
        vec![rule(1, "same"), rule(2, "old"), rule(3, "gone")],
        vec![("kept", rule(1, "k")), ("gone", rule(2, "g"))],
        vec![rule(1, "p"), rule(2, "p")],
        Value::null(element.clone()),
    );
    let after = with(
        vec![rule(1, "same"), rule(2, "new")],
        vec![("kept", rule(9, "k")), ("new", rule(3, "n"))],
        vec![rule(2, "p"), rule(3, "p")],
        rule(7, "t"),
    );
    let mut changed = change("test_object.a", Action::Update, before, after);
    changed.replace_paths = vec![
        Path::root()
            .attribute("rule")
            .index(Value::int(1))
            .attribute("text"),
    ];
    assert_snapshot!(shown(changed), @r##"
        # test_object.a will be updated in-place
        ~ resource "test_object" "a" {
              id = "i-1"

            - label "gone" {
                - port = 2 -> null
                - text = "g" -> null
              }

            ~ label "kept" {
                ~ port = 1 -> 9
                  # (1 unchanged attribute hidden)
              }

            + label "new" {
                + port = 3
                + text = "n"
              }

            - peer {
                - port = 1 -> null
                - text = "p" -> null
              }

            + peer {
                + port = 3
                + text = "p"
              }

            ~ rule {
                ~ text = "old" -> "new" # forces replacement
                  # (1 unchanged attribute hidden)
              }

            - rule {
                - port = 3 -> null
                - text = "gone" -> null
              }

            + timeouts {
                + port = 7
                + text = "t"
              }

              # (2 unchanged blocks hidden)
          }
        "##);
}

#[test]
fn a_secret_never_shows_not_even_after_passing_through_a_provider() {
    let secret = "correct-horse";
    let before = object([
        ("id", string("i-1")),
        ("name", string("plain")),
        (
            "document",
            string(&format!("{{\"password\":\"{secret}\"}}")),
        ),
        ("items", strings(["a", secret])),
        ("anything", Value::int(48_151_623)),
    ]);
    let after = object([
        ("id", string("i-1")),
        ("name", string(&format!("prefix-{secret}-suffix"))),
        ("document", string("opened").sensitive()),
        ("items", strings([secret])),
        (
            "tags",
            Value::map(Type::String, [("k", string(&format!("x\n{secret}\ny")))]),
        ),
        ("anything", Value::int(1)),
    ]);
    let mut plan = plan(vec![change("test_object.a", Action::Update, before, after)]);
    let variable = |value: Value| VariableInput {
        value: Some(value.sensitive()),
        set: true,
    };
    plan.inputs.variables = BTreeMap::from([
        ("password".into(), variable(string(secret))),
        ("pin".into(), variable(Value::int(48_151_623))),
    ]);
    plan.outputs.insert(
        "password".into(),
        OutputChange {
            action: Action::Update,
            before: string(secret),
            after: string("opened"),
            sensitive: true,
        },
    );
    let text = text(&plan);
    for hidden in [secret, "opened", "48151623"] {
        assert!(!text.contains(hidden), "{text}");
    }
    assert_snapshot!(text[text.find("  # ").unwrap()..], @r##"
          # test_object.a will be updated in-place
          ~ resource "test_object" "a" {
              ~ anything = (sensitive value)
              ~ document = (sensitive value)
                id       = "i-1"
              ~ items    = [
                  - "a",
                    (sensitive value),
                ]
              ~ name     = (sensitive value)
              + tags     = {
                  + "k" = (sensitive value)
                }
            }

        Plan: 0 to add, 1 to change, 0 to destroy.

        Changes to Outputs:
          ~ password = (sensitive value)
        "##);
}

#[test]
fn outputs_alone() {
    let mut plan = plan(Vec::new());
    let output = |action, before, after| OutputChange {
        action,
        before,
        after,
        sensitive: false,
    };
    plan.outputs = BTreeMap::from([
        (
            "gone".into(),
            output(Action::Delete, string("x"), Value::NULL),
        ),
        (
            "map".into(),
            output(
                Action::Create,
                Value::NULL,
                Value::map(
                    Type::Number,
                    [("plain", Value::int(1)), ("a b", Value::int(2))],
                ),
            ),
        ),
        (
            "same".into(),
            output(Action::NoOp, string("x"), string("x")),
        ),
        (
            "text".into(),
            output(Action::Update, string("x"), string("y")),
        ),
    ]);
    assert_snapshot!(text(&plan), @r##"
        Changes to Outputs:
          - gone = "x" -> null
          + map  = {
              + "a b" = 2
              + plain = 1
            }
          ~ text = "x" -> "y"

        You can apply this plan to save these new output values to the Terrace
        state, without changing any real infrastructure.
        "##);
}

#[test]
fn no_changes() {
    let mut plan = plan(Vec::new());
    assert_snapshot!(text(&plan), @r##"
        No changes. Your infrastructure matches the configuration.

        Terrace has compared your real infrastructure against your configuration
        and found no differences, so no changes are needed.
        "##);
    plan.mode = PlanMode::Destroy;
    assert!(text(&plan).starts_with("No changes. No objects need to be destroyed.\n"));
    plan.mode = PlanMode::RefreshOnly;
    assert!(text(&plan).starts_with("No changes. Your infrastructure still matches the state.\n"));
}

#[test]
fn drift_is_told_where_it_matters() {
    let drifted = || {
        vec![
            change(
                "test_object.a",
                Action::Update,
                object([("id", string("i-1")), ("name", string("old"))]),
                object([("id", string("i-1")), ("name", string("other"))]),
            ),
            change(
                "test_object.b",
                Action::Delete,
                object([("id", string("i-2"))]),
                Value::NULL,
            ),
        ]
    };
    let mut only = plan(Vec::new());
    only.mode = PlanMode::RefreshOnly;
    only.drift = drifted();
    assert_snapshot!(text(&only), @r##"
        Note: Objects have changed outside of Terrace

        Terrace found the following changes since the last run:

          # test_object.a has changed
          ~ resource "test_object" "a" {
                id   = "i-1"
              ~ name = "old" -> "other"
            }

          # test_object.b has been deleted
          - resource "test_object" "b" {
              - id = "i-2" -> null
            }

        This is a refresh-only plan, so Terrace will not take any actions to undo
        these. If you apply it, the state will take over what has changed.
        "##);
    let mut aside = plan(Vec::new());
    aside.drift = drifted();
    assert!(
        !text(&aside).contains("outside"),
        "what nothing here comes from is not told"
    );
    aside.relevant_attributes = vec![RelevantAttribute {
        resource: "test_object.a".into(),
        attribute: Path::root().attribute("name"),
    }];
    assert!(text(&aside).contains("# test_object.a has changed"));
}

#[test]
fn colours_are_there_only_where_they_are_asked_for() {
    let plan = plan(vec![change(
        "test_object.a",
        Action::Update,
        object([("id", string("i")), ("document", string("{\"a\":[1]}"))]),
        object([("id", string("i")), ("document", unknown())]),
    )]);
    let coloured = render(
        &plan,
        &crate::view::View {
            style: Style::Ansi,
            ..crate::view::View::plain()
        },
    );
    assert!(coloured.contains("\u{1b}[33m~\u{1b}[0m"));
    let mut plain = coloured;
    for code in ["0", "1", "2", "31", "32", "33", "36"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    let plain: Vec<&str> = plain.lines().map(str::trim_end).collect();
    assert_eq!(plain.join("\n"), text(&plan).trim_end());
}
