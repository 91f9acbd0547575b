//! The module tree: what is merged, loaded again, and where provider configurations come from.

#[path = "support/mod.rs"]
mod support;

use support::{Memory, load, render};
use terrace_addr::{LocalProviderConfig, ModulePath, ProviderAddr, Resource};
use terrace_config::{Config, ForEachOrCount, load_snapshot};
use terrace_diag::Span;
use terrace_syntax::{BlockSchema, Body, BodyKind, BodySchema, Item};

fn loaded(files: &[(&str, &str)]) -> Config {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    let (config, diagnostics) = load(&Memory::of(&files));
    assert_eq!(render(&config.sources, &diagnostics), Vec::<String>::new());
    config
}

fn local(name: &str) -> LocalProviderConfig {
    match name.split_once('.') {
        Some((name, alias)) => LocalProviderConfig {
            local_name: name.into(),
            alias: Some(alias.into()),
        },
        None => LocalProviderConfig {
            local_name: name.into(),
            alias: None,
        },
    }
}

fn path(steps: &str) -> ModulePath {
    steps.split('.').filter(|step| !step.is_empty()).collect()
}

/// What stands in the native parts of a body, as text.
fn items(config: &Config, name: &str) -> Vec<String> {
    let resource = &config.root.module.resources[&Resource::managed("terraform_data", name)];
    native_items(&resource.body)
        .iter()
        .map(|item| match item {
            Item::Attribute(attribute) => config.sources.text(attribute.span).to_owned(),
            Item::Block(block) => config.sources.text(block.span).to_owned(),
        })
        .collect()
}

fn native_items(body: &Body) -> Vec<Item> {
    match &body.kind {
        BodyKind::Native(items) => items.to_vec(),
        BodyKind::Json(_) => panic!("a native body is expected"),
        BodyKind::Merged(parts) => parts.iter().flat_map(native_items).collect(),
    }
}

#[test]
fn overrides_replace_arguments_and_blocks_of_the_same_type() {
    let config = loaded(&[
        (
            "main.tf",
            "resource \"terraform_data\" \"a\" {\n  count = 1\n  input = 1\n  other = 1\n  b {}\n  b {}\n  c {}\n  dynamic \"d\" {}\n  lifecycle {\n    prevent_destroy = true\n  }\n}\nlocals {\n  x = 1\n}\n",
        ),
        (
            "main_override.tf",
            "resource \"terraform_data\" \"a\" {\n  input = 2\n  b {\n  }\n  d {\n  }\n  lifecycle {\n    create_before_destroy = true\n  }\n}\nlocals {\n  x = 2\n}\n",
        ),
        (
            "z_override.tf",
            "resource \"terraform_data\" \"a\" {\n  for_each = {}\n}\n",
        ),
    ]);
    assert_eq!(
        items(&config, "a"),
        ["other = 1", "c {}", "input = 2", "b {\n  }", "d {\n  }"]
    );
    let resource = &config.root.module.resources[&Resource::managed("terraform_data", "a")];
    assert!(resource.lifecycle.prevent_destroy);
    assert_eq!(resource.lifecycle.create_before_destroy, Some(true));
    assert!(matches!(resource.repetition, ForEachOrCount::ForEach(_)));
    assert_eq!(
        config
            .sources
            .text(config.root.module.locals["x"].value.span),
        "2"
    );
}

#[test]
fn json_overrides_json() {
    let config = loaded(&[
        (
            "main.tf.json",
            r#"{"resource": {"terraform_data": {"a": {"input": 1, "other": 1}}}}"#,
        ),
        (
            "override.tf.json",
            r#"{"resource": {"terraform_data": {"a": {"input": 2}}}}"#,
        ),
    ]);
    let resource = &config.root.module.resources[&Resource::managed("terraform_data", "a")];
    let (content, diagnostics) = resource
        .body
        .content(&terrace_syntax::BodySchema::of(&["input", "other"], &[]));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(
        config.sources.text(content.attributes["input"].value.span),
        "2"
    );
    assert_eq!(
        config.sources.text(content.attributes["other"].value.span),
        "1"
    );
}

#[test]
fn an_escape_block_names_what_the_language_would_take() {
    let config = loaded(&[(
        "main.tf",
        "resource \"terraform_data\" \"a\" {\n  input = 1\n  _ {\n    count = 5\n  }\n}\n",
    )]);
    assert_eq!(items(&config, "a"), ["input = 1", "count = 5"]);
}

const TREE: &[(&str, &str)] = &[
    (
        "main.tf",
        r#"
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.0"
    }
  }
}
provider "aws" {
  region = "a"
}
provider "aws" {
  alias  = "west"
  region = "b"
}
module "m" {
  source = "./m"
  providers = {
    aws.other = aws.west
  }
}
module "n" {
  source = "./n"
  providers = {
    cloud = aws.west
  }
}
resource "null_resource" "x" {}
"#,
    ),
    (
        "m/main.tf",
        r#"
terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      version               = ">= 3.1"
      configuration_aliases = [aws.other]
    }
  }
}
module "deep" {
  source = "../n"
  providers = {
    cloud = aws.other
  }
}
module "plain" {
  source = "../n"
}
"#,
    ),
    (
        "n/main.tf",
        r#"
terraform {
  required_providers {
    cloud = {
      source = "hashicorp/aws"
    }
  }
}
resource "aws_vpc" "v" {
  provider = cloud
}
"#,
    ),
];

#[test]
fn provider_configurations_are_passed_and_inherited() {
    let config = loaded(TREE);
    let resolve = |module: &str, name: &str| {
        config
            .resolve_provider(&path(module), &local(name))
            .to_string()
    };
    let aws = "provider[\"registry.terraform.io/hashicorp/aws\"]";
    assert_eq!(resolve("", "aws"), aws);
    assert_eq!(resolve("", "aws.west"), format!("{aws}.west"));
    assert_eq!(resolve("m", "aws"), aws);
    assert_eq!(resolve("m", "aws.other"), format!("{aws}.west"));
    assert_eq!(resolve("m.deep", "cloud"), format!("{aws}.west"));
    assert_eq!(resolve("m.plain", "cloud"), aws);
    assert_eq!(resolve("n", "cloud"), format!("{aws}.west"));
    assert_eq!(
        resolve("", "null"),
        "provider[\"registry.terraform.io/hashicorp/null\"]"
    );
    assert_eq!(
        resolve("n", "terraform"),
        "provider[\"terraform.io/builtin/terraform\"]"
    );
    let west = config.resolve_provider(&path("m.deep"), &local("cloud"));
    assert_eq!(
        config.provider_config(&west).unwrap().local,
        local("aws.west")
    );
}

#[test]
fn requirements_are_those_of_all_modules() {
    let requirements = loaded(TREE).provider_requirements();
    let shown: Vec<String> = requirements
        .iter()
        .map(|(provider, versions)| {
            let versions: Vec<&str> = versions.iter().map(|(text, _)| text.as_str()).collect();
            format!("{} {}", provider.for_display(), versions.join(" | "))
        })
        .collect();
    assert_eq!(shown, ["hashicorp/aws ~> 3.0 | >= 3.1", "hashicorp/null "]);
}

#[test]
fn the_other_registry_s_providers_are_those_that_are_required() {
    let config = loaded(&[(
        "main.tf",
        "terraform {\n  required_providers {\n    one = { source = \"acme/one\" }\n    two = { source = \"registry.opentofu.org/acme/two\" }\n    both = { source = \"acme/both\" }\n    other = { source = \"registry.opentofu.org/acme/both\" }\n  }\n}\n",
    )]);
    let named = [
        "registry.opentofu.org/acme/one",
        "acme/two",
        "registry.opentofu.org/acme/two",
        "registry.opentofu.org/acme/both",
        "registry.opentofu.org/acme/unknown",
        "registry.example/acme/one",
    ]
    .map(|source| ProviderAddr::parse(source).unwrap());
    let twins = config.twins(&named.into());
    let shown: Vec<String> = twins
        .iter()
        .map(|(one, other)| format!("{one} {other}"))
        .collect();
    assert_eq!(
        shown,
        [
            "registry.opentofu.org/acme/one registry.terraform.io/acme/one",
            "registry.terraform.io/acme/two registry.opentofu.org/acme/two"
        ]
    );
}

#[test]
fn a_definition_is_shared_by_its_calls() {
    let config = loaded(TREE);
    let module = |steps: &str| &config.module(&path(steps)).unwrap().module;
    assert!(std::sync::Arc::ptr_eq(module("n"), module("m.deep")));
    assert_eq!(
        config
            .root
            .walk()
            .map(|node| node.path.to_string())
            .collect::<Vec<_>>(),
        [
            "",
            "module.m",
            "module.m.module.deep",
            "module.m.module.plain",
            "module.n"
        ]
    );
}

#[test]
fn a_snapshot_gives_the_same_configuration() {
    let config = loaded(TREE);
    let (again, diagnostics) = load_snapshot(&config.snapshot);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!(format!("{:?}", again.root), format!("{:?}", config.root));
    assert_eq!(again.snapshot, config.snapshot);
    let names = |config: &Config| {
        config
            .sources
            .files()
            .map(|(_, file)| file.name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&again), names(&config));
}

#[test]
fn tofu_files_are_judged_by_their_own_version() {
    let problems = |name: &str| {
        let text = "terraform {\n  required_version = \">= 1.12\"\n}\n";
        let (config, diagnostics) = load(&Memory::of(&[(name.to_owned(), text.to_owned())]));
        render(&config.sources, &diagnostics)
    };
    assert_eq!(problems("main.tofu"), Vec::<String>::new());
    assert!(
        problems("main.tf")[0].starts_with("e main.tf:2,3-2,31 [Unsupported Terrace Core version]")
    );
}

#[test]
fn a_version_that_is_not_met_is_told_where_nothing_else_is_wrong() {
    let told = |more: &str| {
        let text = format!("terraform {{\n  required_version = \"~> 0.12\"\n}}\n{more}");
        let (config, diagnostics) = load(&Memory::of(&[("main.tf".to_owned(), text)]));
        assert_eq!(config.unmet_versions.len(), 1, "{more}");
        diagnostics
            .iter()
            .map(|diagnostic| diagnostic.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(""), ["unsupported-version"]);
    assert_eq!(
        told("variable \"a\" {\n  foo = 1\n}\n"),
        ["unsupported-argument"]
    );
    assert_eq!(
        told("module \"m\" {\n  source = \"./absent\"\n}\n").len(),
        1
    );
}

#[test]
fn an_override_may_be_written_in_the_other_syntax() {
    let native = "resource \"r_t\" \"a\" {\n  kept = 1\n  input = 1\n  dynamic \"b\" {\n  }\n  c {\n  }\n}\n";
    let json = r#"{"resource": {"r_t": {"a": {"input": 2, "dynamic": {"b": {}}, "d": {}}}}}"#;
    let held = |files: [(&str, &str); 2]| {
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let (config, diagnostics) = load(&Memory::of(&files));
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let resource = config.root.module.resources.values().next().unwrap();
        let mut schema = BodySchema::of(&["kept", "input"], &["b", "c", "d"]);
        schema.blocks.push(BlockSchema {
            type_name: "dynamic".into(),
            labels: vec!["type".into()],
        });
        let (content, problems) = resource.body.content(&schema);
        assert!(problems.is_empty(), "{problems:?}");
        let place = |span: Span| config.sources.get(span.source).unwrap().name().to_owned();
        let arguments = content
            .attributes
            .iter()
            .map(|(name, attribute)| format!("{name} of {}", place(attribute.span)));
        let blocks = content.blocks.iter().map(|block| {
            format!(
                "{} of {}",
                block.type_name.name,
                place(block.type_name.span)
            )
        });
        arguments.chain(blocks).collect::<Vec<_>>()
    };
    assert_eq!(
        held([("main.tf", native), ("override.tf.json", json)]),
        [
            "input of override.tf.json",
            "kept of main.tf",
            "c of main.tf",
            "dynamic of override.tf.json",
            "d of override.tf.json"
        ]
    );
    assert_eq!(
        held([("main.tf.json", json), ("override.tf", native)]),
        [
            "input of override.tf",
            "kept of override.tf",
            "dynamic of override.tf",
            "c of override.tf",
            "d of main.tf.json"
        ]
    );
}

#[test]
fn many_files_in_parallel_give_what_one_gives() {
    let block = |index: usize| {
        format!(
            "resource \"terraform_data\" \"r{index:05}\" {{\n  input = \"{}\"\n}}\n",
            "x".repeat(200)
        )
    };
    let one: String = (0..2000).map(block).collect();
    let many: Vec<(String, String)> = (0..40)
        .map(|file| {
            (
                format!("f{file:02}.tf"),
                (file * 50..(file + 1) * 50).map(block).collect(),
            )
        })
        .collect();
    let (single, _) = load(&Memory::of(&[("main.tf".to_owned(), one)]));
    let (several, diagnostics) = load(&Memory::of(&many));
    assert!(diagnostics.is_empty());
    let names = |config: &Config| {
        config
            .root
            .module
            .resources
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&single), names(&several));
    let (again, _) = load(&Memory::of(&many));
    assert_eq!(format!("{:?}", again.root), format!("{:?}", several.root));
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
    let depth = 1900;
    let text = format!(
        "locals {{\n  x = {}{}\n}}\noutput \"o\" {{\n  value = 1\n  precondition {{\n    condition = {}local.x{}\n    error_message = \"m\"\n  }}\n}}\n",
        "[".repeat(depth),
        "]".repeat(depth),
        "(".repeat(depth),
        ")".repeat(depth)
    );
    let (config, diagnostics) = load(&Memory::of(&[("main.tf".to_owned(), text)]));
    assert_eq!(render(&config.sources, &diagnostics), Vec::<String>::new());
    assert_eq!(config.root.module.outputs["o"].preconditions.len(), 1);
}
