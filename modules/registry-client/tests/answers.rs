//! Registries confirm what they answered before.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use terrace_registry_client::{
    Answer, Credentials, DEFAULT_HOST, Discovery, Host, Http, HttpSettings, ModuleName,
    ModuleRegistry, ProviderRegistry, ServiceSettings,
};
use terrace_test_services::{Reply, Web};

struct World {
    web: Web,
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self {
            web: Web::start().unwrap(),
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn answers(&self) -> PathBuf {
        self.directory.path().join("cache/answers")
    }

    /// What makes requests in a run of its own.
    fn http(&self) -> Http {
        http(&self.answers())
    }

    fn ask(&self, headers: &[(&str, &str)]) -> Answer {
        ask(&self.http(), &self.web, headers)
    }

    /// What the last request had of a header.
    fn last(&self, header: &str) -> Option<String> {
        self.web
            .asked()
            .last()
            .unwrap()
            .headers
            .get(header)
            .cloned()
    }
}

fn http(answers: &Path) -> Http {
    Http::new(HttpSettings {
        pause: Duration::from_millis(1),
        answers: Some(answers.to_owned()),
        ..HttpSettings::default()
    })
}

fn ask(http: &Http, web: &Web, headers: &[(&str, &str)]) -> Answer {
    http.get_confirmed(&web.url("/list"), headers)
        .unwrap()
        .ok()
        .unwrap()
}

fn list(tag: &str) -> Reply {
    Reply::json(&format!("{{\"list\":{tag}}}")).header("ETag", &format!("\"{tag}\""))
}

#[test]
fn a_confirmed_answer_is_the_remembered_one() {
    let world = World::new();
    world.web.in_turn("/list", [list("1"), Reply::status(304)]);
    let first = world.ask(&[]);
    assert_eq!(world.last("if-none-match"), None);
    let second = world.ask(&[]);
    assert_eq!(world.last("if-none-match").unwrap(), "\"1\"");
    assert_eq!((second.status, &second.body), (200, &first.body));
    assert_eq!(second.header("content-type"), Some("application/json"));
    assert_eq!(second.url, first.url);
}

#[test]
fn a_time_confirms_too() {
    let world = World::new();
    let time = "Sat, 21 Nov 2026 10:00:00 GMT";
    let reply = Reply::json("[1]")
        .header("Last-Modified", time)
        .header("Date", "Sat, 21 Nov 2026 10:00:05 GMT");
    world.web.in_turn("/list", [reply, Reply::status(304)]);
    world.ask(&[]);
    assert_eq!(world.ask(&[]).body, b"[1]");
    assert_eq!(world.last("if-modified-since").unwrap(), time);
}

#[test]
fn a_changed_answer_takes_the_place_of_the_earlier_one() {
    let world = World::new();
    world
        .web
        .in_turn("/list", [list("1"), list("2"), Reply::status(304)]);
    world.ask(&[]);
    assert_eq!(world.ask(&[]).body, b"{\"list\":2}");
    assert_eq!(world.ask(&[]).body, b"{\"list\":2}");
    assert_eq!(world.last("if-none-match").unwrap(), "\"2\"");
}

#[test]
fn nothing_is_answered_without_the_servers_word() {
    let world = World::new();
    world
        .web
        .in_turn("/list", [list("1"), Reply::status(404), Reply::status(403)]);
    world.ask(&[]);
    for status in [404, 403] {
        let url = world.web.url("/list");
        let answer = world.http().get_confirmed(&url, &[]).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (status, &b""[..]));
    }
    let World { web, directory } = world;
    let url = web.url("/list");
    drop(web);
    let http = http(&directory.path().join("cache/answers"));
    assert!(http.get_confirmed(&url, &[]).is_err(), "nobody answers");
}

#[test]
fn a_confirmation_of_something_else_is_none() {
    let world = World::new();
    let other = Reply::status(304).header("ETag", "\"9\"");
    world.web.in_turn("/list", [list("1"), other, list("2")]);
    world.ask(&[]);
    assert_eq!(world.ask(&[]).body, b"{\"list\":2}");
    assert_eq!(world.last("if-none-match"), None);
}

#[test]
fn nobody_gets_what_was_answered_to_someone_else() {
    let world = World::new();
    let token = "Bearer hush-hush";
    let me = [("authorization", token)];
    let someone = [("authorization", "Bearer other")];
    world
        .web
        .on("/list", list("1").needs("authorization", token));
    world.ask(&me);
    for headers in [&[][..], &someone] {
        let url = world.web.url("/list");
        let answer = world.http().get_confirmed(&url, headers).unwrap();
        assert_eq!((answer.status, &answer.body[..]), (401, &b""[..]));
        assert_eq!(world.last("if-none-match"), None);
    }
    world.ask(&me);
    assert_eq!(world.last("if-none-match").unwrap(), "\"1\"");
    for file in files(&world.answers()) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(9).any(|window| window == b"hush-hush");
        assert!(!found, "the token is in {}", file.display());
    }
}

#[test]
fn what_must_not_be_stored_is_not() {
    let world = World::new();
    let secret = || list("1").header("Cache-Control", "private, no-store");
    world
        .web
        .in_turn("/list", [secret(), list("2"), secret(), list("3")]);
    for expected in [None, None, Some("\"2\""), None] {
        world.ask(&[]);
        assert_eq!(world.last("if-none-match").as_deref(), expected);
    }
}

#[test]
fn a_damaged_database_is_made_anew() {
    for damage in ["cut", "zeros", "noise", "no database"] {
        let world = World::new();
        world.web.on("/list", list("1"));
        world.ask(&[]);
        for file in files(&world.answers()) {
            let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
            let bytes = match damage {
                "cut" => vec![b'x'; 3],
                "zeros" => vec![0; length],
                "noise" => (0..=250).rev().cycle().take(length).collect(),
                _ => {
                    std::fs::remove_dir_all(world.answers()).unwrap();
                    std::fs::write(world.answers(), "a file").unwrap();
                    break;
                }
            };
            std::fs::write(&file, bytes).unwrap();
        }
        world.ask(&[]);
        world.ask(&[]);
        let expected = (damage != "no database").then(|| "\"1\"".to_owned());
        assert_eq!(world.last("if-none-match"), expected, "{damage}");
    }
}

#[test]
fn a_database_in_use_is_done_without() {
    let world = World::new();
    world.web.on("/list", list("1"));
    let other = world.http();
    ask(&other, &world.web, &[]);
    assert_eq!(world.ask(&[]).body, b"{\"list\":1}");
    assert_eq!(world.last("if-none-match"), None);
    ask(&other, &world.web, &[]);
    assert_eq!(world.last("if-none-match").unwrap(), "\"1\"");
}

#[test]
fn nothing_is_opened_before_it_is_needed() {
    let world = World::new();
    world.web.on("/list", list("1"));
    let http = world.http();
    http.get(&world.web.url("/list"), &[]).unwrap();
    assert!(!world.answers().exists());
    ask(&http, &world.web, &[]);
    assert!(world.answers().is_dir());
}

#[test]
fn lists_of_versions_are_confirmed() {
    let world = World::new();
    let host = Host::parse(DEFAULT_HOST).unwrap();
    let services =
        ["modules.v1", "providers.v1"].map(|id| (id.to_owned(), world.web.url("/").into()));
    let settings = ServiceSettings {
        services: [(host.clone(), services.into())].into(),
        ..ServiceSettings::default()
    };
    let module = ModuleName {
        host,
        namespace: "acme".into(),
        name: "net".into(),
        target: "fake".into(),
    };
    let provider = terrace_addr::ProviderAddr::default_for("null");
    let modules = r#"{"modules":[{"versions":[{"version":"1.0.0"}]}]}"#;
    let providers = r#"{"versions":[{"version":"2.0.0"}]}"#;
    let lists = [
        ("/acme/net/fake/versions", modules),
        ("/hashicorp/null/versions", providers),
    ];
    for (path, body) in lists {
        let list = Reply::json(body).header("ETag", "\"a\"");
        world.web.in_turn(path, [list, Reply::status(304)]);
    }
    for _ in 0..2 {
        let credentials = Credentials::new(&[].into(), &settings, None, None);
        let discovery = Discovery::new(Arc::new(world.http()), Arc::new(credentials), &settings);
        let discovery = Arc::new(discovery);
        let found = ModuleRegistry::new(discovery.clone()).versions(&module);
        assert_eq!(found.unwrap().unwrap()[0].to_string(), "1.0.0");
        let found = ProviderRegistry::new(discovery).versions(&provider);
        assert_eq!(
            found.unwrap().unwrap().versions[0].version.to_string(),
            "2.0.0"
        );
    }
    let conditions = world.web.asked().into_iter();
    let conditions: Vec<bool> = conditions
        .map(|asked| asked.headers.contains_key("if-none-match"))
        .collect();
    assert_eq!(conditions, [false, false, true, true]);
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
