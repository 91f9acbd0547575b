//! Values of the root module's variables: where they come from, and what is wrong with them.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use support::{Memory, load, render};
use terrace_config::variables::{VariableInputs, VariableOption, collect, convert_raw};

const MAIN: &str = r#"
variable "a" {
  type = number
}
variable "b" {
  type    = list(string)
  default = []
}
variable "c" {
  type     = string
  nullable = false
  default  = "x"
}
variable "d" {
  type      = bool
  default   = true
  sensitive = true
}
variable "f" {
  type    = any
  default = 1
}
variable "g" {
  default = 1
}
variable "o" {
  type = object({
    name = string
    n    = optional(number, 3)
    nested = optional(object({
      on = optional(bool, true)
      l  = optional(list(string))
    }), {})
    each = optional(map(object({ x = optional(string, "y") })))
  })
  default = { name = "n" }
}
"#;

struct Run {
    /// Values as debug text, by name.
    values: BTreeMap<String, String>,
    problems: Vec<String>,
}

/// Collects and converts. `environment` and `options` are `name=value`; an option beginning with `@` is a file.
fn run(files: &[(&str, &str)], environment: &[&str], options: &[&str]) -> Run {
    let mut all: Vec<(String, String)> = vec![("main.tf".to_owned(), MAIN.to_owned())];
    all.extend(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned())),
    );
    let files = Memory::of(&all);
    let (mut config, diagnostics) = load(&files);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let inputs = VariableInputs {
        options: options
            .iter()
            .map(|option| match option.strip_prefix('@') {
                Some(path) => VariableOption::File(path.to_owned()),
                None => VariableOption::Value((*option).to_owned()),
            })
            .collect(),
        environment: environment
            .iter()
            .map(|pair| pair.split_once('=').expect("a pair"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    let module = std::sync::Arc::clone(&config.root.module);
    let (raw, mut diagnostics) = collect(&module, &inputs, &files, &mut config.sources);
    let mut values = BTreeMap::new();
    for (name, raw) in &raw {
        match convert_raw(&module.variables[name], raw, &config.sources) {
            Ok(value) => drop(values.insert(name.to_string(), format!("{value:?}"))),
            Err(problem) => diagnostics.push(problem),
        }
    }
    Run {
        values,
        problems: render(&config.sources, &diagnostics),
    }
}

fn value_of(run: &Run, name: &str) -> String {
    assert_eq!(run.problems, Vec::<String>::new());
    run.values[name].clone()
}

#[test]
fn later_sources_win() {
    let files = [
        ("terraform.tfvars", "a = 2\nc = \"tfvars\""),
        ("terraform.tfvars.json", r#"{"c": "json ${kept}"}"#),
        ("z.auto.tfvars", "f = \"z\""),
        ("y.auto.tfvars.json", r#"{"f": "y"}"#),
        ("x.tfvars", "g = \"file\""),
    ];
    let run = run(
        &files,
        &["a=1", "b=[\"env\"]", "g=env"],
        &["@x.tfvars", "a=4", "a=5"],
    );
    assert_eq!(value_of(&run, "a"), "5");
    assert_eq!(value_of(&run, "b"), "[\"env\"]");
    assert_eq!(value_of(&run, "c"), "\"json ${kept}\"");
    assert_eq!(value_of(&run, "f"), "\"z\"");
    assert_eq!(value_of(&run, "g"), "\"file\"");
}

#[test]
fn text_is_an_expression_only_where_the_type_is_not_primitive() {
    assert_eq!(
        value_of(&run(&[], &[], &["a=1", "c=[not json"]), "c"),
        "\"[not json\""
    );
    assert_eq!(value_of(&run(&[], &[], &["a=1", "g=[1]"]), "g"), "\"[1]\"");
    assert_eq!(
        value_of(
            &run(&[], &[], &["a=1", "f={ x = [for v in [1, 2] : v * 2] }"]),
            "f"
        ),
        "{\"x\": tuple[2, 4]}"
    );
}

#[test]
fn optional_attributes_have_their_defaults() {
    let default = run(&[], &[], &["a=1"]);
    assert_eq!(
        value_of(&default, "o"),
        r#"{"each": null(map(object({x=string}))), "n": 3, "name": "n", "nested": {"l": null(list(string)), "on": true}}"#
    );
    let given = run(
        &[],
        &[],
        &[
            "a=1",
            "o={name=5, n=null, nested={on=false, l=[1]}, each={k={}}, extra=1}",
        ],
    );
    assert_eq!(
        value_of(&given, "o"),
        r#"{"each": map{"k": {"x": "y"}}, "n": 3, "name": "5", "nested": {"l": ["1"], "on": false}}"#
    );
}

#[test]
fn null_means_the_default_where_null_is_no_value() {
    let run = run(&[("terraform.tfvars", "a = null\nc = null")], &[], &[]);
    assert_eq!(value_of(&run, "c"), "\"x\"");
    assert_eq!(value_of(&run, "a"), "null(number)");
}

#[test]
fn problems_are_told_as_the_reference_tells_them() {
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (
            &[],
            &[],
            &[
                "e main.tf:2,1-2,13 [No value for required variable] The root module input variable \"a\" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
            ],
        ),
        (
            &[],
            &["a=x"],
            &[
                "e main.tf:2,1-2,13 [Invalid value for input variable] Unsuitable value for var.a set using -var=\"a=...\": a number is required.",
            ],
        ),
        (
            &["a=x"],
            &[],
            &[
                "e main.tf:2,1-2,13 [Invalid value for input variable] Unsuitable value for var.a set using the TF_VAR_a environment variable: a number is required.",
            ],
        ),
        (
            &[],
            &["a=1", "b=x"],
            &[
                "e <value for var.b>:1,1-1,2 [Variables not allowed] Variables may not be used here.",
            ],
        ),
        (
            &[],
            &["a=1", "b=[upper(\"x\")]"],
            &[
                "e <value for var.b>:1,2-1,12 [Function calls not allowed] Functions may not be called here.",
            ],
        ),
        (
            &["b=["],
            &["a=1"],
            &[
                "e <value for var.b>:1,2-1,2 [Missing expression] Expected the start of an expression, but found the end of the file.",
            ],
        ),
        (&["b=[", "nobody=1"], &["a=1", "b=[]"], &[]),
        (
            &[],
            &["a=1", "zzz=1"],
            &[
                "e - [Value for undeclared variable] A variable named \"zzz\" was assigned on the command line, but the root module does not declare a variable of that name. To use this value, add a \"variable\" block to the configuration.",
            ],
        ),
        (
            &[],
            &["a=1", "b"],
            &[
                "e - [Invalid -var option] The given -var option \"b\" is not correctly specified. Must be a variable name and value separated by an equals sign, like -var=\"key=value\".",
            ],
        ),
        (
            &[],
            &["a=1", "c = 1"],
            &[
                "e - [Invalid -var option] Variable name \"c \" is invalid due to trailing space. Did you mean -var=\"c=1\"?",
            ],
        ),
        (
            &[],
            &["a=1", "@nope"],
            &["e - [Failed to read variables file] Given variables file nope does not exist."],
        ),
    ];
    for (environment, options, expected) in cases {
        assert_eq!(
            run(&[], environment, options).problems,
            *expected,
            "{environment:?} {options:?}"
        );
    }
}

#[test]
fn problems_of_files_have_their_places() {
    let with = |text: &str| run(&[("terraform.tfvars", text)], &[], &[]).problems;
    assert_eq!(
        with("a = [\"a\"]"),
        [
            "e terraform.tfvars:1,5-1,10 [Invalid value for input variable] The given value is not suitable for var.a declared at main.tf:2,1-13: number required."
        ]
    );
    assert_eq!(
        with("a = 1\nb = [[]]"),
        [
            "e terraform.tfvars:2,5-2,9 [Invalid value for input variable] The given value is not suitable for var.b declared at main.tf:5,1-13: element 0: string required."
        ]
    );
    assert_eq!(
        with("a = 1\nd = \"x\""),
        [
            "e main.tf:14,1-14,13 [Invalid value for input variable] The given value is not suitable for var.d, which is sensitive: a bool is required. Invalid value defined at terraform.tfvars:2,5-8."
        ]
    );
    assert_eq!(
        with("a = 1\nfoo {}"),
        [
            "e main.tf:2,1-2,13 [No value for required variable] The root module input variable \"a\" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
            "e terraform.tfvars:2,1-2,4 [Unexpected \"foo\" block] Blocks are not allowed here.",
        ]
    );
    assert_eq!(
        with("a = 1\nvariable \"x\" {}")
            .iter()
            .filter(|line| line.contains("Variable declaration in .tfvars file"))
            .count(),
        1
    );
    assert_eq!(
        with("a = 1\na = 2"),
        [
            "e main.tf:2,1-2,13 [No value for required variable] The root module input variable \"a\" is not set, and has no default value. Use a -var or -var-file command line argument to provide a value for this variable.",
            "e terraform.tfvars:2,1-2,2 [Attribute redefined] The argument \"a\" was already set at terraform.tfvars:1,1-2. Each argument may be set only once.",
        ]
    );
}

#[test]
fn undeclared_names_in_files_are_warned_of_twice() {
    let problems = run(
        &[("terraform.tfvars", "a = 1\nz1 = 1\nz2 = 2\nz3 = 3\nz4 = 4")],
        &[],
        &[],
    )
    .problems;
    assert_eq!(
        problems,
        [
            "w - [Value for undeclared variable] The root module does not declare a variable named \"z1\" but a value was found in file \"terraform.tfvars\". If you meant to use this value, add a \"variable\" block to the configuration.",
            "w - [Value for undeclared variable] The root module does not declare a variable named \"z2\" but a value was found in file \"terraform.tfvars\". If you meant to use this value, add a \"variable\" block to the configuration.",
            "w - [Values for undeclared variables] In addition to the other similar warnings shown, 2 other variable(s) defined without being declared.",
        ]
    );
}
