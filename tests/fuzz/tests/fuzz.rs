//! Every target for a few seconds, or ten minutes with `TERRACE_FULL`, from a fresh seed; and inputs of great size.

#![allow(
    clippy::disallowed_methods,
    clippy::format_collect,
    reason = "a test measures time, and makes great inputs"
)]

use std::time::{Duration, Instant};

use terrace_fuzz::{Failure, Options, Target, all, find, run};

fn is_full() -> bool {
    std::env::var_os("TERRACE_FULL").is_some_and(|value| value == "1")
}

fn told(target: &Target, seed: u64, failure: &Failure) -> String {
    format!(
        "{} fails: {}\nAgain: cargo dev fuzz {} --seed {seed} --case {}\n{:?}",
        target.name,
        failure.what,
        target.name,
        failure.number,
        String::from_utf8_lossy(&failure.input[..failure.input.len().min(2000)]),
    )
}

#[test]
fn nothing_that_reads_panics_or_is_slow() {
    let seed: u64 = rand::random();
    let time = Duration::from_secs(if is_full() { 600 } else { 1 });
    for target in all() {
        println!("{}: seed {seed}", target.name);
        let options = Options {
            seed,
            time,
            first: 0,
            growth: is_full(),
        };
        let report = run(target, options, |target, failure| {
            eprintln!("{} hangs on {failure:?}", target.name);
            std::process::abort();
        });
        assert!(
            report.failure.is_none(),
            "{}",
            told(target, seed, &report.failure.unwrap())
        );
        println!(
            "{}: {} inputs, {} accepted",
            target.name, report.inputs, report.accepted
        );
    }
}

#[test]
fn every_target_accepts_a_part_of_its_seeds() {
    for target in all() {
        let seeds = target.seeds();
        let accepted = seeds.iter().filter(|seed| (target.check)(seed)).count();
        let some = accepted * 3 >= seeds.len() && accepted > 0;
        assert!(some, "{}: {accepted} of {}", target.name, seeds.len());
    }
}

/// How often nested brackets and the like are repeated: far more than any stack bears.
const DEEP: usize = 100_000;

#[test]
fn depth_is_refused_and_no_stack_overflows() {
    let nested = |before: &str, open: &str, inside: &str, close: &str| {
        format!(
            "{before}{}{inside}{}",
            open.repeat(DEEP),
            close.repeat(DEEP)
        )
        .into_bytes()
    };
    let texts = [
        nested("a = ", "(", "1", ")"),
        nested("a = ", "[", "1", "]"),
        nested("a = ", "{a=", "1", "}"),
        nested("a = ", "\"${", "1", "}\""),
        nested("a = ", "f(", "1", ")"),
        nested("a = ", "a[", "1", "]"),
        nested("a = ", "[for x in ", "1", ": x]"),
        nested("a = ", "-", "1", ""),
        nested("a = ", "!", "1", ""),
        nested("a = ", "1 ? 2 : ", "1", ""),
        nested("a = ", "1 + ", "1", ""),
        nested("a = ", "a.b", "", ""),
        nested("a = \"", "%{if x}", "", "%{endif}"),
        nested("a = b", "[*].c", "", ""),
        nested("", "b {\n", "", "}\n"),
        nested("", "v ~}le {\n", "", ""),
        nested("", "/*", "", "*/"),
        nested("", "%{if x}", "", "%{endif}"),
        nested("", "${", "1", "}"),
        nested("", "[", "1", "]"),
        nested("", "{\"a\":", "1", "}"),
        nested("{\"a\":\"", "${", "1", "}\"}"),
        nested("{\"resource\":", "[", "", "]}"),
        nested("\"dynamic\"\n", "[", "1", "]"),
        nested(
            "\"dynamic\"\n{\"value\":",
            "{\"a\":",
            "1",
            "},\"type\":\"dynamic\"}",
        ),
        nested("", "[\"list\",", "\"string\"", "]\n[]"),
        nested("\"dynamic\"\n", "\u{11}", "", ""),
        [&b"\"dynamic\"\n"[..], &[0x91].repeat(DEEP)].concat(),
        [&b"\"dynamic\"\n"[..], &[0x92, 0xc4, 0x09].repeat(DEEP)].concat(),
        [
            &b"\"dynamic\"\n"[..],
            &b"\x92\xc4\x09\"dynamic\"".repeat(DEEP),
        ]
        .concat(),
        [&b"\"dynamic\"\n"[..], &[0x81, 0xa1, b'a'].repeat(DEEP)].concat(),
    ];
    for target in all() {
        for text in &texts {
            let begun = Instant::now();
            (target.check)(text);
            let took = begun.elapsed();
            let shown = String::from_utf8_lossy(&text[..60]).into_owned();
            assert!(
                took < Duration::from_mins(1),
                "{}: {shown:?} took {took:?}",
                target.name
            );
        }
    }
}

/// The time that a target takes for an input of so many parts.
fn time(target: &Target, make: &dyn Fn(usize) -> String, parts: usize) -> Duration {
    let text = make(parts).into_bytes();
    let begun = Instant::now();
    assert!((target.check)(&text), "{} refuses it", target.name);
    begun.elapsed()
}

#[test]
fn great_literals_and_heredocs_take_time_by_their_size() {
    let keys = |before: &'static str, after: &'static str| {
        move |count: usize| {
            let keys: String = (0..count)
                .map(|number| format!("  key_{number} = {{ value = \"v{number}\" }}\n"))
                .collect();
            format!("{before}{{\n{keys}}}{after}")
        }
    };
    let lines = |before: &'static str, after: &'static str| {
        move |count: usize| {
            let lines: String = (0..count)
                .map(|number| format!("    line {number} ${{1 + 1}}\n"))
                .collect();
            format!("{before}<<-EOT\n{lines}  EOT\n{after}")
        }
    };
    let json_keys = |count: usize| {
        let keys: Vec<String> = (0..count)
            .map(|number| format!("\"key_{number}\":{{\"value\":\"v{number}\"}}"))
            .collect();
        format!("{{\"locals\":{{\"a\":{{{}}}}}}}", keys.join(","))
    };
    let blocks = |count: usize| {
        (0..count)
            .map(|number| {
                format!("resource \"terraform_data\" \"r{number}\" {{\n  input = {number}\n}}\n")
            })
            .collect::<String>()
    };
    let namespaces = |count: usize| format!("a = provider{}()\n", "::f".repeat(count));
    let (keys_file, keys_vars) = (keys("locals {\n  a = ", "\n}\n"), keys("a = ", "\n"));
    let (lines_file, lines_vars) = (lines("locals {\n  a = ", "}\n"), lines("a = ", ""));
    let keys_alone = keys("", "");
    let lines_alone = lines("", "");
    let inputs: [(&str, &dyn Fn(usize) -> String); 15] = [
        ("parse", &keys_file),
        ("parse", &lines_file),
        ("parse", &namespaces),
        ("format", &keys_file),
        ("format", &lines_file),
        ("config", &keys_file),
        ("config", &lines_file),
        ("config", &blocks),
        ("expression", &keys_alone),
        ("expression", &lines_alone),
        ("template", &lines_alone),
        ("tfvars", &keys_vars),
        ("tfvars", &lines_vars),
        ("parse_json", &json_keys),
        ("config_json", &json_keys),
    ];
    for (name, make) in inputs {
        let target = find(name).expect("the target is there");
        // A busy machine is given more than one look.
        let mut told = String::new();
        let linear = (0..10).any(|_| {
            let (small, large) = (time(target, make, 5_000), time(target, make, 40_000));
            told = format!("{name}: 5,000 parts take {small:?}, 40,000 take {large:?}");
            large < Duration::from_millis(50) || large < small * 20
        });
        println!("{told}");
        assert!(linear, "{told}");
    }
}
