//! Ctrl-C once, twice, and SIGTERM.

use std::time::{Duration, Instant};

use terrace_test_support::Running;

use crate::laboratory::{FORTY, Lab, N_OBJECTS, PARALLELISM};

/// How long "at once" may take on a machine that has much else to do; what is waited for otherwise takes ten minutes.
const AT_ONCE: Duration = Duration::from_mins(1);

/// An apply that has just created so many of its objects.
fn under_way(lab: &mut Lab, script: &str, objects: usize) -> Running {
    lab.script(script);
    let mut running = lab.start_apply();
    running.until("an object", |_| lab.n_events() >= objects);
    running
}

fn ends_gently(signal: fn(&Running)) {
    let mut lab = Lab::new("local", FORTY);
    // The first layer alone has ten, and as many run at once: most of the objects are still to come.
    let running = under_way(&mut lab, "create=delay 1000", 3);
    signal(&running);
    let ended = running.wait().fails(1).says("Interrupt received.");
    let n = lab.objects().len();
    assert!(
        (3..N_OBJECTS).contains(&n),
        "it went on to {n} objects\n{}",
        ended.all()
    );
    lab.state_is_the_world();

    lab.script("");
    lab.project
        .terrace(&["recover"])
        .success()
        .says("nothing to recover");
    lab.apply().success();
    lab.state_is_the_world();
    lab.nothing_was_created_twice();
    assert_eq!(lab.objects().len(), N_OBJECTS);
}

#[test]
fn one_interrupt_ends_gently_with_everything_in_the_state() {
    ends_gently(Running::interrupt);
}

#[test]
fn a_termination_signal_ends_gently_too() {
    ends_gently(Running::terminate);
}

#[test]
fn a_call_that_hangs_is_asked_to_stop() {
    let mut lab = Lab::new("embedded", FORTY);
    let running = under_way(&mut lab, "create:7=hang", 7);
    running.interrupt();
    running.wait().fails(1);
    lab.state_is_the_world();
    lab.script("");
    lab.apply().success();
    lab.nothing_was_created_twice();
    lab.state_is_the_world();
}

#[test]
fn a_second_interrupt_ends_at_once_and_recovery_goes_on() {
    for backend in ["local", "embedded"] {
        let mut lab = Lab::new(backend, FORTY);
        // The fifth creation never answers; the sixth has had its effect and answers late.
        // Six objects that are there are not the fifth, and one of them is the sixth or came after it.
        let script = "create:5=stuck;create:6=delay-after 600000";
        let mut running = under_way(&mut lab, script, 6);
        running.interrupt();
        running.until("the first answer", |running| {
            running.printed().contains("Interrupt received.")
        });
        std::thread::sleep(Duration::from_millis(300));
        assert!(
            !running.has_ended(),
            "it gave up on calls that run:\n{}",
            running.printed()
        );
        running.interrupt();
        let begun = Instant::now();
        running
            .wait()
            .fails(1)
            .says("Two interrupts received.")
            .says("terrace recover");
        assert!(
            begun.elapsed() < AT_ONCE,
            "it took {:?} to end",
            begun.elapsed()
        );
        lab.settle();

        lab.script("");
        lab.apply()
            .fails(1)
            .says("Interrupted apply must be recovered first")
            .says("terrace recover");
        let uncertain = lab.recover();
        assert!(
            (1..=PARALLELISM).contains(&uncertain),
            "{uncertain} objects are uncertain"
        );
        lab.state_is_the_world();
        lab.apply().success();
        lab.nothing_was_created_twice();
        lab.state_is_the_world();
        assert_eq!(lab.objects().len(), N_OBJECTS);
    }
}

#[test]
fn a_plan_beside_a_running_apply_is_made_and_says_so() {
    for backend in ["local", "embedded"] {
        let mut lab = Lab::new(backend, FORTY);
        let running = under_way(&mut lab, "create:7=hang", 7);
        lab.project
            .terrace(&["plan"])
            .success()
            .says("An apply is going on")
            .says("holds the lock of this state since");
        running.interrupt();
        running.wait().fails(1);
        lab.script("");
        lab.project.terrace(&["plan"]).success().says("Plan:");
        lab.apply().success();
        lab.nothing_was_created_twice();
    }
}

#[test]
fn who_waits_for_the_lock_of_a_run_that_is_killed_asks_for_recovery() {
    for backend in ["local", "embedded"] {
        let mut lab = Lab::new(backend, FORTY);
        lab.project.terrace(&["plan", "-out=saved"]).success();
        let holder = under_way(&mut lab, "create:7=stuck", 7);
        lab.project
            .terrace(&["apply", "saved"])
            .fails(1)
            .says("Error acquiring the state lock");
        let waiting = lab.project.start(&["apply", "-lock-timeout=10m", "saved"]);
        // Whether it waits by now makes no difference to what it must say.
        std::thread::sleep(Duration::from_millis(500));
        holder.kill();
        waiting
            .wait()
            .fails(1)
            .says("Interrupted apply must be recovered first");
        assert_eq!(holder.wait().code(), None);
        lab.settle();
        lab.script("");
        lab.recover();
        lab.apply().success();
        lab.nothing_was_created_twice();
        lab.state_is_the_world();
    }
}

#[test]
fn an_interrupt_while_planning_ends_at_once_with_the_providers() {
    let mut lab = Lab::new("local", FORTY);
    lab.script("plan=stuck");
    for arguments in [&["plan"][..], &["apply", "-auto-approve"]] {
        let mut running = lab.project.start(arguments);
        running.until("the provider to run", |_| lab.has_providers());
        // Time to come to the first call.
        std::thread::sleep(Duration::from_millis(1500));
        running.interrupt();
        let begun = Instant::now();
        running.wait().fails(1).says("Interrupted.");
        assert!(
            begun.elapsed() < AT_ONCE,
            "it took {:?} to end",
            begun.elapsed()
        );
        lab.settle();
    }
    lab.script("");
    lab.apply().success();
    lab.state_is_the_world();
}
