//! Primary files: each name may be declared once.

use std::collections::BTreeMap;

use terrace_addr::{Name, ResourceMode};
use terrace_diag::Span;

use super::{Merger, ModuleParts, insert_new};
use crate::parts::{FileParts, ImportPart, ProviderPart, RequiredProviders, ResourcePart};
use crate::{Backend, Encryption};

impl Merger<'_> {
    pub(super) fn add_primary(&mut self, files: Vec<FileParts>) {
        let mut scoped = Vec::new();
        for mut file in files {
            let (inside, outside): (Vec<_>, Vec<_>) = std::mem::take(&mut file.resources)
                .into_iter()
                .partition(|resource| resource.in_check.is_some());
            scoped.extend(inside);
            for resource in outside {
                self.add_resource(resource);
            }
            self.add_settings(&mut file);
            self.add_named(file);
        }
        // Data resources within check blocks come last, so that they are the ones that are said to be too many.
        for resource in scoped {
            self.add_resource(resource);
        }
        if let (Some(backend), Some(cloud)) = (&self.parts.backend, &self.parts.cloud) {
            let (at, cloud_at) = (backend.span, cloud.span);
            let detail = format!(
                "A module may declare either one 'cloud' block OR one 'backend' block configuring a state backend. The 'cloud' block is configured at {}; a backend is configured at {}. Remove the backend block to configure HCP Terraform or Terraform Enteprise.",
                self.place(cloud_at),
                self.place(at)
            );
            self.problem(
                "backend-and-cloud",
                "Both a backend and cloud configuration are present",
                detail,
                at,
            );
        }
    }

    fn add_settings(&mut self, file: &mut FileParts) {
        self.parts
            .required_versions
            .append(&mut file.required_versions);
        for required in std::mem::take(&mut file.required_providers) {
            self.add_required_providers(required);
        }
        for backend in std::mem::take(&mut file.backends) {
            self.add_backend(backend);
        }
        for cloud in std::mem::take(&mut file.clouds) {
            if let Some(first) = &self.parts.cloud {
                let detail = format!(
                    "A module may have only one 'cloud' block configuring HCP Terraform or Terraform Enterprise. The 'cloud' block was previously configured at {}.",
                    self.place(first.span)
                );
                self.problem(
                    "duplicate-cloud",
                    "Duplicate HCP Terraform configurations",
                    detail,
                    cloud.span,
                );
            } else {
                self.parts.cloud = Some(cloud);
            }
        }
        for encryption in std::mem::take(&mut file.encryptions) {
            self.add_encryption(encryption);
        }
        for meta in std::mem::take(&mut file.provider_metas) {
            let span = meta.span;
            if let Some(first) =
                insert_new(&mut self.parts.provider_metas, meta.provider.clone(), meta)
            {
                let (name, at) = (first.provider.clone(), first.span);
                let detail = format!(
                    "A provider_meta block for provider \"{name}\" was already declared at {}. Providers may only have one provider_meta block per module.",
                    self.place(at)
                );
                self.problem(
                    "duplicate-provider-meta",
                    "Duplicate provider_meta block",
                    detail,
                    span,
                );
            }
        }
        for provider in std::mem::take(&mut file.provider_configs) {
            self.add_provider(provider);
        }
    }

    fn add_required_providers(&mut self, required: RequiredProviders) {
        match &self.parts.required_providers {
            Some(first) => {
                let detail = format!(
                    "A module may have only one required providers configuration. The required providers were previously configured at {}.",
                    self.place(first.span)
                );
                let summary = "Duplicate required providers configuration";
                self.problem(
                    "duplicate-required-providers",
                    summary,
                    detail,
                    required.span,
                );
            }
            None => self.parts.required_providers = Some(required),
        }
    }

    fn add_backend(&mut self, backend: Backend) {
        match &self.parts.backend {
            Some(first) => {
                let detail = format!(
                    "A module may have only one backend configuration. The backend was previously configured at {}.",
                    self.place(first.span)
                );
                self.problem(
                    "duplicate-backend",
                    "Duplicate backend configuration",
                    detail,
                    backend.span,
                );
            }
            None => self.parts.backend = Some(backend),
        }
    }

    fn add_encryption(&mut self, encryption: Encryption) {
        match &self.parts.encryption {
            Some(first) => {
                let detail = format!(
                    "A module may have only one encryption configuration. The encryption was previously configured at {}.",
                    self.place(first.span)
                );
                self.problem(
                    "duplicate-encryption",
                    "Duplicate encryption configuration",
                    detail,
                    encryption.span,
                );
            }
            None => self.parts.encryption = Some(encryption),
        }
    }

    fn add_provider(&mut self, provider: ProviderPart) {
        let span = provider.span;
        let Some(first) = insert_new(
            &mut self.parts.provider_configs,
            provider.local.clone(),
            provider,
        ) else {
            return;
        };
        let (local, at) = (first.local.clone(), first.span);
        let place = self.place(at);
        let detail = match &local.alias {
            None => format!(
                "A default (non-aliased) provider configuration for \"{}\" was already given at {place}. If multiple configurations are required, set the \"alias\" argument for alternative configurations.",
                local.local_name
            ),
            Some(alias) => format!(
                "A provider configuration for \"{}\" with alias \"{alias}\" was already given at {place}. Each configuration for the same provider must have a distinct alias.",
                local.local_name
            ),
        };
        self.problem(
            "duplicate-provider",
            "Duplicate provider configuration",
            detail,
            span,
        );
    }

    fn add_resource(&mut self, part: ResourcePart) {
        let (span, in_check) = (part.span, part.in_check.is_some());
        let Some(first) = insert_new(&mut self.parts.resources, part.resource.clone(), part) else {
            return;
        };
        let (resource, at) = (first.resource.clone(), first.span);
        let (block, kind) = match resource.mode {
            ResourceMode::Managed => ("resource", "resource"),
            ResourceMode::Data => ("data", "data resource"),
            ResourceMode::Ephemeral => ("ephemeral", "ephemeral resource"),
        };
        let scope = if in_check {
            ", including within check blocks"
        } else {
            ""
        };
        let detail = format!(
            "A {} {kind} named \"{}\" was already declared at {}. Resource names must be unique per type in each module{scope}.",
            resource.type_name,
            resource.name,
            self.place(at)
        );
        let summary = format!("Duplicate {block} \"{}\" configuration", resource.type_name);
        self.problem("duplicate-resource", summary, detail, span);
    }

    fn add_named(&mut self, file: FileParts) {
        for item in file.variables {
            let name = item.name.clone();
            let texts = DuplicateTexts {
                summary: "Duplicate variable declaration".into(),
                what: format!("A variable named \"{name}\" was already declared"),
                rule: "Variable names must be unique within a module.",
            };
            self.add_unique(
                |parts| &mut parts.variables,
                name,
                item,
                |item| item.span,
                &texts,
            );
        }
        for item in file.locals {
            let name = item.name.clone();
            let texts = DuplicateTexts {
                summary: "Duplicate local value definition".into(),
                what: format!("A local value named \"{name}\" was already defined"),
                rule: "Local value names must be unique within a module.",
            };
            self.add_unique(
                |parts| &mut parts.locals,
                name,
                item,
                |item| item.span,
                &texts,
            );
        }
        for item in file.outputs {
            let name = item.name.clone();
            let texts = DuplicateTexts {
                summary: "Duplicate output definition".into(),
                what: format!("An output named \"{name}\" was already defined"),
                rule: "Output names must be unique within a module.",
            };
            self.add_unique(
                |parts| &mut parts.outputs,
                name,
                item,
                |item| item.span,
                &texts,
            );
        }
        for item in file.calls {
            let name = item.name.clone();
            let texts = DuplicateTexts {
                summary: "Duplicate module call".into(),
                what: format!("A module call named \"{name}\" was already defined"),
                rule: "Module calls must have unique names within a module.",
            };
            self.add_unique(
                |parts| &mut parts.calls,
                name,
                item,
                |item| item.span,
                &texts,
            );
        }
        for item in file.checks {
            let name = item.name.clone();
            let texts = DuplicateTexts {
                summary: format!("Duplicate check \"{name}\" configuration"),
                what: format!("A check block named \"{name}\" was already declared"),
                rule: "Check blocks must be unique within each module.",
            };
            self.add_unique(
                |parts| &mut parts.checks,
                name,
                item,
                |item| item.span,
                &texts,
            );
        }
        self.parts.moved.extend(file.moved);
        self.parts.removed.extend(file.removed);
        for import in file.imports {
            self.add_import(import);
        }
    }

    /// Adds an item, or complains that its name is taken.
    fn add_unique<V>(
        &mut self,
        items: fn(&mut ModuleParts) -> &mut BTreeMap<Name, V>,
        name: Name,
        item: V,
        span_of: fn(&V) -> Span,
        texts: &DuplicateTexts,
    ) {
        let span = span_of(&item);
        if let Some(first) = insert_new(items(&mut self.parts), name, item) {
            let at = span_of(first);
            let detail = format!("{} at {}. {}", texts.what, self.place(at), texts.rule);
            self.problem("duplicate-declaration", texts.summary.clone(), detail, span);
        }
    }

    /// An import of a resource instance that another block imports already is a mistake; keys that are expressions
    /// are compared when they are known.
    fn add_import(&mut self, import: ImportPart) {
        let is_static = |part: &ImportPart| part.block.for_each.is_none();
        let same = |other: &&ImportPart| {
            is_static(other)
                && other.static_target.is_some()
                && other.static_target == import.static_target
        };
        if is_static(&import)
            && let Some(first) = self.parts.imports.iter().find(same)
            && import.static_target.is_some()
        {
            let (module, resource) = &import.block.resource;
            let target = terrace_addr::ConfigResource {
                module: module.path(),
                resource: resource.clone(),
            };
            let detail = format!(
                "An import block for the resource \"{target}\" was already declared at {}. A resource can have only one import block.",
                self.place(first.block.span)
            );
            let summary = format!("Duplicate import configuration for \"{target}\"");
            self.problem("duplicate-import", summary, detail, import.block.to.span);
            return;
        }
        self.parts.imports.push(import);
    }
}

/// How to say that a name is taken.
struct DuplicateTexts {
    summary: String,
    /// What there is already, without its place.
    what: String,
    rule: &'static str,
}
