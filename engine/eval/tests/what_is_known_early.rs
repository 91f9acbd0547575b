//! What repeats by what is known early, and what validation leaves to be judged elsewhere.

mod support;

use support::{evaluator, evaluator_with, told};
use terrace_addr::{AbsProviderConfig, ModuleInstance, ModulePath, ProviderAddr, Resource};
use terrace_eval::{Evaluator, Expansion, NoValues, Unknowns};

fn imported(for_each: &str) -> (Vec<String>, Vec<String>) {
    let evaluator = evaluator(&format!(
        "import {{\n  for_each = {for_each}\n  to = thing.c[each.value]\n  id = \"${{each.key}}\"\n}}\nresource \"thing\" \"c\" {{\n  for_each = {{ x = 1 }}\n}}\nresource \"thing\" \"b\" {{}}\n"
    ));
    let targets = evaluator.import_targets(0, &NoValues);
    let addresses = targets
        .value
        .iter()
        .map(|target| target.to.to_string())
        .collect();
    (addresses, told(&evaluator, &targets.diagnostics))
}

#[test]
fn imports_go_over_collections_of_any_kind() {
    let fine = |addresses: &[&str]| {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        (addresses, Vec::<String>::new())
    };
    assert_eq!(
        imported("[\"x\", \"y\"]"),
        fine(&["thing.c[\"x\"]", "thing.c[\"y\"]"])
    );
    assert_eq!(imported("toset([\"x\"])"), fine(&["thing.c[\"x\"]"]));
    assert_eq!(imported("{ k = \"x\" }"), fine(&["thing.c[\"x\"]"]));
    assert_eq!(imported("null"), fine(&[]));
    assert_eq!(
        imported("5").1,
        ["Invalid for_each argument | The \"for_each\" expression must be a collection. | 2:14-15"]
    );
    assert!(
        imported("[thing.b.id]").1[0].starts_with("Invalid for_each argument | The \"for_each\" expression includes values derived from other resource attributes")
    );
}

#[test]
fn provider_configurations_repeat_by_what_is_known_early() {
    let main = "variable \"keys\" {\n  default = [\"b\", \"a\"]\n}\nprovider \"thing\" {\n  alias = \"each\"\n  for_each = toset(var.keys)\n}\nprovider \"thing\" {\n  alias = \"one\"\n}\nprovider \"thing\" {\n  alias = \"late\"\n  for_each = toset([thing.a.id])\n}\nresource \"thing\" \"a\" {}\nresource \"thing\" \"l\" {\n  provider = thing.late[\"x\"]\n}\n";
    let evaluator = evaluator(main);
    let keys = |alias: &str| {
        let address = AbsProviderConfig {
            module: ModulePath::root(),
            provider: ProviderAddr::default_for("thing"),
            alias: Some(alias.into()),
            key: None,
        };
        let expanded = evaluator.expand_provider(&address, Unknowns::Refuse);
        expanded.value.map(|expansion| {
            let keys = expansion.keys().into_iter().flatten();
            keys.map(|key| key.to_string()).collect::<Vec<_>>()
        })
    };
    assert_eq!(
        keys("each"),
        Some(vec!["[\"a\"]".to_owned(), "[\"b\"]".to_owned()])
    );
    assert_eq!(keys("one"), Some(Vec::new()));
    assert_eq!(keys("late"), None);
    let problems = told(&evaluator, &evaluator.validate());
    assert!(
        problems.iter().any(|problem| problem.starts_with(
            "Value not known early enough | This value cannot be used for the for_each of a provider configuration"
        )),
        "{problems:?}"
    );
}

#[test]
fn what_is_not_enabled_is_not_there() {
    let expanded = |enabled: &str| {
        let evaluator = evaluator(&format!(
            "resource \"thing\" \"a\" {{\n  lifecycle {{\n    enabled = {enabled}\n  }}\n}}\nresource \"thing\" \"b\" {{}}\nvariable \"s\" {{\n  sensitive = true\n  default = true\n}}\n"
        ));
        let config = &evaluator.config().root.module.resources[&Resource::managed("thing", "a")];
        let root = ModuleInstance::root();
        let expanded = evaluator.expand_resource(&root, config, Unknowns::Refuse, &NoValues);
        match told(&evaluator, &expanded.diagnostics).first() {
            None => Ok(expanded.value),
            Some(problem) => Err(problem.split(" | ").next().unwrap_or_default().to_owned()),
        }
    };
    assert_eq!(expanded("true"), Ok(Some(Expansion::Single)));
    assert_eq!(expanded("1 > 2"), Ok(Some(Expansion::Disabled)));
    assert_eq!(Expansion::Disabled.keys(), []);
    let refused = Err("Invalid enabled argument".to_owned());
    assert_eq!(expanded("null"), refused);
    assert_eq!(expanded("var.s"), refused);
    assert_eq!(expanded("thing.b.id == \"x\""), refused);
    assert_eq!(expanded("[]"), Err("Incorrect value type".to_owned()));
}

fn validated(main: &str, child: &str) -> Vec<String> {
    let evaluator: Evaluator = evaluator_with(
        &[("main.tf", main), ("m/main.tf", child)],
        &[("module.m", "m")],
        &[],
    );
    told(&evaluator, &evaluator.validate())
}

#[test]
fn what_modules_give_is_judged_where_it_is_declared() {
    let child = "variable \"a\" {\n  default = 1\n}\noutput \"o\" {\n  value = \"x\"\n  sensitive = true\n}\n";
    let reads = "module \"m\" {\n  source = \"./m\"\n}\noutput \"v\" {\n  value = module.m.o.not_there\n}\n";
    assert_eq!(validated(reads, child), Vec::<String>::new());
    let gives = "variable \"e\" {\n  ephemeral = true\n}\nmodule \"m\" {\n  source = \"./m\"\n  a = var.e\n}\n";
    assert_eq!(
        validated(gives, child),
        [
            "Ephemeral value not allowed | This input variable is not declared as accepting a ephemeral values, so it cannot be set to a result derived from an ephemeral value. | 6:7-12"
        ]
    );
}
