//! Whoever is killed while a version is published leaves all of it, or nothing that anybody sees.

use std::time::{Duration, Instant};

use terrace_test_support::size;

use super::{Author, HOST, MODULE, applies, cli_config, configure, consumer, static_site};
use crate::server::Served;

/// The moments at which something of `length` is ended: from its beginning to after its end.
fn moments(length: Duration) -> impl Iterator<Item = Duration> {
    let length = length.min(Duration::from_secs(5));
    let rounds = u32::try_from(size(3, 60)).unwrap();
    (0..rounds).map(move |round| length * (round * 2 + 1) / (rounds * 2 - 1))
}

/// How many rounds left the whole version, and how many nothing.
#[derive(Default)]
struct Tally {
    whole: usize,
    nothing: usize,
}

impl Tally {
    fn round(&mut self, is_there: bool) {
        if is_there {
            self.whole += 1;
        } else {
            self.nothing += 1;
        }
    }

    /// Says what was held, for who keeps the numbers.
    fn tell(&self, who: &str) {
        println!(
            "kills, {who}: {} publications broken off at moments spread over their length; {} left the whole version, {} left nothing that is seen, 0 a part; the same content, published again, finished those",
            self.whole + self.nothing,
            self.whole,
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
    for (round, moment) in moments(begun.elapsed()).enumerate() {
        let version = format!("1.{}.0", round + 1);
        author.edit(&version);
        let running = author.start_publishing("../site", &version);
        std::thread::sleep(moment);
        running.kill();
        drop(running.wait().whatever());
        // What is seen now is whole.
        let web = static_site(&author.site());
        let config = cli_config(&web.url(""), "");
        let ours = consumer(&config, "~> 1.0");
        let said = ours.terrace(&["init"]).success();
        let previous = format!("{HOST}/{MODULE} 1.{round}.0");
        let newest = format!("{HOST}/{MODULE} {version}");
        let is_there = said.all().contains(&newest);
        tally.round(is_there);
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
    for (round, moment) in moments(begun.elapsed()).enumerate() {
        let version = format!("1.{}.0", round + 1);
        author.edit(&version);
        let running = author.start_publishing(HOST, &version);
        std::thread::sleep(moment);
        served = served.killed();
        drop(running.wait().whatever());
        let config = served.cli_config(&token);
        configure(&mut author.project, &config);
        let ours = consumer(&config, "~> 1.0");
        let said = ours.terrace(&["init"]).success();
        let previous = format!("{HOST}/{MODULE} 1.{round}.0");
        let newest = format!("{HOST}/{MODULE} {version}");
        let is_there = said.all().contains(&newest);
        tally.round(is_there);
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
