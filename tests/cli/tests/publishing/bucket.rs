//! A bucket that modules are published into, and a web server that shows what is below a prefix of it.

use std::sync::Arc;

use terrace_test_services::{Moto, Reply, Web};
use terrace_test_support::{Project, available};

use super::as_a_site;

const NAME: &str = "modules";

/// A bucket of S3.
pub(crate) struct Bucket {
    server: Arc<Moto>,
}

impl Bucket {
    /// An empty one; `None` after saying that it cannot be had.
    pub(crate) fn start(what: &str) -> Option<Self> {
        let server = available(what, Moto::start())?;
        server.create_bucket(NAME).unwrap();
        Some(Self {
            server: Arc::new(server),
        })
    }

    /// How the command line names what lies below a prefix of it.
    pub(crate) fn place(prefix: &str) -> String {
        format!("s3://{NAME}/{prefix}?region=us-east-1&use_path_style=true")
    }

    /// What commands find in their environment to reach it.
    pub(crate) fn surround(&self, project: &mut Project) {
        project.set("AWS_ACCESS_KEY_ID", "test");
        project.set("AWS_SECRET_ACCESS_KEY", "test");
        project.set("AWS_ENDPOINT_URL_S3", self.server.endpoint());
        project.set("AWS_ENDPOINT_URL_STS", self.server.endpoint());
    }

    /// A web server that shows what lies below a prefix at each moment.
    pub(crate) fn site(&self, prefix: &str) -> Web {
        self.server.make_public(NAME).unwrap();
        let web = Web::start().unwrap();
        let (server, prefix) = (Arc::clone(&self.server), prefix.to_owned());
        web.otherwise(move |asked| {
            let path = asked.path.split('?').next().unwrap_or_default();
            match server.object(NAME, &format!("{prefix}{path}")) {
                Ok(Some(bytes)) => as_a_site(path, bytes),
                Ok(None) => Reply::status(404),
                Err(_) => Reply::status(502),
            }
        });
        web
    }
}
