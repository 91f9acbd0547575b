//! Ephemeral resources: opened, kept alive, closed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, select};
use terrace_addr::AbsResourceInstance;
use terrace_port::{
    Attempt, Clock, Observer, OperationEvent, Provider, ProviderDiagnostic, ProviderError,
};
use terrace_schema::{Block, ResourceSchema};
use terrace_value::{Marks, Path, Value};

/// What goes wrong, or is to be said.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// The provider said this.
    Said(Vec<ProviderDiagnostic>),
    /// The provider did not answer while doing this, such as `opening`.
    Lost(&'static str, ProviderError),
    /// The provider gave a value that it must not give: what is wrong with it.
    Broken(String),
    /// The provider put off what it was asked for, which nobody allowed it to do.
    Deferred,
}

impl Problem {
    /// Whether it is more than a warning.
    pub fn is_error(&self) -> bool {
        match self {
            Self::Said(remarks) => remarks.iter().any(|remark| remark.error),
            Self::Lost(..) | Self::Broken(_) | Self::Deferred => true,
        }
    }
}

/// An ephemeral resource to open.
#[derive(Clone)]
pub struct OpenEphemeral {
    /// The instance.
    pub address: AbsResourceInstance,
    /// The started provider.
    pub provider: Arc<dyn Provider>,
    /// The type's schema.
    pub schema: Arc<ResourceSchema>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
}

/// An ephemeral resource that is open.
pub struct Lifetime {
    of: OpenEphemeral,
    private: Arc<[u8]>,
    renew_at: Option<(i64, u32)>,
}

/// Checks a configuration, which is known and may carry marks, and opens the resource. The value has the marks of the
/// configuration and of the schema.
pub async fn open(
    resource: OpenEphemeral,
    config: &Value,
    problems: &mut Vec<Problem>,
) -> Option<(Value, Lifetime)> {
    let (config, marks) = config.unmark_deep_with_paths();
    let type_name = resource.address.type_name().clone();
    let checked = resource
        .provider
        .validate_ephemeral_config(&type_name, config.clone());
    keep("checking the configuration of", checked.await, problems)?;
    let running = resource.started("open");
    let asked = resource.provider.open_ephemeral(&type_name, config);
    let opened = keep("opening", asked.await, problems);
    resource.ended(&running, opened.is_none());
    let opened = opened?;
    let lifetime = Lifetime {
        private: opened.private,
        renew_at: opened.renew_at,
        of: resource,
    };
    let broken = match terrace_schema::assert_conforms(&lifetime.of.schema.block, &opened.value) {
        Err(problem) => Some(format!("{}: {problem}", lifetime.of.address)),
        Ok(()) if opened.value.is_null() => {
            Some(format!("{}: it must not be null", lifetime.of.address))
        }
        Ok(()) if !opened.value.is_wholly_known() => {
            Some(format!("{}: it must be wholly known", lifetime.of.address))
        }
        Ok(()) => None,
    };
    if let Some(broken) = broken {
        problems.push(Problem::Broken(broken));
        problems.extend(lifetime.close().await);
        return None;
    }
    let value = marked(&opened.value, &lifetime.of.schema.block, &marks);
    Some((value, lifetime))
}

fn marked(value: &Value, block: &Block, marks: &[(Path, Marks)]) -> Value {
    block.mark_sensitive(&value.mark_with_paths(marks))
}

fn keep<T>(doing: &'static str, attempt: Attempt<T>, problems: &mut Vec<Problem>) -> Option<T> {
    match attempt {
        Ok(reply) => {
            let failed = reply.failed();
            if !reply.diagnostics.is_empty() {
                problems.push(Problem::Said(reply.diagnostics));
            }
            if reply.deferred.is_some() {
                problems.push(Problem::Deferred);
                return None;
            }
            (!failed).then_some(reply.value)
        }
        Err(error) => {
            problems.push(Problem::Lost(doing, error));
            None
        }
    }
}

/// The least time between renewals.
const LEAST_PAUSE: Duration = Duration::from_millis(500);

/// How long it is from `now` until `then`; both in seconds and nanoseconds.
fn left(then: (i64, u32), now: (i64, u32)) -> Duration {
    let since = |(seconds, nanoseconds): (i64, u32)| {
        Duration::new(u64::try_from(seconds).unwrap_or(0), nanoseconds)
    };
    since(then).saturating_sub(since(now))
}

impl Lifetime {
    /// Renews the resource whenever its time comes, until `end`; then closes it.
    pub async fn until(mut self, end: impl Future<Output = ()> + Unpin) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut end = end;
        let mut least = Duration::ZERO;
        while let Some(renew_at) = self.renew_at {
            let wait = left(renew_at, self.of.clock.now()).max(least);
            // A provider that is never content is not asked without pause.
            least = LEAST_PAUSE;
            match select(end, self.of.clock.sleep(wait)).await {
                Either::Left(((), _)) => {
                    problems.extend(self.close().await);
                    return problems;
                }
                Either::Right(((), waiting)) => end = waiting,
            }
            self.renew(&mut problems).await;
        }
        end.await;
        problems.extend(self.close().await);
        problems
    }

    async fn renew(&mut self, problems: &mut Vec<Problem>) {
        let running = self.of.started("renew");
        let asked = self
            .of
            .provider
            .renew_ephemeral(self.of.address.type_name(), self.private.clone());
        let renewed = keep("renewing", asked.await, problems);
        self.of.ended(&running, renewed.is_none());
        // What cannot be renewed is still to be closed.
        self.renew_at = renewed.as_ref().and_then(|renewed| renewed.renew_at);
        if let Some(renewed) = renewed {
            self.private = renewed.private;
        }
    }

    /// Closes the resource.
    pub async fn close(self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let running = self.of.started("close");
        let asked = self
            .of
            .provider
            .close_ephemeral(self.of.address.type_name(), self.private);
        let closed = keep("closing", asked.await, &mut problems);
        self.of.ended(&running, closed.is_none());
        problems
    }
}

/// What was reported as begun.
struct Running {
    action: &'static str,
    since: i64,
}

impl OpenEphemeral {
    fn started(&self, action: &'static str) -> Running {
        self.observer.on_event(OperationEvent::ApplyStart {
            address: self.address.clone(),
            action,
            id: None,
        });
        Running {
            action,
            since: self.clock.now().0,
        }
    }

    fn ended(&self, running: &Running, failed: bool) {
        let elapsed_seconds = u64::try_from(self.clock.now().0 - running.since).unwrap_or(0);
        let (address, action) = (self.address.clone(), running.action);
        self.observer.on_event(if failed {
            OperationEvent::ApplyFailed {
                address,
                action,
                elapsed_seconds,
            }
        } else {
            OperationEvent::ApplyDone {
                address,
                action,
                id: None,
                elapsed_seconds,
            }
        });
    }
}
