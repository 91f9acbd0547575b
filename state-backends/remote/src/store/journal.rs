//! The journal: an object for each batch of frames.
//!
//! Names carry epoch and sequence number and are created, never replaced; so two writers cannot write over each other, and
//! the order of names is that of events. Emptying the journal first writes how far it is empty, which decides, and then deletes: a batch that a
//! former holder's request brings late, after that, is behind the mark and not read.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{JournalStore, StoreError};

use super::Parts;
use super::aside::{self, Aside};
use crate::Put;

/// Where a journal goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    epoch: u64,
    sequence: u64,
}

impl Position {
    fn parse(name: &str) -> Option<Self> {
        let (epoch, sequence) = name.split_once('-')?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            sequence: sequence.parse().ok()?,
        })
    }

    fn name(self) -> String {
        format!("{:012}-{:010}", self.epoch, self.sequence)
    }
}

/// What this store has written to a journal under one epoch.
#[derive(Default)]
pub(super) struct Written {
    /// Where it goes on; `None` before the first batch.
    position: Option<Position>,
    /// Every frame so far, for a journal that must be kept elsewhere.
    frames: Vec<Vec<u8>>,
    /// Set once it is.
    pub(super) aside: Option<Aside>,
}

/// Batches of frames as objects.
pub(super) struct RemoteJournal {
    pub(super) parts: Arc<Parts>,
    pub(super) workspace: String,
}

/// What is there: the batches that count, with their names, and those that do not.
struct Batches {
    live: Vec<(Position, String)>,
    dead: Vec<String>,
    floor: Option<Position>,
}

impl RemoteJournal {
    fn batch_name(&self, position: Position) -> String {
        self.parts
            .own(&self.workspace, &format!("journal/{}", position.name()))
    }

    fn floor_name(&self) -> String {
        self.parts.own(&self.workspace, "journal-emptied")
    }

    fn damaged(&self, name: &str, what: &str) -> StoreError {
        StoreError::Corrupt(format!(
            "the journal's batch {} {what}",
            self.parts.objects.place(name)
        ))
    }

    async fn batches(&self) -> Result<Batches, StoreError> {
        self.parts.check(&self.workspace)?;
        let names = self
            .parts
            .list(&self.parts.own(&self.workspace, "journal"))
            .await?;
        let floor_name = self.floor_name();
        let mut floor = None;
        if names.contains(&floor_name) {
            let object = self.parts.get(&floor_name).await?;
            let text = object.map(|object| String::from_utf8_lossy(&object.bytes).into_owned());
            floor = text.as_deref().map(str::trim).and_then(Position::parse);
        }
        let prefix = self.parts.own(&self.workspace, "journal/");
        let mut batches = Batches {
            live: Vec::new(),
            dead: Vec::new(),
            floor,
        };
        for name in names {
            let Some(rest) = name.strip_prefix(&prefix) else {
                continue;
            };
            let position =
                Position::parse(rest).ok_or_else(|| self.damaged(&name, "has no known name"))?;
            if floor.is_some_and(|floor| position <= floor) {
                batches.dead.push(name);
            } else {
                batches.live.push((position, name));
            }
        }
        batches.live.sort_unstable();
        Ok(batches)
    }

    /// The epoch under which this store writes: that of the lock that it holds, or the last.
    async fn epoch(&self) -> Result<u64, StoreError> {
        match self.parts.holding(&self.workspace) {
            Some(holding) => {
                holding.check().await?;
                Ok(holding.epoch())
            }
            None => Ok(self.parts.epoch(&self.workspace).await?.0),
        }
    }

    /// The first free position of an epoch.
    async fn next(&self, epoch: u64) -> Result<Position, StoreError> {
        let batches = self.batches().await?;
        let last = batches.live.last().map(|(position, _)| *position);
        let last = last.max(batches.floor);
        Ok(match last {
            Some(last) if last.epoch >= epoch => Position {
                epoch: last.epoch,
                sequence: last.sequence + 1,
            },
            _ => Position { epoch, sequence: 1 },
        })
    }

    /// Writes a batch behind all others of this epoch.
    async fn append_there(
        &self,
        written: &mut Written,
        frames: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let bytes = pack(frames)?;
        let epoch = self.epoch().await?;
        let mut position = match written.position {
            Some(position) if position.epoch == epoch => position,
            _ => {
                written.frames.clear();
                self.next(epoch).await?
            }
        };
        loop {
            let name = self.batch_name(position);
            let put = self.parts.put_over(&name, &bytes, None, None).await?;
            if let Put::Written(_) = put {
                position.sequence += 1;
                written.position = Some(position);
                return match self.parts.holding(&self.workspace) {
                    Some(holding) => holding.confirm().await,
                    None => Ok(()),
                };
            }
            if let Some(holding) = self.parts.holding(&self.workspace) {
                holding.prove().await?;
            }
            position = self.next(epoch).await?;
        }
    }

    /// Keeps all that was written on this machine, with frames that the store could not take. The error to report.
    async fn keep_aside(
        &self,
        written: &mut Written,
        frames: &[Vec<u8>],
        why: StoreError,
    ) -> StoreError {
        let Some(path) = self.parts.aside_file(&self.workspace) else {
            return why;
        };
        let aside = Aside::new(path, why.told());
        let mut all = std::mem::take(&mut written.frames);
        all.extend_from_slice(frames);
        if let Err(error) = aside.append(&all).await {
            all.truncate(all.len() - frames.len());
            written.frames = all;
            let text = format!("{}; and on this machine: {}", why.told(), error.told());
            return StoreError::Unavailable {
                what: "the journal can be kept nowhere".into(),
                source: text.into(),
            };
        }
        let error = aside.error();
        written.aside = Some(aside);
        error
    }

    /// The frames that the store has.
    async fn read_there(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let names: Vec<String> = self
            .batches()
            .await?
            .live
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        let objects = self.parts.get_all(&names).await?;
        let mut frames = Vec::new();
        for (name, object) in names.iter().zip(objects) {
            let object = object.ok_or_else(|| self.damaged(name, "is gone"))?;
            unpack(&object.bytes, &mut frames)
                .ok_or_else(|| self.damaged(name, "does not have the content that was written"))?;
        }
        Ok(frames)
    }

    async fn clear_there(&self) -> Result<(), StoreError> {
        if let Some(holding) = self.parts.holding(&self.workspace) {
            holding.prove().await?;
        }
        let batches = self.batches().await?;
        if let Some((last, _)) = batches.live.last() {
            let name = self.floor_name();
            let there = self.parts.get(&name).await?.map(|object| object.version);
            let text = format!("{}\n", last.name());
            let put = self
                .parts
                .put_over(&name, text.as_bytes(), there.as_ref(), None);
            if put.await? == Put::Refused {
                return Err(StoreError::Conflict(
                    "someone else empties the journal at the same time".into(),
                ));
            }
        }
        let live = batches.live.into_iter().map(|(_, name)| name);
        for name in batches.dead.into_iter().chain(live) {
            self.parts.delete(&name, None).await?;
        }
        Ok(())
    }
}

/// Frames with length and checksum.
fn pack(frames: &[Vec<u8>]) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    for frame in frames {
        let length = u32::try_from(frame.len()).map_err(|_| {
            StoreError::Refused("a frame of the journal is larger than 4 GB".into())
        })?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(crc32fast::hash(frame).to_be_bytes());
        bytes.extend(frame);
    }
    Ok(bytes)
}

fn unpack(mut bytes: &[u8], frames: &mut Vec<Vec<u8>>) -> Option<()> {
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (checksum, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (frame, rest) = rest.split_at_checked(length)?;
        if crc32fast::hash(frame) != u32::from_be_bytes(*checksum) {
            return None;
        }
        frames.push(frame.to_vec());
        bytes = rest;
    }
    Some(())
}

#[async_trait]
impl JournalStore for RemoteJournal {
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.parts.check(&self.workspace)?;
        let frames = &*self.parts.to_send(&self.workspace, frames).await;
        if frames.is_empty() {
            return Ok(());
        }
        // One batch after the other.
        let mut journals = self.parts.journals.lock().await;
        let written = journals.entry(self.workspace.clone()).or_default();
        if let Some(aside) = &written.aside {
            aside.append(frames).await?;
            return Err(aside.error());
        }
        match self.append_there(written, frames).await {
            Ok(()) => {
                if self.parts.options.aside.is_some() {
                    written.frames.extend_from_slice(frames);
                }
                Ok(())
            }
            Err(why) => Err(self.keep_aside(written, frames, why).await),
        }
    }

    async fn stage(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.parts.stage(&self.workspace, frames).await;
        Ok(())
    }

    fn witness(&self) -> Option<String> {
        self.parts.witness(&self.workspace)
    }

    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let there = self.read_there().await?;
        let Some(path) = self.parts.aside_file(&self.workspace) else {
            return Ok(there);
        };
        let mut frames = aside::read(path).await?;
        // What is kept aside begins with what its run had written to the store before; what follows in the store is another's.
        if !frames.starts_with(&there) {
            frames.extend(there);
        }
        Ok(self.parts.with_staged(&self.workspace, frames).await)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.clear_there().await?;
        if let Some(path) = self.parts.aside_file(&self.workspace) {
            aside::remove(&path)?;
        }
        self.parts.drop_staged(&self.workspace)?;
        self.parts.journals.lock().await.remove(&self.workspace);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_unpacked_as_they_were_packed_and_damage_is_seen() {
        let frames = vec![b"one".to_vec(), Vec::new(), vec![7; 300]];
        let bytes = pack(&frames).unwrap();
        let mut read = Vec::new();
        unpack(&bytes, &mut read).unwrap();
        assert_eq!(read, frames);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x41;
            assert!(unpack(&damaged, &mut Vec::new()).is_none(), "byte {at}");
        }
        for length in [1, 7, 10, 12, bytes.len() - 1] {
            assert!(
                unpack(&bytes[..length], &mut Vec::new()).is_none(),
                "{length}"
            );
        }
    }

    #[test]
    fn names_sort_as_positions_do() {
        let positions = [(0, 1), (1, 9), (1, 10), (9, 1), (10, 1)];
        let names: Vec<String> = positions
            .iter()
            .map(|&(epoch, sequence)| Position { epoch, sequence }.name())
            .collect();
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(Position::parse(&names[2]).unwrap().name(), names[2]);
    }
}
