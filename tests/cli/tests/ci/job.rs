//! A job of a workflow of the repository `acme/shop`.

use serde_json::{Value, json};
use terrace_test_services::GitHubStandIn;
use terrace_test_support::Project;

/// The last commit of the pull request.
pub(crate) const HEAD: &str = "1111111111111111111111111111111111111111";
/// The commit that is checked out for it.
const MERGED: &str = "2222222222222222222222222222222222222222";
/// The number of the pull request.
pub(crate) const NUMBER: u64 = 7;

pub(crate) const CONFIGURATION: &str = r#"
variable "greeting" {
  type    = string
  default = "hello"
}

resource "terraform_data" "shop" {
  input = var.greeting
}

resource "terraform_data" "banner" {
  input = "open"
}
"#;

const RULES: &str = r#"
project "shop" {}

environment "dev" {
  variables = ["environments/dev.tfvars"]
}

environment "prd" {
  variables = ["environments/prd.tfvars"]
}
"#;

/// A job, and the repository that it belongs to.
pub(crate) struct Job {
    pub(crate) project: Project,
    pub(crate) github: GitHubStandIn,
}

impl Job {
    /// A job for a pull request that changes the banner, in a project with `dev` and `prd`.
    pub(crate) fn new() -> Self {
        Self::with(CONFIGURATION, RULES)
    }

    pub(crate) fn with(configuration: &str, rules: &str) -> Self {
        let github = GitHubStandIn::start().unwrap();
        let mut project = Project::with(configuration);
        project.write("terrace.hcl", rules);
        project.write("environments/dev.tfvars", "greeting = \"dev\"\n");
        project.write("environments/prd.tfvars", "greeting = \"prd\"\n");
        for (name, value) in github.variables() {
            project.set(name, value);
        }
        let workspace = project.path();
        let summary = project.outer().join("summary.md");
        project.set("GITHUB_ACTIONS", "true");
        project.set("GITHUB_WORKSPACE", workspace);
        project.set("GITHUB_STEP_SUMMARY", summary);
        project.set("GITHUB_RUN_ID", "99");
        let patch = "@@ -12,1 +12,1 @@\n-  input = \"shut\"\n+  input = \"open\"\n";
        github.change_files(&[("main.tf", patch)]);
        let mut job = Self { project, github };
        job.pull_request("acme/shop");
        job
    }

    /// What has started it.
    pub(crate) fn event(&mut self, name: &str, document: &Value) {
        let path = self.project.outer().join("event.json");
        std::fs::write(&path, document.to_string()).unwrap();
        self.project.set("GITHUB_EVENT_NAME", name);
        self.project.set("GITHUB_EVENT_PATH", path);
        self.project.set("GITHUB_SHA", MERGED);
    }

    /// A pull request, with commits from that repository.
    pub(crate) fn pull_request(&mut self, from: &str) {
        let document = json!({"number": NUMBER, "pull_request": {
            "number": NUMBER,
            "head": {"sha": HEAD, "ref": "change", "repo": {"full_name": from}},
            "base": {"ref": "main", "repo": {"full_name": "acme/shop"}},
        }});
        self.event("pull_request", &document);
    }

    /// The comments that begin with the marker of plans.
    pub(crate) fn sticky(&self) -> Vec<(u64, String)> {
        let mut all = self.github.comments(NUMBER);
        all.retain(|(_, body)| body.starts_with("<!-- terrace:plan:shop -->"));
        all
    }

    /// The summary of the job.
    pub(crate) fn summary(&self) -> String {
        std::fs::read_to_string(self.project.outer().join("summary.md")).unwrap_or_default()
    }
}
