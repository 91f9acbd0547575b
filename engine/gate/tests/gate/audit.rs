//! The audit chain: what is appended holds, and whatever is changed afterwards is found.

use std::sync::Arc;

use terrace_gate::{AuditEvent, AuditProblem, append_audit, audit_entries, verify_audit};

use crate::support::{Memory, wait};

fn event(number: usize) -> AuditEvent {
    AuditEvent {
        time: "2026-01-02T03:04:05Z".into(),
        actor: "ann@desk".into(),
        event: format!("event-{number}"),
        run: number.is_multiple_of(2).then(|| "0123456789ab".to_owned()),
        details: [("number".to_owned(), number.to_string())].into(),
    }
}

fn chain(length: usize) -> Memory {
    let store = Memory::default();
    wait(async {
        for number in 1..=length {
            append_audit(&store, &event(number)).await.unwrap();
        }
    });
    store
}

fn entry(number: usize) -> String {
    format!("audit/entries/{number:012}")
}

fn problems(store: &Memory) -> Vec<AuditProblem> {
    wait(verify_audit(store)).unwrap().1
}

#[test]
fn what_is_appended_is_there_and_holds() {
    let store = chain(5);
    assert_eq!(wait(verify_audit(&store)).unwrap(), (5, Vec::new()));
    let entries = wait(audit_entries(&store)).unwrap();
    assert_eq!(entries.len(), 5);
    for (index, found) in entries.iter().enumerate() {
        assert_eq!(found.sequence, index as u64 + 1);
        assert_eq!(found.event, event(index + 1));
    }
}

#[test]
fn an_empty_log_holds() {
    assert_eq!(
        wait(verify_audit(&Memory::default())).unwrap(),
        (0, Vec::new())
    );
}

#[test]
fn every_changed_byte_is_found() {
    let store = chain(3);
    for number in 1..=3 {
        let name = entry(number);
        let whole = store.0.lock().unwrap()[&name].clone();
        for place in 0..whole.len() {
            let mut bytes = whole.to_vec();
            bytes[place] ^= 1;
            store.0.lock().unwrap().insert(name.clone(), bytes.into());
            assert_ne!(problems(&store), [], "byte {place} of entry {number}");
        }
        store.0.lock().unwrap().insert(name, whole);
    }
    assert_eq!(problems(&store), []);
}

#[test]
fn a_removed_entry_is_found() {
    for (removed, expected) in [
        (vec![1], vec![AuditProblem::Missing(1, 1)]),
        (vec![3], vec![AuditProblem::Missing(3, 3)]),
        (vec![2, 3], vec![AuditProblem::Missing(2, 3)]),
        (
            vec![5],
            vec![AuditProblem::Head {
                expected: 5,
                found: 4,
            }],
        ),
        (
            vec![1, 2, 3, 4, 5],
            vec![AuditProblem::Head {
                expected: 5,
                found: 0,
            }],
        ),
    ] {
        let store = chain(5);
        for number in &removed {
            store.0.lock().unwrap().remove(&entry(*number));
        }
        assert_eq!(problems(&store), expected, "{removed:?}");
    }
}

#[test]
fn reordered_and_foreign_entries_are_found() {
    let store = chain(4);
    {
        let mut table = store.0.lock().unwrap();
        let (second, third) = (table[&entry(2)].clone(), table[&entry(3)].clone());
        table.insert(entry(2), third);
        table.insert(entry(3), second);
    }
    let found = problems(&store);
    assert!(found.contains(&AuditProblem::Misplaced(2)), "{found:?}");
    assert!(found.contains(&AuditProblem::Misplaced(3)), "{found:?}");

    let store = chain(1);
    let name = "audit/entries/note".to_owned();
    store
        .0
        .lock()
        .unwrap()
        .insert(name.clone(), b"{}"[..].into());
    assert_eq!(problems(&store), [AuditProblem::Foreign(name)]);
}

#[test]
fn a_head_that_is_gone_or_unreadable_is_found() {
    let store = chain(2);
    store.0.lock().unwrap().remove("audit/head");
    assert_eq!(problems(&store), [AuditProblem::NoHead]);
    store
        .0
        .lock()
        .unwrap()
        .insert("audit/head".into(), b"?"[..].into());
    assert_eq!(problems(&store), [AuditProblem::NoHead]);
    let refused = wait(append_audit(&store, &event(3))).unwrap_err();
    assert!(
        refused.to_string().contains("the head of the audit log"),
        "{refused}"
    );
}

#[test]
fn a_process_that_vanished_before_it_moved_the_head_leaves_a_chain_that_holds() {
    let store = chain(2);
    let head = store.0.lock().unwrap()["audit/head"].clone();
    wait(append_audit(&store, &event(3))).unwrap();
    store.0.lock().unwrap().insert("audit/head".into(), head);
    assert_eq!(wait(verify_audit(&store)).unwrap(), (3, Vec::new()));
    wait(append_audit(&store, &event(4))).unwrap();
    assert_eq!(wait(verify_audit(&store)).unwrap(), (4, Vec::new()));
}

#[test]
fn appends_at_once_lose_nothing_and_leave_the_head_at_the_end() {
    let store = Arc::new(Memory::default());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for number in 0..10 {
                        append_audit(&*store, &event(writer * 10 + number))
                            .await
                            .unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(wait(verify_audit(&*store)).unwrap(), (80, Vec::new()));
    // The head stands at the very end, so that the last entry cannot be taken away unseen.
    store.0.lock().unwrap().remove(&entry(80));
    assert_eq!(
        problems(&store),
        [AuditProblem::Head {
            expected: 80,
            found: 79
        }]
    );
    let mut seen: Vec<String> = wait(audit_entries(&*store))
        .unwrap()
        .into_iter()
        .map(|found| found.event.event)
        .collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 79);
}
