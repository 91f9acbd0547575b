//! `check` blocks with data of their own.

use terrace_state::CheckStatus;

use crate::world::{World, changes, told};

#[tokio::test(start_paused = true)]
async fn what_fails_is_a_warning() {
    let world = World::new();
    let text = r#"
check "health" {
  data "test_data" "d" {
    object_id = "nowhere"
  }
  assert {
    condition     = data.test_data.d.output == "x"
    error_message = "it is not x"
  }
}
resource "test_object" "a" {
  string = "a"
}
"#;
    let planned = world.plan(text).await;
    assert!(
        !planned.diagnostics.has_errors(),
        "{:?}",
        told(&planned.diagnostics)
    );
    let said = told(&planned.diagnostics);
    assert!(
        said.iter()
            .any(|said| said.starts_with("Object not found: ")),
        "{said:?}"
    );
    let applied = world.run(planned.plan).await;
    assert!(!applied.diagnostics.has_errors());
    let results = world.state().check_results.unwrap();
    assert_eq!(results[0].status, CheckStatus::Fail);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_is_judged_when_applied() {
    let world = World::new();
    let text = r#"
resource "test_object" "a" {
  string = "a"
}
check "health" {
  data "test_data" "d" {
    object_id = test_object.a.id
  }
  assert {
    condition     = data.test_data.d.output == "WANTED"
    error_message = "it is ${data.test_data.d.output}"
  }
}
"#;
    for (wanted, status, warnings) in [("a", CheckStatus::Pass, 0), ("b", CheckStatus::Fail, 1)] {
        let text = text.replace("WANTED", wanted);
        let plan = world.planned(&text).await;
        assert_eq!(
            plan.checks[0].status,
            if changes(&plan).len() > 1 {
                CheckStatus::Unknown
            } else {
                status
            }
        );
        let applied = world.run(plan).await;
        assert!(!applied.diagnostics.has_errors());
        let said = told(&applied.diagnostics);
        assert_eq!(said.len(), warnings, "{said:?}");
        let results = world.state().check_results.unwrap();
        assert_eq!(results[0].status, status);
        world.calm();
    }
}
