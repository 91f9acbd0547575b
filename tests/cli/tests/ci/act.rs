//! The workflows that `terrace init-ci` writes, run by `act` on this machine with the action of this repository, against a server
//! that stands in for GitHub's API.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use terrace_test_services::{GitHubFault, GitHubStandIn, WorkflowIssuer, act, workflow_claims};
use terrace_test_support::{Project, Ran, Running, available, terrace};

use crate::job::{CONFIGURATION, HEAD, NUMBER};
use crate::people::rules;

/// Actions of GitHub that cannot be had here, as far as the workflows need them. Artefacts go to a directory of the test.
const ACTIONS: [(&str, &str); 3] = [
    (
        "actions/cache",
        "inputs:\n  path: {description: what}\n  key: {description: its name}\n  restore-keys: {description: more names}\nruns:\n  using: composite\n  steps:\n    - {shell: bash, run: 'true'}\n",
    ),
    (
        "actions/upload-artifact",
        "inputs:\n  name: {description: its name}\n  path: {description: what}\n  if-no-files-found: {description: what then}\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      env: {NAME: '${{ inputs.name }}', FROM: '${{ inputs.path }}'}\n      run: |\n        mkdir -p \"$ARTEFACTS/$NAME\"\n        if [ -d \"$FROM\" ]; then cp -r \"$FROM/.\" \"$ARTEFACTS/$NAME/\"; fi\n",
    ),
    (
        "actions/download-artifact",
        "inputs:\n  pattern: {description: their names}\n  path: {description: where to}\n  merge-multiple: {description: whether into one}\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      env: {PATTERN: '${{ inputs.pattern }}', TO: '${{ inputs.path }}'}\n      run: |\n        mkdir -p \"$TO\"\n        for found in \"$ARTEFACTS\"/$PATTERN; do cp -r \"$found/.\" \"$TO/\"; done\n",
    ),
];

/// A repository with its workflows, and what runs them.
struct World {
    project: Project,
    github: GitHubStandIn,
    issuer: WorkflowIssuer,
    act: PathBuf,
}

impl World {
    /// `None` where `act` cannot be had, which is said.
    fn new(what: &str, configuration: &str) -> Option<Self> {
        let act = available(what, act())?;
        let github = GitHubStandIn::start().unwrap();
        let project = Project::with(configuration);
        let outer = project.outer().to_owned();
        let api = github.variables()[0].1.clone();
        // Each job has a copy of the repository's files; states are elsewhere.
        let states = |environment: &str| {
            let path = outer.join(format!("states/{environment}.tfstate"));
            format!(
                "backend \"local\" {{\n    path = \"{}\"\n  }}",
                path.display()
            )
        };
        project.write("terrace.hcl", rules(&outer, &api, states));
        project.write("environments/dev.tfvars", "greeting = \"dev\"\n");
        project.write("environments/prd.tfvars", "greeting = \"prd\"\n");
        std::fs::create_dir_all(outer.join("states")).unwrap();
        std::fs::create_dir_all(outer.join("artefacts")).unwrap();
        for (name, text) in ACTIONS {
            let directory = outer.join(name);
            std::fs::create_dir_all(&directory).unwrap();
            let text = format!("name: stand-in\ndescription: stand-in\n{text}");
            std::fs::write(directory.join("action.yml"), text).unwrap();
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for name in ["action.yml", "run.sh", "setup.sh"] {
            let file = format!(".github/actions/terrace/{name}");
            std::fs::create_dir_all(project.path().join(".github/actions/terrace")).unwrap();
            std::fs::copy(here.join(&file), project.path().join(&file)).unwrap();
        }
        let issuer = WorkflowIssuer::start().unwrap();
        issuer.say(workflow_claims(&issuer.name(), "", HEAD, 1_700_000_000));
        let world = Self {
            project,
            github,
            issuer,
            act,
        };
        world
            .project
            .git(&["init", "--quiet", "--initial-branch=main"]);
        world
            .project
            .terrace(&["init-ci", "github", "-action=./.github/actions/terrace"])
            .success();
        let patch = "@@ -12,1 +12,1 @@\n-  input = \"shut\"\n+  input = \"open\"\n";
        world.github.change_files(&[("main.tf", patch)]);
        world.commit();
        Some(world)
    }

    /// Everything as it is; the commit.
    fn commit(&self) -> String {
        self.project.git(&["add", "--all"]);
        self.project
            .git(&["commit", "--quiet", "--allow-empty", "--message=a change"]);
        self.project.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn arguments(&self, workflow: &str, event: &str, document: &Value) -> Vec<String> {
        let outer = self.project.outer();
        let file = outer.join(format!("{workflow}-event.json"));
        std::fs::write(&file, document.to_string()).unwrap();
        let mut arguments = vec![
            event.to_owned(),
            format!("--workflows=.github/workflows/{workflow}.yml"),
            "--platform=ubuntu-latest=-self-hosted".to_owned(),
            "--no-cache-server".to_owned(),
            format!("--eventpath={}", file.display()),
            format!("--secret=GITHUB_TOKEN={}", self.github.variables()[2].1),
        ];
        for (name, _) in ACTIONS {
            arguments.push(format!(
                "--local-repository={name}@v4={}",
                outer.join(name).display()
            ));
        }
        let variables = [
            ("TERRACE_BINARY", terrace()),
            ("TERRACE_SSH_KEY", outer.join("ann")),
            ("MARKS", outer.to_owned()),
            ("ARTEFACTS", outer.join("artefacts")),
            (
                "GITHUB_API_URL",
                self.github.variables()[0].1.clone().into(),
            ),
            ("GITHUB_REPOSITORY", "acme/shop".into()),
        ];
        for (name, value) in self.issuer.variables() {
            arguments.push(format!("--env={name}={value}"));
        }
        let role = "arn:aws:iam::123456789012:role/terrace-plan";
        arguments.push(format!("--var=TERRACE_PLAN_ROLE_DEV={role}"));
        for (name, value) in variables {
            arguments.push(format!("--env={name}={}", value.display()));
        }
        arguments
    }

    fn run(&self, workflow: &str, event: &str, document: &Value) -> Ran {
        let arguments = self.arguments(workflow, event, document);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.project.other(&self.act.to_string_lossy(), &arguments)
    }

    fn start(&self, workflow: &str, event: &str, document: &Value) -> Running {
        let arguments = self.arguments(workflow, event, document);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.project
            .start_other(&self.act.to_string_lossy(), &arguments)
    }

    fn sticky(&self) -> Vec<(u64, String)> {
        let mut all = self.github.comments(NUMBER);
        all.retain(|(_, body)| body.starts_with("<!-- terrace:plan:shop -->"));
        all
    }
}

fn request(from: &str) -> Value {
    json!({
        "number": NUMBER,
        "pull_request": {
            "number": NUMBER,
            "head": {"sha": HEAD, "ref": "change", "repo": {"full_name": from}},
            "base": {"ref": "main", "repo": {"full_name": "acme/shop"}},
        },
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
    })
}

fn push(commit: &str) -> Value {
    json!({
        "ref": "refs/heads/main",
        "before": HEAD,
        "after": commit,
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
    })
}

#[test]
fn a_change_goes_from_its_pull_request_to_production() {
    let what = "a change from its pull request to production under act";
    let Some(world) = World::new(what, CONFIGURATION) else {
        return;
    };
    let ours = request("acme/shop");
    // The server asks to come later, and once does what it says that it has not done.
    world
        .github
        .fail("POST", "comments", GitHubFault::SecondaryLimit(1));
    world
        .github
        .fail("POST", "comments", GitHubFault::LostAnswer);
    world.run("terrace-plan", "pull_request", &ours).success();
    assert_eq!(world.github.faults_left(), 0);
    // dev has a role, and prd none: one job signs in, and renews what it has before it plans.
    let asked = world.issuer.web().asked();
    assert!(!asked.is_empty());
    assert!(
        asked
            .iter()
            .all(|asked| asked.path.contains("audience=sts.amazonaws.com"))
    );
    let first = world.sticky();
    assert_eq!(first.len(), 1);
    assert!(
        first[0].1.contains("| dev | changes | 2") && first[0].1.contains("| prd | changes | 2")
    );
    assert_eq!(world.github.checks().len(), 2);
    assert!(
        world
            .project
            .outer()
            .join("artefacts/terrace-plans/dev/page.html")
            .exists()
    );

    // Another commit of the same pull request.
    world
        .project
        .write("main.tf", CONFIGURATION.replace("\"open\"", "\"ajar\""));
    let commit = world.commit();
    world.run("terrace-plan", "pull_request", &ours).success();
    let second = world.sticky();
    assert_eq!((second.len(), second[0].0), (1, first[0].0));
    assert!(second[0].1.contains("ajar"));
    assert_eq!(world.github.comments(NUMBER).len(), 1);

    // The merge applies dev; prd waits for somebody.
    world.github.merge(NUMBER, HEAD, &commit);
    world.github.begin_run(1, &commit);
    world.github.wrote("ann-at-hub", &commit);
    let said = world.run("terrace-apply", "push", &push(&commit)).fails(1);
    assert!(
        said.all().contains("Gate is not open yet"),
        "{}",
        said.all()
    );
    let body = world.sticky()[0].1.clone();
    assert!(
        body.contains("| dev | applied |") && body.contains("| prd | waits for its gate |"),
        "{body}"
    );

    // Who reviews deployments at GitHub lets it go on.
    world.github.let_run(1, &commit, ("ben-at-hub", "prd"));
    world.run("terrace-apply", "push", &push(&commit)).success();
    let body = world.sticky()[0].1.clone();
    assert!(body.contains("| prd | applied |"), "{body}");
    let state = std::fs::read_to_string(world.project.outer().join("states/prd.tfstate")).unwrap();
    assert!(state.contains("ajar"));
    assert_eq!(world.github.comments(NUMBER).len(), 1);
    let deployments = world.github.deployments();
    assert_eq!(deployments.len(), 2, "{deployments:?}");
    assert!(
        deployments
            .iter()
            .all(|(_, of, states)| *of == commit && states.last().unwrap() == "success")
    );

    // And every day somebody looks whether it still is so.
    world.run("terrace-drift", "schedule", &json!({})).success();
    assert!(world.github.issues().is_empty());
}

#[test]
fn a_fork_gets_nothing() {
    let Some(world) = World::new("forks under act", CONFIGURATION) else {
        return;
    };
    let theirs = request("mallory/shop");
    world.run("terrace-plan", "pull_request", &theirs).success();
    // A workflow that lets it in is refused by the program, before anything of theirs is prepared.
    let path = ".github/workflows/terrace-plan.yml";
    let open = world.project.read(path).replace(
        "    if: github.event.pull_request.head.repo.full_name == github.repository\n",
        "",
    );
    world
        .project
        .write(path, open.replace("command: matrix", "command: plan"));
    world.commit();
    let said = world
        .run("terrace-plan", "pull_request", &theirs)
        .fails(1)
        .all();
    assert!(said.contains("Pull request 7 comes from a fork"), "{said}");
    assert!(!said.contains("Initializing"), "{said}");
    assert!(world.github.web().asked().is_empty());
}

#[test]
fn a_second_merge_during_an_apply_waits() {
    let slow = format!(
        "{CONFIGURATION}\nresource \"terraform_data\" \"slow\" {{\n  provisioner \"local-exec\" {{\n    command = \"touch $MARKS/begun; while [ ! -e $MARKS/go ]; do sleep 0.05; done\"\n  }}\n}}\n"
    );
    let Some(world) = World::new("a second merge under act", &slow) else {
        return;
    };
    let marks = world.project.outer().to_owned();
    let ours = request("acme/shop");
    world.run("terrace-plan", "pull_request", &ours).success();
    let commit = world.commit();
    world.github.merge(NUMBER, HEAD, &commit);
    let only = json!({
        "ref": "refs/heads/main",
        "inputs": {"environment": "dev"},
        "repository": {"full_name": "acme/shop", "default_branch": "main"},
    });
    let mut first = world.start("terrace-apply", "workflow_dispatch", &only);
    first.until("the first has begun", |_| marks.join("begun").exists());
    let mut second = world.start("terrace-apply", "workflow_dispatch", &only);
    second.until("the second has come to it", |second| {
        second.printed().contains("::group::dev") || second.printed().contains("❓  ::group::dev")
    });
    std::fs::write(marks.join("go"), "").unwrap();
    first.wait().success();
    second.wait().success();
    let body = world.sticky()[0].1.clone();
    assert_eq!(world.sticky().len(), 1);
    assert!(
        body.contains("| dev | no changes |") || body.contains("| dev | applied |"),
        "{body}"
    );
    let state = std::fs::read_to_string(marks.join("states/dev.tfstate")).unwrap();
    assert!(state.contains("\"slow\"") && state.contains("\"banner\""));
}
