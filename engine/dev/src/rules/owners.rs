//! Rule 4: only `apply` calls `Provider::apply`; only `state` commits; only `gate` makes an `ApprovedPlan`.
//!
//! A write of a state outside of `state` may stand where a comment `// commit: reason` says why.

use super::Violation;
use crate::facts::{Facts, is_test_support, is_under};
use crate::source::{Call, Kind, Seen, Source};

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let sources = facts
        .sources
        .iter()
        .filter(|source| !is_test_support(&source.path));
    let mut violations = Vec::new();
    for source in sources {
        for seen in source.seen_in_use() {
            let what = applies(source, seen)
                .or_else(|| commits(source, seen))
                .or_else(|| approves(source, seen));
            violations.extend(what.map(|what| Violation::at(&source.path, seen.line, what)));
        }
    }
    violations
}

fn is_in(source: &Source, rooms: &[&str]) -> bool {
    rooms.iter().any(|room| is_under(&source.path, room))
}

/// A provider's own crates implement the port and hand calls on; they are what is called.
fn applies(source: &Source, seen: &Seen) -> Option<String> {
    if is_in(source, &["engine/apply", "engine/port", "providers"]) {
        return None;
    }
    match &seen.kind {
        Kind::Path(path) if path == "terrace_port::ApplyRequest" || path == "terrace_port::*" => {
            Some(format!(
                "{path} is for engine/apply, which alone asks providers to change something"
            ))
        }
        Kind::Call(Call {
            receiver,
            name,
            is_method: true,
            ..
        }) if name == "apply" && receiver.contains("provider") => {
            Some("only engine/apply asks a provider to change something".to_owned())
        }
        _ => None,
    }
}

fn commits(source: &Source, seen: &Seen) -> Option<String> {
    let Kind::Call(Call {
        receiver,
        name,
        arguments,
        is_method: true,
    }) = &seen.kind
    else {
        return None;
    };
    let writes = name == "overwrite" && arguments.len() == 1
        || name == "write" && arguments.len() == 2 && receiver.contains("lock");
    let may = is_in(source, &["engine/state", "state-backends"])
        || source.has_reason(seen.line, "commit");
    (writes && !may).then(|| format!("{receiver}.{name}(..) writes a state; only engine/state does, or say why with `// commit: reason`"))
}

fn approves(source: &Source, seen: &Seen) -> Option<String> {
    let makes = match &seen.kind {
        Kind::Literal(name) => name == "ApprovedPlan",
        Kind::Call(call) => call.name == "ApprovedPlan" && !call.is_method,
        _ => false,
    };
    (makes && source.path != "engine/gate/src/approve.rs")
        .then(|| "only gate::approve makes an ApprovedPlan".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    #[test]
    fn each_way_around_an_owner_is_found() {
        for code in [
            "use terrace_port::{ApplyRequest, Provider};",
            "async fn f(provider: &dyn P, r: R) { provider.apply(r).await; }",
            "async fn f(&self, r: R) { self.providers.apply(r).await; }",
            "async fn f(locked: L) { locked.write(bytes, version).await; }",
            "async fn f(store: L) { store.overwrite(bytes).await; }",
            "async fn f(store: L) {\n// commit: no\nstore.overwrite(bytes).await; }",
            "fn f() -> ApprovedPlan { ApprovedPlan { plan } }",
            "fn f() -> ApprovedPlan { ApprovedPlan(plan) }",
        ] {
            assert_eq!(
                check(&file("engine/planner/src/x.rs", code)).len(),
                1,
                "{code}"
            );
        }
    }

    #[test]
    fn owners_and_reasons_are_fine() {
        for (path, code) in [
            (
                "engine/apply/src/x.rs",
                "use terrace_port::ApplyRequest; fn f() { provider.apply(r); }",
            ),
            ("providers/sdk/src/x.rs", "fn f() { provider.apply(r); }"),
            (
                "engine/state/src/x.rs",
                "fn f() { locked.write(bytes, version); }",
            ),
            (
                "engine/terrace/src/x.rs",
                "fn f() {\n // commit: `state push -force` replaces whatever is there\n locked.overwrite(bytes); }",
            ),
            (
                "engine/terrace/src/x.rs",
                "fn f() { table.write(); options.write(true); use terrace_apply::ApplyRequest; }",
            ),
            (
                "engine/gate/src/approve.rs",
                "fn f() { ApprovedPlan { plan } }",
            ),
            ("tests/worlds/src/x.rs", "use terrace_port::ApplyRequest;"),
        ] {
            assert_eq!(check(&file(path, code)), [], "{path}: {code}");
        }
    }
}
