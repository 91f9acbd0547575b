//! Three people, their keys, and a project of three environments.

use std::path::Path;
use std::sync::Arc;

use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey};
use terrace_backend_embedded::EmbeddedStore;
use terrace_gate::{Statement, load_run_plan, save_approval, sign_approval};
use terrace_port::{RunStore, StateStore as _};
use terrace_test_support::{Project, Ran, Said};

/// A throwaway key in a file.
pub(crate) fn make_key(path: &Path, comment: &str) -> String {
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(&rand::random()));
    key.set_comment(comment);
    std::fs::write(path, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    key.public_key().fingerprint(HashAlg::Sha256).to_string()
}

pub(crate) const CONFIGURATION: &str = r#"
variable "greeting" {
  type    = string
  default = "hello"
}

resource "terraform_data" "shop" {
  input = var.greeting
}

output "greeting" {
  value = terraform_data.shop.output
}
"#;

/// A shop with dev, stg (one approval, embedded store) and prd (two approvals, one of a lead, a state file).
pub(crate) struct Shop {
    pub(crate) project: Project,
}

impl Shop {
    pub(crate) fn new() -> Self {
        let project = Project::with(CONFIGURATION);
        let keys = project.outer().join("keys");
        std::fs::create_dir_all(&keys).unwrap();
        let fingerprint = |name: &str| make_key(&keys.join(name), name);
        let ann = format!("{:?}, {:?}", fingerprint("ann"), fingerprint("ann-laptop"));
        let (ben, cem) = (fingerprint("ben"), fingerprint("cem"));
        fingerprint("stranger");
        project.write(
            "terrace.hcl",
            format!(
                r#"
project "shop" {{}}

person "ann" {{
  ssh = [{ann}]
}}

person "ben" {{
  ssh = [{ben:?}]
}}

person "cem" {{
  ssh = [{cem:?}]
}}

role "lead" {{
  members = ["cem"]
}}

environment "dev" {{}}

environment "stg" {{
  after = ["dev"]

  gate {{
    approvals = 1
  }}
}}

environment "prd" {{
  after = ["stg"]

  backend "local" {{
    path = "prd.tfstate"
  }}

  gate {{
    approvals = 2
    roles     = ["lead"]
  }}
}}
"#
            ),
        );
        Self { project }
    }

    /// The option that names someone's key.
    pub(crate) fn key(&self, name: &str) -> String {
        format!(
            "-key={}",
            self.project.outer().join("keys").join(name).display()
        )
    }

    /// Applies in dev, which asks for nothing.
    pub(crate) fn apply_in_dev(&self) {
        self.project
            .terrace(&["apply", "-env=dev", "-auto-approve"])
            .success();
    }

    /// Promotes with someone's key; the id of the run.
    pub(crate) fn promote(&self, from: &str, to: &str, author: &str) -> String {
        let promoted = self
            .project
            .terrace(&["promote", &self.key(author), from, to])
            .success();
        run_named_in(&promoted.stdout).unwrap_or_else(|| self.last_run(to))
    }

    /// Plans for an environment; the id of the run.
    pub(crate) fn plan(&self, environment: &str, options: &[&str]) -> String {
        let environment_option = format!("-env={environment}");
        let arguments: Vec<&str> = ["plan", &environment_option]
            .into_iter()
            .chain(options.iter().copied())
            .collect();
        let said = self.project.terrace(&arguments).success();
        // Runs of one second have no order of their own: what the command names is the one.
        run_named_in(&said.stdout).unwrap_or_else(|| self.last_run(environment))
    }

    fn last_run(&self, environment: &str) -> String {
        let runs = self
            .project
            .terrace(&[
                "runs",
                &format!("-env={environment}"),
                "-status=planned",
                "-json",
            ])
            .success()
            .json();
        runs.as_array().unwrap().last().unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn approve(&self, environment: &str, person: &str, run: &str) -> Said {
        self.try_approve(environment, person, run).success()
    }

    pub(crate) fn try_approve(&self, environment: &str, person: &str, run: &str) -> Ran {
        self.project.terrace(&[
            "approve",
            &format!("-env={environment}"),
            &self.key(person),
            run,
        ])
    }

    /// An approval that was not made by `terrace approve`, in the embedded store.
    pub(crate) fn forge_approval(&self, environment: &str, person: &str, run: &str) {
        let key = std::fs::read_to_string(self.project.outer().join("keys").join(person)).unwrap();
        let store = self.runs(environment);
        let (_, _, digest) = wait(load_run_plan(&*store, run)).unwrap().unwrap();
        let statement = Statement {
            plan: digest,
            environment: environment.to_owned(),
            change: "normal".to_owned(),
            signed_at: 0,
            expires_at: None,
            comment: String::new(),
        };
        let envelope = sign_approval(&key, &statement).unwrap();
        wait(save_approval(&*store, run, &envelope)).unwrap();
    }

    pub(crate) fn apply(&self, environment: &str, run: &str) -> Ran {
        self.project
            .terrace(&["apply", &format!("-env={environment}"), run])
    }

    /// Brings the configuration through all three environments.
    pub(crate) fn bring_to_prd(&self) {
        self.apply_in_dev();
        let run = self.promote("dev", "stg", "ann");
        self.approve("stg", "ben", &run);
        self.apply("stg", &run).success();
        let run = self.promote("stg", "prd", "ann");
        self.approve("prd", "ben", &run);
        self.approve("prd", "cem", &run);
        self.apply("prd", &run).success();
    }

    /// What lies in the run store of an environment in the embedded store, for tampering.
    pub(crate) fn runs(&self, environment: &str) -> Arc<dyn RunStore> {
        EmbeddedStore::new(self.project.path().join(".terrace/store/.")).runs(environment)
    }
}

/// Waits for what needs a runtime.
pub(crate) fn wait<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(what)
}

/// The run that a plan's ending names: `Run ID of environment …`.
fn run_named_in(text: &str) -> Option<String> {
    let line = text
        .lines()
        .find(|line| line.starts_with("Run ") && line.contains(" of environment "))?;
    line.split(' ').nth(1).map(str::to_owned)
}
