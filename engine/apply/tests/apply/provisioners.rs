//! Provisioners on other machines.

use std::sync::Arc;

use terrace_apply::Stop;
use terrace_plan::PlanMode;
use terrace_state::ObjectStatus;

use crate::world::{World, messages};

fn resource(provisioner: &str) -> String {
    format!(
        r#"resource "fake_thing" "a" {{
  name   = "a"
  secret = "hush"
  connection {{
    host = "h"
    user = "everyone"
  }}
  {provisioner}
}}
"#
    )
}

#[test]
fn a_provisioners_connection_lies_over_its_resources() {
    let world = World::new();
    let text = resource(
        r#"provisioner "remote-exec" {
    inline = ["one ${self.id}", "two"]
  }
  provisioner "file" {
    content     = "text"
    destination = "/d"
    connection {
      user = "root"
    }
  }
  provisioner "remote-exec" {
    when   = destroy
    script = "bye ${self.name}"
  }"#,
    );
    let applied = world.apply(&text);
    assert_eq!(messages(&applied.diagnostics), Vec::<String>::new());
    let ran = || std::mem::take(&mut *world.commands.lock().unwrap());
    assert_eq!(ran(), ["everyone@h one object-1\ntwo", "root@h text > /d"]);
    let events = world.events();
    for line in ["Connecting...", "  Host: h"] {
        assert!(
            events.contains(&format!("output fake_thing.a {line}")),
            "{events:?}"
        );
    }
    world.apply_in(&text, PlanMode::Destroy);
    assert_eq!(ran(), ["everyone@h path bye a"]);
}

#[test]
fn what_fails_there_taints_and_shows_no_secrets() {
    let world = World::new();
    let applied = world.apply(&resource(
        r#"provisioner "remote-exec" {
    inline = ["fail ${self.secret}"]
  }"#,
    ));
    assert_eq!(
        messages(&applied.diagnostics),
        ["remote-exec provisioner error: error executing: status 3"]
    );
    let object = world
        .stored()
        .object(&"fake_thing.a".parse().unwrap())
        .cloned();
    assert_eq!(object.unwrap().status, ObjectStatus::Tainted);
    let events = world.events();
    assert!(events.contains(
        &"output fake_thing.a (output suppressed due to sensitive value in config)".to_owned()
    ));
    assert!(!events.iter().any(|event| event.contains("Connecting")));
}

#[test]
fn without_a_connection_nothing_is_tried() {
    let world = World::new();
    let applied = world.apply(
        r#"resource "fake_thing" "a" {
  name = "a"
  provisioner "file" {
    content     = "x"
    destination = "/d"
  }
}
"#,
    );
    let said = messages(&applied.diagnostics);
    assert!(
        said[0].starts_with(
            "file provisioner error: Missing connection configuration for provisioner."
        ),
        "{said:?}"
    );
    assert!(world.commands.lock().unwrap().is_empty());
}

#[test]
fn a_request_to_stop_ends_what_runs_there() {
    let world = World::new();
    let text = resource(
        r#"provisioner "remote-exec" {
    inline     = ["hang"]
    on_failure = continue
  }
  provisioner "remote-exec" {
    inline = ["never"]
  }"#,
    );
    let stop = Arc::new(Stop::default());
    let work = async {
        let plan = world.plan(&text, PlanMode::Normal).await;
        let asks = async {
            stop.request();
        };
        futures::join!(world.run(plan, &stop), asks).0
    };
    let applied = futures::executor::block_on(work);
    let said = messages(&applied.diagnostics);
    assert!(
        said.iter()
            .any(|said| said.starts_with("remote-exec provisioner error: interrupted")),
        "{said:?}"
    );
    assert_eq!(*world.commands.lock().unwrap(), ["everyone@h hang"]);
    let object = world
        .stored()
        .object(&"fake_thing.a".parse().unwrap())
        .cloned();
    assert_eq!(object.unwrap().status, ObjectStatus::Tainted);
}
