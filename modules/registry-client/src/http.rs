//! HTTP for adapters that block: retries, and downloads that go on where they broke off.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::HeaderMap;

use crate::answer_cache::AnswerCache;
use crate::answers::{Question, Remembered, forbids_storing};
use crate::{ClientError, netrc};

/// How much of an answer is kept in memory.
const LARGEST_ANSWER: u64 = 64 << 20;
/// How long sending something may take.
const UPLOAD: Duration = Duration::from_mins(10);
/// How long a download may be silent.
const SILENCE: Duration = Duration::from_mins(1);
/// How often a download is taken up again at most, while it gets on.
const MOST_RESUMPTIONS: u32 = 20;

/// How requests are made.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// What the client calls itself.
    pub user_agent: String,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// How often a request is repeated that got no answer, or one that says to come later.
    pub retries: u32,
    /// How often a download is tried again that does not get on.
    pub download_retries: u32,
    /// How long to wait before the first repetition; the next waits are twice as long each.
    pub pause: Duration,
    /// Where logins for hosts are, in the form of `.netrc`.
    pub netrc: Option<PathBuf>,
    /// The directory of what servers answered before, which need not be there yet; without one, nothing is remembered.
    pub answers: Option<PathBuf>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            user_agent: format!("Terrace/{}", env!("CARGO_PKG_VERSION")),
            timeout: Duration::from_secs(10),
            retries: 2,
            download_retries: 2,
            pause: Duration::from_millis(250),
            netrc: None,
            answers: None,
        }
    }
}

impl HttpSettings {
    /// What these variables of the environment ask for: `TF_REGISTRY_CLIENT_TIMEOUT` in seconds,
    /// `TF_REGISTRY_DISCOVERY_RETRY`, `TF_PROVIDER_DOWNLOAD_RETRY`, `NETRC` and `HOME`.
    pub fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| variable(name).and_then(|text| text.parse::<u32>().ok());
        let mut settings = Self::default();
        if let Some(seconds) = number("TF_REGISTRY_CLIENT_TIMEOUT").filter(|seconds| *seconds > 0) {
            settings.timeout = Duration::from_secs(seconds.into());
        }
        if let Some(retries) = number("TF_REGISTRY_DISCOVERY_RETRY") {
            settings.retries = retries;
        }
        if let Some(retries) = number("TF_PROVIDER_DOWNLOAD_RETRY") {
            settings.download_retries = retries;
        }
        settings.netrc = variable("NETRC")
            .map(PathBuf::from)
            .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".netrc")));
        settings
    }
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked in the end, after redirections.
    pub url: String,
    /// The status.
    pub status: u16,
    /// The headers, by names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body; empty where it went to a file.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The answer, if its status is one of success.
    pub fn ok(self) -> Result<Self, ClientError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(ClientError::Status {
            body: String::from_utf8_lossy(&self.body).into_owned(),
            url: self.url,
            status: self.status,
        })
    }
}

/// One of the ways to get a small document: [`Http::get`] or [`Http::get_confirmed`].
pub(crate) type Ask = fn(&Http, &str, &[(&str, &str)]) -> Result<Answer, ClientError>;

/// How far a download has come, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is here.
    pub done: u64,
    /// All of it, where the server says so.
    pub total: Option<u64>,
}

/// Makes requests. One for a run, so that connections are used again.
#[derive(Debug)]
pub struct Http {
    settings: HttpSettings,
    client: OnceLock<Result<Client, String>>,
    answers: OnceLock<Option<AnswerCache>>,
}

impl Http {
    /// With these settings. Nothing is connected before the first request.
    pub fn new(settings: HttpSettings) -> Self {
        Self {
            settings,
            client: OnceLock::new(),
            answers: OnceLock::new(),
        }
    }

    /// Gets a small document. An answer of any status is one, but for those that remain after repetition.
    pub fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, ClientError> {
        let response = self.send(url, headers, Some(self.settings.timeout))?;
        whole("Get", url, response)
    }

    /// Does what [`Self::get`] does for a document in JSON that seldom changes. What was answered before is answered again
    /// where the server confirms that it still holds; then the status is 200, and of the headers of then there is only
    /// `content-type`. Without the server's word, nothing is answered from memory.
    pub fn get_confirmed(
        &self,
        url: &str,
        headers: &[(&str, &str)],
    ) -> Result<Answer, ClientError> {
        let Some(cache) = self.answers() else {
            return self.get(url, headers);
        };
        let login = self.login_beside(url, headers);
        let question = Question::new(url, headers, login.as_ref());
        if let Some(known) = cache.get(question) {
            let mut asked = headers.to_vec();
            asked.push(known.condition());
            let response = self.send(url, &asked, Some(self.settings.timeout))?;
            if response.status().as_u16() != 304 {
                return remember(cache, question, url, response);
            }
            let confirmation = without_body(&response);
            let confirmed = known.is_confirmed_by(&confirmation);
            if !confirmed || forbids_storing(response.headers()) {
                cache.forget(question);
            }
            if confirmed {
                return Ok(known.into_answer(confirmation));
            }
        }
        let response = self.send(url, headers, Some(self.settings.timeout))?;
        remember(cache, question, url, response)
    }

    /// What servers answered before. Nothing is opened before somebody asks for it.
    fn answers(&self) -> Option<&AnswerCache> {
        let open = || AnswerCache::open(self.settings.answers.as_ref()?);
        self.answers.get_or_init(open).as_ref()
    }

    /// Sends the fields of a form and gets a small document. Nothing is repeated: what was sent may have had its
    /// effect.
    pub fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Answer, ClientError> {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .client("Post", url)?
            .post(url)
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .timeout(self.settings.timeout)
            .body(body);
        let response = request
            .send()
            .map_err(|error| unreachable("Post", url, &error))?;
        whole("Post", url, response)
    }

    /// Gets a file. What is at `path` from an earlier attempt is continued where the server allows that; afterwards
    /// `path` holds all of it. On failure, what came so far remains there.
    pub fn download(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        path: &Path,
    ) -> Result<Answer, ClientError> {
        self.download_watched(url, headers, path, &mut |_| {})
    }

    /// Does what [`Self::download`] does, and tells how far it is from time to time.
    pub fn download_watched(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        path: &Path,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Answer, ClientError> {
        let mut failures = 0;
        let mut resumptions = 0;
        loop {
            let before = Partial::open(path);
            let failure = match self.attempt(url, headers, path, &before, watch) {
                Ok(answer) => return answer.ok(),
                Err(failure) => failure,
            };
            let got_on = Partial::open(path).length > before.length;
            failures = if got_on { 0 } else { failures + 1 };
            resumptions += 1;
            let again = matches!(&failure, ClientError::Unreachable { .. });
            if !again || failures > self.settings.download_retries || resumptions > MOST_RESUMPTIONS
            {
                return Err(failure);
            }
            std::thread::sleep(self.settings.pause);
        }
    }

    fn attempt(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        path: &Path,
        partial: &Partial,
        watch: &mut dyn FnMut(Progress),
    ) -> Result<Answer, ClientError> {
        let range = format!("bytes={}-", partial.length);
        let mut headers = headers.to_vec();
        if let Some(tag) = &partial.tag {
            headers.push(("range", &range));
            headers.push(("if-range", tag));
        }
        let mut response = self.send(url, &headers, None)?;
        let answer = without_body(&response);
        let continued = answer.status == 206
            && answer
                .header("content-range")
                .is_some_and(|range| range.starts_with(&format!("bytes {}-", partial.length)));
        if answer.status == 416 || (answer.status == 206 && !continued) {
            Partial::forget(path);
            return Err(ClientError::Unreachable {
                method: "Get",
                url: url.to_owned(),
                why: "the server does not continue the download".to_owned(),
            });
        }
        if !(200..300).contains(&answer.status) {
            let mut answer = answer;
            response
                .take(4096)
                .read_to_end(&mut answer.body)
                .unwrap_or(0);
            return Ok(answer);
        }
        let local =
            |error| ClientError::local(format!("{} cannot be written", path.display()), error);
        let mut file = if continued {
            OpenOptions::new().append(true).open(path).map_err(local)?
        } else {
            Partial::begin(path, &answer).map_err(local)?
        };
        let here = if continued { partial.length } else { 0 };
        let mut progress = Progress {
            done: here,
            total: response.content_length().map(|rest| here + rest),
        };
        watch(progress);
        let mut got = |bytes: usize| {
            progress.done += bytes as u64;
            watch(progress);
        };
        copy(&mut response, &mut file, (url, path), &mut got)?;
        if let Some(total) = progress.total.filter(|total| *total != progress.done) {
            let why = format!(
                "the download broke off after {} of {total} bytes",
                progress.done
            );
            return Err(ClientError::Unreachable {
                method: "Get",
                url: url.to_owned(),
                why,
            });
        }
        file.sync_all().map_err(local)?;
        Partial::finish(path);
        Ok(answer)
    }

    /// Sends until there is an answer that does not ask to come later. Without a timeout for all of the answer, each
    /// part of it has its own.
    fn send(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        timeout: Option<Duration>,
    ) -> Result<Response, ClientError> {
        let mut pause = self.settings.pause;
        let mut left = self.settings.retries;
        loop {
            let mut request = self.request(url, headers)?;
            if let Some(timeout) = timeout {
                request = request.timeout(timeout);
            }
            let sent = request.send();
            let later = match &sent {
                Ok(response) => matches!(response.status().as_u16(), 429 | 500 | 502..=504),
                Err(error) => !error.is_builder() && !error.is_redirect(),
            };
            if !later || left == 0 {
                return sent.map_err(|error| unreachable("Get", url, &error));
            }
            left -= 1;
            let asked = sent
                .ok()
                .and_then(|response| retry_after(response.headers()));
            std::thread::sleep(asked.unwrap_or(pause));
            pause *= 2;
        }
    }

    /// Sends a body once, by `PUT`, `POST` or another method; whether to send it again is for the caller to say, who knows
    /// what a second time would do.
    pub fn send_body(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, ClientError> {
        let unknown = |why: String| ClientError::Unreachable {
            method,
            url: url.to_owned(),
            why,
        };
        let name = reqwest::Method::from_bytes(method.as_bytes())
            .map_err(|error| unknown(error.to_string()))?;
        let mut request = self.client(method, url)?.request(name, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((login, password)) = self.login_beside(url, headers) {
            request = request.basic_auth(login, Some(password));
        }
        let response = request
            .body(body)
            .timeout(UPLOAD)
            .send()
            .map_err(|error| unreachable(method, url, &error))?;
        whole(method, url, response)
    }

    fn client(&self, method: &'static str, url: &str) -> Result<&Client, ClientError> {
        let built = self.client.get_or_init(|| {
            Client::builder()
                .user_agent(&self.settings.user_agent)
                .timeout(SILENCE)
                .build()
                .map_err(|error| causes(&error))
        });
        built.as_ref().map_err(|why| ClientError::Unreachable {
            method,
            url: url.to_owned(),
            why: why.clone(),
        })
    }

    fn request(&self, url: &str, headers: &[(&str, &str)]) -> Result<RequestBuilder, ClientError> {
        let mut request = self.client("Get", url)?.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((login, password)) = self.login_beside(url, headers) {
            request = request.basic_auth(login, Some(password));
        }
        Ok(request)
    }

    /// The login that goes with a request whose headers hold none.
    fn login_beside(&self, url: &str, headers: &[(&str, &str)]) -> Option<(String, String)> {
        let authorised = headers.iter().any(|(name, _)| *name == "authorization");
        if authorised { None } else { self.login(url) }
    }

    /// The login that `.netrc` has for an address that holds none.
    fn login(&self, url: &str) -> Option<(String, String)> {
        let url = url::Url::parse(url).ok()?;
        if !url.username().is_empty() {
            return None;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "this adapter's logins are in a file"
        )]
        let text = std::fs::read_to_string(self.settings.netrc.as_ref()?).ok()?;
        netrc::find(&text, url.host_str()?)
    }
}

/// What an earlier attempt left of a download.
struct Partial {
    length: u64,
    /// What says that the rest belongs to it.
    tag: Option<String>,
}

impl Partial {
    fn tag_path(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(".tag");
        name.into()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter's downloads are files"
    )]
    fn open(path: &Path) -> Self {
        let length = std::fs::metadata(path).map_or(0, |found| found.len());
        let tag = std::fs::read_to_string(Self::tag_path(path)).ok();
        match tag {
            Some(tag) if length > 0 && !tag.is_empty() => Self {
                length,
                tag: Some(tag),
            },
            _ => Self {
                length: 0,
                tag: None,
            },
        }
    }

    /// An empty file, and what to continue it by.
    #[expect(
        clippy::disallowed_methods,
        reason = "this adapter's downloads are files"
    )]
    fn begin(path: &Path, answer: &Answer) -> io::Result<File> {
        Self::forget(path);
        let strong = answer.header("etag").filter(|tag| !tag.starts_with("W/"));
        if let Some(tag) = strong.or_else(|| answer.header("last-modified")) {
            std::fs::write(Self::tag_path(path), tag)?;
        }
        File::create(path)
    }

    fn forget(path: &Path) {
        // What is not there is forgotten.
        std::fs::remove_file(path).ok();
        std::fs::remove_file(Self::tag_path(path)).ok();
    }

    fn finish(path: &Path) {
        std::fs::remove_file(Self::tag_path(path)).ok();
    }
}

/// An answer with its body.
fn whole(method: &'static str, url: &str, response: Response) -> Result<Answer, ClientError> {
    let mut answer = without_body(&response);
    let mut body = response.take(LARGEST_ANSWER);
    body.read_to_end(&mut answer.body)
        .map_err(|error| ClientError::Unreachable {
            method,
            url: url.to_owned(),
            why: format!("the answer broke off: {error}"),
        })?;
    Ok(answer)
}

/// An answer with its body, which is remembered where it may be.
fn remember(
    cache: &AnswerCache,
    question: Question,
    url: &str,
    response: Response,
) -> Result<Answer, ClientError> {
    let headers = response.headers().clone();
    let answer = whole("Get", url, response)?;
    match Remembered::of(url, &headers, &answer) {
        Some(remembered) => cache.put(question, remembered),
        None => cache.forget(question),
    }
    Ok(answer)
}

fn copy(
    response: &mut Response,
    file: &mut File,
    (url, path): (&str, &Path),
    got: &mut dyn FnMut(usize),
) -> Result<(), ClientError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = response
            .read(&mut buffer)
            .map_err(|error| ClientError::Unreachable {
                method: "Get",
                url: url.to_owned(),
                why: format!("the download broke off: {error}"),
            })?;
        if read == 0 {
            return Ok(());
        }
        file.write_all(&buffer[..read]).map_err(|error| {
            ClientError::local(format!("{} cannot be written", path.display()), error)
        })?;
        got(read);
    }
}

fn without_body(response: &Response) -> Answer {
    let headers = response.headers().iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    Answer {
        url: response.url().to_string(),
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: Vec::new(),
    }
}

/// How long the server wants to be left alone, within reason.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get("retry-after")?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds.min(30)))
}

fn unreachable(method: &'static str, url: &str, error: &reqwest::Error) -> ClientError {
    ClientError::Unreachable {
        method,
        url: url.to_owned(),
        why: causes(error),
    }
}

/// An error's causes; the error itself only repeats the address.
fn causes(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if texts
            .last()
            .is_none_or(|last: &String| !last.contains(&text))
        {
            texts.push(text);
        }
        next = cause.source();
    }
    if texts.is_empty() {
        return if error.is_timeout() {
            "no answer came in time".to_owned()
        } else {
            error.to_string()
        };
    }
    texts.retain(|text| text != "client error (Connect)" && text != "tcp connect error");
    texts.join(": ")
}
