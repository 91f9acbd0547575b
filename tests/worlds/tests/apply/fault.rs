//! Providers that fail, die, and speak nonsense in the middle of an apply.

use crate::laboratory::{FORTY, Lab, N_OBJECTS};

#[test]
fn a_failed_creation_leaves_the_rest_in_the_state() {
    let mut lab = Lab::new("local", FORTY);
    lab.script("create:base-3=fail;create:middle-7=fail");
    lab.apply()
        .fails(1)
        .says("Failed as told")
        .says("test_object.base[3]")
        .says("test_object.middle[7]");
    lab.state_is_the_world();
    let n = lab.objects().len();
    assert!((20..N_OBJECTS).contains(&n), "{n} objects are there");
    lab.script("");
    lab.apply().success();
    lab.nothing_was_created_twice();
    lab.state_is_the_world();
    lab.is_done(&[]);
}

#[test]
fn what_is_gone_leaves_the_state_though_nothing_is_left_to_do() {
    let lab = Lab::new("local", FORTY);
    lab.apply().success();
    for id in lab.ids_in_state() {
        lab.lose(&id);
    }
    lab.project
        .terrace(&["destroy", "-auto-approve"])
        .success()
        .says("0 destroyed");
    assert_eq!(lab.ids_in_state(), Vec::<String>::new());
}

#[test]
fn an_object_that_was_made_but_not_whole_is_tainted_and_replaced() {
    let mut lab = Lab::new("embedded", FORTY);
    lab.script("create:base-3=fail-after");
    lab.apply().fails(1).says("Failed as told");
    lab.state_is_the_world();
    lab.script("");
    lab.project
        .terrace(&["plan"])
        .success()
        .says("test_object.base[3] is tainted, so must be replaced");
    lab.apply().success();
    lab.state_is_the_world();
    lab.nothing_is_there_twice();
    lab.is_done(&[]);
}

#[test]
fn a_provider_that_dies_loses_nothing() {
    for (backend, script) in [
        ("local", "create:12=crash"),
        ("embedded", "create:12=crash-after"),
    ] {
        let mut lab = Lab::new(backend, FORTY);
        lab.script(&format!("{script};create=delay-after 20"));
        lab.apply().fails(1);
        lab.settle();
        lab.script("");
        let uncertain = lab.recover();
        assert!(
            uncertain <= crate::laboratory::PARALLELISM,
            "{uncertain} objects are uncertain"
        );
        lab.state_is_the_world();
        lab.apply().success();
        lab.nothing_was_created_twice();
        lab.state_is_the_world();
        lab.is_done(&[]);
    }
}

#[test]
fn a_dead_provider_is_asked_for_nothing_more() {
    let mut lab = Lab::new("local", FORTY);
    lab.script("create:3=crash");
    let apply = ["apply", "-auto-approve", "-parallelism=3"];
    lab.project.terrace(&apply).fails(1);
    lab.settle();
    lab.script("");
    let uncertain = lab.recover();
    assert!(
        (1..=3).contains(&uncertain),
        "{uncertain} objects are uncertain, and 3 were in flight"
    );
    lab.state_is_the_world();
    lab.apply().success();
    lab.nothing_was_created_twice();
    lab.state_is_the_world();
}

#[test]
fn an_answer_of_nonsense_is_no_object() {
    let mut lab = Lab::new("local", FORTY);
    lab.script("create:top-4=nonsense");
    lab.apply().fails(1).says("test_object.top[4]");
    // The object is there, and what it is was not understood.
    lab.script("");
    lab.recover();
    lab.state_is_the_world();
}
