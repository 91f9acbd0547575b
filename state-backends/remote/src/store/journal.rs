//! The journal: an object for each batch of frames.
//!
//! Names carry epoch and sequence number and are created, never replaced; so two writers cannot write over each other, and
//! the order of names is that of events. Emptying the journal first writes how far it is empty, which decides, and then
//! deletes: a batch that a former holder's request brings late, after that, is behind the mark and not read.
//!
//! Who holds the lock and has read the journal knows what is there: nobody else writes to it. So a run looks once, and neither
//! its first batch nor emptying the journal asks for what is there again.

use std::sync::Arc;

use async_trait::async_trait;
use terrace_port::{JournalStore, StoreError};

use super::Parts;
use super::aside::{self, Aside};
use crate::{Put, Version};

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
    /// The epoch; `None` before the journal was looked at.
    epoch: Option<u64>,
    /// What is there; `None` where it must be looked at.
    known: Option<Known>,
    /// Every frame so far, for a journal that must be kept elsewhere.
    frames: Vec<Vec<u8>>,
    /// Set once it is.
    pub(super) aside: Option<Aside>,
}

impl Written {
    /// What is known under an epoch; what was under another one is forgotten.
    fn under(&mut self, epoch: u64) -> &mut Option<Known> {
        if self.epoch != Some(epoch) {
            self.epoch = Some(epoch);
            self.known = None;
            self.frames.clear();
        }
        &mut self.known
    }
}

/// A journal as it was found, and as it has been written since.
struct Known {
    /// Where it goes on.
    next: Position,
    /// All batches, those that do not count among them.
    names: Vec<String>,
    /// Whether any of them counts.
    is_used: bool,
    /// The version of what says how far it is empty; `None` where nothing does.
    mark: Option<Version>,
}

impl Known {
    fn new(batches: &Batches, epoch: u64) -> Self {
        let last = batches.live.last().map(|(position, _)| *position);
        let next = match last.max(batches.floor) {
            Some(last) if last.epoch >= epoch => Position {
                epoch: last.epoch,
                sequence: last.sequence + 1,
            },
            _ => Position { epoch, sequence: 1 },
        };
        let live = batches.live.iter().map(|(_, name)| name);
        Self {
            next,
            names: batches.dead.iter().chain(live).cloned().collect(),
            is_used: last.is_some(),
            mark: batches.mark.clone(),
        }
    }

    /// How far the journal is empty once it is emptied: over all that is there, and over what a former holder may still send.
    fn end(&self) -> Position {
        Position {
            sequence: self.next.sequence - 1,
            ..self.next
        }
    }

    fn add(&mut self, name: String) {
        self.next.sequence += 1;
        self.names.push(name);
        self.is_used = true;
    }
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
    /// The version of what says where the floor is.
    mark: Option<Version>,
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
        let (mut floor, mut mark) = (None, None);
        if names.contains(&floor_name) {
            if let Some(object) = self.parts.get(&floor_name).await? {
                let text = String::from_utf8_lossy(&object.bytes);
                floor = Position::parse(text.trim());
                mark = Some(object.version);
            }
        }
        let prefix = self.parts.own(&self.workspace, "journal/");
        let mut batches = Batches {
            live: Vec::new(),
            dead: Vec::new(),
            floor,
            mark,
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

    /// Looks at what is there, to go on under an epoch.
    async fn look(&self, epoch: u64) -> Result<Known, StoreError> {
        Ok(Known::new(&self.batches().await?, epoch))
    }

    /// Writes a batch behind all others of this epoch.
    async fn append_there(
        &self,
        written: &mut Written,
        frames: &[Vec<u8>],
    ) -> Result<(), StoreError> {
        let bytes = pack(frames)?;
        let epoch = self.epoch().await?;
        let known = written.under(epoch);
        // Put back once it is known again what is there.
        let mut there = match known.take() {
            Some(there) => there,
            None => self.look(epoch).await?,
        };
        loop {
            let name = self.batch_name(there.next);
            let put = self.parts.put_over(&name, &bytes, None, None).await?;
            if let Put::Written(_) = put {
                there.add(name);
                *known = Some(there);
                return match self.parts.holding(&self.workspace) {
                    Some(holding) => holding.confirm().await,
                    None => Ok(()),
                };
            }
            if let Some(holding) = self.parts.holding(&self.workspace) {
                holding.prove().await?;
            }
            there = self.look(epoch).await?;
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
        let mut gone = None;
        loop {
            let batches = self.found().await?;
            let names: Vec<String> = batches.live.into_iter().map(|(_, name)| name).collect();
            let objects = self.parts.get_all(&names).await?;
            let missing = names.iter().zip(&objects).find(|(_, it)| it.is_none());
            if let Some((name, _)) = missing {
                // Somebody may have emptied the journal since it was looked at, and has said so before.
                if gone.as_ref() == Some(name) {
                    return Err(self.damaged(name, "is gone"));
                }
                gone = Some(name.clone());
                continue;
            }
            let mut frames = Vec::new();
            for (name, object) in names.iter().zip(objects.iter().flatten()) {
                unpack(&object.bytes, &mut frames).ok_or_else(|| {
                    self.damaged(name, "does not have the content that was written")
                })?;
            }
            return Ok(frames);
        }
    }

    /// The batches that are there. Who holds the lock remembers them.
    async fn found(&self) -> Result<Batches, StoreError> {
        let Some(holding) = self.parts.holding(&self.workspace) else {
            return self.batches().await;
        };
        let mut journals = self.parts.journals.lock().await;
        let batches = self.batches().await?;
        let written = journals.entry(self.workspace.clone()).or_default();
        let epoch = holding.epoch();
        *written.under(epoch) = Some(Known::new(&batches, epoch));
        Ok(batches)
    }

    /// Empties what the store has of the journal.
    async fn clear_there(&self, written: &mut Written) -> Result<(), StoreError> {
        let holding = self.parts.holding(&self.workspace);
        if let Some(holding) = &holding {
            if let Some(known) = written.under(holding.epoch()).take() {
                holding.confirm_soon().await?;
                if self.empty(&known).await? {
                    return Ok(());
                }
            }
            holding.prove().await?;
        }
        let known = self.look(self.epoch().await?).await?;
        if self.empty(&known).await? {
            return Ok(());
        }
        Err(StoreError::Conflict(
            "someone else empties the journal at the same time".into(),
        ))
    }

    /// Says that the journal is empty, and then deletes what is known to be there. Whether it could be said: not where
    /// somebody else has.
    async fn empty(&self, known: &Known) -> Result<bool, StoreError> {
        if known.is_used {
            let text = format!("{}\n", known.end().name());
            let name = self.floor_name();
            let put = self
                .parts
                .put_over(&name, text.as_bytes(), known.mark.as_ref(), None);
            if put.await? == Put::Refused {
                return Ok(false);
            }
        }
        self.parts.delete_all(&known.names).await?;
        Ok(true)
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
        let mut journals = self.parts.journals.lock().await;
        let written = journals.entry(self.workspace.clone()).or_default();
        self.clear_there(written).await?;
        if let Some(path) = self.parts.aside_file(&self.workspace) {
            aside::remove(&path)?;
        }
        self.parts.drop_staged(&self.workspace)?;
        journals.remove(&self.workspace);
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
