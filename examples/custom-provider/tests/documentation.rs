//! The reference documentation is what the schema says.
#![allow(clippy::disallowed_methods, reason = "tests read files")]

use std::path::Path;

#[test]
fn the_documentation_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let provider = notes_provider::provider();
    let pages =
        terrace_provider_sdk::docs::pages(&notes_provider::about(), provider.provider_schema());
    assert_eq!(pages.len(), 5);
    for (path, page) in pages {
        let there = std::fs::read_to_string(root.join(&path)).unwrap_or_default();
        assert_eq!(
            there,
            page,
            "{} is stale: run `cargo run --package terrace-custom-provider --example docs`",
            path.display()
        );
    }
}
