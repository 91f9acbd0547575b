//! The project file: what it gives, and every way in which it is wrong.

use terrace_diag::SourceId;
use terrace_gate::{Project, Rules, parse_project};
use terrace_value::Value;

const KEY_A: &str = "SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const KEY_B: &str = "SHA256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn parse(text: &str) -> (Project, Vec<String>) {
    let text = text.replace("KEY_A", KEY_A).replace("KEY_B", KEY_B);
    let (project, diagnostics) = parse_project(SourceId(0), text.as_bytes());
    let told = diagnostics.sorted().into_iter().map(|found| {
        let line = found.subject.map_or(0, |span| {
            text[..span.start as usize].matches('\n').count() + 1
        });
        format!("{line}: {}: {}", found.summary, found.detail)
    });
    (project, told.collect())
}

const WHOLE: &str = r#"
project "storefront" {
  stacks = ["stacks/*"]
}

person "ann" {
  ssh    = ["KEY_A"]
  github = "ann-at-hub"
}

person "ben" {
  ssh = ["KEY_B"]
}

role "lead" {
  members = ["ben"]
}

environment "dev" {
  variables = ["environments/dev.tfvars"]
  workspace = "dev"
}

environment "prd" {
  after = ["dev"]

  backend "s3" {
    bucket = "acme-${environment}"
    key    = "${stack}.tfstate"
    plain  = stack
    retry  = 3
  }

  gate {
    approvals = 1
    roles     = ["lead"]
  }
}
"#;

#[test]
fn a_whole_file() {
    let (project, told) = parse(WHOLE);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(
        (project.name.as_str(), &project.stacks[..]),
        ("storefront", &["stacks/*".to_owned()][..])
    );
    assert_eq!(project.people["ann"].github.as_deref(), Some("ann-at-hub"));
    assert!(project.people["ben"].keys.contains(KEY_B));
    assert!(project.roles["lead"].contains("ben"));
    let dev = project.environment("dev").unwrap();
    assert_eq!(
        (dev.workspace.as_deref(), dev.gate.is_none()),
        (Some("dev"), true)
    );
    assert_eq!(dev.variables, ["environments/dev.tfvars"]);
    let prd = project.environment("prd").unwrap();
    let gate = prd.gate.as_ref().unwrap();
    assert_eq!(
        (gate.approvals, &gate.roles),
        (1, &[("lead".to_owned(), 1)].into())
    );
    let rules = project.rules(prd);
    assert_eq!(
        (rules.environment.as_str(), &rules.after[..]),
        ("prd", &["dev".to_owned()][..])
    );
    assert_eq!(rules.person_of(KEY_A), Some("ann"));
    assert_eq!(rules.person_of("SHA256:other"), None);
    assert!(rules.is_gated() && !project.rules(dev).is_gated());
    assert!(project.environment("tst").is_none());
}

#[test]
fn a_backends_arguments_are_those_of_stack_and_environment() {
    let (project, _) = parse(WHOLE);
    let backend = project
        .environment("prd")
        .unwrap()
        .backend
        .as_ref()
        .unwrap();
    assert_eq!(backend.type_name, "s3");
    let (arguments, diagnostics) = backend.arguments("prd", "web");
    assert!(diagnostics.is_empty());
    assert_eq!(arguments["bucket"], Value::string("acme-prd"));
    assert_eq!(arguments["key"], Value::string("web.tfstate"));
    assert_eq!(arguments["plain"], Value::string("web"));
    assert_eq!(arguments["retry"], Value::int(3));
}

#[test]
fn a_backends_argument_may_refer_to_nothing_else() {
    let (project, _) = parse(
        "project \"p\" {}\nenvironment \"dev\" {\n  backend \"local\" {\n    path = var.path\n  }\n}\n",
    );
    let backend = project.environments[0].backend.as_ref().unwrap();
    assert!(backend.arguments("dev", "").1.has_errors());
}

#[test]
fn roles_alone_ask_for_one_approval() {
    let text = "project \"p\" {}\nperson \"a\" {\n  ssh = [\"KEY_A\"]\n}\nperson \"b\" {\n  ssh = [\"KEY_B\"]\n}\nrole \"r\" {\n  members = [\"a\"]\n}\nenvironment \"e\" {\n  gate {\n    roles = [\"r\"]\n  }\n}\n";
    let (project, told) = parse(text);
    assert_eq!(told, Vec::<String>::new());
    assert_eq!(project.environments[0].gate.as_ref().unwrap().approvals, 1);
}

const PEOPLE: &str = "project \"p\" {}\nperson \"a\" {\n  ssh = [\"KEY_A\"]\n}\nperson \"b\" {\n  ssh = [\"KEY_B\"]\n}\n";

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn every_mistake_is_told_where_it_stands() {
    // What follows the project block and two people, and what is told. The first line of the mistake is line 8.
    let table: &[(&str, &[&str])] = &[
        (
            "project \"q\" {}\n",
            &["8: Duplicate project block: A project file holds one project block."],
        ),
        (
            "person \"a\" {\n}\n",
            &["8: Duplicate person: The person \"a\" is listed twice."],
        ),
        (
            "person \"c\" {\n  ssh = [\"KEY_A\"]\n}\n",
            &[
                "8: Key of two people: The key SHA256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa is listed for \"a\" already. A key belongs to one person.",
            ],
        ),
        (
            "person \"c\" {\n  ssh = [\"MD5:aa\"]\n}\n",
            &[
                "8: Invalid key fingerprint: \"MD5:aa\" is not the fingerprint of an SSH key. `ssh-keygen -l -f KEY.pub` shows it, as SHA256: and 43 characters.",
            ],
        ),
        (
            "person \"c\" {\n  ssh = \"x\"\n}\n",
            &["9: Invalid argument: The argument \"ssh\" is a list of strings."],
        ),
        (
            "person \"c\" {\n  github = 1\n}\n",
            &["9: Invalid argument: The argument \"github\" is a string."],
        ),
        (
            "role \"r\" {\n  members = [\"a\"]\n}\nrole \"r\" {\n}\n",
            &["11: Duplicate role: The role \"r\" is defined twice."],
        ),
        (
            "role \"r\" {\n  members = [\"zoe\"]\n}\n",
            &[
                "8: Invalid project file: The role \"r\" has a member \"zoe\", and no person block has that name.",
            ],
        ),
        (
            "environment \"e\" {}\nenvironment \"e\" {}\n",
            &["9: Duplicate environment: The environment \"e\" is defined twice."],
        ),
        (
            "environment \"e\" {\n  after = [\"f\"]\n}\nenvironment \"f\" {}\n",
            &[
                "8: Invalid project file: Environment \"e\" comes after \"f\", which is not defined before it.",
            ],
        ),
        (
            "environment \"e\" {\n  after = [\"e\"]\n}\n",
            &[
                "8: Invalid project file: Environment \"e\" comes after \"e\", which is not defined before it.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    roles = [\"r\"]\n  }\n}\n",
            &[
                "8: Invalid project file: The gate of \"e\" asks for role \"r\", which is not defined.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    approvals = 2\n  }\n}\n",
            &[
                "8: Invalid project file: The gate of \"e\" asks for 2 approvals by people other than the author, and the project lists 2 people.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    approvals = -1\n  }\n}\n",
            &["10: Invalid number of approvals: The number of approvals is a whole number from 0."],
        ),
        (
            "environment \"e\" {\n  gate {\n    approvals = \"two\"\n  }\n}\n",
            &["10: Invalid number of approvals: The number of approvals is a whole number from 0."],
        ),
        (
            "environment \"e\" {\n  branch = 1\n}\n",
            &["9: Invalid argument: The argument \"branch\" is a string."],
        ),
        (
            "environment \"e\" {\n  gate {\n    soak = \"soon\"\n    window {}\n  }\n}\n",
            &[
                "10: Invalid argument: \"soon\" is not a length of time. Write one as 30m, 24h or 7d.",
                "11: Invalid argument: The argument \"zone\" is required, such as Europe/Berlin: who applies may be anywhere.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    window {\n      days  = [\"monday\"]\n      from  = \"8\"\n      until = \"25:00\"\n      zone  = \"Mars/Olympus\"\n    }\n  }\n}\n",
            &[
                "11: Invalid argument: \"monday\" is not a day. Days are: mon, tue, wed, thu, fri, sat, sun.",
                "12: Invalid argument: \"8\" is not a time of day. Write one as 08:00, up to 24:00.",
                "13: Invalid argument: \"25:00\" is not a time of day. Write one as 08:00, up to 24:00.",
                "14: Invalid argument: \"Mars/Olympus\" is not a time zone of the tz database. Write one as Europe/Berlin or UTC.",
            ],
        ),
        (
            "environment \"e\" {\n  gate {\n    passes = [\"window\"]\n  }\n}\n",
            &["10: Unsupported argument: An argument named \"passes\" is not expected here."],
        ),
        (
            "environment \"e\" {\n  gate {\n    window {\n      from  = \"08:00\"\n      until = \"08:00\"\n      zone  = \"UTC\"\n    }\n  }\n}\n",
            &[
                "12: Invalid argument: A window that ends when it begins lasts no time. For a whole day, leave out from and until.",
            ],
        ),
        (
            "freeze {\n  from  = \"2026-12-24\"\n  until = \"2026-12-20\"\n  zone  = \"UTC\"\n}\n",
            &[
                "8: Invalid argument: A freeze from \"2026-12-24\" until \"2026-12-20\" lasts no time.",
            ],
        ),
        (
            "freeze {\n  from         = \"2026-12-20\"\n  until        = \"2026-12-24\"\n  zone         = \"UTC\"\n  reason       = \"x\"\n  environments = [\"prd\"]\n}\n",
            &[
                "0: Invalid project file: The freeze \"x\" names environment \"prd\", which is not defined.",
            ],
        ),
        (
            "change \"standard\" {}\n",
            &[
                "8: Invalid project file: A change type needs a gate block: without one it would be let through by nobody knows what.",
                "8: Invalid project file: The change type \"standard\" needs an allow block: it holds for plans of a shape that was agreed on.",
            ],
        ),
        (
            "change \"quick\" {}\n",
            &[
                "8: Invalid project file: There is no change type \"quick\" to define. Change types are \"standard\" and \"emergency\"; every other change is normal, and the environment's own gate is its.",
            ],
        ),
        (
            "change \"emergency\" {\n  allow {}\n  gate {\n    passes = [\"everything\"]\n  }\n}\n",
            &[
                "8: Invalid project file: Only the change type \"standard\" has a shape. An emergency is judged by its gate.",
                "11: Invalid argument: \"everything\" is nothing that a change type may pass. There are: window, freeze, soak, after, branch.",
            ],
        ),
        (
            "risk \"r\" {\n  when {\n    actions = [\"drop\"]\n  }\n  gate {\n    roles = [\"lead\"]\n  }\n}\n",
            &[
                "10: Invalid argument: \"drop\" is not an action of a plan. Actions are: create, update, delete, replace, import, forget.",
                "12: Invalid project file: The gate of risk \"r\" asks for role \"lead\", which is not defined.",
            ],
        ),
        (
            "risk \"r\" {}\n",
            &[
                "8: Invalid project file: A risk needs a when block, which says what is risky, and a gate block, which says what that asks for.",
            ],
        ),
        (
            "policy \"p\" {}\n",
            &[
                "8: Invalid argument: The argument \"rego\" is required: the files of rules, such as policies/*.rego.",
            ],
        ),
        (
            "run {}\nrun {}\n",
            &["9: Duplicate run block: A project file holds one run block."],
        ),
    ];
    for (text, expected) in table {
        let (_, told) = parse(&format!("{PEOPLE}{text}"));
        assert_eq!(told, *expected, "{text}");
    }
}

#[test]
fn a_second_gate_or_backend_is_refused() {
    for (block, expected) in [
        ("gate {}", "8: Duplicate gate block: "),
        ("backend \"local\" {}", "8: Duplicate backend block: "),
    ] {
        let (_, told) = parse(&format!(
            "{PEOPLE}environment \"e\" {{\n  {block}\n  {block}\n}}\n"
        ));
        let expected = expected.replace("8:", "10:");
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&expected), "{told:?}");
    }
}

#[test]
fn a_file_without_project_and_one_with_unknown_words() {
    let (_, told) = parse("");
    assert_eq!(
        told,
        [
            "1: Missing project block: A project file begins with a project block, such as: project \"storefront\" {}."
        ]
    );
    let (_, told) = parse("project \"p\" {\n  colour = 1\n}\nplanet \"x\" {}\n");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().all(|line| line.contains("Unsupported")),
        "{told:?}"
    );
    let (_, told) = parse("project \"p\" {");
    assert_eq!(told.len(), 1, "{told:?}");
}

const CHANGES: &str = r#"
project "p" {
  github = "acme/shop"
}

person "a" {
  ssh    = ["KEY_A"]
  github = "a-at-hub"
}

person "b" {
  ssh = ["KEY_B"]
}

role "lead" {
  members = ["a", "b"]
}

environment "prd" {
  branch = "main"

  gate {
    approvals = 1
    soak      = "1h30m"
    expires   = "7d"

    quorum "lead" {
      approvals = 2
    }

    window {
      days  = ["mon", "sun"]
      from  = "22:00"
      until = "04:00"
      zone  = "Europe/Berlin"
    }
  }

  freeze {
    from  = "2026-12-20"
    until = "2027-01-06T12:00"
    zone  = "Europe/Berlin"
  }
}

environment "dev" {}

freeze {
  from         = "2026-11-27"
  until        = "2026-11-30"
  zone         = "UTC"
  reason       = "sales"
  environments = ["prd"]
}

change "standard" {
  allow {
    types   = ["aws_ssm_*"]
    actions = ["create", "update"]
    at_most = 5
  }
  gate {
    approvals = 0
  }
}

change "emergency" {
  gate {
    approvals = 1
    passes    = ["window", "freeze"]
  }
  review {
    within    = "48h"
    approvals = 1
  }
}

risk "high" {
  when {
    actions      = ["delete", "replace"]
    addresses    = ["module.db.*"]
    modules      = ["module.db"]
    environments = ["prd"]
    at_least     = 2
  }
  gate {
    roles = ["lead"]
  }
}

run {
  require = ["purpose", "impact"]
}
"#;

#[test]
fn everything_that_a_gate_can_ask_for_survives_the_store() {
    let (project, told) = parse(CHANGES);
    assert_eq!(told, Vec::<String>::new());
    let rules = project.rules(project.environment("prd").unwrap());
    let gate = rules.gate.as_ref().unwrap();
    assert_eq!(
        (gate.approvals, gate.soak, gate.expires),
        (1, Some(5400), Some(604_800))
    );
    assert_eq!(gate.roles, [("lead".to_owned(), 2)].into());
    assert_eq!(
        gate.windows[0].to_string(),
        "mon,sun 22:00-04:00 Europe/Berlin"
    );
    assert_eq!(rules.freezes.len(), 2);
    assert_eq!(rules.branch.as_deref(), Some("main"));
    assert_eq!(rules.changes.len(), 2);
    assert_eq!(rules.risks.len(), 1);
    assert_eq!(rules.required_statements.len(), 2);
    assert_eq!(rules.github.as_ref().unwrap().api, "https://api.github.com");
    let bytes = rules.to_bytes();
    assert_eq!(Rules::from_bytes(&bytes), Ok(rules.clone()));
    // Freezes of other environments are none of dev's rules.
    assert!(
        project
            .rules(project.environment("dev").unwrap())
            .freezes
            .is_empty()
    );
}

#[test]
fn rules_with_something_unknown_are_not_read() {
    let (project, _) = parse(CHANGES);
    let rules = project.rules(project.environment("prd").unwrap());
    let text = String::from_utf8(rules.to_bytes()).unwrap();
    for (from, to) in [
        ("\"format\":3", "\"format\":4"),
        ("\"approvals\":1,", "\"approvals\":1,\"veto\":true,"),
        ("\"window\"", "\"windows\""),
        ("\"delete\"", "\"drop\""),
        ("\"mon\"", "\"monday\""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert!(Rules::from_bytes(changed.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn rules_of_the_first_format_are_read() {
    let first = br#"{"format":1,"environment":"prd","after":["stg"],"gate":{"approvals":2,"roles":["lead"]},"people":{"ann":{"ssh":["SHA256:x"],"github":null}},"roles":{"lead":["ann"]}}"#;
    let rules = Rules::from_bytes(first).unwrap();
    let gate = rules.gate.as_ref().unwrap();
    assert_eq!((gate.approvals, gate.roles["lead"]), (2, 1));
    assert_eq!(rules.person_of("SHA256:x"), Some("ann"));
    assert!(rules.risks.is_empty() && rules.is_gated());
}
