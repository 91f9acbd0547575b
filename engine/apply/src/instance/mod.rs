//! One instance: what is done to its object, from its inputs alone.
//!
//! These functions own what they need and talk to one provider. They know nothing of graphs, scopes, journals or other
//! instances.

mod change;
mod data;
mod delete;
mod outcome;

use std::sync::Arc;

use terrace_addr::{AbsProviderConfig, AbsResourceInstance, ProviderAddr, ResourceMode};
use terrace_config::ResourceConfig;
use terrace_diag::{Diagnostic, Diagnostics, Span};
use terrace_eval::Evaluator;
use terrace_plan::Plan;
use terrace_port::{
    ApplyRequest, ApplyResponse, Clock, Observer, OperationEvent, Provider, ProviderDiagnostic,
    ProviderError, Reply,
};
use terrace_schema::{Block, IdentitySchema, ResourceSchema};
use terrace_state::{Object, StoredIdentity};
use terrace_value::{Marks, Path, Value, json};

pub(crate) use change::{Approved, FinalPlan, apply_change, final_plan};
pub(crate) use data::read_data;
pub(crate) use delete::{Removal, delete};
pub(crate) use outcome::ObjectOutcome;

/// What every kind of instance needs.
#[derive(Clone)]
pub(crate) struct Subject {
    /// The instance.
    pub(crate) address: AbsResourceInstance,
    /// The provider configuration.
    pub(crate) provider_config: AbsProviderConfig,
    /// The started provider.
    pub(crate) provider: Arc<dyn Provider>,
    /// The type's schema.
    pub(crate) schema: Arc<ResourceSchema>,
    /// The block, for places of diagnostics.
    pub(crate) block: Option<Arc<ResourceConfig>>,
    /// Knows where attributes are written.
    pub(crate) evaluator: Arc<Evaluator>,
    /// Who watches.
    pub(crate) observer: Arc<dyn Observer>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
}

/// A change that was not answered.
pub(crate) struct Unanswered {
    /// Why.
    pub(crate) diagnostic: Diagnostic,
    /// Whether something may have come of it all the same.
    pub(crate) uncertain: bool,
}

/// The schema of an instance's type, as the plan holds it.
pub(crate) fn schema_of(
    plan: &Plan,
    provider: &ProviderAddr,
    address: &AbsResourceInstance,
) -> Option<Arc<ResourceSchema>> {
    let schema = plan.schemas.get(provider)?;
    let types = match address.mode() {
        ResourceMode::Managed => &schema.resources,
        ResourceMode::Data => &schema.data_sources,
        ResourceMode::Ephemeral => &schema.ephemeral_resources,
    };
    types.get(address.type_name()).cloned()
}

impl Subject {
    /// The block's header.
    pub(crate) fn span(&self) -> Option<Span> {
        self.block.as_ref().map(|block| block.span)
    }

    /// What identifies objects of the type, where its provider says so.
    pub(crate) fn identity_schema(&self) -> Option<&IdentitySchema> {
        let provider = self
            .evaluator
            .schemas()
            .get(&self.provider_config.provider)?;
        let schema = provider.identities.get(self.address.type_name())?;
        Some(schema)
    }

    /// An identity that the provider gave, held against its schema.
    pub(crate) fn checked_identity(
        &self,
        identity: Option<Value>,
        may_be_unknown: bool,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        let schema = self.identity_schema();
        match terrace_instances::checked_identity(schema, identity, may_be_unknown) {
            Ok(identity) => identity,
            Err(problem) => {
                let what = format!(
                    "Provider {} {} {}.",
                    self.provider_name(),
                    problem.what,
                    self.address
                );
                diagnostics.push(self.broken_contract(problem.summary, &what));
                None
            }
        }
    }

    /// An identity as it is stored.
    pub(crate) fn encoded_identity(&self, identity: &Value) -> Option<StoredIdentity> {
        let (schema_version, attributes) =
            terrace_instances::encoded_identity(self.identity_schema(), identity)?;
        Some(StoredIdentity {
            schema_version,
            attributes,
        })
    }

    /// What identifies a stored object, in the form of the present schema.
    pub(crate) async fn stored_identity(
        &self,
        object: &Object,
        diagnostics: &mut Diagnostics,
    ) -> Option<Value> {
        let stored = object.identity.as_ref()?;
        let asked = terrace_instances::stored_identity(
            &*self.provider,
            self.address.type_name(),
            self.identity_schema(),
            (stored.schema_version, &stored.attributes),
        );
        match asked.await {
            Ok(reply) => {
                self.remark(reply.diagnostics, diagnostics);
                reply.value
            }
            Err(error) => {
                diagnostics.push(self.call_failed("upgrading the identity of", &error));
                None
            }
        }
    }

    /// That the provider put off what it was asked for, which nobody allowed it to do.
    pub(crate) fn put_off(&self) -> Diagnostic {
        let detail = format!(
            "The provider signaled a deferred action for \"{}\", but in this context deferrals are disabled. This is a bug in the provider, please file an issue with the provider developers.",
            self.address
        );
        let summary = "Provider deferred changes when Terrace did not allow deferrals";
        self.error("provider-deferred", summary, detail)
    }

    /// The provider's name as messages quote it.
    pub(crate) fn provider_name(&self) -> String {
        format!("{:?}", self.provider_config.provider.to_string())
    }

    pub(crate) fn error(&self, id: &'static str, summary: &str, detail: String) -> Diagnostic {
        Diagnostic::error(id, summary, detail)
            .at_opt(self.span())
            .address(&self.address)
    }

    /// An answer that breaks the protocol's contract: a defect of the provider.
    pub(crate) fn broken_contract(&self, summary: &str, what: &str) -> Diagnostic {
        let detail = format!(
            "{what}\n\nThis is a bug in the provider, which should be reported in the provider's own issue tracker."
        );
        self.error("provider-contract", summary, detail)
    }

    /// A call that did not come through.
    pub(crate) fn call_failed(&self, doing: &str, error: &ProviderError) -> Diagnostic {
        let provider = self.provider_config.provider.for_display();
        let detail = format!(
            "The provider {provider} did not answer while {doing} {}: {}",
            self.address, error.message
        );
        self.error("provider-call-failed", "Provider call failed", detail)
    }

    /// Asks for a change, unless the provider is known to be dead: then nothing can have come of it.
    pub(crate) async fn ask(
        &self,
        doing: &str,
        request: ApplyRequest,
    ) -> Result<Reply<ApplyResponse>, Unanswered> {
        if self.provider.has_ended() {
            let provider = self.provider_config.provider.for_display();
            let detail = format!(
                "The provider {provider} had ended before {doing} {} was asked of it. Nothing has come of it.",
                self.address
            );
            return Err(Unanswered {
                diagnostic: self.error("provider-call-failed", "Provider call failed", detail),
                uncertain: false,
            });
        }
        let answer = self.provider.apply(request).await;
        answer.map_err(|error| Unanswered {
            diagnostic: self.call_failed(doing, &error),
            uncertain: true,
        })
    }

    /// A provider's remarks as diagnostics of the instance. Whether any is an error.
    pub(crate) fn remark(
        &self,
        remarks: Vec<ProviderDiagnostic>,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let mut failed = false;
        for remark in remarks {
            failed |= remark.error;
            let place = match (&remark.attribute, &self.block) {
                (Some(path), Some(block)) => Some(self.evaluator.span_of(
                    &block.body,
                    &self.schema.block,
                    path,
                )),
                _ => self.span(),
            };
            diagnostics.push(remark_diagnostic(&self.address, place, remark));
        }
        failed
    }

    /// Says that a change begins.
    pub(crate) fn started(&self, action: &'static str, value: &Value) -> Running {
        let id = identifying(&self.schema.block, value);
        self.observer.on_event(OperationEvent::ApplyStart {
            address: self.address.clone(),
            action,
            id,
        });
        Running {
            action,
            since: self.clock.now().0,
        }
    }

    /// Says that a change has ended. What was deleted has no id any more.
    pub(crate) fn ended(&self, running: &Running, failed: bool, value: &Value) {
        let elapsed_seconds = u64::try_from(self.clock.now().0 - running.since).unwrap_or(0);
        let (address, action) = (self.address.clone(), running.action);
        self.observer.on_event(if failed {
            OperationEvent::ApplyFailed {
                address,
                action,
                elapsed_seconds,
            }
        } else {
            let id = (action != "delete").then(|| identifying(&self.schema.block, value));
            let id = id.flatten();
            OperationEvent::ApplyDone {
                address,
                action,
                id,
                elapsed_seconds,
            }
        });
    }

    /// `base` with the attributes of `value`.
    pub(crate) fn encode(&self, value: &Value, base: Object) -> Arc<Object> {
        encode(&self.schema, value, base)
    }
}

/// A change that was reported as begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    action: &'static str,
    since: i64,
}

/// One remark of a provider about what stands at `address`.
pub(crate) fn remark_diagnostic(
    address: &dyn std::fmt::Display,
    span: Option<Span>,
    remark: ProviderDiagnostic,
) -> Diagnostic {
    let diagnostic = if remark.error {
        Diagnostic::error("provider-error", remark.summary, remark.detail)
    } else {
        Diagnostic::warning("provider-warning", remark.summary, remark.detail)
    };
    diagnostic.at_opt(span).address(address)
}

/// `base` with the attributes of `value`.
pub(crate) fn encode(schema: &ResourceSchema, value: &Value, base: Object) -> Arc<Object> {
    let (plain, paths) = value.unmark_deep_with_paths();
    let text =
        json::encode(&plain, &schema.block.implied_type()).unwrap_or_else(|_| "{}".to_owned());
    let sensitive = paths
        .into_iter()
        .filter(|(_, marks)| marks.contains(Marks::SENSITIVE));
    Arc::new(Object {
        schema_version: schema.version,
        attributes: text.into_bytes().into(),
        sensitive_paths: sensitive.map(|(path, _)| path).collect(),
        ..base
    })
}

/// Puts the marks of `paths`, and those of the schema's sensitive attributes, on `value`.
pub(crate) fn mark(value: &Value, schema: &Block, paths: &[(Path, Marks)]) -> Value {
    let value = if paths.is_empty() {
        value.clone()
    } else {
        value.mark_with_paths(paths)
    };
    schema.mark_sensitive(&value)
}

/// Name and value of the attribute that tells people which object this is.
pub(crate) fn identifying(schema: &Block, value: &Value) -> Option<(String, String)> {
    ["id", "name"].into_iter().find_map(|name| {
        schema
            .attributes
            .get(name)
            .filter(|attribute| !attribute.sensitive)?;
        let found = value.get(name).filter(|found| !found.is_sensitive())?;
        found
            .as_str()
            .filter(|text| !text.is_empty())
            .map(|text| (name.to_owned(), text.to_owned()))
    })
}
