//! A holder that is cut off, and another one that takes its lock over meanwhile.

use std::time::{Duration, Instant};

use terrace_test_services::Way;
use terrace_test_support::{in_full_size, size};

use crate::services::Service;
use crate::site::{N_OBJECTS, Repeat, Site, seed};

/// How the other one comes by the lock.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// By force, at once.
    Force,
    /// By waiting for the end of the lease.
    Lease,
}

/// The first process is cut off in the middle; the second one takes over, recovers and finishes; then everything that the
/// first one had sent arrives late, and it goes on. `false` where the partition came too late to show anything.
fn one_is_cut_off(
    test: &str,
    service: &Service,
    (seed, key): (u64, String),
    (by, way): (By, Way),
) -> bool {
    let _repeat = Repeat { test, seed };
    service.prepare(&key);
    let near = service.proxy();
    let far = near.beside().unwrap();
    let mut first = Site::new(&service.block(near.address(), &key, ""));
    let mut second = first.beside(&service.block(far.address(), &key, ""));
    if by == By::Lease {
        for site in [&mut first, &mut second] {
            site.project.set("TERRACE_LOCK_LEASE", "10");
        }
    }
    first.init();
    second.init();
    first.script("create=delay 300");
    let mut running = first.start_apply(&["-var=writer=first"]);
    let moment = 3 + usize::try_from(seed % 10).unwrap();
    running.until("the moment of the partition", |_| {
        first.n_events() >= moment
    });
    near.partition(way);
    let cut_off = Instant::now();
    // What its provider was asked for comes to an end; nothing new is asked for, since its intent is not durable.
    first.settle();
    if first.n_events() == N_OBJECTS {
        near.calm();
        running.wait().whatever();
        return false;
    }

    second.script("");
    if by == By::Force {
        let refused = second.project.terrace(&["recover"]);
        let said = refused.all();
        refused.fails(1);
        assert!(second.free_lock(&said), "{said}");
    } else {
        let waited = ["recover", "-lock-timeout=100s"];
        second.project.terrace(&waited).whatever();
    }
    finish(&mut second);

    // A holder asks whether it still has its lock when it has not known for three seconds.
    std::thread::sleep(Duration::from_secs(4).saturating_sub(cut_off.elapsed()));
    // What was held back arrives.
    near.calm();
    running.wait().fails(1);
    first.settle();
    assert_eq!(first.n_events(), N_OBJECTS, "it went on without its lock");
    finish(&mut first);
    let history = service.history(&near, &key);
    history.has_one_writer_at_a_time();
    let writers: Vec<&str> = history
        .states
        .iter()
        .map(|version| &*version.writer)
        .collect();
    let turn = writers.iter().position(|writer| *writer == "second");
    let turn = turn.expect("the second one wrote");
    assert!(
        writers[turn..].iter().all(|writer| *writer != "first"),
        "the first one wrote after the second one: {writers:?}"
    );
    true
}

/// Tries until a partition has come in time.
fn is_cut_off(test: &str, service: &Service, (seed, index): (u64, usize), how: (By, Way)) {
    for attempt in 0..10 {
        let key = format!("takeover{index}x{attempt}");
        if one_is_cut_off(test, service, (seed, key), how) {
            return;
        }
    }
    panic!("ten applies were over before they could be cut off");
}

/// Recovers, applies the rest as the second writer, and sees that nothing is lost or there twice.
fn finish(site: &mut Site) {
    site.recover();
    site.state_is_the_world();
    site.apply(&["-var=writer=second"]).success();
    site.state_is_the_world();
    site.nothing_was_created_twice();
    assert_eq!(site.objects().len(), N_OBJECTS);
}

const WAYS: [Way; 3] = [Way::Both, Way::Back, Way::There];

fn cut_off(test: &str, name: &str, service: &Service) {
    let first = seed();
    let rounds = size(1, 9);
    for index in 0..rounds {
        let seed = first.wrapping_add(index as u64);
        let way = WAYS[usize::try_from(seed % 3).unwrap()];
        is_cut_off(test, service, (seed, index), (By::Force, way));
    }
    println!(
        "FIGURE partitions, {name}: {rounds} holders cut off (seeds from {first}) whose lock another released by force; 0 objects lost, 0 created twice, 0 states of a former holder"
    );
}

#[test]
fn a_holder_of_an_object_lock_that_is_cut_off_writes_no_more() {
    if let Some(service) = Service::s3() {
        let test = "a_holder_of_an_object_lock_that_is_cut_off_writes_no_more";
        cut_off(test, "s3", &service);
    }
}

#[test]
fn a_holder_of_a_session_that_is_cut_off_writes_no_more() {
    if let Some(service) = Service::pg() {
        let test = "a_holder_of_a_session_that_is_cut_off_writes_no_more";
        cut_off(test, "pg", &service);
    }
}

#[test]
fn a_holder_of_a_blob_lease_that_is_cut_off_writes_no_more() {
    if let Some(service) = Service::azurerm() {
        let test = "a_holder_of_a_blob_lease_that_is_cut_off_writes_no_more";
        cut_off(test, "azurerm", &service);
    }
}

#[test]
fn a_lock_whose_holder_is_cut_off_is_taken_over_after_its_lease() {
    let test = "a_lock_whose_holder_is_cut_off_is_taken_over_after_its_lease";
    if !in_full_size(test) {
        return;
    }
    for (name, service) in [("s3", Service::s3()), ("azurerm", Service::azurerm())] {
        let Some(service) = service else { continue };
        for (index, way) in WAYS.into_iter().enumerate() {
            let seed = seed();
            is_cut_off(test, &service, (seed, index), (By::Lease, way));
        }
        println!(
            "FIGURE partitions, {name}: 3 holders cut off whose lease ran out and whose lock was taken over; 0 objects lost, 0 created twice, 0 states of a former holder"
        );
    }
}
