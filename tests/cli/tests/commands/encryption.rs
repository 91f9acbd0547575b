//! States, plan files and journals that are encrypted, from the first run to the change of the key.

use terrace_test_support::Project;

const RESOURCE: &str = r#"
resource "terraform_data" "a" {
  input = "hush-hush"
}

output "a" {
  value = terraform_data.a.output
}
"#;

fn block(passphrase: &str, targets: &str) -> String {
    format!(
        "terraform {{\n  encryption {{\n    key_provider \"pbkdf2\" \"k\" {{\n      passphrase = {passphrase:?}\n      iterations = 200000\n    }}\n    method \"aes_gcm\" \"m\" {{\n      keys = key_provider.pbkdf2.k\n    }}\n    method \"unencrypted\" \"u\" {{}}\n{targets}\n  }}\n}}\n"
    )
}

const STATE_AND_PLAN: &str = "    state {\n      method = method.aes_gcm.m\n    }\n    plan {\n      method = method.aes_gcm.m\n    }";
const FROM_PLAIN: &str = "    state {\n      method = method.aes_gcm.m\n      fallback {\n        method = method.unencrypted.u\n      }\n    }";

/// The state file as it lies there.
fn stored(project: &Project) -> serde_json::Value {
    serde_json::from_str(&project.read("terraform.tfstate")).unwrap()
}

/// Files of the project that hold the secret, the configuration apart.
fn leaks(project: &Project) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![project.path()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_none_or(|extension| extension != "tf")
                && std::fs::read(&path)
                    .unwrap()
                    .windows(9)
                    .any(|window| window == b"hush-hush")
            {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn states_and_plans_are_encrypted_from_the_beginning() {
    let project = Project::new();
    let configuration = block("correct-horse-battery-staple", STATE_AND_PLAN);
    project.write("main.tf", format!("{configuration}{RESOURCE}"));
    project.terrace(&["init"]).success();
    project.terrace(&["plan", "-out=p.tfplan"]).success();
    assert!(project.read("p.tfplan").contains("\"encrypted_data\""));
    project
        .terrace(&["show", "p.tfplan"])
        .success()
        .says("terraform_data.a will be created");
    project.terrace(&["apply", "p.tfplan"]).success();
    assert!(stored(&project).get("encrypted_data").is_some());
    assert_eq!(leaks(&project), Vec::<std::path::PathBuf>::new());
    project
        .terrace(&["output", "-raw", "a"])
        .success()
        .says("hush-hush");
    project.terrace(&["plan"]).success().says("No changes.");
    // What is pulled is plain, and may be pushed again.
    let pulled = project.terrace(&["state", "pull"]).success();
    assert_eq!(pulled.json()["serial"], 1);
    // A plan that somebody put there in plain is not applied.
    let other = Project::with(RESOURCE);
    other.terrace(&["plan", "-out=p.tfplan"]).success();
    project.write(
        "planted.tfplan",
        std::fs::read(other.path().join("p.tfplan")).unwrap(),
    );
    project
        .terrace(&["apply", "planted.tfplan"])
        .fails(1)
        .says("What is stored of the plan is not encrypted");
}

#[test]
fn another_key_reads_and_writes_nothing() {
    let project = Project::new();
    let right = block("correct-horse-battery-staple", STATE_AND_PLAN);
    project.write("main.tf", format!("{right}{RESOURCE}"));
    project.terrace(&["apply", "-auto-approve"]).success();
    let before = project.read("terraform.tfstate");
    let wrong = block("any-other-passphrase-at-all", STATE_AND_PLAN);
    project.write("main.tf", format!("{wrong}{RESOURCE}"));
    for arguments in [
        &["plan"][..],
        &["apply", "-auto-approve"],
        &["state", "list"],
        &["output"],
        &["destroy", "-auto-approve"],
    ] {
        project
            .terrace(arguments)
            .fails(1)
            .says("no configured method can decrypt it")
            .says("the key is another one, or the data was changed");
    }
    // Without any settings it is encrypted, and no state.
    project.write("main.tf", RESOURCE);
    project.terrace(&["plan"]).fails(1).says("encrypted");
    assert_eq!(project.read("terraform.tfstate"), before);
}

#[test]
fn a_plain_state_is_encrypted_by_the_next_apply_and_back() {
    let project = Project::with(RESOURCE);
    project.terrace(&["apply", "-auto-approve"]).success();
    let strict = block("correct-horse-battery-staple", STATE_AND_PLAN);
    project.write("main.tf", format!("{strict}{RESOURCE}"));
    project
        .terrace(&["plan"])
        .fails(1)
        .says("What is stored of the state is not encrypted");
    let migrating = block("correct-horse-battery-staple", FROM_PLAIN);
    project.write("main.tf", format!("{migrating}{RESOURCE}"));
    project
        .terrace(&["apply", "-auto-approve"])
        .success()
        .says("No changes.");
    assert_eq!(stored(&project)["serial"], 1);
    assert!(stored(&project).get("encrypted_data").is_some());
    project.write("main.tf", format!("{strict}{RESOURCE}"));
    project.terrace(&["plan"]).success().says("No changes.");
    let leaving = block(
        "correct-horse-battery-staple",
        "    state {\n      method = method.unencrypted.u\n      fallback {\n        method = method.aes_gcm.m\n      }\n    }",
    );
    project.write("main.tf", format!("{leaving}{RESOURCE}"));
    project.terrace(&["apply", "-auto-approve"]).success();
    assert!(stored(&project).get("encrypted_data").is_none());
    project.write("main.tf", RESOURCE);
    project.terrace(&["plan"]).success().says("No changes.");
}

#[test]
fn keys_come_from_the_environment() {
    let mut project = Project::new();
    project.write(
        "main.tf",
        format!(
            "terraform {{\n  encryption {{\n    state {{\n      enforced = true\n    }}\n  }}\n}}\n{RESOURCE}"
        ),
    );
    project
        .terrace(&["apply", "-auto-approve"])
        .fails(1)
        .says("Encryption is enforced");
    project.set(
        "TF_ENCRYPTION",
        "key_provider \"pbkdf2\" \"k\" {\n passphrase = \"correct-horse-battery-staple\"\n}\nmethod \"aes_gcm\" \"m\" {\n keys = key_provider.pbkdf2.k\n}\nstate {\n method = method.aes_gcm.m\n}",
    );
    project.terrace(&["apply", "-auto-approve"]).success();
    assert!(stored(&project).get("encrypted_data").is_some());
    project.set("TF_ENCRYPTION", "key_provider \"pbkdf2\" {");
    project
        .terrace(&["plan"])
        .fails(1)
        .says("TF_ENCRYPTION:1:23");
}

#[test]
fn other_states_are_decrypted() {
    let network = Project::new();
    let configuration = block("correct-horse-battery-staple", STATE_AND_PLAN);
    network.write("main.tf", format!("{configuration}{RESOURCE}"));
    network.terrace(&["apply", "-auto-approve"]).success();
    let reader = Project::new();
    let remote = "    remote_state_data_sources {\n      default {\n        method = method.aes_gcm.m\n      }\n    }";
    let data = format!(
        "data \"terraform_remote_state\" \"network\" {{\n  backend = \"local\"\n  config = {{\n    path = {:?}\n  }}\n}}\noutput \"read\" {{\n  value = data.terraform_remote_state.network.outputs.a\n}}\n",
        network.path().join("terraform.tfstate")
    );
    reader.write(
        "main.tf",
        format!("{}{data}", block("correct-horse-battery-staple", remote)),
    );
    reader
        .terrace(&["plan"])
        .success()
        .says("read = \"hush-hush\"");
    reader.write("main.tf", data);
    reader.terrace(&["plan"]).fails(1).says("encrypted");
}
