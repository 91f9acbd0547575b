//! The writes of a transfer, in the one order that no crash can turn into a loss.

use terrace_port::{Entropy, JournalStore, LockedState};

use super::{Judgement, Role, Transfer};
use crate::journal::Frame;
use crate::operations::Move;
use crate::{State, StorageError, load_locked, store, successor};

/// One end of a transfer, with its lock held.
pub struct Party<'a> {
    /// The state.
    pub locked: &'a mut dyn LockedState,
    /// The journal beside it.
    pub journal: &'a dyn JournalStore,
}

/// What is stored of both states.
#[derive(Clone, Debug, Default)]
pub struct Both {
    /// The state that objects leave.
    pub source: State,
    /// The state that gets them.
    pub destination: State,
}

/// What came of settling a transfer that was interrupted.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// What was found.
    pub judgement: Judgement,
    /// The states as they were found.
    pub before: Both,
    /// The states as they are now.
    pub after: Both,
    /// Whether a person must say first to whom unclear objects belong. Nothing was written then.
    pub is_open: bool,
}

impl Settlement {
    /// Whether everything has arrived and nothing is left where it was.
    pub fn is_complete(&self) -> bool {
        !self.is_open && self.judgement.stay.is_empty() && self.judgement.unclear.is_empty()
    }
}

/// Writes both states: intents first, then the destination, then the source, then the intents' end. Both journals are
/// empty before. Where a write fails, the journals hold what [`settle`] needs.
pub async fn carry_out(
    transfer: &Transfer,
    (source, destination): (&mut Party<'_>, &mut Party<'_>),
    (before, after): (&Both, &Both),
    entropy: &dyn Entropy,
) -> Result<Both, StorageError> {
    let frame = |role| [Frame::Transfer(Box::new(transfer.for_role(role))).encode()];
    source.journal.append(&frame(Role::Source)).await?;
    destination
        .journal
        .append(&frame(Role::Destination))
        .await?;
    let stored = Both {
        destination: write(
            destination,
            &before.destination,
            &after.destination,
            entropy,
        )
        .await?,
        source: write(source, &before.source, &after.source, entropy).await?,
    };
    destination.journal.clear().await?;
    source.journal.clear().await?;
    Ok(stored)
}

async fn write(
    party: &mut Party<'_>,
    base: &State,
    next: &State,
    entropy: &dyn Entropy,
) -> Result<State, StorageError> {
    let Some(state) = successor(base, next, entropy) else {
        return Ok(base.clone());
    };
    store(party.locked, &state).await?;
    Ok(state)
}

/// Completes a transfer that was interrupted, or leaves everything where it was, as [`Transfer::judge`] finds; then empties
/// the journals. Objects that are unclear belong to the end `keep`; without it nothing is done where there are any.
pub async fn settle(
    transfer: &Transfer,
    (source, destination): (&mut Party<'_>, &mut Party<'_>),
    keep: Option<Role>,
    entropy: &dyn Entropy,
) -> Result<Settlement, StorageError> {
    let before = Both {
        source: load_locked(source.locked).await?,
        destination: load_locked(destination.locked).await?,
    };
    let announced = holds(destination, transfer).await?;
    let judgement = transfer.judge(&before.source, &before.destination, announced);
    let mut settlement = Settlement {
        after: before.clone(),
        before,
        judgement,
        is_open: false,
    };
    let judgement = &settlement.judgement;
    let mut to_remove = judgement.to_remove.clone();
    match keep {
        None if !judgement.unclear.is_empty() => {
            settlement.is_open = true;
            return Ok(settlement);
        }
        Some(Role::Destination) => to_remove.extend(judgement.unclear.iter().cloned()),
        _ => {}
    }
    if !to_remove.is_empty() {
        let base = &settlement.before.source;
        let rest = without(base, &to_remove);
        settlement.after.source = write(source, base, &rest, entropy).await?;
    }
    end(destination, transfer).await?;
    end(source, transfer).await?;
    Ok(settlement)
}

async fn end(party: &Party<'_>, transfer: &Transfer) -> Result<(), StorageError> {
    if holds(party, transfer).await? {
        party.journal.clear().await?;
    }
    Ok(())
}

async fn holds(party: &Party<'_>, transfer: &Transfer) -> Result<bool, StorageError> {
    let found = Transfer::in_journal(&party.journal.read().await?)?;
    Ok(found.is_some_and(|found| found.id == transfer.id))
}

fn without(state: &State, moves: &[Move]) -> State {
    let mut rest = state.clone();
    for Move { from, .. } in moves {
        if let Some(resource) = rest.resources.get_mut(&from.resource) {
            resource.instances.remove(&from.key);
            if resource.instances.is_empty() {
                rest.resources.remove(&from.resource);
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use futures::executor::block_on;
    use terrace_port::{StateVersion, StoreError, StoredState};

    use super::*;
    use crate::operations::{relocate, same_addresses};
    use crate::state::tests::sample;
    use crate::transfer::End;

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    /// How many writes a process may still make before it dies, and whether its last one takes effect.
    struct Fuse {
        left: AtomicUsize,
        /// Whether the write at which it dies is done.
        last_counts: bool,
    }

    impl Fuse {
        /// Makes a write, if the process lives.
        fn write(&self, effect: impl FnOnce()) -> Result<(), StoreError> {
            let dead = || Err(StoreError::LockLost("the process is dead".into()));
            match self.left.load(Ordering::SeqCst) {
                0 => dead(),
                1 => {
                    self.left.store(0, Ordering::SeqCst);
                    if self.last_counts {
                        effect();
                    }
                    dead()
                }
                left => {
                    self.left.store(left - 1, Ordering::SeqCst);
                    effect();
                    Ok(())
                }
            }
        }
    }

    #[derive(Clone, Default)]
    struct Disk {
        state: Arc<Mutex<Option<Arc<[u8]>>>>,
        journal: Arc<Mutex<Vec<Vec<u8>>>>,
    }

    struct Handle<'a> {
        disk: Disk,
        fuse: &'a Fuse,
    }

    #[async_trait]
    impl LockedState for Handle<'_> {
        fn epoch(&self) -> u64 {
            1
        }
        async fn read(&self) -> Result<Option<StoredState>, StoreError> {
            let bytes = self.disk.state.lock().unwrap().clone();
            Ok(bytes.map(|bytes| StoredState { bytes }))
        }
        async fn write(&mut self, bytes: Arc<[u8]>, _: StateVersion) -> Result<(), StoreError> {
            self.overwrite(bytes).await
        }
        async fn overwrite(&mut self, bytes: Arc<[u8]>) -> Result<(), StoreError> {
            self.fuse
                .write(|| *self.disk.state.lock().unwrap() = Some(bytes))
        }
        async fn unlock(self: Box<Self>) -> Result<(), StoreError> {
            Ok(())
        }
    }

    #[async_trait]
    impl JournalStore for Handle<'_> {
        async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
            self.fuse
                .write(|| self.disk.journal.lock().unwrap().extend(frames.to_vec()))
        }
        async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
            Ok(self.disk.journal.lock().unwrap().clone())
        }
        async fn clear(&self) -> Result<(), StoreError> {
            self.fuse
                .write(|| self.disk.journal.lock().unwrap().clear())
        }
    }

    fn fuse(left: usize, last_counts: bool) -> Fuse {
        Fuse {
            left: AtomicUsize::new(left),
            last_counts,
        }
    }

    /// Runs `act` with both ends open.
    async fn with_parties<T>(
        disks: &(Disk, Disk),
        fuse: &Fuse,
        act: impl AsyncFnOnce(&mut Party<'_>, &mut Party<'_>) -> T,
    ) -> T {
        let handle = |disk: &Disk| Handle {
            disk: disk.clone(),
            fuse,
        };
        let journals = (handle(&disks.0), handle(&disks.1));
        let (mut source, mut destination) = (handle(&disks.0), handle(&disks.1));
        let mut source = Party {
            locked: &mut source,
            journal: &journals.0,
        };
        let mut destination = Party {
            locked: &mut destination,
            journal: &journals.1,
        };
        act(&mut source, &mut destination).await
    }

    fn names(state: &State) -> Vec<String> {
        let all = state.instances();
        all.map(|(address, _, _)| address.to_string()).collect()
    }

    fn read(disk: &Disk) -> State {
        let bytes = disk.state.lock().unwrap().clone();
        bytes.map_or_else(State::default, |bytes| crate::read(&bytes).unwrap())
    }

    /// Moves two of four instances, dies at the write `point`, and recovers, dying again at each write of that.
    fn dies_at(point: usize, last_counts: bool) -> bool {
        let disks = (Disk::default(), Disk::default());
        *disks.0.state.lock().unwrap() = Some(crate::write(&sample()).into());
        let before = Both {
            source: read(&disks.0),
            destination: State::default(),
        };
        let moves = same_addresses(&before.source, &"t.a".parse().unwrap()).unwrap();
        let (source, destination) = relocate(&before.source, &State::default(), &moves).unwrap();
        let after = Both {
            source,
            destination,
        };
        let end = |state: &State| End {
            lineage: state.lineage.clone(),
            serial: state.serial,
            ..End::default()
        };
        let transfer = Transfer::new(
            "id".into(),
            Role::Source,
            (end(&before.source), end(&before.destination)),
            (&before.source, &moves),
        );
        let first = fuse(point, last_counts);
        let done = block_on(with_parties(&disks, &first, async |source, destination| {
            carry_out(&transfer, (source, destination), (&before, &after), &Zeros).await
        }));
        let mut deaths = 0;
        loop {
            let left = block_on(with_parties(&disks, &fuse(100, true), async |source, _| {
                Transfer::in_journal(&source.journal.read().await.unwrap()).unwrap()
            }));
            let Some(left) = left else { break };
            let again = fuse(1 + deaths, deaths % 2 == 0);
            let settled = block_on(with_parties(&disks, &again, async |source, destination| {
                settle(&left, (source, destination), None, &Zeros).await
            }));
            assert!(settled.is_err() || !settled.unwrap().is_open);
            deaths += 1;
            assert!(deaths < 20, "recovery does not end");
        }
        let (source, destination) = (read(&disks.0), read(&disks.1));
        let mut all = names(&source);
        all.extend(names(&destination));
        all.sort();
        let mut wanted = names(&sample());
        wanted.sort();
        assert_eq!(all, wanted, "point {point}, {last_counts}");
        let moved = names(&destination).len();
        assert!(moved == 0 || moved == 2);
        let journals_are_empty = disks.0.journal.lock().unwrap().is_empty()
            && disks.1.journal.lock().unwrap().is_empty();
        assert!(journals_are_empty, "point {point}, {last_counts}");
        done.is_ok()
    }

    #[test]
    fn a_process_may_die_at_every_write() {
        for last_counts in [false, true] {
            let mut point = 1;
            while !dies_at(point, last_counts) {
                point += 1;
            }
            // Two intents, two states, two ends.
            assert_eq!(point, 7);
        }
    }
}
