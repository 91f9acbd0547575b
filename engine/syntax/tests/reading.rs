//! Reading bodies by schema, in both syntaxes.

mod support;

use support::{at, body, errors};
use terrace_diag::{Diagnostics, SourceId};
use terrace_syntax::{
    AttributeSchema, BlockSchema, Body, BodySchema, Content, ExprKind, parse_json,
};

fn schema() -> BodySchema {
    let attribute = |name: &str, required| AttributeSchema {
        name: name.into(),
        required,
    };
    let block = |name: &str, labels: &[&str]| BlockSchema {
        type_name: name.into(),
        labels: labels.iter().map(|label| (*label).into()).collect(),
    };
    BodySchema {
        attributes: vec![attribute("count", false), attribute("source", true)],
        blocks: vec![
            block("lifecycle", &[]),
            block("resource", &["type", "name"]),
            block("output", &["name"]),
        ],
    }
}

fn read(text: &str) -> (Content, Vec<String>) {
    let (content, diagnostics) = body(text).content(&schema());
    (content, errors(text, &diagnostics))
}

fn json_body(text: &str) -> (Body, Diagnostics) {
    parse_json(SourceId(0), text.as_bytes())
}

fn read_json(text: &str) -> (Content, Vec<String>) {
    let (body, mut diagnostics) = json_body(text);
    let (content, found) = body.content(&schema());
    diagnostics.append(found);
    (content, errors(text, &diagnostics))
}

/// Types and labels of blocks.
fn headers(content: &Content) -> Vec<String> {
    let header = |block: &terrace_syntax::Block| {
        let labels: Vec<&str> = block.labels.iter().map(|label| &*label.text).collect();
        format!("{} {}", block.type_name.name, labels.join(" "))
            .trim_end()
            .to_owned()
    };
    content.blocks.iter().map(header).collect()
}

#[test]
fn what_the_schema_names_is_sorted() {
    let (content, told) =
        read("count = 1\nresource a \"b\" {}\nsource = \"x\"\nlifecycle {}\nresource c d {}\n");
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(
        content
            .attributes
            .keys()
            .map(|name| &**name)
            .collect::<Vec<_>>(),
        ["count", "source"]
    );
    assert_eq!(
        headers(&content),
        ["resource a b", "lifecycle", "resource c d"]
    );
}

#[test]
fn what_it_does_not_name_is_an_error_with_a_suggestion() {
    let (_, told) = read("cuont = 1\nlifecycle = 2\nresorce a b {}\ncount {}\nzzzzzz = 1\n");
    assert_eq!(
        told,
        [
            "1: Missing required argument; The argument \"source\" is required, but no definition was found.",
            "1: Unsupported argument; An argument named \"cuont\" is not expected here. Did you mean \"count\"?",
            "2: Unsupported argument; An argument named \"lifecycle\" is not expected here. Did you mean to define a block of type \"lifecycle\"?",
            "5: Unsupported argument; An argument named \"zzzzzz\" is not expected here.",
            "3: Unsupported block type; Blocks of type \"resorce\" are not expected here. Did you mean \"resource\"?",
            "4: Unsupported block type; Blocks of type \"count\" are not expected here. Did you mean to define argument \"count\"? If so, use the equals sign to assign it a value.",
        ]
    );
}

#[test]
fn labels_are_counted() {
    let (content, told) =
        read("source = 1\nresource a {}\nlifecycle a {}\nresource a b c {}\noutput x {}\n");
    assert_eq!(
        told,
        [
            "2: Missing name for resource; All resource blocks must have 2 labels (type, name).",
            "3: Extraneous label for lifecycle; No labels are expected for lifecycle blocks.",
            "4: Extraneous label for resource; Only 2 labels (type, name) are expected for resource blocks.",
        ]
    );
    assert_eq!(headers(&content), ["output x"]);
}

#[test]
fn the_rest_is_left_for_another_schema() {
    let text = "source = 1\nother = 2\nresource a b {}\nmore {}\n";
    let (content, rest, diagnostics) = body(text).partial_content(&schema());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!((content.attributes.len(), content.blocks.len()), (1, 1));
    let (content, diagnostics) = rest.content(&BodySchema::of(&["other"], &["more"]));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!((content.attributes.len(), content.blocks.len()), (1, 1));
    let (_, diagnostics) = rest.content(&BodySchema::of(&["other"], &[]));
    assert_eq!(diagnostics.len(), 1);

    let text =
        r#"{"//": "why", "source": 1, "other": 2, "resource": {"a": {"b": {}}}, "more": {}}"#;
    let (content, rest, diagnostics) = json_body(text).0.partial_content(&schema());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!((content.attributes.len(), content.blocks.len()), (1, 1));
    let (content, diagnostics) = rest.content(&BodySchema::of(&["other"], &["more"]));
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    assert_eq!((content.attributes.len(), content.blocks.len()), (1, 1));
}

#[test]
fn a_body_of_arguments_refuses_blocks() {
    let text = "a = 1\nb {}\nc {}\nd = 2\n";
    let (attributes, diagnostics) = body(text).just_attributes();
    assert_eq!(attributes.len(), 2);
    assert_eq!(
        errors(text, &diagnostics),
        ["2: Unexpected \"b\" block; Blocks are not allowed here."]
    );
    let text = "[{\"a\": 1}]";
    let (_, diagnostics) = json_body(text).0.just_attributes();
    assert_eq!(
        errors(text, &diagnostics),
        [
            "1: Incorrect JSON value type; A JSON object is required here, setting the arguments for this block."
        ]
    );
}

#[test]
fn json_blocks_are_unpacked_by_label() {
    let text = r#"{
        "//": "a comment",
        "source": "./m",
        "count": "${length(var.x)}",
        "resource": [
            {"a": {"b": {"x": 1}, "c": [{"x": 2}, {"x": 3}], "d": null}},
            {"e": [{"f": {}}, {"g": {}}]}
        ],
        "lifecycle": [{}, {}],
        "output": {"o": {"value": "v"}}
    }"#;
    let (content, told) = read_json(text);
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(
        headers(&content),
        [
            "resource a b",
            "resource a c",
            "resource a c",
            "resource e f",
            "resource e g",
            "lifecycle",
            "lifecycle",
            "output o"
        ]
    );
    assert!(matches!(
        content.attributes["source"].value.kind,
        ExprKind::Literal(_)
    ));
    let count = &content.attributes["count"].value;
    assert!(matches!(count.kind, ExprKind::TemplateWrap(_)), "{count:?}");
    assert_eq!(at(text, count.traversals()[0].span()), "var.x");
    assert_eq!(at(text, content.missing_span), "}");
    let (inner, diagnostics) = content.blocks[1].body.just_attributes();
    assert!(diagnostics.is_empty());
    assert_eq!(at(text, inner["x"].value.span), "2");
}

#[test]
fn json_bodies_are_checked() {
    let (_, told) = read_json(
        "{\n\"sorce\": 1,\n\"resource\": {\"a\": 3},\n\"lifecycle\": 4,\n\"output\": {},\n\"count\": 1,\n\"count\": 2\n}",
    );
    assert_eq!(
        told,
        [
            "3: Incorrect JSON value type; Either a JSON object or JSON array of objects is required here, to specify name labels for this block.",
            "3: Missing block label; At least one object property is required, whose name represents the resource block's name.",
            "4: Incorrect JSON value type; Either a JSON object or a JSON array is required, representing the contents of one or more \"lifecycle\" blocks.",
            "5: Missing block label; At least one object property is required, whose name represents the output block's name.",
            "7: Duplicate argument; The argument \"count\" was already set. Each argument may be set only once.",
            "8: Missing required argument; The argument \"source\" is required, but no definition was found.",
            "2: Extraneous JSON object property; No argument or block type is named \"sorce\". Did you mean \"source\"?",
        ]
    );
}

#[test]
fn json_files_may_be_arrays_of_objects() {
    let (content, told) =
        read_json(r#"[{"source": 1}, {"output": {"a": {}}}, {"output": {"b": {}}}]"#);
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(headers(&content), ["output a", "output b"]);
    let (_, told) = read_json("[{\"source\": 1}, 2]");
    assert_eq!(
        told,
        [
            "1: Incorrect JSON value type; A JSON object is required here, to define arguments and child blocks."
        ]
    );
}

#[test]
fn json_errors_are_told_and_passed_over() {
    let summaries = |text: &str| -> Vec<String> {
        let told = errors(text, &json_body(text).1);
        told.iter()
            .map(|told| told.split(';').next().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(
        summaries("{\n\"a\": tru,\n\"b\": 01,\n\"c\": \"\\x\",\n\"d\": [1,,2],\n\"e\": 1\n}").len(),
        4
    );
    assert_eq!(summaries("{\"a\": 1,}"), ["1: Trailing comma in object"]);
    assert_eq!(summaries("{\"a\": [1,]}"), ["1: Trailing comma in array"]);
    assert_eq!(
        summaries("{\"a\" = 1}"),
        ["1: Missing property value colon"]
    );
    assert_eq!(summaries("{\"a\"}"), ["1: Missing object value"]);
    assert_eq!(summaries("{a: 1}"), ["1: Invalid JSON keyword"]);
    assert_eq!(summaries("{\"a\": 1"), ["1: Unclosed object"]);
    assert_eq!(
        summaries("{\"a\": 1} x"),
        ["1: Extraneous data after value"]
    );
    assert_eq!(summaries(""), ["1: Missing value"]);
    assert_eq!(summaries("3"), ["1: Root value must be object"]);
    let (_, diagnostics) = parse_json(SourceId(0), b"{\"a\": \"\xFF\"}");
    assert_eq!(
        diagnostics.iter().next().map(|told| &*told.summary),
        Some("Invalid character encoding")
    );
    let deep = format!("{{\"a\": {}1{}}}", "[".repeat(1_900), "]".repeat(1_900));
    let (attributes, diagnostics) = json_body(&deep).0.just_attributes();
    assert!(diagnostics.is_empty());
    drop(attributes);
    let endless = "[".repeat(200_000);
    assert_eq!(summaries(&endless), ["1: Nested too deeply"]);
}

#[test]
fn json_escapes_are_resolved() {
    let text = r#"{"a": "\u00e9\ud83d\ude00\ud83d \n\/\"", "b": "x\n${y.z}"}"#;
    let (attributes, diagnostics) = json_body(text).0.just_attributes();
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let ExprKind::Literal(value) = &attributes["a"].value.kind else {
        panic!("a literal");
    };
    assert_eq!(value.as_str(), Some("\u{e9}\u{1F600}\u{FFFD} \n/\""));
    // Where escapes shift what follows, the whole string is shown.
    let b = &attributes["b"].value;
    assert_eq!(at(text, b.traversals()[0].span()), r#""x\n${y.z}""#);
}
