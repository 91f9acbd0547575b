//! Inputs that targets accept: those of the conformance suite, and some that hold what it lacks.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use terrace_plan::{Plan, PlanInputs, PlanMode};
use terrace_state::State;
use terrace_state::journal::{
    Begin, Frame, Intent, IntentAction, OpResult, RunOutputs, difference,
};
use terrace_value::{json, msgpack};

/// The largest file that becomes a seed.
const LARGEST: usize = 8 * 1024;

pub(crate) const NATIVE_WORDS: &[&str] = &[
    "for",
    "in",
    "if",
    "else",
    "endif",
    "endfor",
    "null",
    "true",
    "each.value",
    "count.index",
    "var.a",
    "a.b[0].c",
    "a[*].b",
    "a.*.b",
    "<<EOT\n${a}\nEOT\n",
    "<<-EOT\n  a\n  ${b}\n  EOT\n",
    "\"${a}\"",
    "%{ for x in y ~}",
    "%{ endfor }",
    "resource \"a\" \"b\" {\n",
    "dynamic \"x\" {\n",
    "lifecycle {\n",
    "variable \"v\" {\n",
    "module \"m\" {\n",
    "terraform {\n",
    "required_providers {\n",
    "type = ",
    "object({a=optional(list(string),[])})",
    "map(any)",
    "source = \"./m\"\n",
    "moved {\n  from = a.b\n  to = a.c\n}\n",
    "provider::a::b()",
    "{ for k, v in m : k => v... if v }",
    "[for x in y : x]",
    "= ",
    "== ",
    "!=",
    "&&",
    "||",
    "? ",
    "1e10",
    "0.1",
    "-",
    "!",
    ",",
    "...",
    "=> ",
    "# c\n",
    "/* c */",
    "providers = {\n",
];

pub(crate) const JSON_WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "true",
    "1e400",
    "-0.0",
    "1.0e+5",
    "\"a\"",
    "\"\\u00e9\"",
    "\"\\ud83d\"",
    "\"//\"",
    "\"resource\":{\"a\":{\"b\":{}}}",
    "\"${a.b}\"",
    "\"instances\":[]",
    "\"attributes\":{}",
    "\"schema_version\":1",
    "\"version\":4",
    "\"mode\":\"managed\"",
    "\"index_key\":\"k\"",
    "\"deposed\":\"00000000\"",
    "\"list\"",
    "[\"object\",{\"a\":\"string\"}]",
    "[\"map\",\"number\"]",
    "[\"tuple\",[\"bool\"]]",
    "\"dynamic\"",
    "{\"type\":\"string\",\"value\":\"a\"}",
    "99999999999999999999",
];

pub(crate) const MSGPACK_WORDS: &[&str] = &[
    "\u{0}",
    "\u{7f}",
    "[\"list\",\"number\"]\n",
    "\"dynamic\"\n",
    "[\"set\",\"string\"]\n",
    "[\"map\",\"dynamic\"]\n",
];

/// The files of the conformance suite with an extension, read once.
fn files(extension: &'static str) -> &'static [Vec<u8>] {
    static TF: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    static JSON: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let cell = if extension == "tf" { &TF } else { &JSON };
    cell.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance");
        let mut found = Vec::new();
        for directory in ["syntax", "scenarios"] {
            gather(&root.join(directory), extension, &mut found);
        }
        found
    })
}

fn gather(directory: &Path, extension: &str, found: &mut Vec<Vec<u8>>) {
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            gather(&path, extension, found);
        } else if path.extension().is_some_and(|found| found == extension)
            && let Ok(bytes) = std::fs::read(&path)
            && bytes.len() <= LARGEST
        {
            found.push(bytes);
        }
    }
}

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) fn native() -> Vec<Vec<u8>> {
    let mut seeds = files("tf").to_vec();
    seeds.extend(texts(&[
        "variable \"a\" {\n  type = object({ x = optional(list(string), [\"a\"]), y = map(any) })\n  default = { x = null }\n  validation {\n    condition = length(var.a.x) > 0\n    error_message = \"no\"\n  }\n}\n",
        "resource \"a\" \"b\" {\n  for_each = { for k, v in var.m : k => v... if v != null }\n  dynamic \"x\" {\n    for_each = each.value\n    iterator = it\n    labels = [\"l\"]\n    content {\n      y = it.value\n    }\n  }\n  lifecycle {\n    ignore_changes = [tags[\"k\"], a.b]\n    replace_triggered_by = [a.b.c]\n    precondition {\n      condition = true\n      error_message = \"x\"\n    }\n  }\n  provisioner \"local-exec\" {\n    when = destroy\n    command = \"x ${self.id}\"\n    connection {\n      host = self.h\n    }\n  }\n}\n",
        "module \"m\" {\n  source = \"git::https://h/r.git//s?ref=v1\"\n  version = \"~> 1.0, != 1.2\"\n  count = 2\n  providers = {\n    a.b = c\n  }\n}\nmoved {\n  from = module.m[0].a.b[\"k\"]\n  to = a.c\n}\nimport {\n  to = a.b[0]\n  id = \"x\"\n}\nremoved {\n  from = a.d\n  lifecycle {\n    destroy = false\n  }\n}\n",
        "terraform {\n  required_version = \">= 1.2\"\n  required_providers {\n    a = {\n      source = \"h.io/n/a\"\n      version = \">= 1.0\"\n      configuration_aliases = [a.b]\n    }\n  }\n  backend \"local\" {\n    path = \"x\"\n  }\n}\nprovider \"a\" {\n  alias = \"b\"\n}\nlocals {\n  x = <<-EOT\n    a ${1 + 2}\n      %{ for y in z ~}\n      ${y}\n      %{ endfor ~}\n    EOT\n}\noutput \"o\" {\n  value = provider::a::f(local.x...)\n}\ncheck \"c\" {\n  data \"a\" \"b\" {\n  }\n  assert {\n    condition = a.b[*].c == [] ? !true : -1 < 2\n    error_message = \"x\"\n  }\n}\n",
    ]));
    seeds
}

pub(crate) fn json_syntax() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"//":"c","resource":{"a":{"b":[{"for_each":"${toset(var.x)}","x":[{"y":1},{"y":null}],"lifecycle":{"ignore_changes":["tags[\"k\"]"]},"provisioner":[{"local-exec":{"command":"x"}}]}]}},"variable":{"v":{"type":"list(string)","default":["a",1.5,true]}}}"#,
        r#"[{"locals":{"a":"%{ if b }x%{ else }y%{ endif }","${k}":[1,{"b":"$${c}"}]}},{"module":{"m":{"source":"./m","providers":{"a":"a.b"}}},"moved":{"from":"a.b","to":"a.c"}}]"#,
        r#"{"terraform":{"required_providers":{"a":{"source":"n/a","version":"~> 1.0"}},"backend":{"local":{}}},"output":{"o":{"value":"${a.b[*].c}","sensitive":true}},"check":{"c":{"assert":[{"condition":"${true}","error_message":"x"}]}}}"#,
    ])
}

pub(crate) fn expressions() -> Vec<Vec<u8>> {
    texts(&[
        "1 + 2 * -3 % 4 / 0.5 >= 1e3 && !true || a != null ? [1, 2][0] : {a = 1, \"b\" = 2, (c) : 3}.a",
        "[for k, v in {a = 1} : \"${k}=${v}\" if v > 0]",
        "{for k, v in m : k => v...}",
        "a.b[0][\"c\"].d[*].e.*.f",
        "f(g(1, \"x\")..., provider::a::b())",
        "<<-E\n  a ${b}\n   %{ if c ~}\n  d\n  %{ endif }\n  E\n",
        "\"a\\n\\u00e9\\U0001F600\\\"$${x}%%{y}${\"n${1}\"}\"",
        "\"%{ for x in [1, 2] ~} ${x} %{ endfor }\"",
        "9223372036854775807 + 0.1 - 1e-300 * 123456789012345678901234567890",
    ])
}

pub(crate) fn templates() -> Vec<Vec<u8>> {
    let mut seeds = texts(&[
        "a ${b} %{ if c }d%{ else }e%{ endif } $${f} %%{g}",
        "%{ for k, v in {a = 1, b = [1, 2]} ~}\n  ${k} = ${v}\n%{~ endfor }\n",
        "%{ for x in y ~}%{ for z in x ~}${z}%{ endfor ~}%{ endfor ~}",
        "${~ \"x\" ~}  ${\"${\"${1}\"}\"}\n",
        "#!/bin/sh\nexport A=${a}\necho \"$A\" %{ if true ~} yes %{ endif ~}\n",
    ]);
    seeds.extend(expressions());
    seeds
}

pub(crate) fn tfvars() -> Vec<Vec<u8>> {
    texts(&[
        "a = \"x\"\nb = { k = [1, 2.5], \"l\" = [] }\nc = {\n  x = \"é\"\n  y = [true, false]\n}\n",
        "# c\na = <<E\ntext\nE\nb = null\nunknown = 1 // d\n",
        "a = [for x in [1] : x]\nc = { x = null, y = toset([]) }\n",
    ])
}

pub(crate) fn tfvars_json() -> Vec<Vec<u8>> {
    texts(&[
        r#"{"a":"x","b":{"k":[1,2.5],"l":[]},"c":{"x":"\u00e9","y":[true,false]},"//":"c"}"#,
        r#"{"a":"${b}","b":null,"unknown":1e3,"c":{"y":[]}}"#,
    ])
}

pub(crate) fn json_values() -> Vec<Vec<u8>> {
    texts(&[
        "\"string\"\n\"a\\u00e9\"",
        "\"number\"\n-12345678901234567890.5e-3",
        "[\"object\",{\"a\":\"string\",\"b\":[\"list\",\"number\"]}]\n{\"a\":\"x\",\"b\":[1,null,\"3\"]}",
        "[\"map\",[\"set\",\"bool\"]]\n{\"k\":[true,false],\"l\":[]}",
        "[\"tuple\",[\"string\",\"dynamic\"]]\n[\"a\",{\"type\":[\"list\",\"string\"],\"value\":[\"b\"]}]",
        "\"dynamic\"\n{\"type\":\"number\",\"value\":1}",
        "\n{\"a\":[1,{\"b\":null}],\"c\":\"d\"}",
    ])
}

pub(crate) fn msgpack_values() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for seed in json_values() {
        let text = String::from_utf8_lossy(&seed).into_owned();
        let Some((first, rest)) = text.split_once('\n') else {
            continue;
        };
        let Ok(ty) = json::decode_type(first) else {
            continue;
        };
        if let Ok(value) = json::decode(rest, &ty)
            && let Ok(bytes) = msgpack::encode(&value, &ty)
        {
            seeds.push([first.as_bytes(), b"\n", &bytes].concat());
        }
    }
    seeds.push(b"\"string\"\n\xd4\x00\x00".to_vec());
    seeds.push(b"\"string\"\n\xc7\x09\x0c\x82\x01\xc2\x02\xa4abcd".to_vec());
    seeds.push(b"[\"list\",\"number\"]\n\xc7\x05\x0c\x82\x05\x01\x06\x03".to_vec());
    seeds
}

pub(crate) fn states() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = files("json")
        .iter()
        .filter(|bytes| terrace_state::read(bytes).is_ok())
        .cloned()
        .collect();
    seeds.extend(texts(&[
        r#"{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"l","outputs":{"o":{"value":[1],"type":["tuple",["number"]],"sensitive":true}},"resources":[{"module":"module.m[\"k\"]","mode":"managed","type":"a","name":"b","provider":"module.m.provider[\"registry.terraform.io/hashicorp/a\"].x","instances":[{"index_key":0,"status":"tainted","schema_version":1,"attributes":{"id":"i","t":{"k":null}},"sensitive_attributes":[[{"type":"get_attr","value":"t"},{"type":"index","value":{"value":"k","type":"string"}}]],"private":"eA==","dependencies":["a.c"],"create_before_destroy":true},{"index_key":0,"deposed":"0a0b0c0d","schema_version":0,"attributes_flat":{"id":"x"}}]}],"check_results":[{"object_kind":"check","config_addr":"check.c","status":"fail","objects":[{"object_addr":"check.c","status":"fail","failure_messages":["m"]}]}]}"#,
    ]));
    seeds
}

pub(crate) fn locks() -> Vec<Vec<u8>> {
    texts(&[
        "# This file is maintained automatically.\n\nprovider \"registry.terraform.io/hashicorp/null\" {\n  version     = \"3.2.1\"\n  constraints = \"~> 3.0, != 3.1.0\"\n  hashes = [\n    \"h1:abc=\",\n    \"zh:00\",\n  ]\n}\n\nprovider \"h.io/n/b\" {\n  version = \"1.0.0-beta+x\"\n}\n",
    ])
}

pub(crate) fn plans() -> Vec<Vec<u8>> {
    let mut seeds = vec![include_bytes!("../seeds/plan.json").to_vec()];
    for bytes in states() {
        let Ok(state) = terrace_state::read(&bytes) else {
            continue;
        };
        let state = Arc::new(state);
        let plan = Plan {
            mode: PlanMode::Normal,
            inputs: PlanInputs::default(),
            previous_state: state.clone(),
            prior_state: state,
            changes: Vec::new(),
            drift: Vec::new(),
            outputs: std::collections::BTreeMap::new(),
            exec: terrace_plan::ExecGraph::default(),
            checks: Vec::new(),
            relevant_attributes: Vec::new(),
            schemas: std::collections::BTreeMap::new(),
            errored: false,
        };
        seeds.push(plan.canonical_bytes());
    }
    seeds
}

/// Answers of registries of providers.
pub(crate) fn registries() -> Vec<Vec<u8>> {
    let digest = "0123456789abcdef".repeat(4);
    let download = format!(
        r#"{{"protocols":["5.0","6.1"],"os":"linux","arch":"amd64","filename":"terraform-provider-x_1.0.0_linux_amd64.zip","download_url":"../files/x.zip","shasum":"{digest}","shasums_url":"https://files.example.com/SHA256SUMS","shasums_signature_url":"/SHA256SUMS.sig","signing_keys":{{"gpg_public_keys":[{{"key_id":"51852D87348FFC4C","ascii_armor":"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n-----END PGP PUBLIC KEY BLOCK-----","trust_signature":"","source":"","source_url":null}}]}}}}"#
    );
    let listing = r#"{"id":"acme/x","versions":[{"version":"1.0.0","protocols":["5.0"],"platforms":[{"os":"linux","arch":"amd64"}]},{"version":"2.0.0-beta1+x"}],"warnings":["it is old"]}"#;
    vec![download.into_bytes(), listing.into()]
}

/// Documents of network mirrors.
pub(crate) fn mirrors() -> Vec<Vec<u8>> {
    [
        r#"{"versions":{"1.0.0":{},"2.0.0-beta1":{}}}"#,
        r#"{"archives":{"linux_amd64":{"url":"terraform-provider-x_1.0.0_linux_amd64.zip","hashes":["h1:AAAA","zh:bbbb"]},"darwin_arm64":{"url":"../x.zip"}}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

/// Lists of checksums.
pub(crate) fn checksums() -> Vec<Vec<u8>> {
    let digest = "0123456789abcdef".repeat(4);
    vec![
        format!("{digest}  terraform-provider-x_1.0.0_linux_amd64.zip\n{digest} *y.zip\n")
            .into_bytes(),
    ]
}

pub(crate) fn journals() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for bytes in states() {
        let Ok(state) = terrace_state::read(&bytes) else {
            continue;
        };
        let changes = difference(&State::default(), &state);
        let mut frames = vec![Frame::Begin(Begin {
            run: "r".to_owned(),
            lineage: state.lineage.clone(),
            ..Begin::default()
        })];
        for (op, change) in (0_u32..).zip(changes) {
            frames.push(Frame::Intent(Intent {
                op,
                address: change.address.clone(),
                deposed: change.deposed.clone(),
                action: IntentAction::Create,
                provider: change.provider.clone(),
                prior: change.object.clone(),
                planned_private: b"p"[..].into(),
                import_id: Some("i".to_owned()),
            }));
            frames.push(Frame::Result(OpResult {
                op,
                changes: vec![change],
                error: None,
            }));
        }
        frames.push(Frame::Outputs(RunOutputs {
            outputs: state.outputs.clone(),
            checks: None,
        }));
        frames.push(Frame::Commit { serial: 1 });
        frames.push(Frame::End);
        let lines: Vec<Vec<u8>> = frames.iter().map(Frame::encode).collect();
        seeds.push(lines.join(&b'\n'));
    }
    seeds
}
