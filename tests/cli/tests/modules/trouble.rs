//! What goes wrong with modules, word for word.

use insta::assert_snapshot;
use terrace_test_services::{Reply, Web};
use terrace_test_support::{Project, Said};

use crate::{NET, registry, repository, zip};

fn call(source: &str, version: Option<&str>) -> String {
    let version = version.map_or(String::new(), |version| {
        format!("  version = \"{version}\"\n")
    });
    format!("module \"m\" {{\n  source  = \"{source}\"\n{version}}}\n")
}

/// The text without what differs from run to run; lines are joined, because they break where those parts end.
fn settled(said: &Said, places: &[(&str, &str)]) -> String {
    // How long a line is drawn below a source depends on where the test runs.
    let drawn = |word: &&str| word.trim_matches('─').is_empty();
    let words: Vec<&str> = said
        .stderr
        .split_whitespace()
        .filter(|word| !drawn(word))
        .collect();
    let mut text = words.join(" ");
    for (place, name) in places {
        text = text.replace(place, name);
    }
    text
}

#[test]
fn a_registry_that_cannot_be_reached() {
    let mut project = Project::new();
    project.set("TF_REGISTRY_DISCOVERY_RETRY", "0");
    project.write("main.tf", call("localhost:1/acme/net/aws", None));
    let said = project.terrace(&["init"]).fails(1);
    let said = said.says("Error accessing remote module registry");
    let text = settled(&said, &[]);
    assert!(text.contains("Failed to retrieve available versions for module \"m\" from localhost:1: Get \"https://localhost:1/.well-known/terraform.json\":"), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
}

#[test]
fn versions_that_are_not_there() {
    let mut project = Project::new();
    let web = registry(&mut project);
    let host = web.authority();
    project.write(
        "main.tf",
        call(&format!("{host}/acme/net/aws"), Some(">= 3.0.0")),
    );
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("no_matching_version", settled(&said, &[(&host, "[HOST]")]));
    project.write("main.tf", call(&format!("{host}/acme/other/aws"), None));
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("module_not_found", settled(&said, &[(&host, "[HOST]")]));
    web.on("/.well-known/terraform.json", Reply::json("{}"));
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("no_module_registry", settled(&said, &[(&host, "[HOST]")]));
}

#[test]
fn installed_modules_that_no_longer_fit() {
    let mut project = Project::new();
    let web = registry(&mut project);
    let source = format!("{}/acme/net/aws", web.authority());
    project.write("main.tf", call(&source, Some("1.0.0")));
    let said = project.terrace(&["plan"]).fails(1);
    assert_snapshot!(
        "not_installed",
        settled(&said, &[(&web.authority(), "[HOST]")])
    );
    project.terrace(&["init"]).success();
    project.write("main.tf", call(&source, Some("1.2.0")));
    let said = project.terrace(&["plan"]).fails(1);
    assert_snapshot!(
        "version_changed",
        settled(&said, &[(&web.authority(), "[HOST]")])
    );
    project.write("main.tf", call(&format!("{source}//sub"), None));
    let said = project.terrace(&["plan"]).fails(1);
    assert_snapshot!(
        "source_changed",
        settled(&said, &[(&web.authority(), "[HOST]")])
    );
}

#[test]
fn a_checksum_that_does_not_match() {
    let project = Project::new();
    let web = Web::start().unwrap();
    web.on("/m.zip", Reply::of("x"));
    let checksum = "0".repeat(64);
    project.write(
        "main.tf",
        call(
            &format!("{}?checksum=sha256:{checksum}", web.url("/m.zip")),
            None,
        ),
    );
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!(
        "bad_checksum",
        settled(
            &said,
            &[(&web.authority(), "[WEB]"), (&checksum, "[ZEROS]")]
        )
    );
}

#[test]
fn content_that_has_changed() {
    let project = Project::new();
    let web = Web::start().unwrap();
    web.on("/m.zip", Reply::of(zip(&[("main.tf", NET)])));
    project.write("main.tf", call(&web.url("/m.zip"), None));
    project.terrace(&["init"]).success();
    web.on("/m.zip", Reply::of(zip(&[("main.tf", "")])));
    std::fs::remove_dir_all(project.path().join(".terraform")).unwrap();
    std::fs::remove_dir_all(project.outer().join("home/.cache")).unwrap();
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!(
        "content_changed",
        settled(&said, &[(&web.authority(), "[WEB]")])
    );
    project.terrace(&["init", "-upgrade"]).success();
}

#[test]
fn repositories_and_paths_that_are_not_there() {
    let project = Project::new();
    let git = repository(&project, &[("main.tf", NET)]);
    let outer = project.outer().display().to_string();
    let places = [(outer.as_str(), "[DIR]")];
    project.write("main.tf", call(&format!("{git}?ref=none"), None));
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("no_such_ref", settled(&said, &places));
    project.write("main.tf", call(&format!("{git}//none"), None));
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("no_such_subdirectory", settled(&said, &places));
    project.write("main.tf", call("hg::https://example.com/x", None));
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("mercurial", settled(&said, &places));
    project.write("main.tf", call("foo", None));
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("no_source", settled(&said, &places));
}

#[test]
fn a_lock_file_that_cannot_be_read() {
    let project = Project::with("");
    project.write(".terrace.lock.hcl", "module \"m\" {\n  source = \"x\"\n}\n");
    let said = project.terrace(&["init"]).fails(1);
    assert_snapshot!("broken_lock", settled(&said, &[]));
}
