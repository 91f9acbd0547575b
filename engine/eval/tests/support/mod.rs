//! A configuration in memory and values that a test sets.

#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use terrace_addr::{
    AbsNamed, AbsResource, AbsResourceInstance, InstanceKey, ModuleInstance, Name, ProviderAddr,
    Resource,
};
use terrace_config::{Snapshot, SnapshotFile, load_snapshot};
use terrace_diag::Diagnostics;
use terrace_eval::{Evaluated, Evaluator, Expansion, Inputs, Paths, Schemas, Values};
use terrace_functions::{Context, FileError, FunctionTable};
use terrace_schema::{
    Attribute, Block, BlockNesting, NestedBlock, ProviderSchema, ResourceSchema, SchemaTable,
};
use terrace_value::{Type, Value};

/// Files by path.
pub(crate) struct Files(pub(crate) BTreeMap<String, String>);

impl Context for Files {
    fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        self.0
            .get(path)
            .map(|text| text.as_bytes().into())
            .ok_or(FileError::NotFound)
    }

    fn list_files(&self, _: &str) -> Result<Vec<String>, FileError> {
        Ok(self.0.keys().cloned().collect())
    }

    fn file_exists(&self, path: &str) -> Result<bool, FileError> {
        Ok(self.0.contains_key(path))
    }

    fn absolute_path(&self, path: &str) -> String {
        format!("/{path}")
    }

    fn home_directory(&self) -> Option<String> {
        None
    }

    fn timestamp(&self) -> Option<String> {
        None
    }

    fn plan_timestamp(&self) -> Option<String> {
        None
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}

/// What planner or apply would know.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) expansions: HashMap<AbsResource, Expansion>,
    pub(crate) instances: HashMap<AbsResourceInstance, Value>,
    pub(crate) calls: HashMap<(ModuleInstance, Name), Expansion>,
    pub(crate) generation: u64,
    /// How many instances were asked for.
    pub(crate) reads: AtomicUsize,
}

impl Values for Known {
    fn expansion(&self, resource: &AbsResource) -> Option<Expansion> {
        self.expansions.get(resource).cloned()
    }

    fn instance(&self, address: &AbsResourceInstance) -> Option<Value> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.instances.get(address).cloned()
    }

    fn call_expansion(&self, module: &ModuleInstance, call: &Name) -> Option<Expansion> {
        self.calls.get(&(module.clone(), call.clone())).cloned()
    }

    fn provider_function(
        &self,
        _: &ProviderAddr,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, (Option<usize>, String)> {
        if arguments[0].as_str() == Some("bad") {
            return Err((Some(0), "is bad".into()));
        }
        Ok(Value::string(format!(
            "{name}({})",
            arguments[0].as_str().unwrap_or("?")
        )))
    }

    fn generation(&self, _: &AbsResource) -> u64 {
        self.generation
    }
}

impl Known {
    /// Sets how `thing.name` of the root is expanded.
    pub(crate) fn expand(&mut self, name: &str, expansion: Expansion) {
        self.expansions.insert(thing(name), expansion);
    }

    /// Sets the object of an instance of `thing.name` of the root.
    pub(crate) fn set(&mut self, name: &str, key: Option<InstanceKey>, id: &str) {
        let object = Value::object([
            ("id", Value::string(id)),
            ("input", Value::NULL),
            ("rule", Value::list(rule_type(), [])),
        ]);
        self.instances.insert(thing(name).instance(key), object);
    }
}

pub(crate) fn rule_type() -> Type {
    Type::object([("port", Type::Number), ("name", Type::String)])
}

pub(crate) fn thing(name: &str) -> AbsResource {
    Resource::managed("thing", name).in_module(ModuleInstance::root())
}

#[expect(clippy::unnecessary_wraps, reason = "an instance's key is optional")]
pub(crate) fn int_key(index: u64) -> Option<InstanceKey> {
    Some(InstanceKey::Int(index))
}

#[expect(clippy::unnecessary_wraps, reason = "an instance's key is optional")]
pub(crate) fn text_key(key: &str) -> Option<InstanceKey> {
    Some(InstanceKey::String(key.into()))
}

pub(crate) fn for_each(keys: &[&str]) -> Expansion {
    Expansion::ForEach(
        keys.iter()
            .map(|key| ((*key).into(), Value::string(*key)))
            .collect(),
    )
}

/// The schema of `thing`: an id, an input of any type, `rule` and `one` blocks.
pub(crate) fn thing_schema() -> Block {
    let rule = Block {
        attributes: BTreeMap::from([
            ("port".into(), Attribute::required(Type::Number)),
            ("name".into(), Attribute::optional(Type::String)),
        ]),
        ..Block::default()
    };
    let nested = |nesting, max_items| NestedBlock {
        block: rule.clone(),
        nesting,
        min_items: 0,
        max_items,
    };
    Block {
        attributes: BTreeMap::from([
            ("id".into(), Attribute::computed(Type::String)),
            ("input".into(), Attribute::optional(Type::Dynamic)),
            ("count_of".into(), Attribute::optional(Type::Number)),
        ]),
        blocks: BTreeMap::from([
            ("rule".into(), nested(BlockNesting::List, 3)),
            ("one".into(), nested(BlockNesting::Single, 0)),
            ("by_key".into(), nested(BlockNesting::Map, 0)),
        ]),
        ..Block::default()
    }
}

fn schemas() -> Schemas {
    let resource = Arc::new(ResourceSchema {
        version: 0,
        block: thing_schema(),
    });
    let provider = ProviderSchema {
        resources: SchemaTable::from([("thing".into(), resource)]),
        ..ProviderSchema::default()
    };
    Schemas::from([(ProviderAddr::default_for("thing"), Arc::new(provider))])
}

/// An evaluator over files whose paths are relative to the root module; `modules` names the called modules' directories.
pub(crate) fn evaluator_with(
    files: &[(&str, &str)],
    modules: &[(&str, &str)],
    variables: &[(&str, Value)],
) -> Evaluator {
    let mut directories = BTreeMap::from([(String::new(), ".".to_owned())]);
    directories.extend(
        modules
            .iter()
            .map(|(path, directory)| ((*path).into(), (*directory).into())),
    );
    let mut snapshot_files: Vec<SnapshotFile> = files
        .iter()
        .filter(|(path, _)| {
            let extension = std::path::Path::new(path).extension();
            extension.is_some_and(|extension| extension == "tf" || extension == "json")
        })
        .map(|(path, text)| SnapshotFile {
            path: (*path).into(),
            bytes: text.as_bytes().into(),
        })
        .collect();
    snapshot_files.sort_by(|left, right| left.path.cmp(&right.path));
    let (config, diagnostics) = load_snapshot(&Snapshot {
        modules: directories,
        files: snapshot_files,
    });
    assert!(!diagnostics.has_errors(), "{diagnostics:#?}");
    Evaluator::new(Inputs {
        config: Arc::new(config),
        functions: Arc::new(FunctionTable::standard()),
        context: Arc::new(Files(
            files
                .iter()
                .map(|(path, text)| ((*path).into(), (*text).into()))
                .collect(),
        )),
        schemas: Arc::new(schemas()),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()))
            .collect(),
        workspace: "default".into(),
        paths: Paths {
            cwd: "/".into(),
            root: ".".into(),
        },
        applying: false,
    })
}

/// An evaluator over one file.
pub(crate) fn evaluator(main: &str) -> Evaluator {
    evaluator_with(&[("main.tf", main)], &[], &[])
}

/// Output `name` of the root module.
pub(crate) fn output(evaluator: &Evaluator, name: &str, values: &dyn Values) -> Evaluated {
    evaluator.output(&AbsNamed::new(ModuleInstance::root(), name), values)
}

/// `expression` as output `v`, beside `rest`.
pub(crate) fn evaluate(expression: &str, rest: &str, values: &dyn Values) -> Evaluated {
    let evaluator = evaluator(&format!(
        "output \"v\" {{\n  value = {expression}\n}}\n{rest}"
    ));
    output(&evaluator, "v", values)
}

/// Diagnostics as `summary | detail | line:column-column`.
pub(crate) fn told(evaluator: &Evaluator, diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic.subject.and_then(|span| {
                let file = evaluator.config().sources.get(span.source)?;
                let (start, end) = (file.position(span.start), file.position(span.end));
                Some(format!("{}:{}-{}", start.line, start.column, end.column))
            });
            format!(
                "{} | {} | {}",
                diagnostic.summary,
                diagnostic.detail,
                place.unwrap_or_default()
            )
        })
        .collect()
}
