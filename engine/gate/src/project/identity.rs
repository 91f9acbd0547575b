//! `identity` blocks: workflows that may stand for a plan's author.

use std::collections::BTreeSet;

use terrace_diag::Span;
use terrace_syntax::Block;

use super::reader::{GITHUB_API, Reader, is_repository, schema, span_of};
use crate::WorkflowIdentity;

/// Who vouches for the workflows of github.com.
const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";
/// The only kind of identity that there is.
const GITHUB: &str = "github";

/// An `identity` block.
#[derive(Clone, Debug)]
pub struct IdentityBlock {
    /// What the workflow must be.
    pub identity: WorkflowIdentity,
    /// The environments that it is for; all of them where none is named.
    pub environments: BTreeSet<String>,
    /// The block's header.
    pub span: Span,
}

impl Reader {
    pub(super) fn read_identity(&mut self, name: &str, block: &Block) {
        if name != GITHUB {
            let detail = format!(
                "There are no identities of the kind {name:?}. Identities are of workflows at GitHub: identity \"github\" {{ … }}."
            );
            self.invalid(detail, block.header_span);
        }
        let arguments = [
            "issuer",
            "repository",
            "api",
            "workflow",
            "branch",
            "ref",
            "environment",
            "environments",
        ];
        let content = self.content(&block.body, &schema(&arguments, Vec::new()));
        let span = |name: &str| span_of(content.attributes.get(name), &content);
        let issuer = self
            .text(&content, "issuer")
            .unwrap_or_else(|| GITHUB_ISSUER.to_owned());
        if !is_protected(&issuer) {
            let detail = format!(
                "{issuer:?} cannot be an issuer: its keys are read from there, and nothing but https:// protects the way."
            );
            self.invalid(detail, span("issuer"));
        }
        let repository = self.text(&content, "repository").unwrap_or_default();
        if !repository.is_empty() && !is_repository(&repository) {
            self.no_repository(&repository, span("repository"));
        }
        let workflow = self.text(&content, "workflow").unwrap_or_default();
        if workflow.is_empty() || workflow.contains('@') || workflow.starts_with('/') {
            self.invalid(
                "The argument \"workflow\" is required: the file of the workflow in its repository, such as .github/workflows/plan.yml.",
                span("workflow"),
            );
        }
        let branch = self.text(&content, "branch");
        let reference = self.text(&content, "ref");
        if branch.is_some() && reference.is_some() {
            let detail = "An identity is of one reference: write \"branch\" or \"ref\".";
            self.invalid(detail, span("ref"));
        }
        if let Some(reference) = &reference
            && !reference.starts_with("refs/")
        {
            let detail = format!(
                "{reference:?} is not a reference in full, such as refs/tags/v1. For a branch there is the argument \"branch\"."
            );
            self.invalid(detail, span("ref"));
        }
        let environment = self.text(&content, "environment");
        if branch.is_none() && reference.is_none() && environment.is_none() {
            // Whoever may push a branch could write a workflow of that name that plans anything.
            self.invalid(
                "An identity must be bound to a \"branch\", a \"ref\" or an \"environment\" at GitHub: a workflow of any branch is whatever its author makes of it.",
                block.header_span,
            );
        }
        let api = self.text(&content, "api");
        if let Some(api) = &api {
            self.check_api(api, span("api"));
        }
        let identity = WorkflowIdentity {
            issuer,
            repository,
            api: api.unwrap_or_default(),
            workflow,
            reference: branch
                .map(|name| format!("refs/heads/{name}"))
                .or(reference),
            environment,
        };
        let environments = self.texts(&content, "environments").into_iter().collect();
        self.project.identities.push(IdentityBlock {
            identity,
            environments,
            span: block.header_span,
        });
    }

    /// What an identity leaves out is what the project block says, wherever that stands.
    pub(super) fn complete_identities(&mut self) {
        let github = self.project.github.clone();
        let mut missing = Vec::new();
        for block in &mut self.project.identities {
            let identity = &mut block.identity;
            if identity.api.is_empty() {
                let api = github.as_ref().map(|github| github.api.clone());
                identity.api = api.unwrap_or_else(|| GITHUB_API.to_owned());
            }
            if identity.repository.is_empty() {
                match &github {
                    Some(github) => identity.repository.clone_from(&github.repository),
                    None => missing.push(block.span),
                }
            }
        }
        for span in missing {
            self.invalid(
                "The argument \"repository\" is required where the project block names no repository: OWNER/NAME.",
                span,
            );
        }
    }

    /// Environments that identities name.
    pub(super) fn identity_problems(&self, problems: &mut Vec<(String, Option<Span>)>) {
        for block in &self.project.identities {
            for name in &block.environments {
                if self.project.environment(name).is_none() {
                    let detail =
                        format!("An identity names environment {name:?}, which is not defined.");
                    problems.push((detail, Some(block.span)));
                }
            }
        }
    }
}

/// Whether what is read there is what the server has sent: over TLS, or on this machine.
pub(super) fn is_protected(address: &str) -> bool {
    let authority = |rest: &str| {
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        rest[..end].to_owned()
    };
    if address.contains(['?', '#', '@']) || address.contains(char::is_whitespace) {
        return false;
    }
    if let Some(rest) = address.strip_prefix("https://") {
        return !authority(rest).is_empty();
    }
    let Some(rest) = address.strip_prefix("http://") else {
        return false;
    };
    let authority = authority(rest);
    let host = authority.split(':').next().unwrap_or_default();
    ["127.0.0.1", "localhost"].contains(&host)
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn keys_are_read_on_protected_ways_alone() {
        for (address, expected) in [
            ("https://token.actions.githubusercontent.com", true),
            ("https://github.acme.example/_services/token", true),
            ("http://127.0.0.1:4711", true),
            ("http://localhost/token", true),
            ("http://token.actions.githubusercontent.com", false),
            ("http://127.0.0.1:1@evil.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("https://", false),
            ("https://issuer.example/?x=", false),
            ("file:///etc/keys", false),
            ("", false),
        ] {
            assert_eq!(is_protected(address), expected, "{address}");
        }
    }
}
