//! Trees, spans, and going on after errors.

mod support;

use support::{at, body, errors, expr};
use terrace_diag::SourceId;
use terrace_syntax::{Body, BodyKind, ExprKind, Item, parse, parse_expression, parse_template};

fn items(body: &Body) -> &[Item] {
    match &body.kind {
        BodyKind::Native(items) => items,
        BodyKind::Json(_) | BodyKind::Merged(_) => panic!("not native"),
    }
}

#[test]
fn spans_lead_to_the_text() {
    let text = "x = 1\nresource \"a\" b {\n  name = f(y.z[0], \"k\")\n}\n";
    let body = body(text);
    let [Item::Attribute(first), Item::Block(block)] = items(&body) else {
        panic!("{body:?}");
    };
    assert_eq!(at(text, first.span), "x = 1");
    assert_eq!(at(text, first.name.span), "x");
    assert_eq!(at(text, block.header_span), "resource \"a\" b");
    assert_eq!(at(text, block.labels[0].span), "\"a\"");
    assert_eq!(at(text, block.body.span), "\n  name = f(y.z[0], \"k\")\n");
    assert_eq!(at(text, block.body.missing_span), "{");
    assert!(at(text, block.span).ends_with('}'));
    let [Item::Attribute(name)] = items(&block.body) else {
        panic!("{block:?}");
    };
    assert_eq!(at(text, name.value.span), "f(y.z[0], \"k\")");
    let ExprKind::Call(call) = &name.value.kind else {
        panic!("{name:?}");
    };
    assert_eq!(at(text, call.name_span), "f");
    assert_eq!(at(text, call.open_span), "(");
    assert_eq!(at(text, call.close_span), ")");
    assert_eq!(at(text, call.args[0].span), "y.z[0]");
    assert_eq!(at(text, call.args[1].span), "\"k\"");
}

#[test]
fn operators_span_their_operands() {
    let text = "(a + b) * -c ? d[e] : f[*].g";
    let whole = expr(text);
    let ExprKind::Conditional {
        condition,
        if_true,
        if_false,
    } = &whole.kind
    else {
        panic!("{whole:?}");
    };
    assert_eq!(at(text, whole.span), text);
    assert_eq!(at(text, condition.span), "(a + b) * -c");
    assert_eq!(at(text, if_true.span), "d[e]");
    assert_eq!(at(text, if_false.span), "f[*].g");
}

#[test]
fn several_errors_are_reported_at_once() {
    let text = "a = 1 1\nb = [1, 2\nc = 3\nblock {\n  d = {\n    e = 1 2\n  }\n  f = 4\n  g = =\n}\nh = f(1 2)\ni = \"x\nj = 5\n";
    let (body, diagnostics) = parse(SourceId(0), text.as_bytes());
    let told = errors(text, &diagnostics);
    let lines: Vec<&str> = told
        .iter()
        .map(|told| told.split(':').next().unwrap_or_default())
        .collect();
    assert_eq!(lines, ["12", "1", "3", "6", "9", "11", "12"], "{told:#?}");
    let names: Vec<&str> = items(&body)
        .iter()
        .map(|item| match item {
            Item::Attribute(attribute) => &*attribute.name.name,
            Item::Block(block) => &*block.type_name.name,
        })
        .collect();
    assert_eq!(names, ["a", "b", "c", "block", "h", "i", "j"]);
}

#[test]
fn many_errors_end() {
    let text = "a = [\n".repeat(3_000);
    let (_, diagnostics) = parse(SourceId(0), text.as_bytes());
    assert!(diagnostics.has_errors() && diagnostics.len() <= 200);
    let text = "a = 1\n".repeat(3_000);
    let (body, diagnostics) = parse(SourceId(0), text.as_bytes());
    assert_eq!((items(&body).len(), diagnostics.len()), (1, 500));
}

#[test]
fn a_text_is_one_expression_across_lines() {
    let text = "[\n1,\n2]\n+\n3";
    assert!(matches!(expr(text).kind, ExprKind::Binary { .. }));
    let text = "1 2";
    let told = errors(text, &parse_expression(SourceId(0), text).1);
    assert_eq!(
        told,
        [
            "1: Extra characters after expression; An expression was successfully parsed, but extra characters were found after it."
        ]
    );
}

#[test]
fn a_bare_template_keeps_quotes_and_backslashes() {
    let text = "a \"b\\n\" ${c}\n%{ for x in y ~}\n- ${x}\n%{ endfor ~}\n$${d} $";
    let (template, diagnostics) = parse_template(SourceId(0), text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let ExprKind::Template(parts) = &template.kind else {
        panic!("{template:?}");
    };
    let literal = |index: usize| match &parts[index].kind {
        ExprKind::Literal(value) => value.as_str().unwrap_or_default().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(literal(0), "a \"b\\n\" ");
    assert_eq!(literal(2), "\n");
    assert!(matches!(parts[3].kind, ExprKind::TemplateJoin(_)));
    assert_eq!(literal(4), "${d} $");
}

#[test]
fn nesting_of_thousands_is_no_problem() {
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{a=", "}"),
        ("f(", ")"),
        ("\"${", "}\""),
        ("a[", "]"),
        ("b?c:", ""),
    ] {
        let text = format!("{}1{}", open.repeat(1_900), close.repeat(1_900));
        let (expr, diagnostics) = parse_expression(SourceId(0), &text);
        assert!(diagnostics.is_empty(), "{open}: {diagnostics:?}");
        let copy = expr.clone();
        drop(expr);
        assert_eq!(
            copy.traversals().len(),
            if matches!(open, "a[" | "b?c:") {
                1_900 * open.len().div_ceil(2)
            } else {
                0
            }
        );
    }
    for operator in ["+", " || ", " == "] {
        let text = format!("x{}", format!("{operator}x").repeat(9_000));
        assert_eq!(expr(&text).clone().traversals().len(), 9_001);
    }
    assert!(matches!(
        expr(&format!("{}x", "!".repeat(9_000))).kind,
        ExprKind::Unary { .. }
    ));
    let text = format!("{}{}", "b {\n".repeat(1_900), "}\n".repeat(1_900));
    drop(body(&text));
}

#[test]
fn nesting_without_end_is_refused() {
    let limit = "Nested too deeply; Blocks and expressions can nest in each other to 2000 levels, which this exceeds. Move an inner part into a local value.";
    for (open, inner, close) in [
        ("[", "", "]"),
        ("(", "1", ")"),
        ("{a=", "1", "}"),
        ("\"${", "1", "}\""),
    ] {
        let text = format!(
            "a = {}{inner}{}\nb = =\n",
            open.repeat(100_000),
            close.repeat(100_000)
        );
        let told = errors(&text, &parse(SourceId(0), text.as_bytes()).1);
        assert_eq!(told[0], format!("1: {limit}"));
        assert!(
            told[1].starts_with("2: Invalid expression"),
            "{:?}",
            told[1]
        );
    }
    let text = "b {\n".repeat(100_000);
    assert!(errors(&text, &parse(SourceId(0), text.as_bytes()).1)[0].ends_with(limit));
    let text = format!("a = \"{}\"\n", "%{ if x }".repeat(100_000));
    assert!(errors(&text, &parse(SourceId(0), text.as_bytes()).1)[0].contains("Nested too deeply"));
    let text = format!("a = 1{}\n", " + 1".repeat(20_000));
    assert!(
        errors(&text, &parse(SourceId(0), text.as_bytes()).1)[0].contains("Too many operators")
    );
}

#[test]
fn invalid_bytes_are_reported_and_comments_may_hold_any() {
    let (_, diagnostics) = parse(SourceId(0), b"a = \"\xFF\"\nb = 1\n");
    assert_eq!(
        diagnostics.iter().next().map(|told| &*told.summary),
        Some("Invalid character encoding")
    );
    let (_, diagnostics) = parse(SourceId(0), b"# caf\xE9\na = 1 /* \xFF */\n");
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
}

#[test]
fn unbalanced_directives_are_named() {
    let told = |text: &str| errors(text, &parse_template(SourceId(0), text).1).join("|");
    assert_eq!(
        told("%{ if a }x%{ endfor }"),
        "1: Unexpected endfor directive; Expecting an endif directive for the if started at line 1, column 1."
    );
    assert_eq!(
        told("%{ if a }x%{ else }y%{ else }%{ endif }")
            .split('|')
            .next(),
        Some(
            "1: Unexpected else directive; Already in the else clause for the if started at line 1, column 1."
        )
    );
    assert_eq!(
        told("\n  %{ for a in b }x"),
        "2: Unexpected end of template; The for directive at line 2, column 3 is missing its corresponding endfor directive."
    );
    assert_eq!(
        told("x%{ endif }"),
        "1: Unexpected endif directive; The control directives within this template are unbalanced."
    );
}
