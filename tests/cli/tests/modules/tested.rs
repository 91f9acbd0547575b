//! Modules that runs of test files test, from elsewhere.

use terrace_test_support::Project;

use super::{NET, registry, repository};

const TESTED: &str = r#"
run "from_git" {
  module {
    source = "GIT//sub"
  }
  assert {
    condition     = output.id == "net" && output.below == "net"
    error_message = "no"
  }
}
run "from_registry" {
  module {
    source  = "REGISTRY/acme/net/aws"
    version = "~> 1.0"
  }
  assert {
    condition     = output.id == "net"
    error_message = "no"
  }
}
"#;

const CALLER: &str = r#"
module "below" {
  source = "../net"
}
output "id" {
  value = "net"
}
output "below" {
  value = module.below.id
}
"#;

#[test]
fn modules_under_test_are_installed_and_used() {
    let mut project = Project::new();
    let git = repository(&project, &[("sub/main.tf", CALLER), ("net/main.tf", NET)]);
    let web = registry(&mut project);
    project.write("main.tf", NET);
    let text = TESTED
        .replace("GIT", &git)
        .replace("REGISTRY", &web.authority());
    project.write("tests/more/a.tftest.hcl", text);
    project
        .terrace(&["test", "-test-directory=tests/more"])
        .fails(1)
        .says("Module not installed")
        .says("tests/more/a.tftest.hcl:4:");
    project
        .terrace(&["init", "-test-directory=tests/more"])
        .success();
    let manifest = project.read(".terraform/modules/modules.json");
    for key in [
        "\"test.tests.more.a.from_git\"",
        "\"test.tests.more.a.from_git.below\"",
        "\"test.tests.more.a.from_registry\"",
    ] {
        assert!(manifest.contains(key), "{key} {manifest}");
    }
    project
        .terrace(&["test", "-test-directory=tests/more"])
        .success()
        .says("Success! 2 passed, 0 failed.");
}

#[test]
fn providers_of_tests_are_installed() {
    let mut project = Project::with(NET);
    let settings = project.outer().join("cli.tfrc");
    let mirror = project.outer().join("mirror");
    std::fs::create_dir_all(&mirror).unwrap();
    let text = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
        mirror.display().to_string()
    );
    std::fs::write(&settings, text).unwrap();
    project.set("TF_CLI_CONFIG_FILE", settings);
    project.write(
        "tests/setup/main.tf",
        "resource \"terrace_test\" \"a\" {}\n",
    );
    project.write(
        "tests/a.tftest.hcl",
        "run \"setup\" {\n  module {\n    source = \"./tests/setup\"\n  }\n}\n",
    );
    project.write("tests/b.tftest.hcl", "mock_provider \"unheard-of\" {}\n");
    project
        .terrace(&["init"])
        .fails(1)
        .says("hashicorp/terrace")
        .says("hashicorp/unheard-of");
}
