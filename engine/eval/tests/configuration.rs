//! Variables, outputs, modules, expansion, rules, order and validation.

mod support;

use support::{
    Known, evaluate, evaluator, evaluator_with, for_each, output, text_key, thing, told,
};
use terrace_addr::{AbsNamed, ConfigResource, ModuleInstance, ModulePath, Resource};
use terrace_config::ForEachOrCount;
use terrace_eval::{
    CheckOutcome, ConfigNode, Dependency, Evaluator, Expansion, NoValues, RuleKind, Scope, Unknowns,
};
use terrace_value::{Marks, Value};

fn root(name: &str) -> AbsNamed {
    AbsNamed::new(ModuleInstance::root(), name)
}

fn expand(expression: &str, unknowns: Unknowns) -> Result<Option<Expansion>, Vec<String>> {
    let evaluator = evaluator(&format!(
        "resource \"thing\" \"a\" {{\n  {expression}\n}}\nresource \"thing\" \"b\" {{}}\nvariable \"s\" {{\n  sensitive = true\n  default = {{ a = 1 }}\n}}\n"
    ));
    let config = &evaluator.config().root.module.resources[&Resource::managed("thing", "a")];
    let expanded = evaluator.expand_resource(&ModuleInstance::root(), config, unknowns, &NoValues);
    let told = told(&evaluator, &expanded.diagnostics);
    if told.is_empty() {
        Ok(expanded.value)
    } else {
        Err(told)
    }
}

#[test]
fn count_and_for_each_expand() {
    assert_eq!(expand("", Unknowns::Refuse), Ok(Some(Expansion::Single)));
    assert_eq!(
        expand("count = \"2\"", Unknowns::Refuse),
        Ok(Some(Expansion::Count(2)))
    );
    assert_eq!(
        expand("for_each = toset([\"b\", \"a\"])", Unknowns::Refuse),
        Ok(Some(for_each(&["a", "b"])))
    );
    assert_eq!(
        expand("for_each = { a = \"a\" }", Unknowns::Refuse),
        Ok(Some(for_each(&["a"])))
    );
    assert_eq!(
        expand("count = thing.b.id == \"x\" ? 1 : 0", Unknowns::Allow),
        Ok(Some(Expansion::Unknown))
    );
    assert_eq!(
        expand("for_each = toset([thing.b.id])", Unknowns::Allow),
        Ok(Some(Expansion::Unknown))
    );
}

#[test]
fn what_cannot_be_expanded_is_told() {
    for (expression, wanted) in [
        (
            "count = null",
            "Invalid count argument | The given \"count\" argument value is null. An integer is required. | 2:11-15",
        ),
        (
            "count = -1",
            "Invalid count argument | The given \"count\" argument value is unsuitable: must be greater than or equal to zero. | 2:11-13",
        ),
        (
            "count = 1.5",
            "Invalid count argument | The given \"count\" argument value is unsuitable: value must be a whole number, between -9223372036854775808 and 9223372036854775807. | 2:11-14",
        ),
        (
            "count = \"x\"",
            "Incorrect value type | Invalid expression value: a number is required. | 2:11-14",
        ),
        (
            "for_each = null",
            "Invalid for_each argument | The given \"for_each\" argument value is unsuitable: the given \"for_each\" argument value is null. A map, or set of strings is allowed. | 2:14-18",
        ),
        (
            "for_each = [\"a\"]",
            "Invalid for_each argument | The given \"for_each\" argument value is unsuitable: the \"for_each\" argument must be a map, or set of strings, and you have provided a value of type tuple. | 2:14-19",
        ),
        (
            "for_each = toset([1])",
            "Invalid for_each set argument | The given \"for_each\" argument value is unsuitable: \"for_each\" supports maps and sets of strings, but you have provided a set containing type number. | 2:14-24",
        ),
        (
            "for_each = var.s",
            "Invalid for_each argument | Sensitive values, or values derived from sensitive values, cannot be used as for_each arguments. If used, the sensitive value could be exposed as a resource instance key. | 2:14-19",
        ),
    ] {
        assert_eq!(
            expand(expression, Unknowns::Refuse),
            Err(vec![wanted.to_owned()]),
            "{expression}"
        );
    }
    let unknown = expand("for_each = toset([thing.b.id])", Unknowns::Refuse).unwrap_err();
    assert!(
        unknown[0]
            .contains("The \"for_each\" set includes values derived from resource attributes")
    );
    let unknown = expand("count = thing.b.id == \"x\" ? 1 : 0", Unknowns::Refuse).unwrap_err();
    assert!(unknown[0].contains("The \"count\" value depends on resource attributes"));
}

const CHILD: &str = "
variable \"n\" {
  type = number
  validation {
    condition     = var.n < 5
    error_message = \"Too big: ${var.n}.\"
  }
}
variable \"o\" {
  type    = object({ a = optional(string, \"d\") })
  default = {}
}
output \"twice\" {
  value = var.n * 2
}
output \"o\" {
  value     = var.o.a
  sensitive = true
}
";

fn with_child(call: &str) -> Evaluator {
    let main = format!(
        "module \"m\" {{\n  source = \"./m\"\n{call}}}\noutput \"v\" {{\n  value = module.m\n  sensitive = true\n}}\noutput \"one\" {{\n  value = module.m[\"b\"].twice\n}}\n"
    );
    evaluator_with(
        &[("main.tf", &main), ("m/m.tf", CHILD)],
        &[("module.m", "m")],
        &[],
    )
}

#[test]
fn modules_give_their_outputs() {
    let evaluator = with_child("  for_each = { a = 1, b = 2 }\n  n = each.value\n");
    let mut known = Known::default();
    let call = evaluator.expand_call(
        &ModuleInstance::root(),
        &"m".into(),
        Unknowns::Refuse,
        &known,
    );
    known
        .calls
        .insert((ModuleInstance::root(), "m".into()), call.value.unwrap());
    let value = output(&evaluator, "v", &known).value;
    let b = value.get("b").unwrap();
    assert_eq!(b.get("twice"), Some(&Value::int(4)));
    assert_eq!(b.get("o"), Some(&Value::string("d").sensitive()));
    let one = output(&evaluator, "one", &known);
    assert_eq!(one.value, Value::int(4));
    let module = ModuleInstance::root().child("m", text_key("b"));
    let wanted = Dependency::Output(AbsNamed::new(module.clone(), "twice"));
    assert_eq!(
        one.dependencies.into_iter().collect::<Vec<_>>(),
        std::slice::from_ref(&wanted)
    );
    let read = evaluator.dependencies_of(&wanted);
    assert_eq!(
        read.into_iter().collect::<Vec<_>>(),
        [Dependency::Variable(AbsNamed::new(module, "n"))]
    );
}

#[test]
fn inputs_are_converted_and_judged() {
    let evaluator = with_child("  n = []\n");
    let n = AbsNamed::new(ModuleInstance::root().child("m", None), "n");
    let told_of =
        |evaluator: &Evaluator| told(evaluator, &evaluator.variable(&n, &NoValues).diagnostics);
    assert_eq!(
        told_of(&evaluator),
        [
            "Invalid value for input variable | The given value is not suitable for module.m.var.n declared at m/m.tf:2,1-13: number required. | 3:7-9"
        ]
    );
    let evaluator = with_child("  n = \"7\"\n");
    assert_eq!(evaluator.variable(&n, &NoValues).value, Value::int(7));
    let judged = evaluator.validate_variable(&n, &NoValues);
    assert_eq!(judged.value, [CheckOutcome::Fail("Too big: 7.".into())]);
    assert_eq!(
        told(&evaluator, &judged.diagnostics),
        [
            "Invalid value for variable | Too big: 7.\n\nThis was checked by the validation rule at m/m.tf:4,3-13. | 3:7-10"
        ]
    );
}

#[test]
fn root_variables_are_given() {
    let main = "variable \"a\" {\n  type = number\n  sensitive = true\n}\nvariable \"b\" {\n  default = 2\n}\nvariable \"c\" {\n  nullable = false\n}\noutput \"v\" {\n  value = var.a\n  sensitive = true\n}\n";
    let given = [("a", Value::string("1")), ("c", Value::NULL)];
    let evaluator = evaluator_with(&[("main.tf", main)], &[], &given);
    assert_eq!(
        evaluator.variable(&root("a"), &NoValues).value,
        Value::int(1).sensitive()
    );
    assert_eq!(
        evaluator.variable(&root("b"), &NoValues).value,
        Value::int(2)
    );
    assert!(
        told(
            &evaluator,
            &evaluator.variable(&root("c"), &NoValues).diagnostics
        )[0]
        .starts_with("Required variable not set |")
    );
    let evaluator = evaluator_with(&[("main.tf", main)], &[], &[]);
    assert!(
        told(
            &evaluator,
            &evaluator.variable(&root("a"), &NoValues).diagnostics
        )[0]
        .starts_with("No value for required variable |")
    );
}

#[test]
fn outputs_keep_secrets() {
    let secret = "variable \"s\" {\n  default = \"x\"\n  sensitive = true\n}\nvariable \"e\" {\n  default = \"x\"\n  ephemeral = true\n}\n";
    let evaluated = evaluate("\"a-${var.s}\"", secret, &NoValues);
    assert_eq!(
        evaluated
            .diagnostics
            .iter()
            .map(|d| d.summary.as_str())
            .collect::<Vec<_>>(),
        ["Output refers to sensitive values"]
    );
    let evaluated = evaluate("[var.e]", secret, &NoValues);
    assert_eq!(
        evaluated
            .diagnostics
            .iter()
            .map(|d| d.summary.as_str())
            .collect::<Vec<_>>(),
        ["Ephemeral value not allowed"]
    );
    let applying = evaluate("ephemeralasnull(terraform.applying)", "", &NoValues);
    assert!(applying.diagnostics.is_empty() && !applying.value.marks().contains(Marks::EPHEMERAL));
}

#[test]
fn rules_are_judged() {
    let main = "resource \"thing\" \"a\" {\n  lifecycle {\n    precondition {\n      condition     = var.n > 1\n      error_message = \"n is ${var.n}\"\n    }\n  }\n}\nvariable \"n\" {\n  type = number\n}\n";
    let judge = |n: Value| {
        let evaluator = evaluator_with(&[("main.tf", main)], &[], &[("n", n)]);
        let config = &evaluator.config().root.module.resources[&Resource::managed("thing", "a")];
        let rule = &config.lifecycle.preconditions[0];
        let judged = evaluator.check_rule(
            rule,
            &RuleKind::ResourcePrecondition,
            &Scope::default(),
            &NoValues,
        );
        (judged.value, told(&evaluator, &judged.diagnostics))
    };
    assert_eq!(judge(Value::int(2)), (CheckOutcome::Pass, vec![]));
    assert_eq!(
        judge(Value::int(1)),
        (
            CheckOutcome::Fail("n is 1".into()),
            vec!["Resource precondition failed | n is 1 | 4:23-32".into()]
        )
    );
    assert_eq!(judge(Value::dynamic()).0, CheckOutcome::Unknown);
    let (outcome, told) = judge(Value::int(1).sensitive());
    assert!(matches!(outcome, CheckOutcome::Fail(message) if !message.contains('1')));
    assert!(told[0].starts_with("Error message refers to sensitive values"));
}

fn cycles(main: &str) -> Vec<String> {
    let evaluator = evaluator(main);
    let (_, diagnostics) = evaluator.config_graph();
    told(&evaluator, &diagnostics)
}

#[test]
fn cycles_are_told_as_the_reference_does() {
    let resources = "resource \"thing\" \"a\" {\n  input = thing.b.id\n}\nresource \"thing\" \"b\" {\n  input = thing.a.id\n}\n";
    assert_eq!(cycles(resources), ["Cycle: thing.b, thing.a |  | "]);
    assert_eq!(
        cycles("locals {\n  a = local.b\n  b = local.a\n}\n"),
        ["Cycle: local.b (expand), local.a (expand) |  | "]
    );
    assert_eq!(
        cycles("resource \"thing\" \"a\" {\n  input = thing.a.id\n}\n"),
        ["Self-referential block | Configuration for thing.a may not refer to itself. | 2:11-21"]
    );
    assert_eq!(
        cycles("locals {\n  a = local.a\n}\n"),
        [
            "Self-referencing local value | Local value local.a cannot use its own result as part of its expression. | 2:7-14"
        ]
    );
}

#[test]
fn the_order_follows_references() {
    let main = "variable \"n\" {}\nlocals {\n  l = var.n\n}\nresource \"thing\" \"a\" {\n  input = local.l\n}\nresource \"thing\" \"b\" {\n  depends_on = [module.m]\n}\nmodule \"m\" {\n  source = \"./m\"\n  x = thing.a.id\n}\n";
    let child = "variable \"x\" {}\nresource \"thing\" \"c\" {\n  input = var.x\n}\noutput \"unused\" {\n  value = 1\n}\n";
    let evaluator = evaluator_with(
        &[("main.tf", main), ("m/m.tf", child)],
        &[("module.m", "m")],
        &[],
    );
    let (graph, diagnostics) = evaluator.config_graph();
    assert!(diagnostics.is_empty());
    let order = graph.dag().topological_order().unwrap();
    let place = |node: ConfigNode| {
        let id = graph
            .id(&node)
            .unwrap_or_else(|| panic!("{node} is not in the graph"));
        order.iter().position(|other| *other == id).unwrap()
    };
    let path = ModulePath::root();
    let resource = |module: &ModulePath, name: &str| {
        ConfigNode::Resource(ConfigResource {
            module: module.clone(),
            resource: Resource::managed("thing", name),
        })
    };
    let m = path.child("m");
    let chain = [
        place(ConfigNode::Variable(path.clone(), "n".into())),
        place(ConfigNode::Local(path.clone(), "l".into())),
        place(resource(&path, "a")),
        place(ConfigNode::Variable(m.clone(), "x".into())),
        place(resource(&m, "c")),
        place(ConfigNode::CallDone(path.clone(), "m".into())),
        place(resource(&path, "b")),
    ];
    assert!(chain.is_sorted(), "{chain:?}");
    let config = &evaluator.config().root.module.resources[&Resource::managed("thing", "b")];
    let explicit = evaluator.explicit_dependencies(&ModuleInstance::root(), config);
    assert_eq!(
        explicit.into_iter().collect::<Vec<_>>(),
        [Dependency::Call(root("m"))]
    );
}

#[test]
fn validation_judges_each_thing_once_and_not_what_depends_on_wrong_ones() {
    let evaluator = evaluator(
        "resource \"thing\" \"a\" {\n  input = var.nope\n}\noutput \"e\" {\n  value = thing.a.nope\n}\noutput \"d\" {\n  value = local.q\n}\nresource \"thing\" \"c\" {\n  for_each = toset([\"a\"])\n  input = each.value.x\n  depends_on = [thing.a.id]\n}\n",
    );
    let mut found = told(&evaluator, &evaluator.validate());
    found.sort();
    let summaries: Vec<&str> = found
        .iter()
        .map(|text| text.split(" | ").next().unwrap())
        .collect();
    assert_eq!(
        summaries,
        [
            "Reference to undeclared input variable",
            "Reference to undeclared local value"
        ]
    );
    let evaluator = support::evaluator(
        "resource \"thing\" \"a\" {}\nresource \"thing\" \"b\" {\n  depends_on = [thing.a.id]\n  count_of = \"x\"\n}\n",
    );
    let mut found = told(&evaluator, &evaluator.validate());
    found.sort();
    assert_eq!(
        found,
        [
            "Incorrect attribute value type | Inappropriate value for attribute \"count_of\": a number is required. | 4:14-17",
            "Invalid depends_on reference | References in depends_on must be to a whole object (resource, etc), not to an attribute of an object. | 3:24-27"
        ]
    );
}

#[test]
fn triggers_and_imports_are_read() {
    let main = "resource \"thing\" \"a\" {\n  count = 2\n  lifecycle {\n    replace_triggered_by = [thing.b[count.index].input]\n  }\n}\nresource \"thing\" \"b\" {\n  count = 2\n}\nimport {\n  for_each = { x = \"1\" }\n  to = thing.c[each.key]\n  id = \"id-${each.value}\"\n}\nresource \"thing\" \"c\" {\n  for_each = { x = 1 }\n}\n";
    let evaluator = evaluator(main);
    let config = &evaluator.config().root.module.resources[&Resource::managed("thing", "a")];
    let repetition = Expansion::Count(2).repetition(support::int_key(1).as_ref());
    let scope = Scope::instance(ModuleInstance::root(), repetition);
    let trigger =
        evaluator.replace_trigger(&config.lifecycle.replace_triggered_by[0], &scope, &NoValues);
    let trigger = trigger.value.unwrap();
    assert_eq!(
        trigger.instance,
        Some(thing("b").instance(support::int_key(1)))
    );
    assert_eq!(trigger.path.to_string(), ".input");
    let targets = evaluator.import_targets(0, &NoValues);
    assert!(targets.diagnostics.is_empty(), "{:?}", targets.diagnostics);
    assert_eq!(targets.value[0].to, thing("c").instance(text_key("x")));
    assert_eq!(targets.value[0].id, Value::string("id-1"));
}

#[test]
fn provider_functions_are_called() {
    let rest = "";
    let evaluated = evaluate("provider::nope::f(1)", rest, &NoValues);
    assert!(
        evaluated
            .diagnostics
            .iter()
            .any(|d| d.summary == "Unknown provider function")
    );
}

#[test]
fn a_single_repetition_is_one() {
    let evaluator = evaluator("locals {\n  a = 1\n}\n");
    let expanded = evaluator.expand(
        &ForEachOrCount::Single,
        Unknowns::Refuse,
        &Scope::default(),
        &NoValues,
    );
    assert_eq!(expanded.value, Some(Expansion::Single));
}
