//! A project whose `prd` asks for an approval, and the people who can give one.

use std::path::Path;

use serde_json::json;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::job::{CONFIGURATION, HEAD, Job, NUMBER};

/// The commit by which the pull request came to the branch.
pub(crate) const COMMIT: &str = "3333333333333333333333333333333333333333";

/// A throwaway key in a file; its fingerprint.
fn make_key(path: &Path) -> String {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()));
    std::fs::write(path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    key.public_key().fingerprint(HashAlg::Sha256).to_string()
}

/// `dev` asks for nothing, `prd` for an approval by another than the author. Keys are made in `outer`; `more` of an environment is
/// what else its block says.
pub(crate) fn rules(outer: &Path, api: &str, more: impl Fn(&str) -> String) -> String {
    let (ann, ben) = (make_key(&outer.join("ann")), make_key(&outer.join("ben")));
    let (dev, prd) = (more("dev"), more("prd"));
    format!(
        r#"
project "shop" {{
  github     = "acme/shop"
  github_api = {api:?}
}}

person "ann" {{
  ssh    = [{ann:?}]
  github = "ann-at-hub"
}}

person "ben" {{
  ssh    = [{ben:?}]
  github = "ben-at-hub"
}}

environment "dev" {{
  variables = ["environments/dev.tfvars"]
  {dev}
}}

environment "prd" {{
  variables = ["environments/prd.tfvars"]
  after     = ["dev"]
  {prd}

  gate {{
    approvals = 1
  }}
}}
"#
    )
}

/// A job of such a project, which signs plans as ann's.
pub(crate) fn gated(configuration: &str) -> Job {
    let mut job = Job::with(configuration, "");
    let api = job.github.variables()[0].1.clone();
    let outer = job.project.outer().to_owned();
    job.project
        .write("terrace.hcl", rules(&outer, &api, |_| String::new()));
    job.project.set("TERRACE_SSH_KEY", outer.join("ann"));
    job
}

impl Job {
    /// The pull request is merged, and the job is one for the push to the branch.
    pub(crate) fn merge(&mut self) {
        self.github.merge(NUMBER, HEAD, COMMIT);
        self.github.begin_run(99, COMMIT);
        self.push("main", COMMIT);
    }

    /// A push to a branch whose last commit is this one.
    pub(crate) fn push(&mut self, branch: &str, commit: &str) {
        let document = json!({
            "ref": format!("refs/heads/{branch}"),
            "before": HEAD,
            "after": commit,
            "repository": {"full_name": "acme/shop", "default_branch": "main"},
        });
        self.event("push", &document);
        self.project.set("GITHUB_SHA", commit);
    }

    /// A pull request that was planned, and is merged.
    pub(crate) fn reviewed() -> Self {
        Self::reviewed_of(gated(CONFIGURATION))
    }

    pub(crate) fn reviewed_of(mut job: Self) -> Self {
        job.project.terrace(&["ci", "plan"]).success();
        job.merge();
        job
    }

    /// The run that a table row of the comment names for an environment.
    pub(crate) fn run_of(&self, environment: &str) -> String {
        let body = &self.sticky()[0].1;
        let plans = body.rsplit("### Terrace plan").next().unwrap();
        let row = plans
            .lines()
            .find(|line| line.starts_with(&format!("| {environment} |")))
            .unwrap();
        let (_, rest) = row.rsplit_once("<code>").unwrap();
        rest.split('<').next().unwrap().to_owned()
    }

    /// Somebody approves a run.
    pub(crate) fn approve(&self, environment: &str, person: &str, run: &str) {
        let key = self.project.outer().join(person);
        let environment = format!("-env={environment}");
        let key = format!("-key={}", key.display());
        self.project
            .terrace(&["approve", &environment, &key, run])
            .success();
    }

    /// The states of an environment's deployments of the merged commit, one after the other.
    pub(crate) fn states(&self, environment: &str) -> Vec<Vec<String>> {
        self.github
            .deployments()
            .into_iter()
            .filter(|(name, commit, _)| name == environment && commit == COMMIT)
            .map(|(_, _, states)| states)
            .collect()
    }

    /// The value of the banner in an environment.
    pub(crate) fn banner(&self, environment: &str) -> String {
        let shown = self
            .project
            .terrace(&["show", "-json", &format!("-env={environment}")])
            .success()
            .json();
        let all = shown["values"]["root_module"]["resources"]
            .as_array()
            .cloned();
        let banner = all
            .into_iter()
            .flatten()
            .find(|one| one["name"] == "banner");
        banner.map_or_else(String::new, |one| {
            one["values"]["input"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
    }
}
