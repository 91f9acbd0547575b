//! Modules of registries.

use terrace_test_services::Reply;

use crate::world::World;

fn call(version: &str) -> String {
    format!(
        "module \"m\" {{\n  source  = \"modules.example/acme/net/aws\"\n  version = \"{version}\"\n}}\n"
    )
}

#[test]
fn the_newest_version_that_fits_is_installed_and_locked() {
    let world = World::new(&call("~> 1.0"));
    world.publish(&["0.9.0", "1.0.0", "1.1.0", "1.2.0-rc1", "2.0.0"]);
    let installed = world.first().success();
    assert_eq!(
        installed.said,
        [
            "Initializing modules...",
            "Downloading modules.example/acme/net/aws 1.1.0 for m...",
            "- m in .terraform/modules/m/net-1"
        ]
    );
    assert_eq!(
        String::from_utf8(installed.outcome.manifest.to_bytes()).unwrap(),
        r#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"m","Source":"modules.example/acme/net/aws","Version":"1.1.0","Dir":".terraform/modules/m/net-1"}]}"#
    );
    let locked = &installed.outcome.lock.modules["m"];
    assert_eq!(locked.version.as_ref().unwrap().to_string(), "1.1.0");

    // A newer one is out, and nobody asked for it.
    world.publish(&["1.0.0", "1.1.0", "1.3.0"]);
    let again = world.install(installed.outcome.clone(), false).success();
    assert_eq!(again.said, ["Initializing modules..."]);
    assert_eq!(again.outcome, installed.outcome);
    let elsewhere = world.elsewhere(&installed.outcome.lock).success();
    assert_eq!(elsewhere.outcome, installed.outcome);
    let upgraded = world.install(elsewhere.outcome, true).success();
    assert_eq!(
        upgraded.said[1],
        "Downloading modules.example/acme/net/aws 1.3.0 for m..."
    );
    assert!(
        world
            .read("work/.terraform/modules/m/net-1/main.tf")
            .contains("1.3.0")
    );
}

#[test]
fn a_prerelease_must_be_named() {
    let world = World::new(&call("1.2.0-rc1"));
    world.publish(&["1.1.0", "1.2.0-rc1"]);
    let installed = world.first().success();
    assert_eq!(
        installed.outcome.manifest.records["m"].version.as_deref(),
        Some("1.2.0-rc1")
    );
}

#[test]
fn local_modules_of_a_package_stay_inside_it() {
    let world =
        World::new("module \"m\" {\n  source = \"modules.example/acme/net/aws//modules/sub\"\n}\n");
    world.publish(&["1.0.0"]);
    let installed = world.first().success();
    assert_eq!(
        installed.directory("m"),
        ".terraform/modules/m/net-1/modules/sub"
    );
    assert_eq!(
        installed.directory("m.up"),
        ".terraform/modules/m/net-1/modules/other"
    );
    assert_eq!(
        installed.outcome.manifest.records["m"].source,
        "modules.example/acme/net/aws//modules/sub"
    );
}

#[test]
fn versions_that_do_not_fit_are_listed() {
    let world = World::new(&call(">= 3.0"));
    world.publish(&["1.0.0", "1.1.0", "2.0.0-beta1"]);
    let failed = world.first().fails(
        "no-matching-module-version",
        "The newest available version is 1.1.0. Available: 2.0.0-beta1, 1.1.0, 1.0.0.",
    );
    assert!(!failed.outcome.manifest.records.contains_key("m"));
    world.publish(&[]);
    world
        .first()
        .fails("module-without-versions", "no versions available");
}

#[test]
fn a_registry_that_does_not_know_the_module_or_does_not_answer_is_told() {
    let world = World::new(&call("1.0.0"));
    world
        .first()
        .fails("module-not-found", "no module modules.example/acme/net/aws");
    world
        .web
        .on("/v1/modules/acme/net/aws/versions", Reply::status(503));
    world.first().fails("registry-unreachable", "status 503");
    assert_eq!(world.web.times("/v1/modules/acme/net/aws/versions"), 3);
    world
        .web
        .on("/v1/modules/acme/net/aws/versions", Reply::json("nonsense"));
    world
        .first()
        .fails("registry-unreachable", "cannot be understood");
    let world = World::new("module \"m\" {\n  source = \"a b/c/d\"\n}\n");
    world
        .first()
        .fails("invalid-module-source", "failed to determine");
}

#[test]
fn a_location_may_come_in_the_body_and_must_be_one() {
    let world = World::new(&call("1.0.0"));
    world.publish(&["1.0.0"]);
    let download = "/v1/modules/acme/net/aws/1.0.0/download";
    let archive = world.web.url("/v1/modules/acme/net/aws/1.0.0/1.0.0.zip");
    world.web.on(
        download,
        Reply::json(&format!("{{\"location\":\"{archive}//net-1\"}}")),
    );
    world.first().success();
    for bad in ["/etc/passwd.zip", "file:///etc", "nonsense"] {
        let world = World::new(&call("1.0.0"));
        world.publish(&["1.0.0"]);
        world
            .web
            .on(download, Reply::of("").header("X-Terraform-Get", bad));
        let failed = world.first();
        assert_eq!(failed.problems.len(), 1, "{bad}");
    }
    let world = World::new(&call("1.0.0"));
    world.publish(&["1.0.0"]);
    world.web.on(download, Reply::of(""));
    world
        .first()
        .fails("registry-unreachable", "no location to download from");
}

#[test]
fn another_content_of_a_locked_version_is_refused() {
    let world = World::new(&call("1.0.0"));
    world.publish(&["1.0.0"]);
    let installed = world.first().success();
    let archive = crate::world::zip(&[("net-1/main.tf", "# not what it was\n")]);
    world.web.on(
        "/v1/modules/acme/net/aws/1.0.0/1.0.0.zip",
        Reply::of(archive),
    );
    let failed = world.elsewhere(&installed.outcome.lock);
    let failed = failed.fails("module-content-changed", "was locked");
    assert!(!crate::world::exists(
        &world.path("work/.terraform/modules/m")
    ));
    assert!(failed.outcome.lock.modules.is_empty());
    let earlier = installed.outcome.clone();
    let upgraded = world.install(earlier, true).success();
    assert_ne!(upgraded.outcome.lock, installed.outcome.lock);
    world.elsewhere(&upgraded.outcome.lock).success();
}

#[test]
fn what_was_changed_in_the_data_directory_is_put_right() {
    let world = World::new(&call("1.0.0"));
    world.publish(&["1.0.0"]);
    let installed = world.first().success();
    let file = "work/.terraform/modules/m/net-1/main.tf";
    let sound = world.read(file);
    world.write(file, "# tampered with\n");
    let again = world.install(installed.outcome.clone(), false).success();
    assert_eq!(again.said.len(), 3);
    assert_eq!(world.read(file), sound);
    assert_eq!(
        world.web.times("/v1/modules/acme/net/aws/1.0.0/1.0.0.zip"),
        1
    );
}

#[test]
fn many_working_directories_share_one_download() {
    let world = World::new(&call("1.0.0"));
    world.publish(&["1.0.0"]);
    let works: Vec<String> = (0..6).map(|number| format!("work{number}")).collect();
    for work in &works {
        world.write(&format!("{work}/main.tf"), &call("1.0.0"));
    }
    std::thread::scope(|scope| {
        for work in &works {
            let world = &world;
            scope.spawn(move || {
                world
                    .install_in(work, terrace_module_source::Outcome::default(), false)
                    .success()
            });
        }
    });
    assert_eq!(
        world.web.times("/v1/modules/acme/net/aws/1.0.0/1.0.0.zip"),
        1
    );
    for work in &works {
        assert!(
            world
                .read(&format!("{work}/.terraform/modules/m/net-1/main.tf"))
                .contains("1.0.0")
        );
    }
}

#[test]
fn several_calls_of_one_module_get_one_download_each_its_own_copy() {
    let configuration: String = (0..5)
        .map(|number| call("1.0.0").replace("\"m\"", &format!("\"m{number}\"")))
        .collect();
    let world = World::new(&configuration);
    world.publish(&["1.0.0"]);
    let installed = world.first().success();
    assert_eq!(
        world.web.times("/v1/modules/acme/net/aws/1.0.0/1.0.0.zip"),
        1
    );
    let expected: Vec<String> = ["Initializing modules...".to_owned()]
        .into_iter()
        .chain((0..5).map(|number| {
            format!("Downloading modules.example/acme/net/aws 1.0.0 for m{number}...")
        }))
        .chain((0..5).map(|number| format!("- m{number} in .terraform/modules/m{number}/net-1")))
        .collect();
    assert_eq!(installed.said, expected);
}

#[test]
fn what_another_tool_installed_is_taken_over_and_locked() {
    let world = World::new(&call("~> 1.0"));
    world.publish(&["1.0.0"]);
    let installed = world.first().success();
    let taken = terrace_module_source::Outcome {
        manifest: installed.outcome.manifest.clone(),
        lock: terrace_module_source::ModuleLock::default(),
    };
    let asked = world.web.asked().len();
    let again = world.install(taken, false).success();
    assert_eq!(again.outcome, installed.outcome);
    assert_eq!(world.web.asked().len(), asked);
}
