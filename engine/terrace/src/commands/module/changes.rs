//! What changed since an earlier version, told with the lines of both.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use terrace_addr::version::Version;
use terrace_addr::{ProviderAddr, Resource, ResourceMode};
use terrace_config::Config;
use terrace_diag::{Diagnostic, Diagnostics, SourceFile, SourceId, SourceMap, Span};
use terrace_module::{Changes, Finding, Interface, Place, ResourceTypes, compare, next_version};
use terrace_schema::ProviderSchema;
use terrace_state::State;

use super::base::Base;
use crate::session::Session;
use crate::wiring::{ProviderSet, Wiring, needed_providers};

/// A comparison with an earlier version.
pub(super) struct Compared {
    /// What it was compared with.
    pub(super) with: String,
    /// The version of that, where it is known.
    pub(super) version: Option<Version>,
    /// What changed.
    pub(super) changes: Changes,
    /// The files of both versions: those of the earlier one under its name.
    pub(super) sources: SourceMap,
    /// By how much the ids of the earlier version's files are moved.
    offset: u32,
}

impl Compared {
    /// Compares the present version with `base`.
    pub(super) async fn of(session: &Session, now: &Config, base: &Base) -> Self {
        let types = Schemas::of(session, now).await;
        let changes = compare(
            &Interface::of(&base.config, &types),
            &Interface::of(now, &types),
        );
        let mut sources = now.sources.clone();
        let offset = sources.next_id().0;
        for (_, file) in base.config.sources.files() {
            let name = format!("{}:{}", base.name, file.name());
            sources.add(SourceFile::new(name, file.text().clone()));
        }
        Self {
            with: base.name.clone(),
            version: base.version.clone(),
            changes,
            sources,
            offset,
        }
    }

    /// The version that must follow at least.
    pub(super) fn next(&self) -> Option<Version> {
        let version = self.version.as_ref()?;
        Some(next_version(version, self.changes.step()))
    }

    /// Whether `release` is high enough for what changed. Without a known earlier version nothing can be too low.
    pub(super) fn suffices(&self, release: &Version) -> bool {
        self.next().is_none_or(|next| *release >= next)
    }

    /// The breaking changes as errors.
    pub(super) fn errors(&self) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        diagnostics.extend(self.changes.breaking().map(|finding| self.error(finding)));
        diagnostics
    }

    fn error(&self, finding: &Finding) -> Diagnostic {
        let place = finding
            .now
            .as_ref()
            .map(|place| place.span)
            .or_else(|| finding.before.as_ref().map(|place| self.moved(place)));
        let diagnostic =
            Diagnostic::error("breaking-change", finding.kind.summary(), &finding.detail)
                .at_opt(place)
                .address(&finding.subject);
        match &finding.advice {
            Some(advice) => diagnostic.hint(advice),
            None => diagnostic,
        }
    }

    /// The span of a place of the earlier version, in the files of both.
    fn moved(&self, place: &Place) -> Span {
        Span {
            source: SourceId(place.span.source.0 + self.offset),
            ..place.span
        }
    }

    /// It as JSON.
    pub(super) fn json(&self) -> Json {
        let findings: Vec<Json> = self
            .changes
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "kind": finding.kind.id(),
                    "step": finding.kind.step().to_string(),
                    "summary": finding.kind.summary(),
                    "subject": finding.subject,
                    "detail": finding.detail,
                    "advice": finding.advice,
                    "now": finding.now.as_ref().map(place_json),
                    "before": finding.before.as_ref().map(place_json),
                })
            })
            .collect();
        json!({
            "against": self.with,
            "version": self.version.as_ref().map(ToString::to_string),
            "step": self.changes.step().to_string(),
            "next_version": self.next().map(|next| next.to_string()),
            "findings": findings,
        })
    }
}

fn place_json(place: &Place) -> Json {
    json!({ "file": place.file, "line": place.line, "column": place.column })
}

/// Types of resources by the schemas of those providers that are installed.
pub(super) struct Schemas {
    schemas: std::collections::BTreeMap<ProviderAddr, std::sync::Arc<ProviderSchema>>,
}

impl Schemas {
    pub(super) async fn of(session: &Session, config: &Config) -> Self {
        let schemas = match Wiring::new(session) {
            Ok(wiring) => {
                let needed: BTreeSet<ProviderAddr> = needed_providers(config, &State::default());
                let providers = ProviderSet::new(wiring, Some(config));
                let schemas = providers.schemas_that_can_be_had(&needed).await;
                providers.close().await;
                schemas
            }
            Err(_) => std::collections::BTreeMap::new(),
        };
        Self { schemas }
    }
}

impl ResourceTypes for Schemas {
    fn of(&self, provider: &ProviderAddr, resource: &Resource) -> Option<terrace_value::Type> {
        let schema = self.schemas.get(provider)?;
        let of_mode = match resource.mode {
            ResourceMode::Managed => &schema.resources,
            ResourceMode::Data => &schema.data_sources,
            ResourceMode::Ephemeral => &schema.ephemeral_resources,
        };
        Some(of_mode.get(&resource.type_name)?.block.implied_type())
    }
}
