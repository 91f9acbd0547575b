//! The journal: an append-only file of framed records.
//!
//! The file begins with eight bytes of magic. A frame is its length (u32), a CRC-32 of all that follows it in the frame
//! (u32), its sequence number from 1 (u64), the sequence number of the first frame that was not yet known to be durable
//! when it was written (u64), and its bytes; integers are little-endian. An append is one write and one `fdatasync`, in a
//! thread of its own: frames may be staged meanwhile, which is a write alone.
//!
//! A frame that is damaged belongs to the torn tail, and is dropped with all behind it, unless a whole frame follows that was
//! written after the damaged one was durable: then the file was damaged afterwards.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::channel::oneshot;
use terrace_port::{JournalStore, StoreError};

use crate::files::{self, unavailable};

const MAGIC: &[u8; 8] = b"TERRACEJ";
const HEADER: usize = 24;

/// A journal in one file.
#[derive(Debug)]
pub struct JournalFile {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    open: Mutex<Option<Tail>>,
}

#[derive(Debug)]
struct Tail {
    file: Arc<File>,
    next: u64,
    /// The first frame that is not known to be durable.
    durable: u64,
    /// Where the next append goes.
    end: u64,
    /// Up to here the disk has room for the file.
    reserved: u64,
}

/// Room is reserved in pieces of this size at least, so that it is seldom asked for.
const PIECE: u64 = 256 << 10;

impl Tail {
    /// Has room for so many bytes behind the end.
    fn reserve(&mut self, bytes: u64) -> io::Result<()> {
        let wanted = self.end.saturating_add(bytes);
        if wanted <= self.reserved {
            return Ok(());
        }
        room::reserve(&self.file, wanted.saturating_add(PIECE))
            .or_else(|_| room::reserve(&self.file, wanted))?;
        self.reserved = wanted;
        Ok(())
    }

    /// Whether the file is still the journal: who clears it takes it out of its directory.
    fn is_there(&self) -> io::Result<bool> {
        #[cfg(unix)]
        return Ok(std::os::unix::fs::MetadataExt::nlink(&self.file.metadata()?) > 0);
        #[cfg(not(unix))]
        Ok(true)
    }

    /// Writes behind the end. After a failure nothing of it is there, and the room that is reserved still is.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = &*self.file;
        file.seek(SeekFrom::Start(self.end))?;
        if let Err(error) = file.write_all(bytes) {
            // Wiped, not cut off: that would give the room to others.
            let torn = file.metadata()?.len().saturating_sub(self.end);
            file.seek(SeekFrom::Start(self.end))?;
            io::copy(&mut io::repeat(0).take(torn), &mut file)?;
            return Err(error);
        }
        self.end += bytes.len() as u64;
        Ok(())
    }
}

/// Room on a disk.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod room {
    use std::fs::File;
    use std::io;

    use nix::errno::Errno;
    use nix::fcntl::{FallocateFlags, fallocate};

    /// Makes the disk have room for the file up to a length, without changing the file's.
    pub(super) fn reserve(file: &File, length: u64) -> io::Result<()> {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        match fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, 0, length) {
            Err(error @ (Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG)) => Err(error.into()),
            // Not every file system can promise room.
            _ => Ok(()),
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod room {
    use std::fs::File;
    use std::io;

    #[expect(clippy::unnecessary_wraps, reason = "other systems can refuse")]
    pub(super) fn reserve(_: &File, _: u64) -> io::Result<()> {
        Ok(())
    }
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
    pub fn new(path: PathBuf) -> Self {
        Self {
            inner: Arc::new(Inner {
                path,
                open: Mutex::new(None),
            }),
        }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }
}

impl Inner {
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
        let end = if scan.end == 0 {
            file.write_all(MAGIC).map_err(fail("creating"))?;
            MAGIC.len()
        } else {
            scan.end
        };
        file.sync_all().map_err(fail("creating"))?;
        files::sync_directory(files::parent(&self.path)).map_err(fail("creating"))?;
        Ok(Tail {
            file: Arc::new(file),
            next: scan.next,
            durable: scan.next,
            end: end as u64,
            reserved: end as u64,
        })
    }

    fn open(&self) -> MutexGuard<'_, Option<Tail>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reserve_room(&self, bytes: u64) -> Result<(), StoreError> {
        let mut open = self.open();
        let mut tail = match open.take() {
            Some(tail) => tail,
            None => self.open_tail()?,
        };
        let reserved = tail.reserve(bytes);
        *open = Some(tail);
        reserved.map_err(unavailable(format!(
            "reserving room for {bytes} bytes in the journal {}",
            self.path.display()
        )))
    }

    /// Writes frames behind the others, not yet durably.
    fn write(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        if frames.is_empty() {
            return Ok(());
        }
        let mut open = self.open();
        // Taken out while writing: after most failures the file is looked at afresh.
        let mut tail = match open.take() {
            Some(tail) => tail,
            None => self.open_tail()?,
        };
        let mut bytes = Vec::with_capacity(frames.iter().map(|frame| frame.len() + HEADER).sum());
        for (number, frame) in (tail.next..).zip(frames) {
            encode(frame, number, tail.durable, &mut bytes)?;
        }
        if !tail.is_there().map_err(|error| self.writing(error))? {
            *open = Some(tail);
            return Err(StoreError::LockLost(format!(
                "somebody else has settled and emptied the journal {}",
                self.path.display()
            )));
        }
        match tail.write(&bytes) {
            Ok(()) => {
                tail.next += frames.len() as u64;
                *open = Some(tail);
                Ok(())
            }
            Err(error) => {
                if error.kind() == io::ErrorKind::StorageFull {
                    *open = Some(tail);
                }
                Err(self.writing(error))
            }
        }
    }

    /// Makes durable what was written, while more may be.
    fn sync(&self) -> Result<(), StoreError> {
        let (file, next) = match &*self.open() {
            Some(tail) if tail.durable < tail.next => (Arc::clone(&tail.file), tail.next),
            _ => return Ok(()),
        };
        let synced = file.sync_data();
        let mut open = self.open();
        let Some(tail) = open.as_mut().filter(|tail| Arc::ptr_eq(&tail.file, &file)) else {
            return synced.map_err(|error| self.writing(error));
        };
        if let Err(error) = synced {
            *open = None;
            return Err(self.writing(error));
        }
        tail.durable = tail.durable.max(next);
        Ok(())
    }

    fn writing(&self, error: io::Error) -> StoreError {
        unavailable(format!("writing the journal {}", self.path.display()))(error)
    }
}

/// What stays the same until the machine is started again: until then no write is lost that a process made.
fn boot() -> Option<String> {
    let bytes = files::read(Path::new("/proc/sys/kernel/random/boot_id")).ok()??;
    let id = String::from_utf8_lossy(bytes.trim_ascii()).into_owned();
    (!id.is_empty()).then_some(id)
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
        self.inner.write(frames)?;
        let (tell, told) = oneshot::channel();
        let inner = Arc::clone(&self.inner);
        // Whoever waits goes on with other things meanwhile.
        let thread = std::thread::Builder::new().name("journal".into());
        let begun = thread.spawn(move || tell.send(inner.sync()).ok());
        match (begun, told.await) {
            (Ok(_), Ok(synced)) => synced,
            _ => self.inner.sync(),
        }
    }

    async fn stage(&self, frames: &[Vec<u8>]) -> Result<(), StoreError> {
        self.inner.write(frames)
    }

    fn witness(&self) -> Option<String> {
        boot()
    }

    async fn reserve(&self, bytes: u64) -> Result<(), StoreError> {
        self.inner.reserve_room(bytes)
    }

    async fn read(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let bytes = files::read(self.path()).map_err(unavailable(format!(
            "reading the journal {}",
            self.path().display()
        )))?;
        Ok(scan(bytes.as_deref().unwrap_or_default())?.frames)
    }

    async fn clear(&self) -> Result<(), StoreError> {
        let mut open = self.inner.open();
        *open = None;
        // Taken away, not cut off: another process that still has it open, whose lock was released by force, must not write
        // into what the next run notes.
        let clear = || -> io::Result<()> {
            match std::fs::remove_file(self.path()) {
                Ok(()) => files::sync_directory(files::parent(self.path())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            }
        };
        clear().map_err(unavailable(format!(
            "emptying the journal {}",
            self.path().display()
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
    fn what_is_staged_outlives_its_handle_and_belongs_to_the_tail_until_it_is_durable() {
        let (_directory, journal) = journal();
        block_on(async {
            journal.append(&[b"one".to_vec()]).await.unwrap();
            let first = bytes(&journal).len();
            journal.stage(&[b"two".to_vec()]).await.unwrap();
            journal.stage(&[b"three".to_vec()]).await.unwrap();
            let other = JournalFile::new(journal.path().to_owned());
            assert_eq!(other.read().await.unwrap().len(), 3);
            // A machine may lose the first of them and keep the second.
            let mut torn = bytes(&journal);
            torn[first + HEADER] ^= 1;
            assert_eq!(put(&journal, &torn).read().await.unwrap().len(), 1);
        });
        let (_directory, journal) = self::journal();
        block_on(async {
            journal.stage(&[b"one".to_vec()]).await.unwrap();
            let first = bytes(&journal).len();
            journal.append(&[]).await.unwrap();
            journal.append(&[b"two".to_vec()]).await.unwrap();
            let mut damaged = bytes(&journal);
            damaged[first - 1] ^= 1;
            let read = put(&journal, &damaged).read().await;
            assert!(matches!(read, Err(StoreError::Corrupt(_))), "{read:?}");
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
