//! A network that is lost for good in the middle of an apply: what was done is kept on this machine, and the next command says so.

use terrace_test_support::in_full_size;

use crate::services::Service;
use crate::site::{N_OBJECTS, Site};

/// Tries until the way was lost in time.
fn is_lost_in_the_middle(service: impl Fn() -> Option<Service>, more: &str, is_kept_aside: bool) {
    for _ in 0..10 {
        let Some(service) = service() else { return };
        if is_lost(&service, more, is_kept_aside) {
            return;
        }
    }
    panic!("ten applies were over before they could be cut off");
}

/// Loses the way to the store in the middle, finds it again, and finishes. `false` where the apply was over by then.
fn is_lost(service: &Service, more: &str, is_kept_aside: bool) -> bool {
    let key = "lost";
    service.prepare(key);
    let proxy = service.proxy();
    let mut site = Site::new(&service.block(proxy.address(), key, more));
    site.init();
    site.script("create=delay 300");
    let mut running = site.start_apply(&[]);
    running.until("the fifth object", |_| site.n_events() >= 5);
    proxy.shut_down();
    let ended = running.wait();
    if ended.code() == Some(0) {
        ended.success();
        return false;
    }
    let said = ended.fails(1);
    let n = site.objects().len();
    if is_kept_aside && n == N_OBJECTS {
        return false;
    }
    let said = said.says("Nothing is lost").says("terrace recover").all();
    assert!((5..=N_OBJECTS).contains(&n), "{n} objects\n{said}");
    let kept = site.project.path().join(".terrace/aside");
    let files = std::fs::read_dir(&kept).map(Iterator::count).unwrap_or(0);
    assert_eq!(files > 0, is_kept_aside, "{said}");
    assert_eq!(said.contains(".terrace/aside/"), is_kept_aside, "{said}");
    proxy.calm();
    let offered = site.apply(&[]);
    let asked = offered.all();
    offered.fails(1);
    if site.free_lock(&asked) {
        site.apply(&[])
            .fails(1)
            .says("Interrupted apply must be recovered first");
    } else {
        assert!(
            asked.contains("Interrupted apply must be recovered first"),
            "{asked}"
        );
    }
    let uncertain = site.finishes();
    assert_eq!(uncertain, 0, "every result was recorded\n{said}");
    let files = std::fs::read_dir(&kept).map(Iterator::count).unwrap_or(0);
    assert_eq!(files, 0, "what was kept is in the state now");
    service.history(&proxy, key).has_one_writer_at_a_time();
    true
}

#[test]
fn what_was_done_when_the_way_to_s3_was_lost_is_kept_on_this_machine() {
    is_lost_in_the_middle(Service::s3, "max_retries = 0", true);
}

#[test]
fn what_was_done_when_the_way_to_an_http_server_was_lost_is_kept_on_this_machine() {
    // Its journal is on this machine anyway.
    is_lost_in_the_middle(|| Some(Service::http()), "", false);
}

#[test]
fn what_was_done_when_the_way_to_a_database_was_lost_is_kept_on_this_machine() {
    if in_full_size("a database out of reach, which is asked for fifteen seconds") {
        is_lost_in_the_middle(Service::pg, "", true);
    }
}

#[test]
fn who_waits_for_a_store_out_of_reach_is_told_so_and_then_where_it_is() {
    let name = "a store out of reach, which is asked for fifteen seconds";
    let Some(service) = Service::pg().filter(|_| in_full_size(name)) else {
        return;
    };
    service.prepare("away");
    let proxy = service.proxy();
    let at = proxy.address();
    let site = Site::new(&service.block(at, "away", ""));
    site.init();
    site.apply(&[]).success();
    proxy.shut_down();
    let place = format!("postgres://{at}/away");
    site.project
        .terrace(&["plan"])
        .fails(1)
        .says("The state's store does not answer")
        .says(&place)
        .says("State store unavailable")
        .says("tried for 1");
}
