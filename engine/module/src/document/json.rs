//! Documentation as JSON, for other tools.

use serde_json::{Value as Json, json};

use super::{Documentation, diagram};
use crate::Place;

impl Documentation {
    /// The documentation as JSON: `format_version` rises where a reader would have to change.
    pub fn to_json(&self) -> Json {
        let providers: Vec<Json> = self
            .providers
            .iter()
            .map(|provider| {
                json!({
                    "name": provider.name,
                    "source": provider.source,
                    "version": provider.version,
                    "configuration_aliases": provider.aliases,
                })
            })
            .collect();
        let modules: Vec<Json> = self
            .modules
            .iter()
            .map(|module| {
                json!({
                    "name": module.name,
                    "source": module.source,
                    "version": module.version,
                    "references": module.references,
                    "position": position(&module.place),
                })
            })
            .collect();
        let resources: Vec<Json> = self
            .resources
            .iter()
            .map(|resource| {
                json!({
                    "mode": resource.mode,
                    "type": resource.type_name,
                    "name": resource.name,
                    "provider": resource.provider,
                    "link": resource.link,
                    "references": resource.references,
                    "position": position(&resource.place),
                })
            })
            .collect();
        json!({
            "format_version": "1.0",
            "requirements": { "engine": self.engine, "providers": providers },
            "inputs": self.inputs_json(),
            "outputs": self.outputs_json(),
            "resources": resources,
            "modules": modules,
            "diagram": diagram(self),
        })
    }

    fn inputs_json(&self) -> Vec<Json> {
        self.inputs
            .iter()
            .map(|input| {
                // What is hidden has no JSON.
                let default = input
                    .default
                    .as_deref()
                    .and_then(|text| serde_json::from_str::<Json>(text).ok());
                json!({
                    "name": input.name,
                    "description": input.description,
                    "type": input.ty,
                    "default": default,
                    "required": input.default.is_none(),
                    "sensitive": input.sensitive,
                    "ephemeral": input.ephemeral,
                    "nullable": input.nullable,
                    "deprecated": input.deprecated,
                    "validations": input.validations,
                    "position": position(&input.place),
                })
            })
            .collect()
    }

    fn outputs_json(&self) -> Vec<Json> {
        self.outputs
            .iter()
            .map(|output| {
                json!({
                    "name": output.name,
                    "description": output.description,
                    "type": output.ty,
                    "sensitive": output.sensitive,
                    "ephemeral": output.ephemeral,
                    "deprecated": output.deprecated,
                    "position": position(&output.place),
                })
            })
            .collect()
    }
}

fn position(place: &Place) -> Json {
    json!({ "file": place.file, "line": place.line })
}
