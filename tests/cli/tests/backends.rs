//! States on servers: setting up, changing and migrating backends, and taking turns with the reference.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use terrace_test_services::{KubernetesStandIn, Postgres, StateServer};
use terrace_test_support::{Project, Said, available, has_terraform, size, terrace};

const OUTPUT: &str = "variable \"x\" {\n  type    = number\n  default = 1\n}\n\noutput \"x\" {\n  value = var.x\n}\n";

fn configuration(backend: &str) -> String {
    format!("terraform {{\n  {backend}\n}}\n\n{OUTPUT}")
}

/// The block that keeps the state on a server.
fn http(server: &StateServer) -> String {
    format!(
        "backend \"http\" {{\n    address        = {:?}\n    lock_address   = {:?}\n    unlock_address = {:?}\n    retry_wait_min = 1\n  }}",
        server.state_address(),
        server.lock_address(),
        server.lock_address()
    )
}

fn pg(server: &Postgres) -> String {
    format!(
        "backend \"pg\" {{\n    conn_str = {:?}\n  }}",
        server.connection_string("tfstate")
    )
}

fn serial(state: &[u8]) -> u64 {
    let state: Value = serde_json::from_slice(state).unwrap();
    state["serial"].as_u64().unwrap()
}

/// What a state says of the output.
fn x(state: &[u8]) -> Value {
    let state: Value = serde_json::from_slice(state).unwrap();
    state["outputs"]["x"]["value"].clone()
}

fn apply(project: &Project, x: i32) -> Said {
    let variable = format!("-var=x={x}");
    project
        .terrace(&["apply", "-auto-approve", &variable])
        .success()
}

#[test]
fn settings_come_from_the_block_a_file_the_command_line_and_the_environment() {
    let server = StateServer::start().unwrap();
    // user:secret
    server.ask_for("Basic dXNlcjpzZWNyZXQ=");
    let mut project = Project::with(&configuration("backend \"http\" {\n    retry_max = 3\n  }"));
    project
        .terrace(&["plan"])
        .fails(1)
        .says("Backend initialization required: please run \"terrace init\"")
        .says("Reason: Initial configuration of the requested backend \"http\"");
    project
        .terrace(&["init"])
        .fails(1)
        .says("Missing required argument")
        .says("TF_HTTP_ADDRESS");
    project.set("TF_HTTP_USERNAME", "user");
    project.set("TF_HTTP_PASSWORD", "secret");
    project.write(
        "lock.hcl",
        format!("lock_address = {:?}\n", server.lock_address()),
    );
    let address = format!("-backend-config=address={}", server.state_address());
    let unlock = format!("-backend-config=unlock_address={}", server.lock_address());
    let arguments = ["init", &address, "-backend-config=lock.hcl", &unlock];
    project
        .terrace(&arguments)
        .success()
        .says("Initializing the backend...")
        .says("Successfully configured the backend \"http\"! Terrace will automatically\nuse this backend unless the backend configuration changes.");
    apply(&project, 1);
    assert_eq!(x(&server.state().unwrap()), 1);
    assert_eq!(server.lock(), None);
    // Set up once, it is as it is.
    project
        .terrace(&["init"])
        .success()
        .omits("Successfully configured the backend");
    project
        .terrace(&["init", "-backend-config=nope=1"])
        .fails(1)
        .says("Invalid backend configuration argument")
        .says("The backend configuration argument \"nope\" given on the command line is not\nexpected for the selected backend type.");
    if has_terraform() {
        let ours: Value =
            serde_json::from_str(&project.read(".terraform/terraform.tfstate")).unwrap();
        let mut with_reconfigure = arguments.to_vec();
        with_reconfigure.push("-reconfigure");
        project.other("terraform", &with_reconfigure).success();
        let theirs: Value =
            serde_json::from_str(&project.read(".terraform/terraform.tfstate")).unwrap();
        assert_eq!(ours, theirs);
        // What the reference set up needs no setting up.
        project.terrace(&["plan", "-detailed-exitcode"]).success();
    }
    project.write(
        "main.tf",
        configuration("backend \"http\" {\n    retry_max = 4\n  }"),
    );
    project
        .terrace(&["plan"])
        .fails(1)
        .says("Reason: Backend configuration block has changed");
    project
        .terrace(&["init"])
        .fails(1)
        .says("Error: Backend configuration changed")
        .says("-migrate-state")
        .says("-reconfigure");
}

#[test]
fn blocks_that_no_backend_can_have_are_refused_as_the_reference_does() {
    let project = Project::with(&configuration("backend \"nope\" {}"));
    project
        .terrace(&["init"])
        .fails(1)
        .says("Unsupported backend type")
        .says("There is no backend type named \"nope\".");
    project.write(
        "main.tf",
        configuration(
            "backend \"http\" {\n    nope      = 1\n    retry_max = \"x\"\n    foo {}\n  }",
        ),
    );
    project
        .terrace(&["init"])
        .fails(1)
        .says("An argument named \"nope\" is not expected here.")
        .says("Blocks of type \"foo\" are not expected here.")
        .says("Inappropriate value for attribute \"retry_max\": a number is required.");
}

#[test]
fn a_lock_that_someone_holds_is_shown_and_can_be_released_by_force() {
    let server = StateServer::start().unwrap();
    let project = Project::with(&configuration(&http(&server)));
    project.terrace(&["init"]).success();
    server.set_lock(Some("{\"ID\":\"theirs\",\"Operation\":\"OperationTypeApply\",\"Info\":\"\",\"Who\":\"them@there\",\"Version\":\"1.11.4\",\"Created\":\"2026-01-02T03:04:05Z\",\"Path\":\"\"}"));
    project
        .terrace(&["apply", "-auto-approve"])
        .fails(1)
        .says("Error acquiring the state lock")
        .says("them@there")
        .says("theirs");
    project
        .terrace(&["force-unlock", "-force", "other"])
        .fails(1);
    project
        .terrace(&["force-unlock", "-force", "theirs"])
        .success();
    apply(&project, 2);
    assert_eq!(x(&server.state().unwrap()), 2);
}

fn answered(project: &Project, answer: &str, arguments: &str) -> Said {
    let line = format!("echo {answer} | {} {arguments}", terrace().display());
    project.other("sh", &["-c", &line]).whatever()
}

#[test]
fn states_go_from_one_backend_to_another() {
    let (first, second) = (StateServer::start().unwrap(), StateServer::start().unwrap());
    let project = Project::with(OUTPUT);
    apply(&project, 7);
    project.write("main.tf", configuration(&http(&first)));
    project
        .terrace(&["init", "-input=false"])
        .fails(1)
        .says("Can't ask approval for state migration when interactive input is disabled.");
    let said = answered(&project, "yes", "init");
    said.says("Do you want to copy existing state to the new backend?")
        .says("No existing state was found in the newly\n  configured \"http\" backend.")
        .says("Successfully configured the backend \"http\"!");
    assert_eq!(x(&first.state().unwrap()), 7);
    apply(&project, 8);
    // To another server, which has a state already.
    let other = Project::with(&configuration(&http(&second)));
    other.terrace(&["init"]).success();
    apply(&other, 1);
    project.write("main.tf", configuration(&http(&second)));
    project
        .terrace(&["init"])
        .fails(1)
        .says("Backend configuration changed");
    answered(&project, "no", "init -migrate-state")
        .says("Backend configuration changed!")
        .says("An existing non-empty state already exists in");
    assert_eq!(x(&second.state().unwrap()), 1);
    project.write("main.tf", configuration(&http(&first)));
    project.terrace(&["init", "-reconfigure"]).success();
    project.write("main.tf", configuration(&http(&second)));
    project.terrace(&["init", "-force-copy"]).success();
    assert_eq!(x(&second.state().unwrap()), 8);
    assert_eq!((first.lock(), second.lock()), (None, None));
    // And back to files.
    project.write("main.tf", OUTPUT);
    project
        .terrace(&["plan"])
        .fails(1)
        .says("Reason: Unsetting the previously set backend \"http\"");
    std::fs::remove_file(project.path().join("terraform.tfstate")).unwrap();
    project
        .terrace(&["init", "-migrate-state", "-force-copy"])
        .success()
        .says("Terrace has detected you're unconfiguring your previously set \"http\" backend.")
        .says("Successfully unset the backend \"http\". Terrace will now operate locally.");
    assert_eq!(x(project.read("terraform.tfstate").as_bytes()), 8);
    project
        .terrace(&["plan", "-var=x=8", "-detailed-exitcode"])
        .success();
}

#[test]
fn workspaces_go_along() {
    let Some(server) = available("migration to pg", Postgres::start()) else {
        return;
    };
    let project = Project::with(OUTPUT);
    apply(&project, 1);
    project.terrace(&["workspace", "new", "second"]).success();
    apply(&project, 2);
    project.write("main.tf", configuration(&pg(&server)));
    answered(&project, "yes", "init").says("Do you want to migrate all workspaces to \"pg\"?");
    project
        .terrace(&["workspace", "list"])
        .success()
        .says("* second")
        .says("default");
    let named = |name: &str| {
        let statement =
            format!("SELECT data FROM terraform_remote_state.states WHERE name = '{name}'");
        server.query("tfstate", &statement).unwrap()
    };
    assert_eq!(
        (
            x(named("default").as_bytes()),
            x(named("second").as_bytes())
        ),
        (1.into(), 2.into())
    );
    // One server holds one state.
    let single = StateServer::start().unwrap();
    project.write("main.tf", configuration(&http(&single)));
    project.terrace(&["init", "-force-copy"]).success();
    assert_eq!(x(&single.state().unwrap()), 2);
    project
        .terrace(&["plan", "-detailed-exitcode", "-var=x=2"])
        .success();
}

/// Terraform and Terrace on the same state, in the same directory.
fn take_turns(project: &Project, state: &dyn Fn() -> Vec<u8>) {
    let terraform = |arguments: &[&str]| project.other("terraform", arguments).success();
    project.terrace(&["init"]).success();
    apply(project, 1);
    terraform(&["init"]).says("Terraform has been successfully initialized!");
    terraform(&["plan", "-detailed-exitcode"]);
    terraform(&["apply", "-auto-approve", "-var=x=2"]);
    let before = serial(&state());
    project
        .terrace(&["plan", "-detailed-exitcode", "-var=x=2"])
        .success();
    apply(project, 3);
    assert_eq!((serial(&state()), x(&state())), (before + 1, 3.into()));
    terraform(&["plan", "-detailed-exitcode", "-var=x=3"]);
    // Each is refused while the other holds the lock.
    project.write("slow.tf", "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    command = \"touch running; while ! test -e go; do sleep 0.1; done\"\n  }\n}\n");
    let lock_error = "Error acquiring the state lock";
    for (holder, other) in [("terraform", "terrace"), ("terrace", "terraform")] {
        std::fs::remove_file(project.path().join("running")).ok();
        std::fs::remove_file(project.path().join("go")).ok();
        let program = |name: &str| match name {
            "terrace" => terrace().display().to_string(),
            name => name.to_owned(),
        };
        let arguments = [
            "apply",
            "-auto-approve",
            "-replace=terraform_data.slow",
            "-var=x=3",
        ];
        let mut held = project
            .command(program(holder), &arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !project.path().join("running").exists() {
            assert!(
                begun.elapsed() < Duration::from_mins(3),
                "{holder} does not run"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        project
            .other(&program(other), &["apply", "-auto-approve", "-var=x=4"])
            .fails(1)
            .says(lock_error);
        project.write("go", "");
        assert!(held.wait().unwrap().success(), "{holder} failed");
        project
            .other(&program(other), &["plan", "-detailed-exitcode", "-var=x=3"])
            .success();
    }
}

#[test]
fn the_reference_and_terrace_take_turns_on_an_http_server() {
    if !has_terraform() {
        println!("SKIPPED: there is no terraform");
        return;
    }
    let server = StateServer::start().unwrap();
    let project = Project::with(&configuration(&http(&server)));
    take_turns(&project, &|| server.state().unwrap());
    assert_eq!(server.lock(), None);
}

#[test]
fn the_reference_and_terrace_take_turns_on_a_database() {
    if !has_terraform() {
        println!("SKIPPED: there is no terraform");
        return;
    }
    let Some(server) = available("turns on pg", Postgres::start()) else {
        return;
    };
    let project = Project::with(&configuration(&pg(&server)));
    let statement = "SELECT data FROM terraform_remote_state.states WHERE name = 'default'";
    take_turns(&project, &|| {
        server.query("tfstate", statement).unwrap().into_bytes()
    });
}

#[test]
fn the_reference_and_terrace_take_turns_on_a_file() {
    if !has_terraform() {
        println!("SKIPPED: there is no terraform");
        return;
    }
    let project = Project::with(&configuration(
        "backend \"local\" {\n    path = \"kept.tfstate\"\n  }",
    ));
    take_turns(&project, &|| project.read("kept.tfstate").into_bytes());
}

#[test]
fn the_reference_and_terrace_take_turns_in_a_cluster() {
    if !has_terraform() {
        println!("SKIPPED: there is no terraform");
        return;
    }
    let server = KubernetesStandIn::start().unwrap();
    let project = Project::with(&configuration(
        "backend \"kubernetes\" {\n    secret_suffix = \"dev\"\n    config_path   = \"kubeconfig\"\n  }",
    ));
    project.write(
        "kubeconfig",
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- name: here\n  context:\n    cluster: c\n    user: u\nclusters:\n- name: c\n  cluster:\n    server: {}\nusers:\n- name: u\n  user:\n    token: {}\n",
            server.host(),
            server.token()
        ),
    );
    take_turns(&project, &|| {
        let pulled = project.terrace(&["state", "pull"]).success();
        pulled.stdout.into_bytes()
    });
}

/// Many processes apply to one state at once; returns when all have succeeded.
fn contend(backend: &str) -> usize {
    let processes = size(8, 50);
    let projects: Vec<Project> = (0..processes)
        .map(|_| {
            let project = Project::with(&configuration(backend));
            project.terrace(&["init"]).success();
            project
        })
        .collect();
    let mut running: Vec<Child> = projects
        .iter()
        .enumerate()
        .map(|(index, project)| {
            let variable = format!("-var=x={}", index + 1);
            let arguments = ["apply", "-auto-approve", "-lock-timeout=20m", &variable];
            project
                .command(terrace(), &arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in &mut running {
        assert!(child.wait().unwrap().success());
    }
    processes
}

#[test]
fn many_processes_contend_for_a_state_on_a_server() {
    let server = StateServer::start().unwrap();
    let processes = contend(&http(&server));
    let serials: Vec<u64> = server.history().iter().map(|state| serial(state)).collect();
    let expected: Vec<u64> = (1..=u64::try_from(processes).unwrap()).collect();
    assert_eq!(serials, expected);
}

#[test]
fn many_processes_contend_for_a_state_in_a_database() {
    let Some(server) = available("contention on pg", Postgres::start()) else {
        return;
    };
    let processes = contend(&pg(&server));
    let statement = "SELECT data FROM terraform_remote_state.states WHERE name = 'default'";
    let state = server.query("tfstate", statement).unwrap();
    assert_eq!(serial(state.as_bytes()), u64::try_from(processes).unwrap());
    let epoch = "SELECT convert_from(data, 'UTF8') FROM terraform_remote_state.terrace_objects WHERE name = 'terrace/default/epoch'";
    let epoch = server.query("tfstate", epoch).unwrap();
    let (epoch, _) = epoch.split_once(' ').unwrap();
    assert_eq!(epoch.parse(), Ok(processes));
}
