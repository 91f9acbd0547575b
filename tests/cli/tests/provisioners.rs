//! Provisioners on a machine with OpenSSH's own server, through the command line.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::time::{Duration, Instant};

use terrace_test_services::Sshd;
use terrace_test_support::{Project, available};

fn project(sshd: &Sshd, provisioners: &str) -> Project {
    Project::with(&format!(
        r#"resource "terraform_data" "a" {{
  input = "x"
  connection {{
    host        = "127.0.0.1"
    port        = {}
    user        = "{}"
    private_key = file("{}")
    agent       = false
    timeout     = "20s"
  }}
  {provisioners}
}}
"#,
        sshd.port(),
        sshd.user(),
        sshd.file("id").display(),
    ))
}

fn sshd() -> Option<Sshd> {
    available("OpenSSH's server", Sshd::start())
}

#[test]
fn scripts_and_files_reach_the_machine() {
    let Some(sshd) = sshd() else { return };
    let there = sshd.file("there");
    std::fs::create_dir(&there).unwrap();
    let there = there.display();
    let project = project(
        &sshd,
        &format!(
            r#"provisioner "remote-exec" {{
    inline = ["echo hello ${{self.input}}", "echo loud >&2"]
  }}
  provisioner "file" {{
    source      = "${{path.module}}/tree/"
    destination = "{there}"
  }}
  provisioner "remote-exec" {{
    scripts = ["one.sh", "two.sh"]
  }}
  provisioner "remote-exec" {{
    when   = destroy
    inline = ["rm {there}/a", "echo gone"]
  }}"#
        ),
    );
    project.write("tree/a", "content");
    project.write("one.sh", "#!/bin/sh\necho first\n");
    project.write("two.sh", "echo second\n");
    project.terrace(&["init"]).success();
    let mut applied = project.terrace(&["apply", "-auto-approve"]).success();
    for line in [
        "terraform_data.a (remote-exec): Connecting to remote host via SSH...",
        "terraform_data.a (remote-exec):   Host: 127.0.0.1",
        "terraform_data.a (remote-exec): Connected!",
        "terraform_data.a (remote-exec): hello x",
        "terraform_data.a (remote-exec): loud",
        "terraform_data.a: Provisioning with 'file'...",
        "terraform_data.a (remote-exec): first",
        "terraform_data.a (remote-exec): second",
    ] {
        applied = applied.says(line);
    }
    let copied = sshd.file("there/a");
    assert_eq!(std::fs::read_to_string(&copied).unwrap(), "content");
    project
        .terrace(&["destroy", "-auto-approve"])
        .success()
        .says("terraform_data.a (remote-exec): gone");
    assert!(!copied.exists());
}

#[test]
fn a_script_that_fails_taints() {
    let Some(sshd) = sshd() else { return };
    let project = project(
        &sshd,
        "provisioner \"remote-exec\" {\n    inline = [\"exit 3\"]\n  }",
    );
    project.terrace(&["init"]).success();
    project
        .terrace(&["apply", "-auto-approve"])
        .fails(1)
        .says("remote-exec provisioner error")
        .says("Process exited with status 3");
    let state = project.state();
    assert_eq!(state["resources"][0]["instances"][0]["status"], "tainted");
}

#[test]
fn an_interrupt_ends_a_script() {
    let Some(sshd) = sshd() else { return };
    let (begun, ended) = (sshd.file("begun"), sshd.file("ended"));
    let project = project(
        &sshd,
        &format!(
            "provisioner \"remote-exec\" {{\n    inline = [\"trap 'touch {}; exit 1' HUP TERM\", \"touch {}\", \"while true; do sleep 0.1; done\"]\n  }}",
            ended.display(),
            begun.display()
        ),
    );
    project.terrace(&["init"]).success();
    let running = project.start(&["apply", "-auto-approve"]);
    let wait = |path: &std::path::Path| {
        let start = Instant::now();
        while !path.exists() && start.elapsed() < Duration::from_mins(3) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(path.exists(), "{}", path.display());
    };
    wait(&begun);
    running.interrupt();
    running.wait().fails(1).says("interrupted");
    wait(&ended);
    let state = project.state();
    assert_eq!(state["resources"][0]["instances"][0]["status"], "tainted");
}
