//! What references give, what they depend on, and what is said of those that lead nowhere.

mod support;

use std::sync::atomic::Ordering;

use support::{Known, evaluate, evaluator, for_each, int_key, output, text_key, thing, told};
use terrace_eval::{Dependency, Expansion, NoValues};
use terrace_value::{Kind, Value};

const THINGS: &str = "
variable \"region\" {}
variable \"zone\" {}
locals {
  name = 1
}
resource \"thing\" \"one\" {}
resource \"thing\" \"cnt\" {
  count = 2
}
resource \"thing\" \"each\" {
  for_each = toset([\"a\", \"b\"])
}
";

fn known() -> Known {
    let mut known = Known::default();
    known.expand("one", Expansion::Single);
    known.set("one", None, "one");
    known.expand("cnt", Expansion::Count(2));
    known.set("cnt", int_key(0), "cnt-0");
    known.set("cnt", int_key(1), "cnt-1");
    known.expand("each", for_each(&["a", "b"]));
    known.set("each", text_key("a"), "each-a");
    known.set("each", text_key("b"), "each-b");
    known
}

/// The one thing that is said of an expression.
fn error(expression: &str) -> String {
    let evaluator = evaluator(&format!(
        "output \"v\" {{\n  value = {expression}\n}}\n{THINGS}"
    ));
    let evaluated = output(&evaluator, "v", &known());
    let told = told(&evaluator, &evaluated.diagnostics);
    assert_eq!(told.len(), 1, "{expression}: {told:#?}");
    told.into_iter().next().unwrap_or_default()
}

#[test]
fn an_instance_is_read_alone() {
    let known = known();
    for (expression, name, key, id) in [
        ("thing.one.id", "one", None, "one"),
        ("thing.cnt[1].id", "cnt", int_key(1), "cnt-1"),
        ("thing.each[\"b\"].id", "each", text_key("b"), "each-b"),
        (
            "thing.each[join(\"\", [\"b\"])].id",
            "each",
            text_key("b"),
            "each-b",
        ),
        (
            "[for i in [1] : thing.cnt[i].id][0]",
            "cnt",
            int_key(1),
            "cnt-1",
        ),
    ] {
        known.reads.store(0, Ordering::Relaxed);
        let evaluated = evaluate(expression, THINGS, &known);
        assert_eq!(
            evaluated.value,
            Value::string(id),
            "{expression}: {:?}",
            evaluated.diagnostics
        );
        let wanted = Dependency::Instance(thing(name).instance(key));
        assert_eq!(
            evaluated.dependencies.into_iter().collect::<Vec<_>>(),
            [wanted],
            "{expression}"
        );
        assert_eq!(known.reads.load(Ordering::Relaxed), 1, "{expression}");
    }
}

#[test]
fn the_whole_is_read_as_a_whole() {
    for expression in ["thing.cnt[*].id", "[for x in thing.cnt : x.id]"] {
        let evaluated = evaluate(expression, THINGS, &known());
        assert_eq!(
            evaluated.value,
            Value::tuple([Value::string("cnt-0"), Value::string("cnt-1")])
        );
        let wanted = Dependency::Resource(thing("cnt"));
        assert_eq!(
            evaluated.dependencies.into_iter().collect::<Vec<_>>(),
            [wanted]
        );
    }
    let keys = evaluate("keys(thing.each)", THINGS, &known()).value;
    assert_eq!(keys.as_sequence().map(<[Value]>::len), Some(2));
}

#[test]
fn the_whole_is_built_once_for_each_generation() {
    let mut known = known();
    known.generation = 1;
    let evaluator = evaluator(&format!(
        "output \"a\" {{\n  value = thing.cnt[*].id\n}}\noutput \"b\" {{\n  value = thing.cnt[*].id\n}}\n{THINGS}"
    ));
    assert_eq!(
        output(&evaluator, "a", &known).value,
        output(&evaluator, "b", &known).value
    );
    assert_eq!(known.reads.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_not_expanded_is_unknown() {
    let evaluated = evaluate("thing.cnt[*].id", THINGS, &NoValues);
    assert!(!evaluated.value.is_known() && evaluated.diagnostics.is_empty());
    let evaluated = evaluate("thing.one.id", THINGS, &NoValues);
    assert!(
        matches!(evaluated.value.kind(), Kind::Unknown(unknown) if unknown.0 == terrace_value::Type::String)
    );
}

#[test]
fn an_unknown_collection_still_tells_what_its_items_would_read() {
    let evaluated = evaluate(
        "[for x in thing.one.input : thing.each[x].id]",
        THINGS,
        &NoValues,
    );
    assert!(
        evaluated
            .dependencies
            .contains(&Dependency::Resource(thing("each")))
    );
    assert!(
        evaluated
            .dependencies
            .contains(&Dependency::Instance(thing("one").instance(None)))
    );
    let evaluated = evaluate("try(thing.one.input.x, thing.cnt[0].id)", THINGS, &NoValues);
    assert!(
        evaluated
            .dependencies
            .contains(&Dependency::Resource(thing("cnt")))
    );
}

#[test]
fn undeclared_names_are_told() {
    assert_eq!(
        error("var.regoin"),
        "Reference to undeclared input variable | An input variable with the name \"regoin\" has not been declared. Did you mean \"region\"? | 2:11-21"
    );
    assert_eq!(
        error("local.nme"),
        "Reference to undeclared local value | A local value with the name \"nme\" has not been declared. Did you mean \"name\"? | 2:11-20"
    );
    assert_eq!(
        error("thing.nope.id"),
        "Reference to undeclared resource | A managed resource \"thing\" \"nope\" has not been declared in the root module. | 2:11-21"
    );
    assert_eq!(
        error("module.m.x"),
        "Reference to undeclared module | No module call named \"m\" is declared in the root module. | 2:11-21"
    );
    assert_eq!(
        error("data.thing"),
        "Invalid reference | The \"data\" object must be followed by two attribute names: the data source type and the resource name. | 2:11-21"
    );
}

#[test]
fn attributes_are_checked_by_schema() {
    assert_eq!(
        error("thing.one.idd"),
        "Unsupported attribute | This object has no argument, nested block, or exported attribute named \"idd\". Did you mean \"id\"? | 2:20-24"
    );
    assert_eq!(
        error("thing.cnt[0][\"id\"]"),
        "Invalid index operation | Only attribute access is allowed here. Did you mean to access attribute \"id\" using the dot operator? | 2:23-29"
    );
    assert_eq!(
        error("thing.one.id.foo"),
        "Unsupported attribute | Can't access attributes on a primitive-typed value (string). | 2:23-27"
    );
}

#[test]
fn instance_keys_are_checked() {
    assert_eq!(
        error("thing.cnt.id"),
        "Missing resource instance key | Because thing.cnt has \"count\" set, its attributes must be accessed on specific instances.\n\nFor example, to correlate with indices of a referring resource, use:\n    thing.cnt[count.index] | 2:11-20"
    );
    assert_eq!(
        error("thing.one[\"a\"].id"),
        "Unexpected resource instance key | Because thing.one does not have \"count\" or \"for_each\" set, references to it must not include an index key. Remove the bracketed index to refer to the single instance of this resource. | 2:11-25"
    );
    assert_eq!(
        error("thing.cnt[2].id"),
        "Invalid index | The given key does not identify an element in this collection value: the given index is greater than or equal to the length of the collection. | 2:20-23"
    );
}

#[test]
fn what_is_only_known_in_blocks_is_refused_elsewhere() {
    assert!(error("count.index").starts_with("Reference to \"count\" in non-counted context |"));
    assert!(error("each.key").starts_with("Reference to \"each\" in context without for_each |"));
    assert!(error("each.value").starts_with("each.value cannot be used in this context |"));
    assert!(error("self.id").starts_with("Invalid \"self\" reference |"));
    assert!(error("path.modul").contains("Did you mean \"module\"?"));
    // Even where it would not be evaluated.
    assert!(error("can(local.nope)").starts_with("Reference to undeclared local value |"));
}

#[test]
fn errors_tell_the_values_involved_but_no_secret() {
    let rest = "locals {\n  s = sensitive(\"pw\")\n  n = \"abc\"\n}\n";
    let evaluated = evaluate("\"${local.n}\" + local.s", rest, &NoValues);
    let notes: Vec<String> = evaluated
        .diagnostics
        .iter()
        .flat_map(|diagnostic| &diagnostic.values)
        .map(|note| format!("{} {}", note.expression, note.statement))
        .collect();
    assert_eq!(notes, ["local.n is \"abc\""]);
}
