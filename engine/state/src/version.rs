//! Lineage and serial, and storing a state: the only place that does.

use terrace_port::{Entropy, LockedState, StateStore, StateVersion, StoreError};

use crate::{State, StateError};

/// Why a state could not be loaded or stored.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is stored is not a state that can be read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A new lineage: a random UUID.
pub fn new_lineage(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// The state of a workspace, without a lock; an empty one when none is stored.
pub async fn load(store: &dyn StateStore, workspace: &str) -> Result<State, StorageError> {
    decode(store.read(workspace).await?)
}

/// The state under a lock; an empty one when none is stored.
pub async fn load_locked(locked: &dyn LockedState) -> Result<State, StorageError> {
    decode(locked.read().await?)
}

fn decode(stored: Option<terrace_port::StoredState>) -> Result<State, StorageError> {
    match stored {
        Some(stored) if !stored.bytes.iter().all(u8::is_ascii_whitespace) => {
            Ok(crate::read(&stored.bytes)?)
        }
        _ => Ok(State::default()),
    }
}

/// What storing `next` over `base` would store: nothing when their content is the same, otherwise `next` with the
/// lineage of `base` (or its own, or a new one, when there is none yet) and the serial after it.
pub fn successor(base: &State, next: &State, entropy: &dyn Entropy) -> Option<State> {
    if next.same_content(base) {
        return None;
    }
    let lineage = [&base.lineage, &next.lineage]
        .into_iter()
        .find(|lineage| !lineage.is_empty());
    Some(State {
        lineage: lineage.cloned().unwrap_or_else(|| new_lineage(entropy)),
        serial: base.serial + 1,
        ..next.clone()
    })
}

/// Stores `next` over `base`, which is what is stored, unless their content is the same. Returns what is stored then.
pub async fn commit(
    locked: &mut dyn LockedState,
    base: &State,
    next: &State,
    entropy: &dyn Entropy,
) -> Result<State, StoreError> {
    let Some(state) = successor(base, next, entropy) else {
        return Ok(base.clone());
    };
    store(locked, &state).await?;
    Ok(state)
}

/// Stores a state with the lineage and serial that it has (`state push`, a [`successor`]).
pub async fn store(locked: &mut dyn LockedState, state: &State) -> Result<(), StoreError> {
    let version = StateVersion {
        lineage: state.lineage.clone(),
        serial: state.serial,
    };
    locked.write(crate::write(state).into(), version).await
}

/// Stores a state whatever the lineage and serial of what is stored (`state push -force`).
pub async fn replace(locked: &mut dyn LockedState, state: &State) -> Result<(), StoreError> {
    locked.overwrite(crate::write(state).into()).await
}

/// Stores what is stored, as it is: where it would be stored otherwise now (encrypted, or with another key), it is then.
pub async fn store_again(locked: &mut dyn LockedState) -> Result<(), StorageError> {
    let Some(stored) = locked.read().await? else {
        return Ok(());
    };
    let version = version_of(&stored.bytes)?;
    Ok(locked.write(stored.bytes, version).await?)
}

/// Lineage and serial of a state file, without reading the rest of it.
pub fn version_of(bytes: &[u8]) -> Result<StateVersion, StateError> {
    crate::wire::version_of(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::tests::sample;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(index % 256).unwrap();
            }
        }
    }

    #[test]
    fn the_serial_grows_only_when_something_changed() {
        let base = sample();
        assert!(
            successor(
                &base,
                &State {
                    serial: 99,
                    lineage: "x".into(),
                    ..base.clone()
                },
                &Counting
            )
            .is_none()
        );
        let mut next = base.clone();
        next.resources.clear();
        let stored = successor(&base, &next, &Counting).unwrap();
        assert_eq!((stored.serial, &*stored.lineage), (4, "line"));
    }

    #[test]
    fn a_first_state_begins_a_lineage() {
        let stored = successor(
            &State::default(),
            &State {
                lineage: String::new(),
                ..sample()
            },
            &Counting,
        )
        .unwrap();
        assert_eq!(
            (stored.serial, &*stored.lineage),
            (1, "00010203-0405-4607-8809-0a0b0c0d0e0f")
        );
        let line = version_of(&crate::write(&stored)).unwrap();
        assert_eq!((line.serial, line.lineage), (1, stored.lineage));
    }
}
