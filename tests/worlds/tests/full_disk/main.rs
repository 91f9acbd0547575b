//! Applies on a disk that becomes full: at every amount of room there is at the beginning, and after every object.
//!
//! The disk is a small `tmpfs` over the project's directory and home, so that everything is on it: the state, the journal, the
//! lock, the plan file, the caches. The provider's world is elsewhere. `TERRACE_FULL=1` tries every moment.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test"
)]

mod disk;
#[path = "../site/mod.rs"]
mod site;

use terrace_test_support::size;

use disk::Disk;
use site::{N_OBJECTS, Site};

/// How much the disk holds.
const SIZE: &str = "24m";

/// A site on a small disk, set up; `None` where no disk can be had, which is said.
fn small(backend: &str) -> Option<(Site, Disk)> {
    let block = match backend {
        "local" => String::new(),
        other => format!("backend {other:?} {{}}"),
    };
    let site = Site::new(&block);
    let disk = match Disk::over(site.project.outer(), SIZE) {
        Ok(disk) => disk,
        Err(why) => {
            println!("SKIPPED a full disk, {backend}: no small file system can be mounted: {why}");
            return None;
        }
    };
    for directory in ["home", "work"] {
        std::fs::create_dir_all(site.project.outer().join(directory)).unwrap();
    }
    let site = site.furnish(&block).with_environment();
    Some((site, disk))
}

/// What a failed command said: that the disk is full, of what file, and what to do.
fn is_helpful(said: &str) {
    let words: Vec<&str> = said.split_whitespace().collect();
    let text = words.join(" ").to_lowercase();
    for wanted in ["no space left on device", "free some space"] {
        assert!(text.contains(wanted), "not said: {wanted}\n{said}");
    }
    let named = text.contains("disk is full") || text.contains("disk full");
    assert!(named, "{said}");
    assert!(!text.contains("recorded nowhere"), "{said}");
}

/// An apply with so much room; then all the room it wants. Whether it failed the first time.
fn with_room(backend: &str, kilobytes: u64) -> Option<bool> {
    let (mut site, disk) = small(backend)?;
    let what = format!("{backend} with {kilobytes} KB");
    site.script("create=delay 2");
    disk.fill_but(kilobytes << 10);
    let ended = site.apply(&[]);
    let code = ended.code();
    let said = ended.all();
    ended.whatever();
    assert!(matches!(code, Some(0 | 1)), "{what}: {code:?}\n{said}");
    if code == Some(1) {
        is_helpful(&said);
    }
    disk.free();
    let uncertain = site.finishes();
    assert_eq!(uncertain, 0, "{what}: every result was recorded\n{said}");
    Some(code == Some(1))
}

/// An apply during which the disk becomes full once so many objects are there.
fn full_after(backend: &str, objects: usize) -> Option<bool> {
    let (mut site, disk) = small(backend)?;
    let what = format!("{backend}, full after {objects} objects");
    site.script("create=delay 100");
    let mut running = site.start_apply(&[]);
    running.until("the moment when the disk is full", |_| {
        site.n_events() >= objects
    });
    disk.fill_but(0);
    let ended = running.wait();
    let code = ended.code();
    let said = ended.all();
    ended.whatever();
    if code == Some(1) {
        is_helpful(&said);
    }
    // While it is full, other commands say so or work, and nothing is harmed.
    let again = site.project.terrace(&["recover"]);
    let told = again.all();
    if again.code() != Some(0) {
        is_helpful(&told);
    }
    again.whatever();
    disk.free();
    let uncertain = site.finishes();
    assert_eq!(
        uncertain, 0,
        "{what}: every result was recorded\n{said}\n{told}"
    );
    Some(code == Some(1))
}

fn at_every_amount(backend: &str) {
    let step = size(580, 16) as u64;
    let (mut tried, mut failed) = (0, 0);
    for kilobytes in (0..=1200).step_by(usize::try_from(step).unwrap()) {
        let Some(has_failed) = with_room(backend, kilobytes) else {
            return;
        };
        tried += 1;
        failed += usize::from(has_failed);
    }
    assert!(failed > 0, "the disk was never full");
    println!(
        "FIGURE full disk, {backend}: {tried} applies with 0 to 1200 KB of room, {failed} of them failed; 0 objects lost, 0 created twice, 0 uncertain"
    );
}

fn after_every_object(backend: &str) {
    let step = size(13, 1);
    let (mut tried, mut failed) = (0, 0);
    for objects in (1..N_OBJECTS).step_by(step) {
        let Some(has_failed) = full_after(backend, objects) else {
            return;
        };
        tried += 1;
        failed += usize::from(has_failed);
    }
    println!(
        "FIGURE full disk, {backend}: {tried} applies whose disk became full after an object, {failed} of them failed; 0 objects lost, 0 created twice, 0 uncertain"
    );
}

#[test]
fn whatever_room_there_is_nothing_is_lost_of_state_files() {
    at_every_amount("local");
}

#[test]
fn whatever_room_there_is_nothing_is_lost_of_an_embedded_store() {
    at_every_amount("embedded");
}

#[test]
fn whenever_the_disk_is_full_nothing_is_lost_of_state_files() {
    after_every_object("local");
}

#[test]
fn whenever_the_disk_is_full_nothing_is_lost_of_an_embedded_store() {
    after_every_object("embedded");
}

#[test]
fn a_plan_file_for_which_there_is_no_room_is_refused_and_can_be_made_later() {
    let Some((site, disk)) = small("local") else {
        return;
    };
    disk.fill_but(0);
    let ended = site.project.terrace(&["plan", "-out=kept.plan"]).fails(1);
    is_helpful(&ended.all());
    assert!(ended.all().contains("kept.plan"), "{}", ended.all());
    disk.free();
    site.project.terrace(&["plan", "-out=kept.plan"]).success();
    // Whatever the apply cannot write, the saved plan stays what it was.
    disk.fill_but(0);
    let ended = site.project.terrace(&["apply", "kept.plan"]).fails(1);
    is_helpful(&ended.all());
    assert!(site.objects().is_empty());
    disk.free();
    site.project.terrace(&["apply", "kept.plan"]).success();
    site.state_is_the_world();
}
