//! Random and extreme expressions.

mod support;

use proptest::prelude::*;
use support::{Known, evaluate, evaluator, output};
use terrace_eval::NoValues;
use terrace_value::Value;

/// Texts of expressions of all kinds, most of which make no sense.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("-1.5".to_owned()),
        Just("3".to_owned()),
        Just("\"a\"".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("local.l".to_owned()),
        Just("local.u".to_owned()),
        Just("local.s".to_owned()),
        Just("thing.t".to_owned()),
        Just("thing.t[0].id".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let pair = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            (
                pair.clone(),
                prop::sample::select(vec!["+", "/", "%", "==", "<", "&&", "||"])
            )
                .prop_map(|((a, b), op)| format!("({a} {op} {b})")),
            pair.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            pair.clone().prop_map(|(a, b)| format!("{{ ({a}) = {b} }}")),
            pair.clone().prop_map(|(a, b)| format!("({a})[{b}]")),
            pair.clone()
                .prop_map(|(a, b)| format!("[for k, v in {a} : [k, {b}] if v != null]")),
            pair.clone()
                .prop_map(|(a, b)| format!("{{for k, v in {a} : k => {b}...}}")),
            three.prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("({a})[*].id")),
            inner.clone().prop_map(|a| format!("({a}).x")),
            inner.clone().prop_map(|a| format!("\"x${{{a}}}y\"")),
            inner.clone().prop_map(|a| format!("try({a}, 1)")),
            inner.clone().prop_map(|a| format!("can({a})")),
            inner.clone().prop_map(|a| format!("length({a})")),
            (
                inner.clone(),
                prop::sample::select(vec![
                    "tonumber",
                    "jsondecode",
                    "timeadd",
                    "parseint",
                    "file",
                    "regex",
                    "cidrhost",
                    "base64decode",
                    "toset",
                    "yamldecode",
                    "formatdate",
                    "format"
                ])
            )
                .prop_map(|(a, f)| format!("{f}({a})")),
            (
                inner.clone(),
                inner.clone(),
                prop::sample::select(vec![
                    "timeadd",
                    "parseint",
                    "regex",
                    "cidrhost",
                    "formatdate",
                    "format",
                    "lookup",
                    "zipmap"
                ])
            )
                .prop_map(|(a, b, f)| format!("{f}({a}, {b})")),
            inner.clone().prop_map(|a| format!("merge({a}...)")),
            inner.prop_map(|a| format!("!{a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is evaluated gives a value or says why not, and never a secret.
    #[test]
    fn evaluation_never_panics(text in expression()) {
        let rest = "locals {\n  l = [1, \"b\", null]\n  u = thing.t[0].input\n  s = sensitive(\"hunter2\")\n}\nresource \"thing\" \"t\" {\n  count = 1\n}\n";
        let evaluated = evaluate(&text, rest, &Known::default());
        for diagnostic in &evaluated.diagnostics {
            prop_assert!(!format!("{diagnostic:?}").contains("hunter2"), "{diagnostic:?}");
        }
    }
}

#[test]
fn deep_expressions_do_not_overflow() {
    let depth = 1_900;
    let text = format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    let evaluated = evaluate(&text, "", &NoValues);
    assert!(evaluated.diagnostics.is_empty());
    let sum = vec!["1"; 5_000].join(" + ");
    assert_eq!(evaluate(&sum, "", &NoValues).value, Value::int(5_000));
}

#[test]
fn long_chains_of_locals_do_not_overflow() {
    use std::fmt::Write as _;
    let mut main = String::from("output \"v\" {\n  value = local.l9999\n}\nlocals {\n  l0 = 1\n");
    for index in 1..10_000 {
        let _ = writeln!(main, "  l{index} = local.l{}", index - 1);
    }
    main.push_str("}\n");
    let evaluator = evaluator(&main);
    assert_eq!(output(&evaluator, "v", &NoValues).value, Value::int(1));
    assert!(evaluator.config_graph().1.is_empty());
}
