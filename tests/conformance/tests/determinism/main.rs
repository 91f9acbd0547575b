//! Planning is a function of its inputs: over the strict provider, with a fixed clock and entropy, two runs give plans
//! of the same bytes, in whatever order the provider's answers arrive.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::executor::block_on;
use terrace_addr::ProviderAddr;
use terrace_config::{Snapshot, SnapshotFile, load_snapshot};
use terrace_eval::{Evaluator, Inputs, Paths};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_plan::{PlanInputs, write_plan_file};
use terrace_planner::{PlanOptions, PlanRequest};
use terrace_port::{Observer, OperationEvent, Provider, ProviderError, ProviderSource};
use terrace_provider_testkit::StrictProvider;
use terrace_state::State;
use terrace_value::Value;

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    test = { source = "registry.terraform.io/terrace/test" }
  }
}

variable "secret" {
  default   = "s3cret"
  sensitive = true
}

locals {
  keys = toset(["c", "a", "b", "e", "d"])
}

resource "test_object" "many" {
  for_each = local.keys
  string   = "${each.key}-${var.secret}"
}

resource "test_object" "counted" {
  count  = 20
  string = count.index % 2 == 0 ? test_object.many["a"].id : "own"
}

resource "test_object" "all" {
  string = join(",", [for object in test_object.many : object.id])
  lifecycle {
    create_before_destroy = true
  }
}

output "ids" {
  value = { for key, object in test_object.many : key => object.id }
}
"#;

fn provider() -> ProviderAddr {
    ProviderAddr::new("registry.terraform.io", "terrace", "test")
}

/// Nothing of the outside: no files, no time, no randomness.
struct Nowhere;

impl Context for Nowhere {
    fn read_file(&self, _: &str) -> Result<Arc<[u8]>, FileError> {
        Err(FileError::NotFound)
    }

    fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
        Ok(Vec::new())
    }

    fn file_exists(&self, _: &str) -> Result<bool, FileError> {
        Ok(false)
    }

    fn absolute_path(&self, path: &str) -> String {
        path.to_owned()
    }

    fn home_directory(&self) -> Option<String> {
        None
    }

    fn timestamp(&self) -> Option<String> {
        None
    }

    fn plan_timestamp(&self) -> Option<String> {
        Some("2026-01-01T00:00:00Z".to_owned())
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}

struct Strict;

#[async_trait]
impl ProviderSource for Strict {
    async fn open(&self, _: &ProviderAddr) -> Result<Arc<dyn Provider>, ProviderError> {
        Ok(Arc::new(StrictProvider::new()))
    }

    fn call_function(
        &self,
        _: &ProviderAddr,
        _: &str,
        _: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        Err((None, "no function is called here".to_owned()))
    }
}

struct Unwatched;

impl terrace_port::Clock for Unwatched {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

impl Observer for Unwatched {
    fn on_event(&self, _: OperationEvent) {}
}

fn plan(parallelism: usize) -> Vec<u8> {
    let snapshot = Snapshot {
        modules: BTreeMap::from([(String::new(), ".".to_owned())]),
        files: vec![SnapshotFile {
            path: "main.tf".to_owned(),
            bytes: CONFIGURATION.as_bytes().into(),
        }],
    };
    let (config, problems) = load_snapshot(&snapshot);
    assert!(!problems.has_errors(), "{problems:#?}");
    let schema = StrictProvider::new().provider_schema().clone();
    let evaluator = Evaluator::new(Inputs {
        config: Arc::new(config),
        functions: Arc::new(FunctionTable::standard()),
        context: Arc::new(Nowhere),
        schemas: Arc::new(BTreeMap::from([(provider(), schema)])),
        variables: BTreeMap::new(),
        workspace: "default".to_owned(),
        paths: Paths {
            cwd: "/".to_owned(),
            root: ".".to_owned(),
        },
        applying: false,
    });
    let request = PlanRequest {
        evaluator: Arc::new(evaluator),
        state: Arc::new(State::default()),
        providers: &Strict,
        options: PlanOptions {
            parallelism,
            ..PlanOptions::default()
        },
        inputs: PlanInputs {
            configuration: Arc::new(snapshot),
            workspace: "default".to_owned(),
            timestamp: "2026-01-01T00:00:00Z".to_owned(),
            ..PlanInputs::default()
        },
        clock: Arc::new(Unwatched),
        observer: Arc::new(Unwatched),
    };
    let (plan, problems) = block_on(terrace_planner::plan(request));
    assert!(!problems.has_errors(), "{problems:#?}");
    assert_eq!(plan.changes.len(), 26);
    write_plan_file(&plan).0
}

#[test]
fn two_planning_runs_give_the_same_bytes() {
    let first = plan(10);
    assert_eq!(first, plan(10));
    assert_eq!(first, plan(1), "however many calls run at once");
}
