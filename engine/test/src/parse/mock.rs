//! `mock_provider` blocks, and what overrides objects.

use std::collections::BTreeMap;

use terrace_syntax::{Block, Body, BodySchema};
use terrace_value::{Kind, Value};

use super::{Reader, local, schema};
use crate::reference;
use crate::suite::{FileProvider, MockBlock, MockDefaults, Override, OverrideKind};

impl Reader<'_> {
    pub(super) fn mock_provider(&mut self, block: &Block) -> Option<FileProvider> {
        let name = block.labels.first()?.text.clone();
        let names = ["alias", "source", "override_during"];
        let (content, rest, found) = block.body.partial_content(&BodySchema::of(&names, &[]));
        self.diagnostics.append(found);
        let alias = self.text(&content, "alias");
        let during_plan = self.is_plan(&content, "override_during", "invalid-override-during");
        let source = self.text(&content, "source");
        let mut mock = self.mock_content(&rest, during_plan.unwrap_or(false));
        mock.source = source;
        Some(FileProvider {
            local: local(name, alias),
            body: rest,
            alias_span: None,
            mock: Some(mock),
            span: block.header_span,
        })
    }

    /// What a made up provider answers, of a block or of a file.
    pub(super) fn mock_content(&mut self, body: &Body, during_plan: bool) -> MockBlock {
        let schema = schema(
            &[],
            &[
                ("mock_resource", &["type"]),
                ("mock_data", &["type"]),
                ("override_resource", &[]),
                ("override_data", &[]),
            ],
        );
        let content = self.content(body, &schema);
        let mut mock = MockBlock {
            during_plan,
            ..MockBlock::default()
        };
        for block in &content.blocks {
            match &*block.type_name.name {
                "mock_resource" => mock.resources.extend(self.defaults(block, during_plan)),
                "mock_data" => mock.data_sources.extend(self.defaults(block, during_plan)),
                _ => {
                    let mut found = self.overriding(block);
                    if let Some(found) = &mut found {
                        found.during_plan.get_or_insert(during_plan);
                    }
                    mock.overrides.extend(found);
                }
            }
        }
        for list in [&mock.resources, &mock.data_sources] {
            self.check_defaults(list);
        }
        self.check_overrides(&mock.overrides);
        mock
    }

    fn defaults(&mut self, block: &Block, during_plan: bool) -> Option<MockDefaults> {
        let type_name = block.labels.first()?.text.clone();
        let names = ["defaults", "override_during"];
        let content = self.content(&block.body, &BodySchema::of(&names, &[]));
        let own = self.is_plan(&content, "override_during", "invalid-override-during");
        let values = match content.attributes.get("defaults") {
            Some(attribute) => {
                let value = self.constant(&attribute.value);
                if !is_object(&value) {
                    let detail = format!(
                        "{} blocks must specify a defaults attribute that is an object.",
                        block.type_name.name
                    );
                    self.problem(
                        "invalid-override-values",
                        "Invalid defaults attribute",
                        detail,
                        attribute.value.span,
                    );
                }
                value
            }
            None => Value::empty_object(),
        };
        Some(MockDefaults {
            type_name,
            values,
            during_plan: own.unwrap_or(during_plan),
            span: block.header_span,
        })
    }

    pub(super) fn overriding(&mut self, block: &Block) -> Option<Override> {
        let kind = match &*block.type_name.name {
            "override_resource" => OverrideKind::Resource,
            "override_data" => OverrideKind::Data,
            _ => OverrideKind::Module,
        };
        let argument = kind.argument();
        let names = ["target", argument, "override_during"];
        let content = self.content(&block.body, &BodySchema::of(&names, &[]));
        let during_plan = self.is_plan(&content, "override_during", "invalid-override-during");
        let values = match content.attributes.get(argument) {
            Some(attribute) => {
                let value = self.constant(&attribute.value);
                if !is_object(&value) {
                    let detail = format!(
                        "{} blocks must specify {} {argument} attribute that is an object.",
                        kind.block(),
                        if argument == "outputs" { "an" } else { "a" }
                    );
                    self.problem(
                        "invalid-override-values",
                        format!("Invalid {argument} attribute"),
                        detail,
                        attribute.value.span,
                    );
                }
                value
            }
            None => Value::empty_object(),
        };
        let Some(target) = content.attributes.get("target") else {
            let detail = format!("{} blocks must specify a target address.", kind.block());
            self.problem(
                "override-without-target",
                "Missing target attribute",
                detail,
                block.header_span,
            );
            return None;
        };
        let target = self.keep(reference::override_target(&target.value, kind))?;
        Some(Override {
            kind,
            target,
            values,
            during_plan,
            span: block.header_span,
        })
    }

    /// Complains about targets that are overridden twice at one place.
    pub(super) fn check_overrides(&mut self, overrides: &[Override]) {
        let mut seen = BTreeMap::new();
        for found in overrides {
            let text = found.target.to_string();
            if let Some(place) = seen.get(&text) {
                let detail = format!(
                    "An {} block targeting {text} has already been defined at {place}.",
                    found.kind.block()
                );
                let summary = format!("Duplicate {} block", found.kind.block());
                self.problem("duplicate-override", summary, detail, found.span);
            } else {
                seen.insert(text, self.sources.place(found.span));
            }
        }
    }

    fn check_defaults(&mut self, defaults: &[MockDefaults]) {
        let mut seen = BTreeMap::new();
        for found in defaults {
            if let Some(place) = seen.get(&found.type_name) {
                let detail = format!(
                    "Defaults for the type {} have already been given at {place}.",
                    found.type_name
                );
                self.problem("duplicate-mock", "Duplicate mock block", detail, found.span);
            } else {
                seen.insert(found.type_name.clone(), self.sources.place(found.span));
            }
        }
    }
}

/// Whether a value is an object or a map; one that could not be evaluated has been complained about.
fn is_object(value: &Value) -> bool {
    matches!(
        value.kind(),
        Kind::Object(_) | Kind::Map(..) | Kind::Unknown(_)
    )
}
