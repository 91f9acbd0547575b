//! SSH behind the `Remote` port: connections through proxies and bastions, scripts and files for provisioners.
//!
//! Files travel as `scp` sends them, since wherever there is an OpenSSH server there is that program.

mod auth;
mod connect;
mod copy;
mod keys;
mod proxy;
mod script;
mod session;

use async_trait::async_trait;
use terrace_port::{Connection, Remote, RemoteError, RemoteTask};

use crate::connect::Plan;
use crate::session::Failure;

/// What hears of messages and lines of output.
type Say<'a> = &'a (dyn for<'b> Fn(&'b str) + Send + Sync);

/// Machines over SSH.
#[derive(Clone, Debug, Default)]
pub struct Ssh {
    /// The socket of the user's SSH agent (`SSH_AUTH_SOCK`).
    pub agent: Option<String>,
}

#[async_trait]
impl Remote for Ssh {
    async fn carry_out(
        &self,
        connection: &Connection,
        task: &RemoteTask,
        on_output: Say<'_>,
    ) -> Result<(), RemoteError> {
        self.attempt(connection, task, on_output)
            .await
            .map_err(|failure| RemoteError(failure.to_string()))
    }
}

impl Ssh {
    async fn attempt(
        &self,
        connection: &Connection,
        task: &RemoteTask,
        say: Say<'_>,
    ) -> Result<(), Failure> {
        match task {
            RemoteTask::Run(contents) => {
                // What cannot be read is known before a machine is bothered.
                let scripts = script::read(contents, connection.platform)?;
                let plan = Plan::of(connection, self.agent.as_deref()).await?;
                let session = plan.connect(say).await?;
                for text in scripts {
                    script::run(&session, connection, &text, say).await?;
                }
                session.close().await;
                Ok(())
            }
            RemoteTask::Copy {
                content,
                destination,
            } => {
                let source = copy::Source::of(content)?;
                let plan = Plan::of(connection, self.agent.as_deref()).await?;
                // Copying is silent, as it is in the reference.
                let session = plan.connect(&|_| ()).await?;
                copy::copy(&session, connection.platform, &source, destination).await?;
                session.close().await;
                Ok(())
            }
        }
    }
}
