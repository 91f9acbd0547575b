//! `environment` blocks.

use terrace_syntax::Block;

use super::reader::{Reader, label, labelled, plain, schema};
use super::{Environment, EnvironmentBackend};

impl Reader {
    pub(super) fn read_environment(&mut self, name: String, block: &Block) {
        let blocks = vec![
            labelled("backend"),
            plain("gate"),
            plain("freeze"),
            plain("credentials"),
        ];
        let content = self.content(
            &block.body,
            &schema(&["variables", "workspace", "after", "branch"], blocks),
        );
        let mut environment = Environment {
            variables: self.texts(&content, "variables"),
            backend: None,
            workspace: self.text(&content, "workspace"),
            after: self.texts(&content, "after"),
            branch: self.text(&content, "branch"),
            gate: None,
            credentials: None,
            freezes: Vec::new(),
            span: block.header_span,
            name,
        };
        for nested in &content.blocks {
            let kind = &*nested.type_name.name;
            // The last of several would silently count: a gate could be opened by adding a second.
            let taken = match kind {
                "gate" => environment.gate.is_some(),
                "backend" => environment.backend.is_some(),
                "credentials" => environment.credentials.is_some(),
                _ => false,
            };
            if taken {
                let detail = format!("An environment holds one {kind} block.");
                self.duplicate(kind, &detail, nested);
                continue;
            }
            match kind {
                "gate" => environment.gate = Some(self.read_gate(nested, false)),
                "credentials" => environment.credentials = Some(self.read_credentials(nested)),
                "freeze" => {
                    let freeze = self.read_freeze(nested);
                    environment.freezes.extend(freeze);
                }
                _ => environment.backend = Some(self.read_backend(nested)),
            }
        }
        if self.project.environment(&environment.name).is_some() {
            let detail = format!("The environment {:?} is defined twice.", environment.name);
            self.problem(
                "duplicate-environment",
                "Duplicate environment",
                detail,
                block.header_span,
            );
        }
        self.project.environments.push(environment);
    }

    fn read_backend(&mut self, block: &Block) -> EnvironmentBackend {
        let (arguments, diagnostics) = block.body.just_attributes();
        self.diagnostics.append(diagnostics);
        EnvironmentBackend {
            type_name: label(block),
            arguments: arguments
                .into_iter()
                .map(|(name, attribute)| (name.to_string(), attribute.value))
                .collect(),
            span: block.header_span,
        }
    }
}
