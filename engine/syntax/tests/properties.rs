//! What holds for any input.

use proptest::prelude::*;
use terrace_diag::SourceId;
use terrace_syntax::token::{Token, TokenKind, tokenize, tokenize_template};
use terrace_syntax::{format, parse, parse_expression, parse_json, parse_template};

/// Pieces that mean something to the lexer, so that random texts reach its corners.
fn piece() -> impl Strategy<Value = String> {
    let known = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "${",
        "%{",
        "~}",
        "${~",
        "\n",
        "\r\n",
        "\r",
        "<<EOT\n",
        "<<-E\n",
        "EOT\n",
        "  E\n",
        "=",
        ":",
        "::",
        ",",
        ".",
        "...",
        "*",
        "?",
        "!",
        "-",
        "=>",
        "/*",
        "*/",
        "//",
        "#",
        "\\",
        "\\u00e9",
        "$",
        "%",
        "$${",
        " ",
        "\t",
        "a",
        "b_1",
        "for ",
        "in ",
        "if ",
        "else",
        "endif",
        "endfor",
        "1",
        "1.5e3",
        "null",
        "é",
        "e\u{301}",
        "\u{FEFF}",
        "\u{0}",
        "a = 1\n",
        "b {\n",
        "}\n",
        "x \"y\" {",
        "\"k\": ",
        "true",
    ];
    prop_oneof![
        9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

/// A value that is laid out the same by every run of the formatter: without a template around an expression alone.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "-2.5",
        "\"text\"",
        "\"a ${ b } c\"",
        "var.x[0].y",
        "null",
        "true",
        "[]",
        "{}",
        "<<EOT\n text ${x}\nEOT\n",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(" ,\n"))),
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| {
                let items: Vec<String> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| format!("key{index}={item}\n"))
                    .collect();
                format!("{{\n{}}}", items.concat())
            }),
            (inner.clone(), inner.clone())
                .prop_map(|(left, right)| format!("({left}\n+  {right}\n)")),
            inner.clone().prop_map(|inner| format!("f(  {inner}\n)")),
            inner.prop_map(|inner| format!("[ for k,v in x:\n{inner}\n]")),
        ]
    })
}

fn file() -> impl Strategy<Value = String> {
    let spacing = prop::sample::select(vec!["", " ", "   ", "\t"]);
    let end = prop::sample::select(vec!["\n", " # c\n", "  // c\n\n", " /* c */\n", "\r\n"]);
    let attribute = (spacing.clone(), spacing, value(), end, 0..40_u8)
        .prop_map(|(before, after, value, end, name)| {
            format!("{before}n{name}{after}={before}{value}{end}")
        })
        .boxed();
    let block = prop::collection::vec(attribute.clone(), 0..4)
        .prop_map(|items| format!("resource  \"a\" b{{\n{}}}\n", items.concat()));
    prop::collection::vec(prop_oneof![attribute, block], 0..6).prop_map(|items| items.concat())
}

fn assert_lossless(tokens: &[Token], text: &[u8]) {
    let mut at = 0;
    for token in tokens {
        assert_eq!(token.start, at, "a gap or overlap");
        assert!(
            token.kind == TokenKind::End || !token.is_empty(),
            "an empty token"
        );
        at = token.end;
    }
    assert_eq!(at as usize, text.len());
    assert_eq!(tokens.last().map(|token| token.kind), Some(TokenKind::End));
    assert_eq!(
        tokens
            .iter()
            .flat_map(|token| token.bytes(text))
            .copied()
            .collect::<Vec<u8>>(),
        text
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tokens_are_the_text_again(text in text()) {
        assert_lossless(&tokenize(text.as_bytes()), text.as_bytes());
        assert_lossless(&tokenize_template(text.as_bytes()), text.as_bytes());
    }

    #[test]
    fn tokens_are_the_bytes_again(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_lossless(&tokenize(&bytes), &bytes);
        assert_lossless(&tokenize_template(&bytes), &bytes);
    }

    #[test]
    fn nothing_panics_on_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(parse(SourceId(0), &bytes));
        drop(parse_json(SourceId(0), &bytes));
    }

    #[test]
    fn nothing_panics_on_text(text in text()) {
        let (body, diagnostics) = parse(SourceId(0), text.as_bytes());
        for diagnostic in &diagnostics {
            let subject = diagnostic.subject.expect("a syntax error has a place");
            prop_assert!(subject.start <= subject.end && subject.end as usize <= text.len());
        }
        drop(body.just_attributes());
        let (body, _) = parse_json(SourceId(0), text.as_bytes());
        drop(body.just_attributes());
        for (expr, _) in [parse_expression(SourceId(0), &text), parse_template(SourceId(0), &text)] {
            drop(expr.traversals());
            drop(expr.as_traversal());
        }
        drop(format(&text));
    }

    #[test]
    fn formatting_changes_no_meaning_and_is_done_after_once(text in file()) {
        let once = format(&text);
        prop_assert_eq!(parse(SourceId(0), text.as_bytes()).1.has_errors(), parse(SourceId(0), once.as_bytes()).1.has_errors());
        prop_assert_eq!(&format(&once), &once);
        let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace() && *letter != '"').collect::<String>();
        prop_assert_eq!(letters(&text), letters(&once));
    }

    #[test]
    fn what_is_generated_for_formatting_is_valid_where_names_differ(value in value()) {
        let text = format!("a = {value}\n");
        let (_, diagnostics) = parse(SourceId(0), text.as_bytes());
        prop_assert!(!diagnostics.has_errors(), "{text}\n{diagnostics:?}");
    }
}

/// Texts in which every construct has its place.
const CONSTRUCTS: [&str; 4] = [
    "resource \"a\" b \"c\" {\n  d   = 1\n  ee={ f : 1, \"g\" = [1,2] }\n}\nlocals {}\n",
    "x = \"${a.b}\"\ny = \"${ (c\n+ d) } ${e}\"\nz = cond ? [for k, v in m : k => v if v] : f(a, b...)\n",
    "variable \"v\" {\n  type = \"string\"\n  default = -1 + (2*3)\n}\n",
    "h = <<EOT\n  text ${i[0].j}\nEOT\nk = [\n1,\n  2\n]\nl = m[*].n\n",
];

/// A text with comments put between its tokens, wherever `places` say.
fn commented(text: &str, places: &[(usize, bool)]) -> String {
    let tokens = tokenize(text.as_bytes());
    let mut out = text.to_owned();
    let mut places: Vec<(usize, bool)> = places
        .iter()
        .map(|(place, line)| (place % tokens.len(), *line))
        .collect();
    places.sort_unstable();
    places.dedup_by_key(|(place, _)| *place);
    for (number, (place, ends_line)) in places.iter().enumerate().rev() {
        let comment = if *ends_line {
            format!("# {number}\n")
        } else {
            format!("/* {number} */")
        };
        out.insert_str(tokens[*place].start as usize, &comment);
    }
    out
}

fn comments(text: &str) -> Vec<String> {
    tokenize(text.as_bytes())
        .iter()
        .filter(|token| token.kind == TokenKind::Comment)
        .map(|token| {
            text[token.start as usize..token.end as usize]
                .trim()
                .to_owned()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_comment_is_ever_lost(
        construct in 0..CONSTRUCTS.len(),
        places in proptest::collection::vec((0..200_usize, any::<bool>()), 0..6),
    ) {
        let text = commented(CONSTRUCTS[construct], &places);
        let parses = |text: &str| !parse(SourceId(0), text.as_bytes()).1.has_errors();
        if parses(&text) {
            let formatted = format(&text);
            prop_assert_eq!(comments(&formatted), comments(&text), "{}", formatted);
            prop_assert!(parses(&formatted), "{}", formatted);
        }
    }
}
