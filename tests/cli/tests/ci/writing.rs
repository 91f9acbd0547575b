//! The workflows that `terrace init-ci` writes.

use std::path::{Path, PathBuf};
use std::process::Command;

use terrace_test_services::actionlint;
use terrace_test_support::{Project, available};

const RULES: &str =
    "project \"shop\" {}\nenvironment \"dev\" {}\nenvironment \"prd\" {\n  after = [\"dev\"]\n}\n";
const NAMES: [&str; 3] = ["plan", "apply", "drift"];

fn project() -> Project {
    let project = Project::new();
    project.write(".git/HEAD", "ref: refs/heads/main\n");
    project.write("terrace.hcl", RULES);
    project
}

fn path(name: &str) -> String {
    format!(".github/workflows/terrace-{name}.yml")
}

/// This repository.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

#[test]
fn they_are_written_once_and_follow_the_project_file() {
    let project = project();
    project
        .terrace(&["init-ci", "github", "-dry-run"])
        .success()
        .says("+name: terrace plan");
    assert!(!project.path().join(".github").exists());
    project
        .terrace(&["init-ci", "github"])
        .success()
        .says("Wrote .github/workflows/terrace-apply.yml")
        .says("TERRACE_PLAN_ROLE");
    let first = NAMES.map(|name| project.read(path(name)));
    project
        .terrace(&["init-ci", "github"])
        .success()
        .says("terrace-plan.yml is as it should be.")
        .omits("Wrote");
    assert_eq!(first, NAMES.map(|name| project.read(path(name))));
    // What nobody has changed follows without a question.
    project.write("terrace.hcl", format!("{RULES}environment \"lab\" {{}}\n"));
    project
        .terrace(&["init-ci", "github"])
        .success()
        .says("Wrote .github/workflows/terrace-apply.yml")
        .says("terrace-plan.yml is as it should be.");
    assert!(
        project
            .read(path("apply"))
            .contains("name: 'lab'\n    needs: [prd]")
    );
}

#[test]
fn what_people_have_changed_stays_until_they_say_so() {
    let project = project();
    project.terrace(&["init-ci", "github"]).success();
    let mine = project
        .read(path("apply"))
        .replace("runs-on: ubuntu-latest", "runs-on: our-own");
    project.write(path("apply"), &mine);
    std::fs::remove_file(project.path().join(path("drift"))).unwrap();
    project
        .terrace(&["init-ci", "github"])
        .fails(1)
        .says("Workflow was changed by hand")
        .says("-    runs-on: our-own")
        .says("+    runs-on: ubuntu-latest");
    assert_eq!(project.read(path("apply")), mine);
    assert!(!project.path().join(path("drift")).exists());
    project.terrace(&["init-ci", "github", "-force"]).success();
    assert!(!project.read(path("apply")).contains("our-own"));
}

#[test]
fn what_they_cannot_be_written_from_is_told() {
    let project = project();
    project.write("terrace.hcl", "project \"shop\" {}\n");
    project
        .terrace(&["init-ci", "github"])
        .fails(1)
        .says("has no environments");
    project.write("terrace.hcl", RULES);
    project
        .terrace(&["init-ci", "github", "-prefix=a b"])
        .fails(1)
        .says("letters, digits");
    project
        .terrace(&["init-ci", "github", "-action=x@v1\n  run: evil"])
        .fails(1)
        .says("is no action");
    std::fs::remove_dir_all(project.path().join(".git")).unwrap();
    project
        .terrace(&["init-ci", "github"])
        .fails(1)
        .says("is in no git repository");
}

#[test]
fn a_project_in_a_folder_has_its_workflows_at_the_top() {
    let project = project();
    std::fs::remove_file(project.path().join("terrace.hcl")).unwrap();
    project.write("infra/shop/terrace.hcl", RULES);
    let folder = project.path().join("infra/shop");
    project
        .terrace_in(
            folder,
            &["init-ci", "github", "-prefix=shop", "-branch=trunk"],
        )
        .success();
    let plan = project.read(".github/workflows/shop-plan.yml");
    for part in [
        "branches: ['trunk']",
        "working-directory: 'infra/shop'",
        "path: 'infra/shop/terrace-ci/public'",
        "name: shop plan",
    ] {
        assert!(plan.contains(part), "{part}\n{plan}");
    }
}

#[test]
fn actionlint_has_nothing_to_say() {
    let Some(actionlint) = available("what actionlint says of workflows", actionlint()) else {
        return;
    };
    let check = |directory: &Path| {
        let ran = Command::new(&actionlint)
            .args(["-color=false", "-shellcheck=", "-pyflakes="])
            .current_dir(directory)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(
            ran.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&ran.stderr)
        );
    };
    check(&repository());
    let project = project();
    let odd = "environment \"it's 1\" {}\nenvironment \"9-lives\" {}\n";
    project.write("terrace.hcl", format!("{RULES}{odd}"));
    // With the action beside them, its inputs are checked too.
    for name in ["action.yml", "run.sh", "setup.sh"] {
        let file = format!(".github/actions/terrace/{name}");
        project.write(&file, std::fs::read(repository().join(&file)).unwrap());
    }
    project
        .terrace(&["init-ci", "github", "-action=./.github/actions/terrace"])
        .success();
    check(&project.path());
    // And it does find what is wrong.
    let broken = project
        .read(path("plan"))
        .replace("command: plan", "comand: plan");
    project.write(path("plan"), broken);
    let ran = Command::new(&actionlint)
        .args(["-color=false", "-shellcheck=", "-pyflakes="])
        .current_dir(project.path())
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&ran.stdout).contains("comand"));
}
