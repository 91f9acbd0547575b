//! What is in the page's bytes, and what is not.
#![allow(clippy::unwrap_used, reason = "a test")]

use terrace_page::Rendered;
use terrace_page_tests::{hostile, rendered, shop};

fn text(page: &Rendered) -> String {
    String::from_utf8(page.html.clone()).unwrap()
}

/// The page's data.
fn data(html: &str) -> serde_json::Value {
    let (_, from) = html
        .split_once("<script type=\"application/json\" id=\"data\">")
        .unwrap();
    let (json, _) = from.split_once("</script>").unwrap();
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_same_page_gives_the_same_bytes() {
    assert_eq!(rendered(&shop(100)), rendered(&shop(100)));
}

#[test]
fn secrets_are_nowhere_in_it() {
    let mut plan = shop(300);
    // One that a provider hands back unmarked, within a longer text, and as a key.
    let leak = terrace_value::Value::string("https://ann:token-of-today-orders-0@host");
    let object = terrace_value::Value::object([
        ("url", leak.clone()),
        (
            "lines",
            terrace_value::Value::string("a\ntoken-of-today-orders-0\nb"),
        ),
        (
            "tags",
            terrace_value::Value::map(
                terrace_value::Type::String,
                [("token-of-today-orders-0", leak)],
            ),
        ),
    ]);
    plan.changes[0].after = object;
    plan.inputs.request.statements.insert(
        "note".into(),
        "the token is token-of-today-orders-0 now".into(),
    );
    let html = text(&rendered(&plan));
    for secret in ["token-of-today", "token-of-yesterday", "whsec_"] {
        assert!(!html.contains(secret), "{secret}");
    }
    assert!(html.contains("(sensitive value)"));
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let html = text(&rendered(&shop(100)));
    let (head, rest) = html.split_once("id=\"data\">").unwrap();
    let (_, tail) = rest.split_once("</script>").unwrap();
    let own = format!("{head}{tail}");
    for load in [
        "src=",
        "<link",
        "@import",
        "url(",
        "import(",
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
    ] {
        assert!(!own.contains(load), "{load}");
    }
    for (at, _) in own.match_indices("http") {
        let from: String = own[at..].chars().take(40).collect();
        let is_fine =
            from.starts_with("http-equiv") || from.starts_with("http://www.w3.org/2000/svg");
        assert!(is_fine, "{from}");
    }
}

#[test]
fn the_policy_allows_what_is_there_by_its_hash_and_nothing_else() {
    let page = rendered(&shop(10));
    let html = text(&page);
    let between = |from: &str, to: &str| {
        let (_, rest) = html.rsplit_once(from).unwrap();
        rest.split_once(to).unwrap().0.to_owned()
    };
    let script = between("<script>", "</script>");
    let style = between("<style>", "</style>");
    for (name, text) in [("script-src", script), ("style-src", style)] {
        let hash = terrace_page_tests::sha256_base64(&text);
        let allowed = format!("{name} 'sha256-{hash}';");
        assert!(page.policy.contains(&allowed), "{name}: {}", page.policy);
        assert!(html.contains(&format!("{name} 'sha256-{hash}'")), "{name}");
    }
    assert!(page.policy.starts_with("default-src 'none'; "));
    assert!(!page.policy.contains("unsafe"));
    assert!(page.policy.ends_with("frame-ancestors 'none'"));
    assert_eq!(html.matches("<script").count(), 2);
    assert!(!html.contains(" style=\""));
}

#[test]
fn nothing_in_a_plan_becomes_markup() {
    let plan = hostile();
    let html = text(&rendered(&plan));
    assert_eq!(html.matches("<script").count(), 2);
    assert_eq!(html.matches("</script").count(), 2);
    assert_eq!(html.matches("<!--").count(), 0);
    for markup in ["<img", "<svg", "<iframe", "<a href"] {
        assert!(!html.contains(markup), "{markup}");
    }
    let data = data(&html);
    assert_eq!(
        data["changes"].as_array().unwrap().len(),
        plan.changes.len()
    );
    let first = data["changes"][0].to_string();
    assert!(
        first.contains("</script>")
            || first.contains("<img")
            || first.contains("<svg")
            || first.contains("javascript:")
            || first.contains('\u{2028}')
            || first.contains("<!--")
            || first.contains("<iframe"),
        "{first}"
    );
}

#[test]
fn what_changes_is_told_with_its_reasons() {
    let data = data(&text(&rendered(&shop(250))));
    let changes = data["changes"].as_array().unwrap();
    let find = |name: &str| {
        changes
            .iter()
            .find(|change| {
                change["name"] == name && change["module"] == "module.service[\"orders\"]"
            })
            .unwrap()
    };
    let table = find("aws_dynamodb_table.records[0]");
    assert_eq!(table["action"], "replace");
    assert_eq!(table["risks"], serde_json::json!([0]));
    assert_eq!(table["reasons"][0][1], "modules/service/main.tf:12");
    let rows = table["rows"].as_array().unwrap();
    let row = |name: &str| rows.iter().find(|row| row[2] == name).unwrap();
    assert_eq!(
        *row("hash_key"),
        serde_json::json!([0, "~", "hash_key", "\"id\"", "\"order_id\"", 1])
    );
    assert_eq!(row("arn")[4], 1, "known after apply");
    let token = find("aws_ssm_parameter.token[0]");
    let rows = token["rows"].as_array().unwrap();
    let value = rows.iter().find(|row| row[2] == "value").unwrap();
    assert_eq!(*value, serde_json::json!([0, "~", "value", 2, 2, 0]));
    let policy = find("aws_iam_role.handler[0]");
    let rows: Vec<String> = policy["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(
        rows.iter()
            .any(|row| row.contains("sqs:SendMessage") && row.contains("\"+\"")),
        "{rows:?}"
    );
    let bucket = find("aws_s3_bucket.files[0]");
    let lines = bucket["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row[5] == 2)
        .count();
    assert_eq!(lines, 3);
}
