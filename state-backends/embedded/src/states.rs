//! State files in the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use terrace_port::{StateVersion, StoreError, StoredState};

use crate::database::{BACKUPS, BEFORE, PIECES, STATES, VERSIONS, failed, table};
use crate::pieces::{Difference, difference, split};

/// All pieces of a workspace, in order.
fn pieces(
    table: &impl ReadableTable<(&'static str, u64), &'static [u8]>,
    workspace: &str,
) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
    let rows = table
        .range((workspace, 0)..=(workspace, u64::MAX))
        .map_err(failed)?;
    rows.map(|row| {
        let (key, piece) = row.map_err(failed)?;
        Ok((key.value().1, piece.value().to_vec()))
    })
    .collect()
}

fn joined<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<StoredState> {
    let bytes: Vec<u8> = pieces.into_iter().flatten().copied().collect();
    (!bytes.is_empty()).then(|| StoredState {
        bytes: bytes.into(),
    })
}

/// The state of a workspace.
pub(crate) fn read(
    transaction: &ReadTransaction,
    workspace: &str,
) -> Result<Option<StoredState>, StoreError> {
    if let Some(states) = table(transaction, STATES)? {
        if let Some(whole) = states.get(workspace).map_err(failed)? {
            return Ok(Some(StoredState {
                bytes: whole.value().into(),
            }));
        }
    }
    match table(transaction, PIECES)? {
        Some(table) => {
            let pieces = pieces(&table, workspace)?;
            Ok(joined(pieces.iter().map(|(_, piece)| &**piece)))
        }
        None => Ok(None),
    }
}

/// The state of a workspace before the last run that wrote.
pub(crate) fn read_before(
    transaction: &ReadTransaction,
    workspace: &str,
) -> Result<Option<StoredState>, StoreError> {
    if let Some(backups) = table(transaction, BACKUPS)? {
        if let Some(whole) = backups.get(workspace).map_err(failed)? {
            return Ok(Some(StoredState {
                bytes: whole.value().into(),
            }));
        }
    }
    let Some(now) = table(transaction, PIECES)? else {
        return Ok(None);
    };
    let mut all: BTreeMap<u64, Vec<u8>> = pieces(&now, workspace)?.into_iter().collect();
    if let Some(before) = table(transaction, BEFORE)? {
        let rows = before
            .range((workspace, 0)..=(workspace, u64::MAX))
            .map_err(failed)?;
        for row in rows {
            let (key, piece) = row.map_err(failed)?;
            match piece.value() {
                Some(piece) => all.insert(key.value().1, piece.to_vec()),
                None => all.remove(&key.value().1),
            };
        }
    }
    Ok(joined(all.values().map(|piece| &**piece)))
}

/// Whether a workspace has this state, by the bytes.
pub(crate) fn is_stored(
    transaction: &WriteTransaction,
    workspace: &str,
    bytes: &[u8],
) -> Result<bool, StoreError> {
    let states = transaction.open_table(STATES).map_err(failed)?;
    if let Some(whole) = states.get(workspace).map_err(failed)? {
        return Ok(whole.value() == bytes);
    }
    let table = transaction.open_table(PIECES).map_err(failed)?;
    let mut rest = bytes;
    for (_, piece) in pieces(&table, workspace)? {
        match rest.strip_prefix(&*piece) {
            Some(behind) => rest = behind,
            None => return Ok(false),
        }
    }
    Ok(rest.is_empty())
}

/// Puts a state in the place of a workspace's, in the pieces that differ. What they were is kept, where this run has not
/// changed them before; `begins` says that it has changed nothing yet.
pub(crate) fn put(
    transaction: &WriteTransaction,
    workspace: &str,
    bytes: &Arc<[u8]>,
    version: &StateVersion,
    begins: bool,
) -> Result<(), StoreError> {
    let mut before = transaction.open_table(BEFORE).map_err(failed)?;
    if begins {
        let all = (workspace, 0)..=(workspace, u64::MAX);
        before.retain_in(all, |_, _| false).map_err(failed)?;
        let mut backups = transaction.open_table(BACKUPS).map_err(failed)?;
        backups.remove(workspace).map_err(failed)?;
    }
    let mut states = transaction.open_table(STATES).map_err(failed)?;
    let whole = states.remove(workspace).map_err(failed)?;
    if let (Some(whole), true) = (&whole, begins) {
        let mut backups = transaction.open_table(BACKUPS).map_err(failed)?;
        backups.insert(workspace, whole.value()).map_err(failed)?;
    }
    let mut table = transaction.open_table(PIECES).map_err(failed)?;
    let stored = pieces(&table, workspace)?;
    let new = split(bytes);
    let Difference { gone, put } = difference(&stored, &new);
    let stored: BTreeMap<u64, &[u8]> = stored.iter().map(|(key, piece)| (*key, &**piece)).collect();
    for key in gone.iter().chain(put.iter().map(|(key, _)| key)) {
        let key = (workspace, *key);
        if before.get(key).map_err(failed)?.is_none() {
            let was = stored.get(&key.1).copied();
            before.insert(key, was).map_err(failed)?;
        }
    }
    for key in gone {
        table.remove((workspace, key)).map_err(failed)?;
    }
    for (key, piece) in put {
        table.insert((workspace, key), piece).map_err(failed)?;
    }
    let mut versions = transaction.open_table(VERSIONS).map_err(failed)?;
    versions
        .insert(workspace, (&*version.lineage, version.serial))
        .map_err(failed)?;
    Ok(())
}

/// Takes out everything of a workspace's state.
pub(crate) fn remove(transaction: &WriteTransaction, workspace: &str) -> Result<(), StoreError> {
    let all = || (workspace, 0)..=(workspace, u64::MAX);
    let mut pieces = transaction.open_table(PIECES).map_err(failed)?;
    pieces.retain_in(all(), |_, _| false).map_err(failed)?;
    let mut before = transaction.open_table(BEFORE).map_err(failed)?;
    before.retain_in(all(), |_, _| false).map_err(failed)?;
    for whole in [STATES, BACKUPS] {
        let mut table = transaction.open_table(whole).map_err(failed)?;
        table.remove(workspace).map_err(failed)?;
    }
    let mut versions = transaction.open_table(VERSIONS).map_err(failed)?;
    versions.remove(workspace).map_err(failed)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use redb::Database;

    use super::*;

    fn state(serial: u64, ids: &[&str]) -> Arc<[u8]> {
        let resource = |id: &&str| {
            format!(
                "    {{\n      \"name\": \"{id}\",\n      \"instances\": [\n        {{\n        }}\n      ]\n    }}"
            )
        };
        let resources: Vec<String> = ids.iter().map(resource).collect();
        let text = format!(
            "{{\n  \"serial\": {serial},\n  \"resources\": [\n{}\n  ]\n}}\n",
            resources.join(",\n")
        );
        text.into_bytes().into()
    }

    fn write(database: &Database, bytes: &Arc<[u8]>, begins: bool) {
        let transaction = database.begin_write().unwrap();
        let version = StateVersion {
            lineage: "l".into(),
            serial: 1,
        };
        put(&transaction, "w", bytes, &version, begins).unwrap();
        assert!(is_stored(&transaction, "w", bytes).unwrap());
        assert!(!is_stored(&transaction, "w", b"another").unwrap());
        transaction.commit().unwrap();
    }

    type Bytes = Option<Arc<[u8]>>;

    fn both(database: &Database) -> (Bytes, Bytes) {
        use redb::ReadableDatabase as _;
        let transaction = database.begin_read().unwrap();
        let bytes = |state: Option<StoredState>| state.map(|state| state.bytes);
        (
            bytes(read(&transaction, "w").unwrap()),
            bytes(read_before(&transaction, "w").unwrap()),
        )
    }

    #[test]
    fn what_was_before_a_run_is_kept_however_often_the_run_writes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let database = Database::create(file.path()).unwrap();
        assert_eq!(both(&database), (None, None));
        let (one, two) = (state(1, &["a", "b", "c"]), state(2, &["a", "c", "d"]));
        let three = state(3, &["b", "c", "d", "e"]);
        write(&database, &one, true);
        assert_eq!(both(&database), (Some(one.clone()), None));
        write(&database, &two, true);
        assert_eq!(both(&database), (Some(two.clone()), Some(one.clone())));
        write(&database, &three, false);
        assert_eq!(both(&database), (Some(three.clone()), Some(one.clone())));
        write(&database, &one, true);
        assert_eq!(both(&database), (Some(one), Some(three)));
        let transaction = database.begin_write().unwrap();
        remove(&transaction, "w").unwrap();
        transaction.commit().unwrap();
        assert_eq!(both(&database), (None, None));
    }

    #[test]
    fn a_state_that_was_stored_whole_goes_into_pieces() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let database = Database::create(file.path()).unwrap();
        let (one, two) = (state(1, &["a", "b"]), state(2, &["b"]));
        let transaction = database.begin_write().unwrap();
        transaction
            .open_table(STATES)
            .unwrap()
            .insert("w", &*one)
            .unwrap();
        assert!(is_stored(&transaction, "w", &one).unwrap());
        transaction.commit().unwrap();
        assert_eq!(both(&database), (Some(one.clone()), None));
        write(&database, &two, true);
        assert_eq!(both(&database), (Some(two.clone()), Some(one)));
        let three = state(3, &["b", "c"]);
        write(&database, &three, true);
        assert_eq!(both(&database), (Some(three), Some(two)));
    }
}
