//! A plugin that stands before another one, and writes down when that one was asked something and when it had answered.
//!
//! This program is put where an engine looks for a provider. It starts the real provider without TLS, tells the engine of a
//! socket of its own, and hands on what comes: gRPC over HTTP/2, in whose frames it sees where calls begin and end.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The variable that names the file which times are appended to.
pub(crate) const LOG: &str = "TERRACE_BENCH_CLOCK";

/// The name of the real provider's file, beside this program's.
pub(crate) const REAL: &str = "measured-provider";

/// What HTTP/2 begins with.
const PREFACE: usize = 24;
const FRAME_HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;

/// Microseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}

/// Does that work, where this program was started as a plugin that is to be measured.
pub(crate) fn stand_in() -> Option<ExitCode> {
    let log = PathBuf::from(std::env::var_os(LOG)?);
    std::env::var_os("TF_PLUGIN_MAGIC_COOKIE")?;
    Some(match serve(&log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the clock before the provider stopped: {error}");
            ExitCode::FAILURE
        }
    })
}

fn serve(log: &Path) -> io::Result<()> {
    let began = now();
    let here = std::env::current_exe()?;
    let mut child = Command::new(here.with_file_name(REAL))
        .env_remove("PLUGIN_CLIENT_CERT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    let stdout = child
        .stdout
        .take()
        .ok_or_else(|| io::Error::other("no output"))?;
    let mut stdout = BufReader::new(stdout);
    stdout.read_line(&mut line)?;
    let fields: Vec<&str> = line.trim().split('|').collect();
    let [_, version, network, address, ..] = fields[..] else {
        return Err(io::Error::other(format!("no handshake: {line:?}")));
    };
    let log = Arc::new(Mutex::new(
        File::options().append(true).create(true).open(log)?,
    ));
    note(&log, "start", began, now());

    let directory = std::env::var_os("PLUGIN_UNIX_SOCKET_DIR")
        .filter(|directory| !directory.is_empty())
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let socket = directory.join(format!("clock-{}", std::process::id()));
    let listener = UnixListener::bind(&socket)?;
    println!("1|{version}|unix|{}|grpc|", socket.display());
    io::stdout().flush()?;

    let (network, address) = (network.to_owned(), address.to_owned());
    std::thread::spawn(move || {
        for host in listener.incoming().map_while(Result::ok) {
            if let Err(error) = connect(host, &network, &address, &log) {
                eprintln!("the provider does not take a connection: {error}");
            }
        }
    });
    // What the provider prints must not fill its pipe.
    std::thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
    child.wait()?;
    std::fs::remove_file(socket)
}

/// One connection, to be handed on in both directions.
trait Way: Read + Write + Send + Sized + 'static {
    fn another(&self) -> io::Result<Self>;
    fn end(&self);
}

impl Way for UnixStream {
    fn another(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn end(&self) {
        // One that is at its end already needs no other.
        self.shutdown(Shutdown::Both).ok();
    }
}

impl Way for TcpStream {
    fn another(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn end(&self) {
        self.shutdown(Shutdown::Both).ok();
    }
}

type Log = Arc<Mutex<File>>;
/// When each call began that has no answer yet.
type Open = Arc<Mutex<BTreeMap<u32, u64>>>;

fn connect(host: UnixStream, network: &str, address: &str, log: &Log) -> io::Result<()> {
    match network {
        "unix" => hand_on(host, UnixStream::connect(address)?, log),
        _ => {
            let provider = TcpStream::connect(address)?;
            provider.set_nodelay(true)?;
            hand_on(host, provider, log)
        }
    }
}

fn hand_on(host: UnixStream, provider: impl Way, log: &Log) -> io::Result<()> {
    let open = Open::default();
    let (from_host, to_provider) = (host.another()?, provider.another()?);
    let asked = open.clone();
    std::thread::spawn(move || {
        copy(from_host, to_provider, Frames::after(PREFACE), |frame| {
            if frame.kind == HEADERS {
                let mut open = asked.lock().unwrap_or_else(PoisonError::into_inner);
                open.entry(frame.stream).or_insert_with(now);
            }
        });
    });
    let log = log.clone();
    std::thread::spawn(move || {
        copy(provider, host, Frames::after(0), |frame| {
            if frame.flags & END_STREAM == 0 || !matches!(frame.kind, DATA | HEADERS) {
                return;
            }
            let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(began) = open.remove(&frame.stream) {
                note(&log, "call", began, now());
            }
        });
    });
    Ok(())
}

fn copy(mut from: impl Way, mut to: impl Way, mut frames: Frames, mut see: impl FnMut(Frame)) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        // What comes from the provider is seen before the host can react to it.
        frames.read(&buffer[..length], &mut see);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    from.end();
    to.end();
}

fn note(log: &Log, what: &str, began: u64, ended: u64) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    // A measurement that cannot be written down is missed later.
    log.write_all(format!("{what} {began} {ended}\n").as_bytes())
        .ok();
}

/// The head of an HTTP/2 frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
}

/// Finds heads of frames in what comes in pieces.
struct Frames {
    /// How many bytes to skip before the next head.
    skip: usize,
    head: Vec<u8>,
}

impl Frames {
    const fn after(skip: usize) -> Self {
        Self {
            skip,
            head: Vec::new(),
        }
    }

    fn read(&mut self, mut bytes: &[u8], see: &mut impl FnMut(Frame)) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let taken = (FRAME_HEADER - self.head.len()).min(bytes.len());
            if self.skip > 0 || taken == 0 {
                continue;
            }
            self.head.extend_from_slice(&bytes[..taken]);
            bytes = &bytes[taken..];
            if let [a, b, c, kind, flags, s1, s2, s3, s4] = self.head[..] {
                self.head.clear();
                self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                let stream = u32::from_be_bytes([s1 & 0x7f, s2, s3, s4]);
                see(Frame {
                    kind,
                    flags,
                    stream,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_however_they_come() {
        let mut bytes = vec![b'P'; PREFACE];
        bytes.extend_from_slice(&[0, 0, 3, HEADERS, 4, 0, 0, 0, 1, 9, 9, 9]);
        bytes.extend_from_slice(&[0, 0, 0, DATA, END_STREAM, 0, 0, 0, 1]);
        bytes.extend_from_slice(&[0, 1, 0, DATA, 0, 0x80, 0, 0, 3]);
        bytes.extend_from_slice(&[7; 256]);
        bytes.extend_from_slice(&[0, 0, 0, 4, 0, 0, 0, 0, 0]);
        let frame = |kind, flags, stream| Frame {
            kind,
            flags,
            stream,
        };
        for size in [1, 2, 9, 10, 100, 1_000] {
            let mut found = Vec::new();
            let mut frames = Frames::after(PREFACE);
            for piece in bytes.chunks(size) {
                frames.read(piece, &mut |frame| found.push(frame));
            }
            let expected = [
                frame(HEADERS, 4, 1),
                frame(DATA, END_STREAM, 1),
                frame(DATA, 0, 3),
                frame(4, 0, 0),
            ];
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
