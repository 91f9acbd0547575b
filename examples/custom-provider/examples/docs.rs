//! Writes the reference documentation from the schema.
#![allow(
    clippy::disallowed_methods,
    reason = "it writes the files that it is there for"
)]

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let provider = notes_provider::provider();
    let pages =
        terrace_provider_sdk::docs::pages(&notes_provider::about(), provider.provider_schema());
    for (path, page) in pages {
        let path = root.join(path);
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        std::fs::write(path, page)?;
    }
    Ok(())
}
