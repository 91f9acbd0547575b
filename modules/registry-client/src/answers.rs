//! What registries answered before, so that they need only say that it still holds.
//!
//! Nothing here is an answer by itself: it becomes one when the server that gave it has confirmed it. So nothing is ever
//! stale, and losing all of it costs a transfer. One database for a machine's user; where it is damaged it is made anew,
//! and where it cannot be had (another process has it open, the directory cannot be written), it is done without.

use std::collections::BTreeMap;
use std::path::Path;

use reqwest::header::{self, HeaderMap};
use sha2::{Digest as _, Sha256};

use crate::Answer;

/// Changes with what is stored, so that what an older engine stored is not read.
const TREE: &str = "answers-1";
/// The largest body that is remembered.
const LARGEST_BODY: usize = 2 << 20;
/// How much is remembered altogether, in bytes.
const ROOM: usize = 8 << 20;
/// How many answers are remembered.
const MOST_ANSWERS: usize = 1000;
/// The length of a SHA-256 digest.
const DIGEST: usize = 32;

mod wire {
    use serde::{Deserialize, Serialize};

    /// What stands before a body.
    #[derive(Deserialize, Serialize)]
    pub(super) struct Heading {
        /// Answers that were stored later have greater ones.
        pub(super) number: u64,
        pub(super) place: String,
        pub(super) validator: Validator,
        pub(super) content_type: Option<String>,
    }

    #[derive(Deserialize, Serialize)]
    pub(super) enum Validator {
        Tag(String),
        Modified(String),
    }
}

/// What a server is asked about: whether its document is still the one that had this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Validator {
    /// The header `ETag`.
    Tag(String),
    /// The header `Last-Modified`.
    Modified(String),
}

impl Validator {
    /// What an answer can be confirmed by. A time only counts where the answer came later than it: within a second, a
    /// document may change without its time telling so.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
        if let Some(tag) = text(header::ETAG) {
            return Some(Self::Tag(tag));
        }
        let modified = text(header::LAST_MODIFIED)?;
        (text(header::DATE)? != modified).then_some(Self::Modified(modified))
    }

    /// The header of a request that asks for the document only if it is another one.
    fn condition(&self) -> (&'static str, &str) {
        match self {
            Self::Tag(tag) => ("if-none-match", tag),
            Self::Modified(time) => ("if-modified-since", time),
        }
    }
}

/// An answer of success that was given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    /// The digest of the address that answered, after redirections. The address itself may hold a secret.
    place: String,
    validator: Validator,
    content_type: Option<String>,
    body: Vec<u8>,
}

impl Remembered {
    /// What may be remembered of an answer: a whole document in JSON with something to confirm it by, unless the server
    /// forbids it. Where a redirection led to an address with a query, that one is good for once only, as a rule.
    pub(crate) fn of(url: &str, headers: &HeaderMap, answer: &Answer) -> Option<Self> {
        let lasting = answer.url == url || !answer.url.contains('?');
        let whole = || serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok();
        if answer.status != 200
            || !lasting
            || forbids_storing(headers)
            || answer.body.len() > LARGEST_BODY
            || !whole()
        {
            return None;
        }
        Some(Self {
            place: place(&answer.url),
            validator: Validator::of(headers)?,
            content_type: answer.header("content-type").map(str::to_owned),
            body: answer.body.clone(),
        })
    }

    /// The header of a request that asks for the document only if it is another one.
    pub(crate) fn condition(&self) -> (&'static str, &str) {
        self.validator.condition()
    }

    /// Whether this answer, of status 304, speaks of what is remembered: from the same place, and of no other version.
    pub(crate) fn is_confirmed_by(&self, answer: &Answer) -> bool {
        let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
        let same = match (&self.validator, answer.header("etag")) {
            (Validator::Tag(ours), Some(theirs)) => opaque(ours) == opaque(theirs),
            _ => true,
        };
        same && self.place == place(&answer.url)
    }

    /// The answer that was confirmed by this one. Of the headers of then it has what says how to read the body.
    pub(crate) fn into_answer(self, confirmation: Answer) -> Answer {
        let mut headers = confirmation.headers;
        headers.remove("content-length");
        headers.extend(self.content_type.map(|kind| ("content-type".into(), kind)));
        Answer {
            url: confirmation.url,
            status: 200,
            headers,
            body: self.body,
        }
    }

    /// The digest of the rest, a line of JSON, and the body.
    fn encode(&self, number: u64) -> Vec<u8> {
        let heading = wire::Heading {
            number,
            place: self.place.clone(),
            validator: match &self.validator {
                Validator::Tag(tag) => wire::Validator::Tag(tag.clone()),
                Validator::Modified(time) => wire::Validator::Modified(time.clone()),
            },
            content_type: self.content_type.clone(),
        };
        let mut rest = serde_json::to_vec(&heading).unwrap_or_default();
        rest.push(b'\n');
        rest.extend_from_slice(&self.body);
        let mut bytes = Sha256::digest(&rest).to_vec();
        bytes.append(&mut rest);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<(u64, Self)> {
        let (digest, rest) = bytes.split_at_checked(DIGEST)?;
        if digest != &Sha256::digest(rest)[..] {
            return None;
        }
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let heading: wire::Heading = serde_json::from_slice(&rest[..end]).ok()?;
        let remembered = Self {
            place: heading.place,
            validator: match heading.validator {
                wire::Validator::Tag(tag) => Validator::Tag(tag),
                wire::Validator::Modified(time) => Validator::Modified(time),
            },
            content_type: heading.content_type,
            body: rest[end + 1..].to_vec(),
        };
        Some((heading.number, remembered))
    }
}

/// Whether a server wants its answer kept nowhere.
pub(crate) fn forbids_storing(headers: &HeaderMap) -> bool {
    headers.get_all(header::CACHE_CONTROL).iter().any(|value| {
        // What cannot be read may forbid it.
        value.to_str().map_or(true, |text| {
            text.split(',')
                .any(|directive| directive.trim().eq_ignore_ascii_case("no-store"))
        })
    })
}

fn place(url: &str) -> String {
    format!("{:x}", Sha256::digest(url))
}

/// What an answer is found by: a digest of all that was asked, credentials included, so that nobody is given what was
/// answered to someone else and no credential is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Question([u8; DIGEST]);

impl Question {
    /// A request for `url` with these headers, and with this login where they hold none.
    pub(crate) fn new(
        url: &str,
        headers: &[(&str, &str)],
        login: Option<&(String, String)>,
    ) -> Self {
        let mut hasher = Sha256::new();
        let mut add = |part: &str| {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        };
        add(url);
        for (name, value) in headers {
            add(name);
            add(value);
        }
        if let Some((name, password)) = login {
            add("login");
            add(name);
            add(password);
        }
        Self(hasher.finalize().into())
    }
}

/// The database.
pub(crate) struct Database {
    tree: sled::Tree,
    /// Read when something is stored for the first time.
    order: Option<Order>,
}

/// By which order answers came, with their keys and sizes.
#[derive(Default)]
struct Order {
    answers: BTreeMap<u64, (sled::IVec, usize)>,
    total: usize,
}

impl Order {
    fn add(&mut self, number: u64, key: sled::IVec, size: usize) {
        self.total += size;
        self.answers.insert(number, (key, size));
    }

    fn forget(&mut self, key: &[u8]) {
        let total = &mut self.total;
        self.answers.retain(|_, (other, size)| {
            let stays = other != key;
            *total -= if stays { 0 } else { *size };
            stays
        });
    }

    fn next(&self) -> u64 {
        self.answers
            .last_key_value()
            .map_or(0, |(last, _)| last + 1)
    }

    /// The oldest, where there are too many.
    fn pop_surplus(&mut self) -> Option<sled::IVec> {
        if self.total <= ROOM && self.answers.len() <= MOST_ANSWERS {
            return None;
        }
        let (_, (key, size)) = self.answers.pop_first()?;
        self.total -= size;
        Some(key)
    }
}

impl Database {
    /// The cache in `directory`, which need not be there yet; `None` where there can be none now.
    pub(crate) fn open(directory: &Path) -> Option<Self> {
        create(directory).ok()?;
        let tree = open_tree(directory).or_else(|error| {
            if !is_damage(&error) {
                return Err(error);
            }
            std::fs::remove_dir_all(directory)?;
            create(directory)?;
            open_tree(directory)
        });
        Some(Self {
            tree: tree.ok()?,
            order: None,
        })
    }

    /// What was answered to a question. What cannot be read is forgotten.
    pub(crate) fn get(&mut self, question: &Question) -> Option<Remembered> {
        let bytes = self.tree.get(question.0).ok()??;
        let decoded = Remembered::decode(&bytes);
        if decoded.is_none() {
            self.forget(question);
        }
        decoded.map(|(_, remembered)| remembered)
    }

    /// Remembers an answer instead of an earlier one, if that is possible. The oldest go where there are too many.
    pub(crate) fn put(&mut self, question: &Question, remembered: &Remembered) {
        let order = self.order.get_or_insert_with(|| read_order(&self.tree));
        order.forget(&question.0);
        let number = order.next();
        let bytes = remembered.encode(number);
        let size = bytes.len();
        if self.tree.insert(question.0, bytes).is_err() {
            return;
        }
        order.add(number, question.0[..].into(), size);
        while let Some(key) = order.pop_surplus() {
            // What cannot be removed is found again by whoever reads the order next.
            self.tree.remove(key).ok();
        }
        // A cache that was not flushed is only older.
        self.tree.flush().ok();
    }

    /// Removes what was answered to a question.
    pub(crate) fn forget(&mut self, question: &Question) {
        if let Some(order) = &mut self.order {
            order.forget(&question.0);
        }
        // What cannot be removed is not confirmed either, or still true.
        if let Ok(Some(_)) = self.tree.remove(question.0) {
            self.tree.flush().ok();
        }
    }
}

fn read_order(tree: &sled::Tree) -> Order {
    let mut order = Order::default();
    for (key, bytes) in tree.iter().flatten() {
        match Remembered::decode(&bytes) {
            Some((number, _)) => order.add(number, key, bytes.len()),
            None => drop(tree.remove(key)),
        }
    }
    order
}

/// Makes the directory, which is for its owner alone: registries may be private.
fn create(directory: &Path) -> std::io::Result<()> {
    if let Some(parent) = directory.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(directory)
}

fn open_tree(directory: &Path) -> sled::Result<sled::Tree> {
    sled::Config::new()
        .path(directory)
        .flush_every_ms(None)
        .cache_capacity(4 << 20)
        .open()?
        .open_tree(TREE)
}

/// Whether a database that cannot be opened is worth nothing. Not so where another process has it open, or where the
/// system refuses it.
fn is_damage(error: &sled::Error) -> bool {
    use std::io::ErrorKind;
    match error {
        sled::Error::Io(error) => {
            let refused = matches!(
                error.kind(),
                ErrorKind::PermissionDenied
                    | ErrorKind::ReadOnlyFilesystem
                    | ErrorKind::StorageFull
                    | ErrorKind::QuotaExceeded
                    | ErrorKind::WouldBlock
                    | ErrorKind::NotADirectory
            );
            !refused && !error.to_string().starts_with("could not acquire lock")
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Remembered {
        Remembered {
            place: place("https://a.example/"),
            validator: Validator::Tag("\"a\"".to_owned()),
            content_type: Some("application/json".to_owned()),
            body: body.into(),
        }
    }

    fn question(number: usize) -> Question {
        Question::new(&format!("https://a.example/{number}"), &[], None)
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            let name = header::HeaderName::from_static(name);
            (name, header::HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn an_answer_is_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/answers");
        let mut cache = Database::open(&path).unwrap();
        assert_eq!(cache.get(&question(1)), None);
        cache.put(&question(1), &answer("1"));
        cache.put(&question(1), &answer("one"));
        drop(cache);
        let mut cache = Database::open(&path).unwrap();
        assert_eq!(cache.get(&question(1)), Some(answer("one")));
        cache.forget(&question(1));
        assert_eq!(cache.get(&question(1)), None);
        assert!(Database::open(&path).is_none(), "it is in use");
        assert_eq!(cache.get(&question(2)), None, "and stays as it is");
    }

    #[test]
    fn what_was_changed_from_outside_is_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = Database::open(directory.path()).unwrap();
        cache.put(&question(1), &answer("true"));
        let mut bytes = cache.tree.get(question(1).0).unwrap().unwrap().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        cache.tree.insert(question(1).0, bytes).unwrap();
        cache.tree.insert(question(2).0, b"short").unwrap();
        assert_eq!(cache.get(&question(1)), None);
        assert_eq!(cache.get(&question(2)), None);
        assert!(cache.tree.is_empty());
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let directory = tempfile::tempdir().unwrap();
        let mut cache = Database::open(directory.path()).unwrap();
        let large = answer(&"x".repeat(LARGEST_BODY));
        cache.put(&question(0), &large);
        cache.put(&question(1), &large);
        cache.put(&question(0), &large);
        drop(cache);
        // Threads of the database's own hold it for a moment longer.
        let start = std::time::Instant::now();
        let mut cache = loop {
            match Database::open(directory.path()) {
                Some(cache) => break cache,
                None => assert!(start.elapsed().as_secs() < 60, "it stays closed"),
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        };
        cache.put(&question(2), &large);
        cache.put(&question(3), &large);
        let mut known = |number| cache.get(&question(number)).is_some();
        assert_eq!([0, 1, 2, 3].map(&mut known), [true, false, true, true]);

        let mut order = Order::default();
        for number in 0..=MOST_ANSWERS as u64 {
            order.add(number, number.to_be_bytes()[..].into(), 1);
        }
        assert_eq!(order.pop_surplus().unwrap(), 0_u64.to_be_bytes());
        assert_eq!((order.pop_surplus(), order.total), (None, MOST_ANSWERS));
    }

    #[test]
    fn questions_differ_by_address_headers_and_login() {
        let login = |password: &str| ("me".to_owned(), password.to_owned());
        let all = [
            Question::new("https://a.example/", &[], None),
            Question::new("https://b.example/", &[], None),
            Question::new("https://a.example/", &[("authorization", "Bearer a")], None),
            Question::new("https://a.example/", &[("authorization", "Bearer b")], None),
            Question::new("https://a.example/", &[], Some(&login("a"))),
            Question::new("https://a.example/", &[], Some(&login("b"))),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(one), "{index}");
        }
    }

    #[test]
    fn what_is_remembered_can_be_confirmed_and_may_be_stored() {
        let url = "https://a.example/x";
        let of = |pairs: &[(&'static str, &'static str)], status, from: &str, body: &str| {
            let answer = Answer {
                url: from.to_owned(),
                status,
                headers: BTreeMap::new(),
                body: body.into(),
            };
            Remembered::of(url, &headers(pairs), &answer).map(|found| found.validator)
        };
        let tag = ("etag", "\"a\"");
        let tagged = Some(Validator::Tag("\"a\"".to_owned()));
        assert_eq!(of(&[tag], 200, url, "{}"), tagged);
        assert_eq!(of(&[], 200, url, "{}"), None);
        assert_eq!(of(&[tag], 203, url, "{}"), None);
        assert_eq!(of(&[tag], 200, url, "{"), None, "it broke off");
        assert_eq!(of(&[tag], 200, url, &" ".repeat(LARGEST_BODY + 1)), None);
        for forbidden in ["no-store", "private, No-Store"] {
            assert_eq!(
                of(&[tag, ("cache-control", forbidden)], 200, url, "{}"),
                None
            );
        }
        let twice = [
            tag,
            ("cache-control", "no-store"),
            ("cache-control", "private"),
        ];
        assert_eq!(of(&twice, 200, url, "{}"), None);
        assert_eq!(of(&[tag, twice[2]], 200, url, "{}"), tagged);
        assert_eq!(of(&[tag], 200, "https://b.example/", "{}"), tagged);
        assert_eq!(of(&[tag], 200, "https://b.example/?signed=1", "{}"), None);
        let modified = ("last-modified", "Sat, 21 Nov 2026 10:00:00 GMT");
        let later = ("date", "Sat, 21 Nov 2026 10:00:01 GMT");
        let time = Some(Validator::Modified(modified.1.to_owned()));
        assert_eq!(of(&[modified, later], 200, url, "{}"), time);
        assert_eq!(of(&[modified, ("date", modified.1)], 200, url, "{}"), None);
        assert_eq!(of(&[modified], 200, url, "{}"), None);
    }

    #[test]
    fn only_the_same_version_from_the_same_place_is_confirmed() {
        let by = |url: &str, tag: Option<&str>| {
            answer("{}").is_confirmed_by(&Answer {
                url: url.to_owned(),
                status: 304,
                headers: tag
                    .map(|tag| ("etag".into(), tag.into()))
                    .into_iter()
                    .collect(),
                body: Vec::new(),
            })
        };
        assert!(by("https://a.example/", None));
        assert!(by("https://a.example/", Some("W/\"a\"")));
        assert!(!by("https://a.example/", Some("\"b\"")));
        assert!(!by("https://b.example/", None));
    }
}
