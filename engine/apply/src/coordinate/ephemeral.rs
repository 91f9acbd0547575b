//! Ephemeral resources: opened again for the apply, renewed while it lasts, closed.

use futures::channel::oneshot;
use futures::{FutureExt as _, StreamExt as _};
use terrace_addr::{AbsProviderConfig, AbsResourceInstance};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_instances::{Lifetime, OpenEphemeral, Problem, open};

use super::begin::failed;
use super::{Begun, Coordinator};
use crate::instance::Subject;
use crate::op::Ended;

/// An ephemeral resource that is open, seen from the coordinator.
pub(super) struct Opened {
    /// It is closed once this is dropped.
    end: oneshot::Sender<()>,
    /// Then this tells what there is to say.
    ended: oneshot::Receiver<Diagnostics>,
}

impl<'r> Coordinator<'r> {
    pub(super) fn begin_ephemeral(
        &mut self,
        address: &AbsResourceInstance,
        provider: &AbsProviderConfig,
    ) -> Begun<'r> {
        let subject = match self.subject_of(address, provider) {
            Ok(subject) => subject,
            Err(problem) => return failed(*problem),
        };
        let (config, mut diagnostics) = match self.configuration(address) {
            Ok(evaluated) => evaluated,
            Err(problems) => return Begun::Ended(Box::new(Ended::failed(problems))),
        };
        if !config.is_wholly_known() {
            return failed(
                Diagnostic::error(
                    "ephemeral-unknown",
                    "Ephemeral resource cannot be opened",
                    format!(
                        "The configuration of {address} still depends on values that are not known. This is a bug in Terrace, which should be reported."
                    ),
                )
                .address(address),
            );
        }
        Begun::Running(
            async move {
                let resource = OpenEphemeral {
                    address: subject.address.clone(),
                    provider: subject.provider.clone(),
                    schema: subject.schema.clone(),
                    clock: subject.clock.clone(),
                    observer: subject.observer.clone(),
                };
                let mut problems = Vec::new();
                let opened = open(resource, &config, &mut problems).await;
                diagnostics.append(told(&subject, problems));
                match opened {
                    Some((value, lifetime)) => Ended {
                        value: Some(value),
                        lifetime: Some(lifetime),
                        diagnostics,
                        ..Ended::default()
                    }
                    .step(),
                    None => Ended::failed(diagnostics).step(),
                }
            }
            .boxed(),
        )
    }

    /// Takes an ephemeral resource over that has been opened. Whether its postconditions hold.
    pub(super) fn keep_open(
        &mut self,
        (address, provider): (&AbsResourceInstance, &AbsProviderConfig),
        value: &terrace_value::Value,
        lifetime: Lifetime,
    ) -> bool {
        let Ok(subject) = self.subject_of(address, provider) else {
            return false;
        };
        let (end, told_to_end) = oneshot::channel::<()>();
        let (say, ended) = oneshot::channel();
        self.aside.push(
            async move {
                let told_to_end = Box::pin(told_to_end.map(|_| ()));
                let problems = lifetime.until(told_to_end).await;
                // Nobody listens any more where the run was abandoned.
                drop(say.send(told(&subject, problems)));
            }
            .boxed(),
        );
        self.opened.insert(address.clone(), Opened { end, ended });
        self.table.set(address, value.clone());
        match self.block(address) {
            Some(block) => self.conditions(address, &block, value),
            None => true,
        }
    }

    /// Closes an ephemeral resource.
    pub(super) fn end_ephemeral(&mut self, address: &AbsResourceInstance) -> Begun<'r> {
        let Some(Opened { end, ended }) = self.opened.remove(address) else {
            return Begun::Ended(Box::default());
        };
        drop(end);
        Begun::Running(
            async move {
                let diagnostics = ended.await.unwrap_or_default();
                Ended {
                    diagnostics,
                    ..Ended::default()
                }
                .step()
            }
            .boxed(),
        )
    }

    /// Closes what failures and requests to stop have left open.
    pub(super) async fn close_ephemerals(&mut self) {
        for (_, Opened { end, mut ended }) in std::mem::take(&mut self.opened) {
            drop(end);
            while let Ok(None) = ended
                .try_recv()
                .map(|told| told.map(|diagnostics| self.diagnostics.append(diagnostics)))
            {
                if self.aside.next().await.is_none() {
                    break;
                }
            }
        }
    }
}

/// Problems as diagnostics of the instance.
fn told(subject: &Subject, problems: Vec<Problem>) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for problem in problems {
        match problem {
            Problem::Said(remarks) => {
                subject.remark(remarks, &mut diagnostics);
            }
            Problem::Lost(doing, error) => diagnostics.push(subject.call_failed(doing, &error)),
            Problem::Deferred => diagnostics.push(subject.put_off()),
            Problem::Broken(what) => {
                let what = format!(
                    "Provider {} produced an invalid value for {what}.",
                    subject.provider_name()
                );
                diagnostics
                    .push(subject.broken_contract("Provider produced invalid object", &what));
            }
        }
    }
    diagnostics
}
