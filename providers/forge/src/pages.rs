//! Lists that come in pages.

use serde_json::Value as Json;

/// How many pages of a list are read at most.
const MOST_PAGES: u32 = 50;
/// How many entries a page has.
const PAGE: usize = 100;

/// All entries of the list at a path, which `read` reads page by page. Pages that are no lists themselves have the entries under
/// this name.
pub(crate) async fn all<F>(
    path: &str,
    name: Option<&str>,
    read: impl Fn(String) -> F + Send,
) -> Result<Vec<Json>, String>
where
    F: Future<Output = Result<Json, String>> + Send,
{
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut all = Vec::new();
    for page in 1..=MOST_PAGES {
        let mut found = read(format!("{path}{joint}per_page={PAGE}&page={page}")).await?;
        let entries = match name {
            Some(name) => found[name].take(),
            None => found,
        };
        let Json::Array(entries) = entries else {
            return Err(format!("{path} is no list"));
        };
        let is_last = entries.len() < PAGE;
        all.extend(entries);
        if is_last {
            return Ok(all);
        }
    }
    Err(format!("{path} has more than {MOST_PAGES} pages"))
}
