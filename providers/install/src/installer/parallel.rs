//! The same work for several things at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

/// How many providers are worked on at once.
const THREADS: usize = 8;

/// Does `work` for each item, on several threads. What it tells is handed to `on_event` on this thread, as it happens.
/// The results are in the order of the items.
pub(super) fn each<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T, &mut dyn FnMut(E)) -> R + Sync,
    on_event: &mut dyn FnMut(&E),
) -> Vec<R> {
    if let [one] = items {
        return vec![work(one, &mut |event| on_event(&event))];
    }
    let next = AtomicUsize::new(0);
    let mut results: Vec<(usize, R)> = Vec::new();
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..THREADS.min(items.len()) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    // Whoever listens does so until all threads have ended.
                    let mut tell = |event| sender.send(Message::Event(event)).unwrap_or(());
                    let result = work(item, &mut tell);
                    sender.send(Message::Result(index, result)).unwrap_or(());
                }
            });
        }
        drop(sender);
        for message in receiver {
            match message {
                Message::Event(event) => on_event(&event),
                Message::Result(index, result) => results.push((index, result)),
            }
        }
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

enum Message<E, R> {
    Event(E),
    Result(usize, R),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_every_event_arrives() {
        let items: Vec<usize> = (0..100).collect();
        let mut events = Vec::new();
        let results = each(
            &items,
            |item, tell| {
                tell(*item);
                item * 2
            },
            &mut |event| events.push(*event),
        );
        assert_eq!(
            results,
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        events.sort_unstable();
        assert_eq!(events, items);
        assert!(each(&[], |_: &u8, _: &mut dyn FnMut(u8)| (), &mut |_| {}).is_empty());
    }
}
