//! The module in which expressions are evaluated: variables of all sorts, values that are unknown or sensitive, files.

use std::path::Path;

use crate::expression::Kind;

/// What every expression can refer to.
const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    terraform = {
      source = "terraform.io/builtin/terraform"
    }
  }
}

resource "terraform_data" "unknown" {
}

variable "number" {
  type = number
}

variable "numbers" {
  type = list(number)
}

variable "text" {
  type = string
}

variable "texts" {
  type = list(string)
}

variable "text_set" {
  type = set(string)
}

variable "text_map" {
  type = map(string)
}

variable "flag" {
  type    = bool
  default = true
}

variable "objects" {
  type = list(object({
    name = string
    id   = optional(number, 7)
    a    = optional(map(string))
    b    = optional(list(string), ["x"])
  }))
}

variable "object_map" {
  type = map(object({
    name = string
    a    = optional(object({ b = optional(string, "deep") }), {})
  }))
}

variable "object" {
  type = object({ a = string, b = list(number), c = optional(bool) })
}

variable "tuple" {
  type = tuple([string, number, bool])
}

variable "anything" {
  type = any
}

variable "any_list" {
  type = list(any)
}

variable "no_text" {
  type    = string
  default = null
}

variable "no_list" {
  type    = list(string)
  default = null
}

variable "never_null" {
  type     = string
  default  = "fallback"
  nullable = false
}

variable "secret" {
  type      = string
  sensitive = true
}

variable "secret_object" {
  type      = object({ a = string, b = number })
  sensitive = true
}

locals {
  template_text      = "Hello $${a}!"
  template_loop      = "%%{ for x in a ~}<$${x}>%%{ endfor ~}"
  unknown_text       = terraform_data.unknown.id
  unknown_prefixed   = "id-${terraform_data.unknown.id}"
  unknown_number     = length(terraform_data.unknown.id)
  unknown_bool       = terraform_data.unknown.id == "x"
  unknown_any        = terraform_data.unknown.output
  unknown_list       = split(",", terraform_data.unknown.id)
  unknown_set        = toset(split(",", terraform_data.unknown.id))
  partly_list        = [terraform_data.unknown.id, "x"]
  partly_typed_list  = tolist([terraform_data.unknown.id, "x"])
  partly_set         = toset([terraform_data.unknown.id, "x"])
  partly_map         = tomap({ a = terraform_data.unknown.id, b = "y" })
  partly_object      = { a = terraform_data.unknown.id, b = 1 }
  secret_unknown     = sensitive(terraform_data.unknown.id)
  partly_secret      = { a = sensitive("s"), b = "open" }
  partly_secret_list = ["open", sensitive("s")]
  secret_map         = tomap({ a = sensitive("s"), b = "open" })
}
"#;

const VARIABLES: &str = r#"{
  "number": 3.25,
  "numbers": [3, 1, 2, 1],
  "text": "héllo wörld",
  "texts": ["b", "a", "", "c"],
  "text_set": ["z", "y", "é"],
  "text_map": {"a": "1", "b": "two", "é": "accent"},
  "objects": [{"name": "one", "id": 1, "a": {"k": "v"}}, {"name": "two", "id": null, "b": null}, {"name": "three"}],
  "object_map": {"x": {"name": "ex"}, "y": {"name": "why", "a": {"b": "given"}}, "z": {"name": null, "a": {"b": null}}},
  "object": {"a": "text", "b": [1, 2.5], "extra": true},
  "tuple": ["t", 4, false],
  "anything": {"a": [1, "two", null], "b": {"c": true}},
  "any_list": [1, "two", true],
  "never_null": null,
  "secret": "hunter2",
  "secret_object": {"a": "sa", "b": 5}
}
"#;

const FILES: [(&str, &[u8]); 10] = [
    ("a.txt", b"text of a\n"),
    ("plain.txt", b"no templates here $ % {}\n"),
    ("sub/b.txt", b"b\r\nsecond line"),
    ("sub/é.txt", "\u{e9}\n".as_bytes()),
    ("bytes.bin", b"\xff\xfe\x00\x01"),
    ("a.tftpl", b"a is ${a}.\n"),
    ("list.tftpl", b"%{ for x in b ~}\n- ${x}\n%{ endfor ~}\n"),
    (
        "if.tftpl",
        b"%{ if true }yes%{ else }no%{ endif } ${upper(\"x\")}",
    ),
    ("bad.tftpl", b"${nosuch(1)} %{ if }\n"),
    ("one.tftpl", b"${a}"),
];

/// Writes the module without any expression to evaluate, over what is there.
pub(crate) fn write(directory: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::remove_file(path)?;
        }
    }
    std::fs::write(directory.join("scaffold.tf"), CONFIGURATION)?;
    std::fs::write(directory.join("terraform.tfvars.json"), VARIABLES)?;
    std::fs::create_dir_all(directory.join("sub"))?;
    for (path, content) in FILES {
        std::fs::write(directory.join(path), content)?;
    }
    Ok(())
}

/// The text around expression `number`: its outcome is in an output (with its type) and in a resource (with marks).
pub(crate) fn around(number: usize, expression: &str) -> String {
    format!(
        "locals {{\n  e{number} = {expression}\n}}\n\noutput \"e{number}\" {{\n  value     = local.e{number}\n  sensitive = true\n}}\n\n\
         resource \"terraform_data\" \"e{number}\" {{\n  input = local.e{number}\n}}\n"
    )
}

/// How well a value is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Open,
    Unknown,
    Secret,
}

/// All that expressions can refer to, with its type.
pub(crate) fn references() -> Vec<(&'static str, Kind, Standing)> {
    use Kind::{Any, Bool, Number, Object, Text, Tuple};
    use Standing::{Open, Secret, Unknown};
    let nested = || Object(vec![("b", Text)]);
    vec![
        ("var.number", Number, Open),
        ("var.numbers", Kind::list(Number), Open),
        ("var.text", Text, Open),
        ("var.texts", Kind::list(Text), Open),
        ("var.text_set", Kind::set(Text), Open),
        ("var.text_map", Kind::map(Text), Open),
        ("var.flag", Bool, Open),
        (
            "var.objects",
            Kind::list(Object(vec![
                ("name", Text),
                ("id", Number),
                ("a", Kind::map(Text)),
                ("b", Kind::list(Text)),
            ])),
            Open,
        ),
        (
            "var.object_map",
            Kind::map(Object(vec![("name", Text), ("a", nested())])),
            Open,
        ),
        (
            "var.object",
            Object(vec![("a", Text), ("b", Kind::list(Number)), ("c", Bool)]),
            Open,
        ),
        ("var.tuple", Tuple(vec![Text, Number, Bool]), Open),
        ("var.anything", Any, Open),
        ("var.any_list", Kind::list(Text), Open),
        ("var.no_text", Text, Open),
        ("var.no_list", Kind::list(Text), Open),
        ("var.never_null", Text, Open),
        ("var.secret", Text, Secret),
        (
            "var.secret_object",
            Object(vec![("a", Text), ("b", Number)]),
            Secret,
        ),
        ("local.unknown_text", Text, Unknown),
        ("local.unknown_prefixed", Text, Unknown),
        ("local.unknown_number", Number, Unknown),
        ("local.unknown_bool", Bool, Unknown),
        ("local.unknown_any", Any, Unknown),
        ("local.unknown_list", Kind::list(Text), Unknown),
        ("local.unknown_set", Kind::set(Text), Unknown),
        ("local.partly_list", Tuple(vec![Text, Text]), Unknown),
        ("local.partly_typed_list", Kind::list(Text), Unknown),
        ("local.partly_set", Kind::set(Text), Unknown),
        ("local.partly_map", Kind::map(Text), Unknown),
        (
            "local.partly_object",
            Object(vec![("a", Text), ("b", Number)]),
            Unknown,
        ),
        ("local.secret_unknown", Text, Secret),
        (
            "local.partly_secret",
            Object(vec![("a", Text), ("b", Text)]),
            Secret,
        ),
        ("local.partly_secret_list", Tuple(vec![Text, Text]), Secret),
        ("local.secret_map", Kind::map(Text), Secret),
    ]
}
