//! The suite: every case against every implementation that has what it needs.
//!
//! `CONFORMANCE_RECORD=1` records the answers of `terraform`; `CONFORMANCE_CASE=name` takes one case alone;
//! `CONFORMANCE_STRICT=1` tells of known differences too.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use terrace_providers_tests::{
    Answer, Case, Implementation, Known, Tool, cases, run, without_further_places,
};
use terrace_test_support::{available, differences, in_full_size, size};

/// Whose recorded answers are everybody's, unless an implementation has recorded others.
const MODEL: Implementation = Implementation::FRAMEWORK6;

fn recorded_in(case: &Case, implementation: Option<&str>) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    match implementation {
        Some(name) => directory.join(format!("{}.{name}.json", case.name)),
        None => directory.join(format!("{}.json", case.name)),
    }
}

fn read(path: &Path) -> Option<Value> {
    let text = fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// What is expected: its own answers, those of its kin, or everybody's.
fn expected(case: &Case, implementation: &Implementation) -> Option<Value> {
    let own = std::iter::once(&implementation.name).chain(implementation.kin);
    own.map(|name| recorded_in(case, Some(name)))
        .chain([recorded_in(case, None)])
        .find_map(|path| read(&path))
}

fn is_there(program: &str) -> bool {
    let ran = Command::new(program).arg("version").output();
    ran.is_ok_and(|output| output.status.success())
}

/// The answers without the parts that the case leaves to each engine.
fn document(answers: &[Answer], case: &Case) -> Value {
    let without = |answer: &Answer| {
        let mut answer = answer.to_json();
        for name in &case.leaves {
            answer.as_object_mut().unwrap().remove(name);
        }
        answer
    };
    answers.iter().map(without).collect()
}

/// The answers as they are kept: a line for each part of one.
fn written(answers: &Value) -> String {
    let step = |answer: &Value| {
        let parts = answer.as_object().unwrap().iter();
        let lines: Vec<String> = parts
            .map(|(name, part)| format!("    {name:?}: {part}"))
            .collect();
        format!("  {{\n{}\n  }}", lines.join(",\n"))
    };
    let steps: Vec<String> = answers.as_array().unwrap().iter().map(step).collect();
    format!("[\n{}\n]\n", steps.join(",\n"))
}

/// Records the answers of the oracle, or of `terrace` where there is none for this case.
fn record(implementation: &Implementation, case: &Case, answers: &[Answer]) {
    let answers = document(answers, case);
    let own = recorded_in(case, Some(implementation.name));
    let common = recorded_in(case, None);
    let is_first = implementation.name == MODEL.name || !MODEL.has_all(case);
    let mut others = implementation.kin.iter();
    let inherited = others.find_map(|name| read(&recorded_in(case, Some(name))));
    let text = written(&answers);
    if is_first {
        fs::write(common, text).unwrap();
    } else if inherited.or_else(|| read(&common)).as_ref() == Some(&answers) {
        let _absent = fs::remove_file(own);
    } else {
        fs::write(own, text).unwrap();
    }
}

/// What is wrong with a case. The oracle is asked again where something is: what it has read of a provider's standard error
/// when a call fails is a race of its own.
fn judged(
    tool: Tool,
    implementation: &Implementation,
    program: &Path,
    case: &Case,
    recording: bool,
) -> Vec<String> {
    let attempts = if tool == Tool::Terraform && !recording {
        3
    } else {
        1
    };
    let mut wrong = Vec::new();
    for _ in 0..attempts {
        wrong = judge(tool, implementation, program, case, recording);
        if wrong.is_empty() {
            break;
        }
    }
    wrong
}

/// Runs one case and gives what is wrong with it.
fn judge(
    tool: Tool,
    implementation: &Implementation,
    program: &Path,
    case: &Case,
    recording: bool,
) -> Vec<String> {
    let answers = run(tool, implementation, program, case);
    let mut wrong: Vec<String> = answers
        .iter()
        .enumerate()
        .flat_map(|(index, answer)| {
            let unsaid = answer.unsaid.iter();
            unsaid.map(move |text| format!("step {}: it did not say {text}", index + 1))
        })
        .collect();
    if recording {
        record(implementation, case, &answers);
        return wrong;
    }
    let Some(expected) = expected(case, implementation) else {
        wrong.push("nothing is recorded".into());
        return wrong;
    };
    let mut got = document(&answers, case);
    for (expected, got) in std::iter::zip(expected.as_array().unwrap(), got.as_array_mut().unwrap())
    {
        for name in ["diagnostics", "applied"] {
            if let Some(got) = got.get_mut(name) {
                without_further_places(&expected[name], got);
            }
        }
    }
    let mut found = Vec::new();
    differences("", &expected, &got, &mut found);
    if tool == Tool::Terrace && std::env::var_os("CONFORMANCE_STRICT").is_none() {
        found.retain(|difference| Known::of(&case.name, difference).is_none());
    }
    wrong.extend(found);
    if !wrong.is_empty() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{}.{}.json", case.name, implementation.name));
        fs::write(&path, written(&document(&answers, case))).unwrap();
        wrong.push(format!("what was got is in {}", path.display()));
    }
    wrong
}

/// Every case that the implementation can take, by one tool.
fn suite_of(tool: Tool, implementation: &Implementation) {
    let own = Path::new(env!("CARGO_BIN_EXE_terraform-provider-conformance"));
    let Some(program) = available(implementation.name, implementation.program(own)) else {
        return;
    };
    let recording = std::env::var_os("CONFORMANCE_RECORD").is_some();
    let only = std::env::var("CONFORMANCE_CASE").ok();
    let mut n_cases = 0;
    let mut failures = Vec::new();
    for case in cases() {
        let is_ours = tool == Tool::Terrace;
        let passes_over = if recording {
            is_ours != case.without_oracle.is_some()
        } else {
            !is_ours && case.without_oracle.is_some()
        };
        if passes_over
            || !implementation.has_all(&case)
            || only.as_ref().is_some_and(|only| *only != case.name)
        {
            continue;
        }
        n_cases += 1;
        let wrong = judged(tool, implementation, &program, &case, recording);
        if !wrong.is_empty() {
            failures.push(format!("{}:\n  {}", case.name, wrong.join("\n  ")));
        }
    }
    println!(
        "conformance provider, {} under {tool:?}: {} of {n_cases}",
        implementation.name,
        n_cases - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// One implementation under `terrace`, and under `terraform` where `beside` says so and it is there.
fn suite(implementation: &Implementation, beside: bool) {
    let recording = std::env::var_os("CONFORMANCE_RECORD").is_some();
    if recording || beside {
        if is_there("terraform") {
            suite_of(Tool::Terraform, implementation);
        } else {
            println!("SKIPPED the oracle: there is no terraform on this machine");
        }
    }
    suite_of(Tool::Terrace, implementation);
}

/// Whether providers of others run under `terraform` again, which only tells that the recorded answers still hold.
fn again() -> bool {
    size(0, 1) == 1
}

#[test]
fn framework_over_protocol_6() {
    suite(&Implementation::FRAMEWORK6, again());
}

#[test]
fn framework_over_protocol_5() {
    suite(&Implementation::FRAMEWORK5, again());
}

#[test]
fn the_old_sdk() {
    suite(&Implementation::SDK, again());
}

#[test]
fn both_muxed() {
    suite(&Implementation::MUX, again());
}

#[test]
fn python() {
    if !in_full_size("python") {
        return;
    }
    suite(&Implementation::PYTHON, again());
}

#[test]
fn rust_over_protocol_6() {
    suite(&Implementation::RUST6, true);
}

#[test]
fn rust_over_protocol_5() {
    suite(&Implementation::RUST5, true);
}
