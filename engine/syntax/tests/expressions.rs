//! What can be told of an expression without evaluating it.

mod support;

use support::{at, expr};
use terrace_diag::SourceId;
use terrace_syntax::{Expr, parse_json};

fn references(text: &str) -> Vec<String> {
    expr(text)
        .traversals()
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// The value of `a` in a JSON file.
fn json(value: &str) -> Expr {
    let text = format!("{{\"a\": {value}}}");
    let (body, diagnostics) = parse_json(SourceId(0), text.as_bytes());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let (mut attributes, diagnostics) = body.just_attributes();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    attributes.remove("a").expect("the value is there").value
}

#[test]
fn references_are_found_in_order() {
    assert_eq!(
        references("a.b + f(c[\"x y\"].d, [e[0]])"),
        ["a.b", "c[\"x y\"].d", "e[0]"]
    );
    assert_eq!(
        references("\"${a} %{ if b }${c}%{ else }d%{ endif }\""),
        ["a", "b", "c"]
    );
    assert_eq!(references("a[*].b[c.d]"), ["a", "c.d"]);
    assert_eq!(references("a.*.b.0.c"), ["a"]);
    assert_eq!(
        references("{ a = b, (c) = d, \"${e}\" = f, g.h = i }"),
        ["b", "c", "d", "e", "f", "g.h", "i"]
    );
    assert_eq!(references("a ? b : c.d[e]"), ["a", "b", "c.d", "e"]);
    assert_eq!(references("f().a"), Vec::<String>::new());
}

#[test]
fn names_bound_by_for_are_no_references_inside_it() {
    assert_eq!(references("[for x in x.y : [x, z]]"), ["x.y", "z"]);
    assert_eq!(
        references("{for k, v in m : k => v.a... if v.b && w}"),
        ["m", "w"]
    );
    assert_eq!(references("[[for x in y : x], x]"), ["y", "x"]);
    assert_eq!(references("[for x in y : [for x in x : x]]"), ["y"]);
    assert_eq!(
        references("\"%{ for v in vs }${v}${w}%{ endfor }\""),
        ["vs", "w"]
    );
}

#[test]
fn a_traversal_knows_its_source() {
    let text = " aws_vpc.main[\"a\\\"b\"][0].id ";
    let whole = expr(text);
    let traversal = whole.as_traversal().expect("it is a traversal");
    assert_eq!(traversal.to_string(), "aws_vpc.main[\"a\\\"b\"][0].id");
    assert_eq!(at(text, traversal.span()), text.trim());
}

#[test]
fn keywords_calls_and_lists_are_told() {
    assert_eq!(expr("string").as_keyword().as_deref(), Some("string"));
    assert_eq!(expr("null").as_keyword().as_deref(), Some("null"));
    assert_eq!(expr("a.b").as_keyword(), None);
    assert_eq!(expr("\"string\"").as_keyword(), None);
    assert_eq!(
        expr("(a)")
            .as_traversal()
            .map(|traversal| traversal.to_string()),
        None
    );
    let call = expr("map(list(string))")
        .as_static_call()
        .expect("it is a call");
    assert_eq!((&*call.name, call.args.len()), ("map", 1));
    assert!(expr("a.b").as_static_call().is_none());
    assert_eq!(expr("[a, b.c]").as_list().map(<[Expr]>::len), Some(2));
    assert!(expr("[for a in b : a]").as_list().is_none());
    assert_eq!(expr("{ a = b }").as_map().map(<[_]>::len), Some(1));
}

#[test]
fn json_strings_hold_expressions_where_one_is_asked_for() {
    assert_eq!(
        json("\"aws_vpc.main[0]\"")
            .as_traversal()
            .map(|found| found.to_string())
            .as_deref(),
        Some("aws_vpc.main[0]")
    );
    assert_eq!(json("\"string\"").as_keyword().as_deref(), Some("string"));
    let call = json("\"list(object({a = optional(string)}))\"")
        .as_static_call()
        .expect("it is a call");
    assert_eq!((&*call.name, call.args.len()), ("list", 1));
    assert!(json("\"not a traversal\"").as_traversal().is_none());
    assert!(json("12").as_traversal().is_none());
    assert_eq!(
        json("[\"a.b\", \"c\"]").as_list().map(<[Expr]>::len),
        Some(2)
    );
    assert_eq!(
        json("{\"x\": \"${a.b}\", \"${c}\": [\"%{ if d }e%{ endif }\"]}")
            .traversals()
            .len(),
        3
    );
}

#[test]
fn calls_are_found_anywhere() {
    let whole = expr("a(b ? c(1) : \"${d(e())}\")");
    let names: Vec<&str> = whole.calls().iter().map(|call| &*call.name).collect();
    assert_eq!(names, ["a", "c", "d", "e"]);
}
