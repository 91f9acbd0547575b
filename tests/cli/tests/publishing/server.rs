//! `terrace registry serve`: tokens, publishing, installing, by Terrace and by Terraform.

use terrace_test_support::{Project, Running};

use super::{
    Author, HOST, MODULE, applies, cli_config, configure, consumer, has_terraform,
    terraform_applies,
};

/// A registry that is served from a folder.
pub(crate) struct Served {
    project: Project,
    running: Running,
    url: String,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::of(Project::new())
    }

    /// Over the folder of an earlier one.
    fn of(project: Project) -> Self {
        let mut running =
            project.start(&["registry", "serve", "-store=./store", "-listen=127.0.0.1:0"]);
        running.until("it names its address", |running| {
            running.printed().contains("Ctrl-C")
        });
        let url = running.printed().lines().next().unwrap().trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self {
            project,
            running,
            url,
        }
    }

    /// Kills it, as a power cut would, and starts it anew.
    pub(crate) fn killed(self) -> Self {
        self.running.kill();
        drop(self.running.wait().whatever());
        Self::of(self.project)
    }

    pub(crate) fn token(&self, name: &str, role: &str) -> String {
        let role = format!("-role={role}");
        let said = self
            .project
            .terrace(&["registry", "token", "-store=./store", &role, name])
            .success();
        said.stdout.trim().to_owned()
    }

    pub(crate) fn cli_config(&self, token: &str) -> String {
        cli_config(&self.url, token)
    }
}

#[test]
fn from_the_registry_s_server() {
    let served = Served::start();
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
    served.running.interrupt();
    served.running.wait().success();
}
