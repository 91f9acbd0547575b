//! Whoever is killed while a version is published leaves all of it, or nothing that anybody sees.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use terrace_test_support::size;

use super::{Author, HOST, MODULE, applies, cli_config, configure, consumer, static_site};
use crate::server::Served;

/// How long is waited for a publication to begin.
const PATIENCE: Duration = Duration::from_mins(1);

/// When a publication is ended.
enum Moment {
    /// So long after its beginning.
    After(Duration),
    /// So long after its first trace in the store.
    Begun(Duration),
}

impl Moment {
    /// Those for something of `length`: half of them from its beginning to its end, half while it writes.
    fn all(length: Duration) -> impl Iterator<Item = Self> {
        let length = length.min(Duration::from_secs(5));
        let rounds = u32::try_from(size(4, 60)).unwrap();
        (0..rounds).map(move |round| {
            if round % 2 == 0 {
                Self::After(length * (round * 2 + 1) / (rounds * 2 - 1))
            } else {
                Self::Begun(Duration::from_millis(1) * (round / 2))
            }
        })
    }

    /// Waits for it; `trace` is the first file of a version that is written.
    fn wait(self, trace: &Path) {
        match self {
            Self::After(time) => std::thread::sleep(time),
            Self::Begun(more) => {
                let start = Instant::now();
                while !trace.exists() && start.elapsed() < PATIENCE {
                    std::thread::sleep(Duration::from_micros(100));
                }
                std::thread::sleep(more);
            }
        }
    }
}

/// The file that claims a version, in a folder of modules.
fn claim(folder: &Path, version: &str) -> PathBuf {
    let version = folder.join("v1/modules").join(MODULE).join(version);
    version.join("download")
}

/// What rounds left.
#[derive(Default)]
struct Tally {
    whole: usize,
    begun: usize,
    nothing: usize,
}

impl Tally {
    fn round(&mut self, is_there: bool, is_claimed: bool) {
        *match (is_there, is_claimed) {
            (true, _) => &mut self.whole,
            (false, true) => &mut self.begun,
            (false, false) => &mut self.nothing,
        } += 1;
    }

    /// Says what was held, for who keeps the numbers.
    fn tell(&self, who: &str) {
        println!(
            "kills, {who}: {} publications whose {who} was killed: {} left the whole version, {} part of it in the store that nobody sees, {} nothing; in part seen: 0; where it was not whole, the same content, published again, finished it",
            self.whole + self.begun + self.nothing,
            self.whole,
            self.begun,
            self.nothing,
        );
    }
}

#[test]
fn a_client_that_is_killed() {
    let author = Author::new();
    author.publish("../site", "0.9.0").success();
    let mut tally = Tally::default();
    let begun = Instant::now();
    author.publish("../site", "1.0.0").success();
    for (round, moment) in Moment::all(begun.elapsed()).enumerate() {
        let version = format!("1.{}.0", round + 1);
        author.edit(&version);
        let claim = claim(&author.site(), &version);
        let running = author.start_publishing("../site", &version);
        moment.wait(&claim);
        running.kill();
        drop(running.wait().whatever());
        let is_claimed = claim.exists();
        // What is seen now is whole.
        let web = static_site(&author.site());
        let config = cli_config(&web.url(""), "");
        let ours = consumer(&config, "~> 1.0");
        let said = ours.terrace(&["init"]).success();
        let previous = format!("{HOST}/{MODULE} 1.{round}.0");
        let newest = format!("{HOST}/{MODULE} {version}");
        let is_there = said.all().contains(&newest);
        tally.round(is_there, is_claimed);
        assert!(is_there || said.all().contains(&previous), "{}", said.all());
        applies(&ours);
        // The same content finishes what was begun.
        let again = author.publish("../site", &version);
        if is_there {
            again.fails(1).says("Version is published already");
        } else {
            again.success();
        }
        let web = static_site(&author.site());
        consumer(&cli_config(&web.url(""), ""), "~> 1.0")
            .terrace(&["init"])
            .success()
            .says(&newest);
    }
    tally.tell("client");
}

#[test]
fn a_server_that_is_killed() {
    let mut served = Served::start();
    let token = served.token("ci", "publish");
    let mut author = Author::new();
    configure(&mut author.project, &served.cli_config(&token));
    author.publish(HOST, "0.9.0").success();
    let mut tally = Tally::default();
    let begun = Instant::now();
    author.publish(HOST, "1.0.0").success();
    for (round, moment) in Moment::all(begun.elapsed()).enumerate() {
        let version = format!("1.{}.0", round + 1);
        author.edit(&version);
        let claim = claim(&served.content(), &version);
        let running = author.start_publishing(HOST, &version);
        moment.wait(&claim);
        served = served.killed();
        drop(running.wait().whatever());
        let is_claimed = claim.exists();
        let config = served.cli_config(&token);
        configure(&mut author.project, &config);
        let ours = consumer(&config, "~> 1.0");
        let said = ours.terrace(&["init"]).success();
        let previous = format!("{HOST}/{MODULE} 1.{round}.0");
        let newest = format!("{HOST}/{MODULE} {version}");
        let is_there = said.all().contains(&newest);
        tally.round(is_there, is_claimed);
        assert!(is_there || said.all().contains(&previous), "{}", said.all());
        applies(&ours);
        let again = author.publish(HOST, &version);
        if is_there {
            again.fails(1).says("Version is published already");
        } else {
            again.success();
        }
        consumer(&config, "~> 1.0")
            .terrace(&["init"])
            .success()
            .says(&newest);
    }
    tally.tell("server");
}
