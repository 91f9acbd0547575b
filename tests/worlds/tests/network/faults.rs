//! Seeded faults during an apply.

use std::collections::BTreeMap;
use std::sync::Arc;

use terrace_test_support::size;

use crate::services::Service;
use crate::site::{Repeat, Site, seed};

/// What the runs have met.
#[derive(Debug, Default)]
struct Met {
    applies: usize,
    failed: usize,
    uncertain: usize,
    faults: BTreeMap<String, usize>,
}

/// An apply through a bad network; then, through a good one, whatever is left.
fn apply_through_faults(test: &str, service: &Service, (seed, index): (u64, usize), met: &mut Met) {
    let _repeat = Repeat { test, seed };
    let key = format!("faults{index}");
    service.prepare(&key);
    let proxy = service.proxy();
    let mut site = Site::new(&service.block(proxy.address(), &key, ""));
    site.init();
    site.script("create=delay 20");
    let (faults, share) = service.faults();
    proxy.disturb(seed, share, faults);
    let ended = site.apply(&[]);
    proxy.calm();
    site.settle();
    met.applies += 1;
    met.failed += usize::from(ended.code() != Some(0));
    let said = ended.all();
    ended.whatever();
    assert!(!said.contains("recorded nowhere"), "{said}");
    met.uncertain += site.finishes();
    service.history(&proxy, &key).has_one_writer_at_a_time();
    for (fault, count) in proxy.counts() {
        *met.faults.entry(fault).or_default() += count;
    }
}

fn applies_through_faults(test: &str, name: &str, service: &dyn Fn() -> Option<Arc<Service>>) {
    let first = seed();
    let mut met = Met::default();
    for index in 0..size(1, 25) {
        let Some(service) = service() else { return };
        let seed = first.wrapping_add(index as u64);
        apply_through_faults(test, &service, (seed, index), &mut met);
    }
    let faults: Vec<String> = met
        .faults
        .iter()
        .map(|(fault, count)| format!("{fault} {count}"))
        .collect();
    println!(
        "FIGURE network faults, {name}: {} applies (seeds from {first}), {} of them failed, 0 objects lost, 0 created twice, {} uncertain, serials without a gap; faults: {}",
        met.applies,
        met.failed,
        met.uncertain,
        faults.join(", ")
    );
}

/// A service that all applies share.
fn shared(service: Option<Service>) -> impl Fn() -> Option<Arc<Service>> {
    let service = service.map(Arc::new);
    move || service.clone()
}

#[test]
fn faults_before_s3_lose_nothing() {
    let test = "faults_before_s3_lose_nothing";
    applies_through_faults(test, "s3", &shared(Service::s3()));
}

#[test]
fn faults_before_a_database_lose_nothing() {
    let test = "faults_before_a_database_lose_nothing";
    applies_through_faults(test, "pg", &shared(Service::pg()));
}

#[test]
fn faults_before_an_http_server_lose_nothing() {
    let test = "faults_before_an_http_server_lose_nothing";
    // One server holds one state.
    applies_through_faults(test, "http", &|| Some(Arc::new(Service::http())));
}

#[test]
fn faults_before_azurerm_lose_nothing() {
    let test = "faults_before_azurerm_lose_nothing";
    applies_through_faults(test, "azurerm", &shared(Service::azurerm()));
}
