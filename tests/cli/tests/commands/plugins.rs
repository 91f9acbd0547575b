//! A plugin that dies, hangs, speaks nonsense, or is not there.

use std::time::{Duration, Instant};

use terrace_test_support::{Project, Ran, dev_override};

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    test = {
      source = "terrace/test"
    }
  }
}

resource "test_object" "x" {
  string = "x"
}
"#;

fn project() -> Project {
    let mut project = Project::with(CONFIGURATION);
    let cli_config = dev_override(project.outer());
    project.set("TF_CLI_CONFIG_FILE", cli_config);
    project.set("FAKE_PROVIDER_WORLD", project.outer().join("world"));
    project
}

/// Runs a command with a plugin that behaves so; it must come to its end.
fn with_script(project: &mut Project, script: &str, arguments: &[&str]) -> Ran {
    project.set("FAKE_PROVIDER_SCRIPT", script);
    let begun = Instant::now();
    let ran = project.terrace(arguments);
    assert!(!ran.all().contains("panicked at"), "{}", ran.all());
    assert!(
        begun.elapsed() < Duration::from_mins(4),
        "{script}: {:?}",
        begun.elapsed()
    );
    ran
}

#[test]
fn a_plugin_that_dies() {
    let mut project = project();
    with_script(&mut project, "start=crash", &["plan"])
        .fails(1)
        .says("terrace/test");
    for when in [
        "schema",
        "validate-provider",
        "configure",
        "validate-resource",
        "plan",
    ] {
        let told = with_script(&mut project, &format!("{when}=crash"), &["plan"]).fails(1);
        told.says("terrace/test");
    }
    let told = with_script(&mut project, "create=crash", &["apply", "-auto-approve"]).fails(1);
    told.says("test_object.x");
}

#[test]
fn a_plugin_that_speaks_nonsense() {
    let mut project = project();
    with_script(&mut project, "start=nonsense", &["plan"])
        .fails(1)
        .says("terrace/test");
    with_script(&mut project, "plan=nonsense", &["plan"])
        .fails(1)
        .says("test_object.x");
    with_script(&mut project, "create=nonsense", &["apply", "-auto-approve"])
        .fails(1)
        .says("test_object.x");
}

#[test]
fn a_plugin_that_never_starts() {
    let mut project = project();
    with_script(&mut project, "start=hang", &["plan"])
        .fails(1)
        .says("terrace/test");
}

#[test]
fn a_plugin_that_complains() {
    let mut project = project();
    for when in [
        "validate-provider",
        "configure",
        "validate-resource",
        "plan",
    ] {
        with_script(&mut project, &format!("{when}=fail"), &["plan"])
            .fails(1)
            .says("Failed as told");
    }
    with_script(&mut project, "", &["apply", "-auto-approve"]).success();
    with_script(&mut project, "read=fail", &["plan"])
        .fails(1)
        .says("Failed as told");
}

#[test]
fn a_plugin_that_is_not_there() {
    let mut project = project();
    std::fs::remove_file(project.outer().join("plugins/terraform-provider-test")).unwrap();
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("terraform-provider-test");
    project.unset("TF_CLI_CONFIG_FILE");
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("terrace init");
    std::fs::write(
        project.outer().join("empty.tfrc"),
        "provider_installation {\n  filesystem_mirror {\n    path = \"/nowhere\"\n  }\n}\n",
    )
    .unwrap();
    project.set("TF_CLI_CONFIG_FILE", project.outer().join("empty.tfrc"));
    with_script(&mut project, "", &["init"])
        .fails(1)
        .says("terrace/test");
}

/// Puts a file in the plugin's place.
fn with_file(project: &Project, content: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let program = project.outer().join("plugins/terraform-provider-test");
    std::fs::remove_file(&program).unwrap();
    std::fs::write(&program, content).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_plugin_of_another_protocol_or_system() {
    let mut project = project();
    with_file(
        &project,
        "#!/bin/sh\necho '1|4|unix|/nowhere|grpc|'\nexec sleep 600\n",
    );
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("it speaks version \"4\" of the provider protocol, not 5 or 6")
        .says("terrace init");
    with_file(&project, "\u{1}\u{2}\u{3}");
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("the file is not a program for this system")
        .says("terrace init");
}

#[test]
fn a_plugin_that_panics_is_quoted() {
    let mut project = project();
    with_script(&mut project, "plan=crash", &["plan"])
        .fails(1)
        .says("before it answered to PlanResourceChange. Its last output was:")
        .says("panic: fake-provider crashed");
}

#[test]
fn overrides_are_told() {
    let mut project = project();
    for command in ["plan", "validate"] {
        with_script(&mut project, "", &[command])
            .success()
            .says("Provider development overrides are in effect")
            .says("terrace/test in");
    }
}

#[test]
fn the_log_tells_what_plugins_say_and_what_they_are_asked() {
    let mut project = project();
    let log = project.outer().join("log");
    project.set("TF_LOG", "trace");
    project.set("TF_LOG_PATH", &log);
    with_script(&mut project, "plan=crash", &["plan"]).fails(1);
    let told = std::fs::read_to_string(&log).unwrap();
    for part in [
        "[INFO]  terrace: Terrace version",
        "[DEBUG] provider: terrace/test was started: path=",
        "[TRACE] provider: terrace/test answered: call=ConfigureProvider microseconds=",
        "[DEBUG] provider.terraform-provider-test: panic: fake-provider crashed",
    ] {
        assert!(told.contains(part), "no {part:?} in\n{told}");
    }
    std::fs::remove_file(&log).unwrap();
    project.set("TF_LOG_PROVIDER", "off");
    with_script(&mut project, "plan=crash", &["plan"]).fails(1);
    let told = std::fs::read_to_string(&log).unwrap();
    assert!(
        told.contains("was started") && !told.contains("panic"),
        "{told}"
    );
    std::fs::remove_file(&log).unwrap();
    project.unset("TF_LOG");
    with_script(&mut project, "", &["plan"]).success();
    assert!(!log.exists(), "nobody asked");
}

/// The processes that a plugin said it is, which still run.
fn running(project: &Project) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(project.outer().join("processes")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|id| {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat"));
            stat.is_ok_and(|stat| !stat.contains(") Z "))
        })
        .collect()
}

#[test]
fn a_plugin_does_not_outlive_an_engine_that_was_killed() {
    let mut project = project();
    std::fs::create_dir(project.outer().join("processes")).unwrap();
    project.set("FAKE_PROVIDER_PROCESSES", project.outer().join("processes"));
    project.set("FAKE_PROVIDER_STAYS", "1");
    project.set("FAKE_PROVIDER_SCRIPT", "create=stuck");
    let mut engine = project.start(&["apply", "-auto-approve"]);
    let outer = project.outer().to_owned();
    engine.until("the plugin to run", |engine| {
        outer.join("processes").read_dir().unwrap().count() > 0
            && engine.printed().contains("Creating...")
    });
    assert!(!running(&project).is_empty());
    engine.kill();
    engine.wait().whatever();
    let begun = Instant::now();
    while !running(&project).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "still there: {:?}",
            running(&project)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A plugin that a developer started.
struct Started {
    process: std::process::Child,
    reattach: String,
}

impl Drop for Started {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn started(project: &Project) -> Started {
    use std::io::BufRead as _;
    let mut process = std::process::Command::new(terrace_test_support::fake_provider())
        .env(
            "TF_PLUGIN_MAGIC_COOKIE",
            "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
        )
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_UNIX_SOCKET_DIR", project.outer())
        .env("FAKE_PROVIDER_WORLD", project.outer().join("world"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(process.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let fields: Vec<&str> = line.trim().split('|').collect();
    let reattach = format!(
        r#"{{"registry.terraform.io/terrace/test":{{"Protocol":"grpc","ProtocolVersion":{},"Pid":{},"Test":true,"Addr":{{"Network":"unix","String":"{}"}}}}}}"#,
        fields[1],
        process.id(),
        fields[3]
    );
    Started { process, reattach }
}

#[test]
fn a_provider_that_somebody_else_started() {
    let mut project = project();
    project.unset("TF_CLI_CONFIG_FILE");
    let mut debugged = started(&project);
    project.set("TF_REATTACH_PROVIDERS", &debugged.reattach);
    with_script(&mut project, "", &["init"]).success();
    assert!(
        !project.path().join(".terraform.lock.hcl").exists(),
        "it is not locked"
    );
    // One is configured by each command anew, which the strict provider would only take once.
    with_script(&mut project, "", &["plan", "-detailed-exitcode"])
        .fails(2)
        .says("Plan: 1 to add")
        .omits("overrides");
    assert!(
        debugged.process.try_wait().unwrap().is_none(),
        "who started it ends it"
    );
    drop(debugged);
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("which TF_REATTACH_PROVIDERS says is running");
    project.set("TF_REATTACH_PROVIDERS", "{\"a\":1}");
    with_script(&mut project, "", &["plan"])
        .fails(1)
        .says("Invalid reattach configuration");
}

#[test]
fn requirements_and_schemas_are_told() {
    let mut project = project();
    with_script(&mut project, "", &["providers"])
        .success()
        .says("└── provider[registry.terraform.io/terrace/test]");
    with_script(&mut project, "", &["providers", "schema"])
        .fails(1)
        .says("requires the `-json` flag");
    let schemas = with_script(&mut project, "", &["providers", "schema", "-json"])
        .success()
        .json();
    let provider = &schemas["provider_schemas"]["registry.terraform.io/terrace/test"];
    assert_eq!(schemas["format_version"], "1.0");
    let string = &provider["resource_schemas"]["test_object"]["block"]["attributes"]["string"];
    assert_eq!(string["type"], "string");
    assert!(provider["functions"]["echo"]["return_type"].is_string());
    assert!(provider["ephemeral_resource_schemas"]["test_ephemeral"].is_object());
    assert!(provider["resource_identity_schemas"]["test_object"].is_object());
}
