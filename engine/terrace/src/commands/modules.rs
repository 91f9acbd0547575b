//! `terrace modules`

use terrace_config::ModuleNode;
use terrace_module_source::{Manifest, ModuleSource};

use crate::args::ModulesArgs;
use crate::command_error::{Outcome, SUCCESS};
use crate::outside::Disk;
use crate::session::Session;
use crate::view::modules::{CalledModule, tree};
use crate::wiring::load_sound_config;

pub(crate) fn run(session: &Session, args: &ModulesArgs) -> Outcome {
    let (config, _) = load_sound_config(session)?;
    let manifest = Manifest::read(&Disk, &session.data_directory()).unwrap_or_default();
    let called = called_by(&config.root, &manifest);
    if args.json {
        let mut list = Vec::new();
        flatten(&called, &mut list);
        let modules = if list.is_empty() {
            serde_json::Value::Null
        } else {
            list.into()
        };
        let answer = serde_json::json!({ "format_version": "1.0", "modules": modules });
        session.view.output(answer.to_string());
    } else if called.is_empty() {
        session.view.output("No modules found in configuration.");
    } else {
        session.view.output(tree(&called));
    }
    Ok(SUCCESS)
}

fn called_by(node: &ModuleNode, manifest: &Manifest) -> Vec<CalledModule> {
    let called = |child: &ModuleNode| {
        let key = child.path.steps().last().map(ToString::to_string);
        let record = manifest.record(&child.path);
        let written = node
            .module
            .calls
            .values()
            .find(|call| child.path.steps().last() == Some(&call.name))
            .map(|call| call.source.to_string())
            .unwrap_or_default();
        let full = ModuleSource::parse(&written).map_or(written, |source| source.full());
        CalledModule {
            key: key.unwrap_or_default(),
            source: record.map_or(full, |record| record.source.clone()),
            version: record
                .and_then(|record| record.version.clone())
                .unwrap_or_default(),
            calls: called_by(child, manifest),
        }
    };
    node.children.values().map(called).collect()
}

fn flatten(called: &[CalledModule], list: &mut Vec<serde_json::Value>) {
    for module in called {
        list.push(serde_json::json!({
            "key": module.key,
            "source": module.source,
            "version": module.version,
        }));
        flatten(&module.calls, list);
    }
}
