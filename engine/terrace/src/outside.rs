//! Adapters to this machine: files, clock, entropy, processes. The only place of the binary that touches them.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the adapter through which everything else reaches the machine"
)]

mod rewriting;

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use terrace_communicator::Ssh;
use terrace_functions::{Context, FileError};
use terrace_plan::FileRead;
use terrace_port::{
    Clock, Entropy, FileEntry, Files, Process, ProcessOutput, ProcessRequest, Surroundings,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

pub(crate) use rewriting::rewrite;

/// Files of this machine, relative to the process's working directory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Disk;

/// Takes `.` and `..` out of a path, without looking at links.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

impl Files for Disk {
    fn read(&self, path: &str) -> io::Result<Arc<[u8]>> {
        std::fs::read(path).map(Into::into)
    }

    fn list(&self, path: &str) -> io::Result<Vec<FileEntry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(if path.is_empty() { "." } else { path })? {
            let entry = entry?;
            let kind = entry.file_type()?;
            // Only a link has to be followed to know where it leads.
            let is_directory = kind.is_dir() || kind.is_symlink() && entry.path().is_dir();
            entries.push(FileEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_directory,
            });
        }
        entries.sort();
        Ok(entries)
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).is_file()
    }

    fn absolute(&self, path: &str) -> String {
        let joined = std::env::current_dir().unwrap_or_default().join(path);
        clean(&joined).to_string_lossy().into_owned()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> (i64, u32) {
        #[cfg(feature = "test-clock")]
        if let Some(time) = clock_of_tests() {
            return time;
        }
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        (
            i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            since.subsec_nanos(),
        )
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move { tokio::time::sleep(duration).await })
    }
}

/// The time that a test says it is. A binary without the feature has no way to be told another time than the system's.
#[cfg(feature = "test-clock")]
fn clock_of_tests() -> Option<(i64, u32)> {
    let text = std::env::var("TERRACE_TEST_CLOCK").ok()?;
    let time: jiff::Timestamp = text.parse().ok()?;
    let nanoseconds = u32::try_from(time.subsec_nanosecond()).unwrap_or_default();
    Some((time.as_second(), nanoseconds))
}

/// RFC 3339 text of a time in seconds, UTC.
pub(crate) fn rfc3339(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Now in RFC 3339, to the millisecond.
pub(crate) fn precise_now() -> String {
    let (seconds, nanoseconds) = SystemClock.now();
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or_default();
    jiff::Timestamp::new(seconds, nanoseconds)
        .map(|time| format!("{time:.3}"))
        .unwrap_or_default()
}

/// This program, to be started again.
pub(crate) fn own_program() -> Option<PathBuf> {
    // The link leads to it even where the file was replaced by another.
    let link = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() {
        return Some(link.to_owned());
    }
    std::env::current_exe().ok()
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        use rand::TryRngCore as _;
        // Without randomness no id is safe to give out.
        rand::rngs::OsRng
            .try_fill_bytes(bytes)
            .expect("the operating system gives random bytes");
    }
}

/// Starts processes of this machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct SystemProcess {
    /// What they have in their environment.
    pub(crate) surroundings: Surroundings,
}

/// Starts a program of the person's desktop, and does not wait for it. Whether it could be started.
pub(crate) fn start_aside(program: &str, arguments: &[&str]) -> bool {
    std::process::Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .is_ok()
}

#[async_trait]
impl Process for SystemProcess {
    async fn run(
        &self,
        request: ProcessRequest,
        on_line: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> io::Result<ProcessOutput> {
        let (program, arguments) = request
            .argv
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is given"))?;
        let mut command = tokio::process::Command::new(program);
        for name in &self.surroundings.removed {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .envs(&self.surroundings.set)
            .envs(request.environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command.stdin(if request.stdin.is_empty() {
            Stdio::null()
        } else {
            Stdio::piped()
        });
        if let Some(directory) = &request.directory {
            command.current_dir(directory);
        }
        let mut child = command.spawn()?;
        let mut stdin = child.stdin.take();
        let write = async {
            if let Some(stdin) = &mut stdin {
                // A program that does not read its input is free not to.
                stdin.write_all(&request.stdin).await.ok();
            }
            drop(stdin);
        };
        let output = Mutex::new(Vec::new());
        let out = forward(child.stdout.take(), on_line, &output);
        let err = forward(child.stderr.take(), on_line, &output);
        let ((), out, err) = futures::join!(write, out, err);
        out?;
        err?;
        let status = child.wait().await?;
        Ok(ProcessOutput {
            code: status.code(),
            output: output.into_inner().unwrap_or_default(),
        })
    }
}

/// Runs a program to its end that may speak with whoever sits at the terminal, and takes what it prints. Its exit code is
/// `None` when a signal ended it.
pub(crate) async fn ask_program(
    argv: &[String],
    directory: &Path,
) -> io::Result<(Option<i32>, Vec<u8>)> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is given"))?;
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stderr(Stdio::inherit())
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?
        .wait_with_output()
        .await?;
    Ok((output.status.code(), output.stdout))
}

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output.
    pub(crate) output: Vec<u8>,
    /// Its standard error.
    pub(crate) errors: Vec<u8>,
}

impl Ran {
    /// Whether it succeeded.
    pub(crate) fn succeeded(&self) -> bool {
        self.code == Some(0)
    }

    /// All that it printed, output before errors.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.output).into_owned();
        text.push_str(&String::from_utf8_lossy(&self.errors));
        text
    }
}

/// Runs a program to its end that speaks with nobody: it reads `input`, and what it prints is taken.
pub(crate) async fn run_aside(argv: &[String], directory: &Path, input: &[u8]) -> io::Result<Ran> {
    let (program, arguments) = argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "no program is given"))?;
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdin = child.stdin.take();
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // A program that does not want its input closes it, and says why itself.
            stdin.write_all(input).await.ok();
        }
    };
    // Who answers while it reads would wait for its output to be taken.
    let ((), output) = tokio::join!(feed, child.wait_with_output());
    let output = output?;
    Ok(Ran {
        code: output.status.code(),
        output: output.stdout,
        errors: output.stderr,
    })
}

/// Machines over SSH, with the user's agent.
pub(crate) fn machines(environment: &Environment) -> Ssh {
    Ssh {
        agent: environment.get("SSH_AUTH_SOCK").map(str::to_owned),
    }
}

async fn forward(
    stream: Option<impl tokio::io::AsyncRead + Unpin>,
    on_line: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    output: &Mutex<Vec<u8>>,
) -> io::Result<()> {
    let Some(stream) = stream else { return Ok(()) };
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        if let Ok(mut output) = output.lock() {
            output.extend_from_slice(&line);
        }
        on_line(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
    }
}

/// What functions may ask: files of this machine, and every read is remembered for the plan.
#[derive(Debug)]
pub(crate) struct PlanningContext {
    plan_timestamp: String,
    home: Option<String>,
    reads: Mutex<BTreeMap<String, Option<Arc<[u8]>>>>,
}

impl PlanningContext {
    pub(crate) fn new(plan_timestamp: String, home: Option<String>) -> Self {
        Self {
            plan_timestamp,
            home,
            reads: Mutex::default(),
        }
    }

    /// Every file that was read or looked for.
    pub(crate) fn reads(&self) -> Vec<FileRead> {
        let reads = self
            .reads
            .lock()
            .map(|reads| reads.clone())
            .unwrap_or_default();
        reads
            .into_iter()
            .map(|(path, content)| FileRead { path, content })
            .collect()
    }

    fn remember(&self, path: &str, content: Option<Arc<[u8]>>) {
        if let Ok(mut reads) = self.reads.lock() {
            reads.insert(path.to_owned(), content);
        }
    }
}

impl Context for PlanningContext {
    fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        match std::fs::read(path) {
            Ok(bytes) => {
                let bytes: Arc<[u8]> = bytes.into();
                self.remember(path, Some(bytes.clone()));
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.remember(path, None);
                Err(FileError::NotFound)
            }
            Err(error) => Err(FileError::Unreadable(error.to_string())),
        }
    }

    fn list_files(&self, base: &str) -> Result<Vec<String>, FileError> {
        let mut found = Vec::new();
        collect_files(Path::new(base), Path::new(""), &mut found)
            .map_err(|error| FileError::Unreadable(error.to_string()))?;
        found.sort();
        // The listing is an input of the plan as much as a file's content is.
        self.remember(
            &listing_key(base),
            Some(found.join("\n").into_bytes().into()),
        );
        Ok(found)
    }

    fn file_exists(&self, path: &str) -> Result<bool, FileError> {
        match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                Err(FileError::Unreadable("it is a directory".to_owned()))
            }
            Ok(_) => {
                self.read_file(path)?;
                Ok(true)
            }
            Err(_) => {
                self.remember(path, None);
                Ok(false)
            }
        }
    }

    fn absolute_path(&self, path: &str) -> String {
        Disk.absolute(path)
    }

    fn home_directory(&self) -> Option<String> {
        self.home.clone()
    }

    fn timestamp(&self) -> Option<String> {
        None
    }

    fn plan_timestamp(&self) -> Option<String> {
        Some(self.plan_timestamp.clone())
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        None
    }
}

/// What functions may ask in the console: the clock and randomness too, because nothing is planned.
#[derive(Debug)]
pub(crate) struct ConsoleContext {
    planning: PlanningContext,
}

impl ConsoleContext {
    pub(crate) fn new(now: String, home: Option<String>) -> Self {
        Self {
            planning: PlanningContext::new(now, home),
        }
    }
}

impl Context for ConsoleContext {
    fn read_file(&self, path: &str) -> Result<Arc<[u8]>, FileError> {
        self.planning.read_file(path)
    }

    fn list_files(&self, base: &str) -> Result<Vec<String>, FileError> {
        self.planning.list_files(base)
    }

    fn file_exists(&self, path: &str) -> Result<bool, FileError> {
        self.planning.file_exists(path)
    }

    fn absolute_path(&self, path: &str) -> String {
        self.planning.absolute_path(path)
    }

    fn home_directory(&self) -> Option<String> {
        self.planning.home_directory()
    }

    fn timestamp(&self) -> Option<String> {
        Some(rfc3339(SystemClock.now().0))
    }

    fn plan_timestamp(&self) -> Option<String> {
        self.planning.plan_timestamp()
    }

    fn entropy(&self) -> Option<[u8; 16]> {
        let mut bytes = [0; 16];
        SystemEntropy.fill(&mut bytes);
        Some(bytes)
    }
}

/// Under which name a plan holds the listing of a directory.
fn listing_key(base: &str) -> String {
    format!("{}/", base.trim_end_matches('/'))
}

fn collect_files(base: &Path, below: &Path, found: &mut Vec<String>) -> io::Result<()> {
    let directory = base.join(below);
    if !directory.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = below.join(entry.file_name());
        // Links to directories are not followed: they may lead back.
        if entry.file_type()?.is_dir() {
            collect_files(base, &path, found)?;
        } else if !entry.path().is_dir() {
            found.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}

/// Everything of the process's environment, read once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    pub(crate) fn read() -> Self {
        let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
        Self {
            variables: std::env::vars_os()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
        }
    }

    /// An environment of these variables.
    #[cfg(test)]
    pub(crate) fn with(variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            variables: variables.iter().map(owned).collect(),
        }
    }

    /// Sets a variable for whoever reads it here; the process's environment stays what it is.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// All variables whose name begins with `prefix`, without it.
    pub(crate) fn with_prefix(&self, prefix: &str) -> BTreeMap<String, String> {
        self.variables
            .iter()
            .filter_map(|(name, value)| {
                Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
            })
            .collect()
    }
}

/// Writes a file so that a reader sees the old content or the new, never a part.
pub(crate) fn write_file(path: &str, bytes: &[u8]) -> io::Result<()> {
    let found = std::fs::symlink_metadata(path).ok();
    // A link stays one: what it leads to is replaced.
    let (target, found) = match found {
        Some(found) if found.is_symlink() => {
            let target = std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
            let found = std::fs::metadata(&target).ok();
            (target, found)
        }
        found => (PathBuf::from(path), found),
    };
    let directory = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_new(&temporary, bytes).and_then(|file| {
        if let Some(found) = found {
            let permissions = found.permissions();
            if file.metadata()?.permissions() != permissions {
                file.set_permissions(permissions)?;
            }
        }
        std::fs::rename(&temporary, &target)
    });
    if written.is_err() {
        std::fs::remove_file(&temporary).ok();
    }
    written
}

/// Writes a file that nobody but this user may read, as [`write_file`] does.
pub(crate) fn write_private_file(path: &str, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let temporary = format!("{path}.{}.tmp", std::process::id());
    std::fs::remove_file(&temporary).ok();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&temporary, path));
    if written.is_err() {
        std::fs::remove_file(&temporary).ok();
    }
    written
}

/// Adds to the end of a file, which is made where there is none.
pub(crate) fn append_file(path: &str, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?;
    file.write_all(bytes)
}

/// Writes a file, and makes the directory for it where there is none.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<std::fs::File> {
    use std::io::Write as _;
    let mut file = match std::fs::File::create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            std::fs::File::create(path)?
        }
        created => created?,
    };
    file.write_all(bytes)?;
    Ok(file)
}
