//! The journal: an append-only file of framed records.
//!
//! The file begins with eight bytes of magic. A frame is its length (u32), a CRC-32 of all that follows it in the frame
//! (u32), its sequence number from 1 (u64), the sequence number of the first frame of the same append (u64), and its
//! bytes; integers are little-endian. An append is one write and one `fdatasync`.
//!
//! A frame that is damaged belongs to the torn tail, and is dropped with all behind it, unless a whole frame of a *later
//! append* follows: that append began only after the damaged one was durable, so the file was damaged afterwards.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use async_trait::async_trait;
use terrace_port::{JournalStore, StoreError};

use crate::files::{self, unavailable};

const MAGIC: &[u8; 8] = b"TERRACEJ";
const HEADER: usize = 24;

/// A journal in one file.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    open: Mutex<Option<Tail>>,
}

#[derive(Debug)]
struct Tail {
    file: File,
    next: u64,
}

struct Scan {
    frames: Vec<Vec<u8>>,
    /// Length of the sound part of the file.
    end: usize,
    next: u64,
}

struct Header {
    length: usize,
    checksum: u32,
    sequence: u64,
    batch: u64,
}

impl JournalFile {
    /// The journal in the file at `path`, which need not be there yet.
    pub const fn new(path: PathBuf) -> Self {
        Self {
            path,
            open: Mutex::new(None),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn open_tail(&self) -> Result<Tail, StoreError> {
        let fail = |what: &str| unavailable(format!("{what} the journal {}", self.path.display()));
        let bytes = files::read(&self.path).map_err(fail("reading"))?;
        let scan = scan(bytes.as_deref().unwrap_or_default())?;
        std::fs::create_dir_all(files::parent(&self.path)).map_err(fail("creating"))?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true).read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path).map_err(fail("opening"))?;
        file.set_len(scan.end as u64).map_err(fail("truncating"))?;
        file.seek(SeekFrom::End(0)).map_err(fail("opening"))?;
        if scan.end == 0 {
            file.write_all(MAGIC).map_err(fail("creating"))?;
        }
        file.sync_all().map_err(fail("creating"))?;
        files::sync_directory(files::parent(&self.path)).map_err(fail("creating"))?;
        Ok(Tail {
            file,
            next: scan.next,
        })
    }

    fn append_frames(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        if frames.is_empty() {
            return Ok(());
        }
        let mut open = self
            .open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Taken out while writing: after a failure the file is looked at afresh.
        let mut tail = match open.take() {
            Some(tail) => tail,
            None => self.open_tail()?,
        };
        let mut bytes = Vec::with_capacity(frames.iter().map(|frame| frame.len() + HEADER).sum());
        let batch = tail.next;
        for frame in frames {
            encode(frame, tail.next, batch, &mut bytes)?;
            tail.next += 1;
        }
        let fail = || unavailable(format!("writing the journal {}", self.path.display()));
        tail.file.write_all(&bytes).map_err(fail())?;
        tail.file.sync_data().map_err(fail())?;
        *open = Some(tail);
        Ok(())
    }
}

fn encode(frame: &[u8], sequence: u64, batch: u64, out: &mut Vec<u8>) -> Result<(), StoreError> {
    let length = u32::try_from(frame.len()).map_err(|_| {
        StoreError::Refused(format!(
            "a journal frame of {} bytes is too long",
            frame.len()
        ))
    })?;
    out.extend_from_slice(&length.to_le_bytes());
    let checksum_at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&sequence.to_le_bytes());
    out.extend_from_slice(&batch.to_le_bytes());
    out.extend_from_slice(frame);
    let checksum = crc32fast::hash(&out[checksum_at + 4..]);
    out[checksum_at..checksum_at + 4].copy_from_slice(&checksum.to_le_bytes());
    Ok(())
}

fn header(bytes: &[u8]) -> Option<Header> {
    let word = |at: usize| {
        bytes
            .get(at..at + 4)
            .and_then(|slice| slice.try_into().ok())
            .map(u32::from_le_bytes)
    };
    let long = |at: usize| {
        bytes
            .get(at..at + 8)
            .and_then(|slice| slice.try_into().ok())
            .map(u64::from_le_bytes)
    };
    Some(Header {
        length: word(0)? as usize,
        checksum: word(4)?,
        sequence: long(8)?,
        batch: long(16)?,
    })
}

/// The whole frame at the beginning of `bytes`, whatever its number.
fn frame(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let header = header(bytes)?;
    let covered = bytes.get(8..HEADER.checked_add(header.length)?)?;
    (header.sequence > 0 && crc32fast::hash(covered) == header.checksum)
        .then(|| (header, &covered[HEADER - 8..]))
}

fn scan(bytes: &[u8]) -> Result<Scan, StoreError> {
    if !bytes.starts_with(MAGIC) {
        // The crash came while the file was made: a part of the magic, and nothing behind it.
        let n_written = bytes
            .iter()
            .zip(MAGIC)
            .take_while(|(found, expected)| found == expected)
            .count();
        if bytes[n_written..].iter().all(|byte| *byte == 0) {
            return Ok(Scan {
                frames: Vec::new(),
                end: 0,
                next: 1,
            });
        }
        return Err(StoreError::Corrupt(
            "the journal file does not begin as a journal".into(),
        ));
    }
    let mut scan = Scan {
        frames: Vec::new(),
        end: MAGIC.len(),
        next: 1,
    };
    while scan.end < bytes.len() {
        let rest = &bytes[scan.end..];
        match frame(rest) {
            Some((header, content)) if header.sequence == scan.next => {
                scan.frames.push(content.to_vec());
                scan.end += HEADER + header.length;
                scan.next += 1;
            }
            _ => {
                check_torn(rest, &scan)?;
                break;
            }
        }
    }
    Ok(scan)
}

/// Refuses a damage that a frame of a later append follows.
fn check_torn(rest: &[u8], scan: &Scan) -> Result<(), StoreError> {
    for offset in 0..rest.len().saturating_sub(HEADER - 1) {
        let Some(candidate) = header(&rest[offset..]) else {
            break;
        };
        let plausible = candidate.batch > scan.next
            && candidate.sequence >= candidate.batch
            && candidate.sequence - scan.next <= rest.len() as u64;
        if plausible && frame(&rest[offset..]).is_some() {
            return Err(StoreError::Corrupt(format!(
                "frame {} of the journal, at byte {}, is damaged, and sound frames follow it",
                scan.next, scan.end
            )));
        }
    }
    Ok(())
}

#[async_trait]
impl JournalStore for JournalFile {
    async fn append(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.append_frames(frames)
    }

    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let bytes = files::read(&self.path).map_err(unavailable(format!(
            "reading the journal {}",
            self.path.display()
        )))?;
        Ok(scan(bytes.as_deref().unwrap_or_default())?.frames)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let mut open = self
            .open
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *open = None;
        let clear = || -> io::Result<()> {
            match File::options().write(true).open(&self.path) {
                Ok(file) => {
                    file.set_len(0)?;
                    file.sync_all()
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            }
        };
        clear().map_err(unavailable(format!(
            "emptying the journal {}",
            self.path.display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    fn journal() -> (tempfile::TempDir, JournalFile) {
        let directory = tempfile::tempdir().unwrap();
        let journal = JournalFile::new(directory.path().join("deep/journal"));
        (directory, journal)
    }

    fn bytes(journal: &JournalFile) -> Vec<u8> {
        files::read(journal.path()).unwrap().unwrap().to_vec()
    }

    fn put(journal: &JournalFile, bytes: &[u8]) -> JournalFile {
        files::write(journal.path(), bytes, true).unwrap();
        JournalFile::new(journal.path().to_owned())
    }

    #[test]
    fn frames_come_back_and_are_cleared() {
        let (_directory, journal) = journal();
        block_on(async {
            assert!(journal.read().await.unwrap().is_empty());
            journal
                .append(&[b"one".to_vec(), Vec::new()])
                .await
                .unwrap();
            journal.append(&[b"three".to_vec()]).await.unwrap();
            assert_eq!(
                journal.read().await.unwrap(),
                [b"one".to_vec(), Vec::new(), b"three".to_vec()]
            );
            journal.clear().await.unwrap();
            assert!(journal.read().await.unwrap().is_empty());
            journal.append(&[b"again".to_vec()]).await.unwrap();
            assert_eq!(journal.read().await.unwrap(), [b"again".to_vec()]);
        });
    }

    #[test]
    fn a_zero_filled_tail_is_dropped_and_written_over() {
        let (_directory, journal) = journal();
        block_on(async {
            journal.append(&[b"one".to_vec()]).await.unwrap();
            let mut torn = bytes(&journal);
            torn.extend_from_slice(&[0; 5000]);
            let journal = put(&journal, &torn);
            assert_eq!(journal.read().await.unwrap().len(), 1);
            journal.append(&[b"two".to_vec()]).await.unwrap();
            assert_eq!(
                journal.read().await.unwrap(),
                [b"one".to_vec(), b"two".to_vec()]
            );
            assert_eq!(put(&journal, &[0; 100]).read().await.unwrap().len(), 0);
        });
    }

    #[test]
    fn damage_before_the_tail_is_detected_and_a_torn_append_is_not_damage() {
        let (_directory, journal) = journal();
        block_on(async {
            journal.append(&[b"one".to_vec()]).await.unwrap();
            let first = bytes(&journal).len();
            journal
                .append(&[b"two".to_vec(), b"three".to_vec()])
                .await
                .unwrap();
            let sound = bytes(&journal);

            let mut damaged = sound.clone();
            damaged[first - 1] ^= 1;
            assert!(matches!(
                put(&journal, &damaged).read().await,
                Err(StoreError::Corrupt(_))
            ));

            // The first frame of the last append is lost, its second is there: the append was never acknowledged.
            let mut torn = sound.clone();
            torn[first..first + HEADER + 3].fill(0);
            assert_eq!(
                put(&journal, &torn).read().await.unwrap(),
                [b"one".to_vec()]
            );

            let mut foreign = sound;
            foreign[0] = b'X';
            assert!(matches!(
                put(&journal, &foreign).read().await,
                Err(StoreError::Corrupt(_))
            ));
        });
    }
}
