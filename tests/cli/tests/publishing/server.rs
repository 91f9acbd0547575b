//! `terrace registry serve`: tokens, publishing, installing, by Terrace and by Terraform.

use std::path::PathBuf;

use terrace_test_services::Postgres;
use terrace_test_support::{Project, Running, available};

use super::{
    Author, HOST, MODULE, applies, cli_config, configure, consumer, has_terraform,
    terraform_applies,
};
use crate::bucket::Bucket;

/// A registry that is served.
pub(crate) struct Served {
    project: Project,
    running: Running,
    url: String,
    store: String,
}

impl Served {
    /// From a folder.
    pub(crate) fn start() -> Self {
        Self::of(Project::new(), "./store")
    }

    /// From the store of this name, for a server that runs in this project.
    pub(crate) fn of(project: Project, store: &str) -> Self {
        let store = format!("-store={store}");
        let mut running = project.start(&["registry", "serve", &store, "-listen=127.0.0.1:0"]);
        running.until("it names its address", |running| {
            running.printed().contains("Ctrl-C")
        });
        let url = running.printed().lines().next().unwrap().trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self {
            project,
            running,
            url,
            store,
        }
    }

    /// Kills it, as a power cut would, and starts it anew.
    pub(crate) fn killed(self) -> Self {
        self.running.kill();
        drop(self.running.wait().whatever());
        let store = self.store.trim_start_matches("-store=");
        Self::of(self.project, store)
    }

    /// Where modules lie in the folder that [`Self::start`] serves.
    pub(crate) fn content(&self) -> PathBuf {
        self.project.path().join("store/content")
    }

    pub(crate) fn token(&self, name: &str, role: &str) -> String {
        let role = format!("-role={role}");
        let said = self
            .project
            .terrace(&["registry", "token", &self.store, &role, name])
            .success();
        said.stdout.trim().to_owned()
    }

    pub(crate) fn cli_config(&self, token: &str) -> String {
        cli_config(&self.url, token)
    }
}

/// Who may do what with a registry; and the module, published to it, is installed from it, by Terrace and by Terraform.
fn publishes_and_installs(served: &Served) {
    let (publish, read) = (
        served.token("ci", "publish"),
        served.token("reader", "read"),
    );
    let mut author = Author::new();
    for (config, why) in [
        (served.cli_config(""), "The registry does not allow this"),
        (served.cli_config(&read), "The registry does not allow this"),
    ] {
        configure(&mut author.project, &config);
        author.publish(HOST, "1.0.0").fails(1).says(why);
    }
    configure(&mut author.project, &served.cli_config(&publish));
    author
        .publish(HOST, "1.0.0")
        .success()
        .says(&format!("Published {MODULE} 1.0.0 to {HOST}/{MODULE}"));
    author
        .publish(HOST, "1.0.0")
        .fails(1)
        .says("Version is published already");
    let config = served.cli_config(&read);
    let ours = consumer(&config, "~> 1.0");
    ours.terrace(&["init"])
        .success()
        .says(&format!("{HOST}/{MODULE} 1.0.0"));
    assert!(ours.read(".terrace.lock.hcl").contains(&author.fingerprint));
    applies(&ours);
    if has_terraform() {
        terraform_applies(&consumer(&config, "~> 1.0"));
    }
    // Without the token nobody gets anything.
    consumer(&served.cli_config(""), "~> 1.0")
        .terrace(&["init"])
        .fails(1);
}

#[test]
fn from_the_registry_s_server() {
    let served = Served::start();
    publishes_and_installs(&served);
    served.running.interrupt();
    served.running.wait().success();
}

/// The same with a store that is elsewhere, which a second server serves too, and which outlives the first one.
fn from_a_store(project: impl Fn() -> Project, store: &str) {
    let served = Served::of(project(), store);
    publishes_and_installs(&served);
    let beside = Served::of(project(), store);
    let token = beside.token("beside", "publish");
    let mut author = Author::new();
    author.edit("by the second server");
    configure(&mut author.project, &beside.cli_config(&token));
    author
        .publish(HOST, "1.0.0")
        .fails(1)
        .says("Version is published already");
    author.publish(HOST, "1.1.0").success();
    let served = served.killed();
    let ours = consumer(&served.cli_config(&token), "~> 1.0");
    ours.terrace(&["init"])
        .success()
        .says(&format!("{HOST}/{MODULE} 1.1.0"));
    applies(&ours);
}

#[test]
fn from_a_server_over_a_bucket() {
    let Some(bucket) = Bucket::start("a registry over S3") else {
        return;
    };
    let project = || {
        let mut project = Project::new();
        bucket.surround(&mut project);
        project
    };
    from_a_store(project, &Bucket::place("registry"));
}

#[test]
fn from_a_server_over_a_database() {
    let Some(database) = available("a registry over PostgreSQL", Postgres::start()) else {
        return;
    };
    from_a_store(Project::new, &database.connection_string("tfstate"));
}
