//! Modules from outside: what is installed, what is said, and that Terraform and Terrace go on with each other's work.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test"
)]

mod authors;
mod tested;
mod trouble;
mod tutorial;

use std::io::Write as _;
use std::process::Command;

use insta::assert_snapshot;
use terrace_test_services::{Reply, Web};
use terrace_test_support::Project;

/// A repository beside the project, with the module that is in it; gives its address.
fn repository(project: &Project, files: &[(&str, &str)]) -> String {
    let directory = project.outer().join("repository");
    for (name, text) in files {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    project.commit(&directory, "x");
    let place = directory.to_str().unwrap();
    project.git(&["-C", place, "tag", "--force", "v1.0.0"]);
    format!("git::file://{place}")
}

fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(*name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn has_terraform() -> bool {
    let found = Command::new("terraform").arg("version").output().is_ok();
    if !found {
        eprintln!("SKIPPED the comparison: there is no terraform");
    }
    found
}

const NET: &str = "output \"id\" {\n  value = \"net\"\n}\n";

/// A registry that terraform and terrace find through discovery, and trust by its certificate.
fn registry(project: &mut Project) -> Web {
    let web = Web::start_secure().unwrap();
    let certificate = project.outer().join("ca.pem");
    std::fs::write(&certificate, web.certificate()).unwrap();
    project.set("SSL_CERT_FILE", certificate);
    let config = format!(
        "credentials \"{}\" {{\n  token = \"sesame\"\n}}\n",
        web.authority()
    );
    let path = project.outer().join("cli.tfrc");
    std::fs::write(&path, config).unwrap();
    project.set("TF_CLI_CONFIG_FILE", path);
    web.on(
        "/.well-known/terraform.json",
        Reply::json("{\"modules.v1\":\"/modules/\"}"),
    );
    web.on(
        "/modules/acme/net/aws/versions",
        Reply::json("{\"modules\":[{\"versions\":[{\"version\":\"1.0.0\"},{\"version\":\"1.2.0\"},{\"version\":\"2.0.0-rc1\"}]}]}")
            .needs("Authorization", "Bearer sesame"),
    );
    for version in ["1.0.0", "1.2.0"] {
        web.on(
            &format!("/modules/acme/net/aws/{version}/download"),
            Reply::status(204).header("X-Terraform-Get", "./net.zip//net"),
        );
        web.on(
            &format!("/modules/acme/net/aws/{version}/net.zip"),
            Reply::of(zip(&[
                ("net/main.tf", NET),
                (
                    "net/sub/main.tf",
                    "module \"up\" {\n  source = \"../\"\n}\n",
                ),
            ])),
        );
    }
    web
}

/// A project that calls modules of all kinds that need no network.
fn everything(project: &mut Project) -> Web {
    let web = registry(project);
    let git = repository(
        project,
        &[
            ("main.tf", NET),
            ("sub/main.tf", "module \"up\" {\n  source = \"../x\"\n}\n"),
            ("x/main.tf", ""),
        ],
    );
    let there = project.outer().join("there");
    std::fs::create_dir_all(there.join("deep")).unwrap();
    std::fs::write(there.join("main.tf"), "").unwrap();
    std::fs::write(there.join("deep/main.tf"), "").unwrap();
    std::fs::write(there.join("m.zip"), zip(&[("main.tf", "")])).unwrap();
    let there = there.display();
    let host = web.authority();
    project.write(
        "local/main.tf",
        "module \"inner\" {\n  source = \"./inner\"\n}\n",
    );
    project.write("local/inner/main.tf", "");
    project.write(
        "main.tf",
        format!(
            r#"
module "net" {{
  source  = "{host}/acme/net/aws"
  version = "~> 1.0"
}}
module "net_sub" {{
  source = "{host}/acme/net/aws//sub"
}}
module "git" {{
  source = "{git}?ref=v1.0.0"
}}
module "git_sub" {{
  source = "{git}//sub?ref=v1.0.0"
}}
module "linked" {{
  source = "{there}"
}}
module "deep" {{
  source = "{there}//deep"
}}
module "archive" {{
  source = "{there}/m.zip"
}}
module "local" {{
  source = "./local"
}}
output "ids" {{
  value = [module.net.id, module.git.id]
}}
"#
        ),
    );
    web
}

const MANIFEST: &str = ".terraform/modules/modules.json";

#[test]
fn the_manifest_is_the_references_and_each_goes_on_with_the_others_work() {
    let mut project = Project::new();
    let _web = everything(&mut project);
    let said = project.terrace(&["init"]).success();
    said.says("- net in .terraform/modules/net/net")
        .says("- local.inner in local/inner");
    let ours = project.read(MANIFEST);
    let plan = project.terrace(&["plan"]).success();
    plan.says("+ ids = [");
    if !has_terraform() {
        return;
    }
    let asked = project.other("terraform", &["init", "-no-color"]).success();
    asked.omits("Downloading");
    assert_eq!(project.read(MANIFEST), ours);
    project
        .other("terraform", &["plan", "-no-color"])
        .success()
        .says("+ ids = [");
    let listed = |ran: terrace_test_support::Ran| {
        let list = ran.success().json();
        assert_eq!(list["format_version"], "1.0");
        let mut modules = list["modules"].as_array().unwrap().clone();
        // The reference lists them in no order.
        modules.sort_by_key(ToString::to_string);
        modules
    };
    assert_eq!(
        listed(project.terrace(&["modules", "-json"])),
        listed(project.other("terraform", &["modules", "-json"]))
    );
    project
        .terrace(&["modules"])
        .success()
        .says("└── \"inner\"[./inner]");

    std::fs::remove_dir_all(project.path().join(".terraform")).unwrap();
    project.other("terraform", &["init", "-no-color"]).success();
    assert_eq!(project.read(MANIFEST), ours);
    let lock = project.read(".terrace.lock.hcl");
    project
        .terrace(&["init", "-lockfile=readonly"])
        .success()
        .omits("Downloading");
    project.terrace(&["plan"]).success();
    assert_eq!(project.read(MANIFEST), ours);

    // Taken over from the other, the lock says the same.
    std::fs::remove_file(project.path().join(".terrace.lock.hcl")).unwrap();
    project.terrace(&["init"]).success().omits("Downloading");
    assert_eq!(project.read(".terrace.lock.hcl"), lock);
}

#[test]
fn modules_are_got_and_updated() {
    let project = Project::new();
    let git = repository(&project, &[("main.tf", NET)]);
    project.write(
        "main.tf",
        format!("module \"m\" {{\n  source = \"{git}\"\n}}\n"),
    );
    project
        .terrace(&["plan"])
        .fails(1)
        .says("Module not installed");
    project
        .terrace(&["init", "-get=false"])
        .fails(1)
        .says("Module not installed");
    let said = project.terrace(&["get"]).success();
    assert_eq!(
        said.stdout,
        format!("Downloading {git} for m...\n- m in .terraform/modules/m\n")
    );
    assert_eq!(project.terrace(&["get"]).success().stdout, "");
    let before = project.read(".terrace.lock.hcl");
    repository(&project, &[("main.tf", &format!("{NET}# more\n"))]);
    project.terrace(&["get"]).success().omits("Downloading");
    assert_eq!(project.read(".terrace.lock.hcl"), before);
    project
        .terrace(&["get", "-update"])
        .success()
        .says("Downloading");
    assert_ne!(project.read(".terrace.lock.hcl"), before);
    project.terrace(&["init", "-get=false"]).success();
}

#[test]
fn a_module_becomes_a_working_directory() {
    let project = Project::new();
    let git = repository(
        &project,
        &[("sub/main.tf", NET), ("sub/templates/x.txt", "x")],
    );
    let said = project
        .terrace(&["init", &format!("-from-module={git}//sub")])
        .success();
    said.says("Copying configuration from");
    assert_eq!(project.read("templates/x.txt"), "x");
    project.terrace(&["plan"]).success().says("+ id = \"net\"");
    project
        .terrace(&["init", &format!("-from-module={git}")])
        .fails(1)
        .says("The working directory already contains files");
}

#[test]
fn the_lock_file_holds_and_may_be_readonly() {
    let project = Project::new();
    let web = Web::start().unwrap();
    web.on("/m.zip", Reply::of(zip(&[("main.tf", NET)])));
    let source = web.url("/m.zip");
    project.write(
        "main.tf",
        format!("module \"m\" {{\n  source = \"{source}\"\n}}\n"),
    );
    project
        .terrace(&["init", "-lockfile=readonly"])
        .fails(1)
        .says("Module dependency changes detected");
    project.terrace(&["init"]).success();
    project.terrace(&["init", "-lockfile=readonly"]).success();
    project
        .terrace(&["init", "-lockfile=readonly", "-upgrade"])
        .fails(1)
        .says("Conflicting options");
    project
        .terrace(&["init", "-lockfile=other"])
        .fails(1)
        .says("the only mode is");
    let text = project
        .read(".terrace.lock.hcl")
        .replace(&source, "http://[WEB]/m.zip");
    assert_snapshot!("lock_file", text);
}
