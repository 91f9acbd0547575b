//! Sources of modules that variables and locals give, before there is any state or provider.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use support::Files;
use terrace_config::{Config, EarlyEvaluator, EarlyPlace, ModuleRequest, ModuleResolver};
use terrace_diag::{Diagnostic, Diagnostics};
use terrace_eval::{EarlyInputs, Paths, evaluate_early};
use terrace_functions::FunctionTable;
use terrace_port::FileEntry;
use terrace_syntax::Expr;
use terrace_value::Value;

/// The files of a configuration.
struct Tree(BTreeMap<String, String>);

impl terrace_port::Files for Tree {
    fn read(&self, path: &str) -> std::io::Result<Arc<[u8]>> {
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        self.0
            .get(path)
            .map(|text| text.as_bytes().into())
            .ok_or_else(missing)
    }

    fn list(&self, path: &str) -> std::io::Result<Vec<FileEntry>> {
        let prefix = if path == "." {
            String::new()
        } else {
            format!("{path}/")
        };
        let names = self
            .0
            .keys()
            .filter_map(|known| known.strip_prefix(&prefix));
        Ok(names
            .filter(|name| !name.contains('/'))
            .map(|name| FileEntry {
                name: name.to_owned(),
                is_directory: false,
            })
            .collect())
    }

    fn exists(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    fn absolute(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Remembers what it was asked for; what is not local has no files here.
#[derive(Default)]
struct Asked(Mutex<Vec<String>>);

impl ModuleResolver for Asked {
    fn resolve(&self, request: &ModuleRequest<'_>) -> Result<String, Diagnostic> {
        let version = request.version.unwrap_or("any");
        let asked = format!("{} from {} at {version}", request.path, request.source);
        self.0.lock().expect("no test panics here").push(asked);
        Ok(terrace_config::join_path(
            request.calling_directory,
            request.source,
        ))
    }
}

struct Early(EarlyInputs);

impl EarlyEvaluator for Early {
    fn evaluate(&self, place: &EarlyPlace<'_>, expression: &Expr) -> Result<Value, Diagnostics> {
        evaluate_early(&self.0, place, expression)
    }
}

fn load(files: &[(&str, &str)], variables: &[(&str, Value)]) -> (Vec<String>, Vec<String>) {
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let early = Early(EarlyInputs {
        functions: Arc::new(FunctionTable::standard()),
        context: Arc::new(Files(BTreeMap::new())),
        variables: variables
            .iter()
            .map(|(name, value)| ((*name).into(), value.clone()))
            .collect(),
        workspace: "blue".into(),
        paths: Paths {
            cwd: "/".into(),
            root: ".".into(),
        },
    });
    let asked = Asked::default();
    let (config, diagnostics) = terrace_config::load_with(".", &Tree(files), &asked, &early);
    (
        asked.0.into_inner().expect("no test panics here"),
        told(&config, &diagnostics),
    )
}

fn told(config: &Config, diagnostics: &Diagnostics) -> Vec<String> {
    let told = diagnostics.iter().map(|diagnostic| {
        let place = diagnostic
            .subject
            .map(|span| config.sources.place(span))
            .unwrap_or_default();
        format!("{place} [{}] {}", diagnostic.summary, diagnostic.detail)
    });
    told.collect()
}

#[test]
fn sources_and_versions_follow_variables_locals_and_calls() {
    let main = r#"
variable "name" {}
variable "version_wanted" { default = "1" }
locals {
  prefix = join("/", ["./modules", terraform.workspace])
}
module "a" {
  source = "${local.prefix}/${var.name}"
  inner  = upper(var.name)
}
module "far" {
  source  = "registry/far/${var.name}"
  version = "~> ${var.version_wanted}"
}
"#;
    let child = r#"
variable "inner" {}
module "b" {
  source = "./${lower(var.inner)}-b"
}
"#;
    let (asked, told) = load(
        &[
            ("main.tf", main),
            ("modules/blue/x/main.tf", child),
            ("modules/blue/x/x-b/main.tf", ""),
            ("registry/far/x/main.tf", ""),
        ],
        &[("name", Value::string("x"))],
    );
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(
        asked,
        [
            "module.a from ./modules/blue/x at any",
            "module.far from registry/far/x at ~> 1",
            "module.a.module.b from ./x-b at any",
        ]
    );
}

#[test]
fn what_is_known_only_later_is_told_with_the_way_that_leads_to_it() {
    let main = r#"
locals {
  id = terraform_data.a.id
}
resource "terraform_data" "a" {}
module "direct" {
  source = "./${terraform_data.a.id}"
}
module "through" {
  source = "./m"
  name   = local.id
}
"#;
    let child = r#"
variable "name" {}
module "inner" {
  source = "./${var.name}"
}
"#;
    let (_, told) = load(&[("main.tf", main), ("m/main.tf", child)], &[]);
    assert_eq!(
        told,
        [
            "main.tf:7,17-36 [Value not known early enough] This value cannot be used for the source of module.direct, which must be known before any state or provider is read. It can use input variables, local values, path and terraform.workspace, where those are given by the same.",
            "main.tf:3,8-27 [Value not known early enough] This value cannot be used for the source of module.through.module.inner, which must be known before any state or provider is read. It is reached through var.name of module.through, then local.id. It can use input variables, local values, path and terraform.workspace, where those are given by the same.",
        ]
    );
}

#[test]
fn values_that_may_not_be_used_early_are_refused() {
    let main = r#"
variable "unset" {}
variable "secret" {
  sensitive = true
  default   = "x"
}
variable "never" {
  const   = false
  default = "x"
}
variable "number" { default = [1] }
module "a" { source = "./${var.unset}" }
module "b" { source = "./${var.secret}" }
module "c" { source = "./${var.never}" }
module "d" { source = var.number }
module "e" {
  source  = "./e${path.module}"
  version = "1"
}
"#;
    let (asked, told) = load(&[("main.tf", main)], &[]);
    assert_eq!(asked, Vec::<String>::new());
    assert_eq!(
        told,
        [
            "main.tf:2,1-17 [No value for required variable] The variable \"unset\" is needed early, for the source of module.a, but is not set and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
            "main.tf:13,23-40 [Invalid module source] The source of a module is shown and recorded, so it cannot be derived from a sensitive value.",
            "main.tf:14,28-37 [Value not known early enough] This value cannot be used for the source of module.c, which must be known before any state or provider is read. The variable \"never\" is declared with const = false.",
            "main.tf:15,23-33 [Invalid module source] Unsuitable value for the source: string required.",
            "main.tf:17,13-32 [Invalid registry module source address] Failed to parse module registry address: can't use local directory \"./e.\" as a module registry address.\n\nTerrace assumed that you intended a module registry source address because you also set the argument \"version\", which applies only to registry modules.",
        ]
    );
}
