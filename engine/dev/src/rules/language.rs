//! `docs/language` is what `cargo dev generate` makes of the pages that are tests (`tests/spec/pages`).

use std::collections::BTreeMap;

use terrace_spec::{Page, reference};

use super::Violation;
use crate::facts::Facts;
use crate::{Failure, workspace};

/// The directory that is written.
pub(crate) const DIRECTORY: &str = reference::DIRECTORY;
const PAGES: &str = "tests/spec/pages/";

pub(crate) fn check(facts: &Facts) -> Vec<Violation> {
    let pages: Vec<Page> = facts
        .texts
        .iter()
        .filter_map(|(path, text)| {
            let name = path.strip_prefix(PAGES)?.strip_suffix(".md")?;
            Some((name, text))
        })
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(name, text)| Page::parse(name, text))
        .collect();
    let mut wanted = if pages.is_empty() {
        BTreeMap::new()
    } else {
        reference::documents(&pages)
    };
    let mut violations = Vec::new();
    for (path, text) in &facts.texts {
        let Some(name) = path
            .strip_prefix(DIRECTORY)
            .and_then(|name| name.strip_prefix('/'))
        else {
            continue;
        };
        match wanted.remove(name) {
            Some(wanted) if wanted == *text => {}
            Some(_) => violations.push(Violation::new(
                path,
                "is not what its page says; run `cargo dev generate`",
            )),
            None => violations.push(Violation::new(
                path,
                format!("has no page in {PAGES}; remove it"),
            )),
        }
    }
    violations.extend(wanted.into_keys().map(|name| {
        Violation::new(
            format!("{DIRECTORY}/{name}"),
            "is missing; run `cargo dev generate`",
        )
    }));
    violations
}

/// Writes the reference anew, and takes away what has no page any more.
pub(crate) fn write() -> Result<(), Failure> {
    let directory = workspace::root().join(DIRECTORY);
    std::fs::create_dir_all(&directory)?;
    let documents = reference::documents(&terrace_spec::pages()?);
    for entry in std::fs::read_dir(&directory)? {
        let path = entry?.path();
        let known = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| documents.contains_key(name));
        if !known {
            std::fs::remove_file(path)?;
        }
    }
    for (name, text) in documents {
        std::fs::write(directory.join(name), text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::testing::file;

    #[test]
    fn a_document_that_is_stale_missing_or_left_over_is_found() {
        let mut facts = file("engine/gate/src/lib.rs", "");
        let page = "# One\n\n## Part\n\n```console\n> 1\n1\n```\n";
        facts
            .texts
            .push((format!("{PAGES}10-one.md"), page.to_owned()));
        assert_eq!(check(&facts).len(), 2);
        let documents = reference::documents(&[Page::parse("10-one", page)]);
        for (name, text) in &documents {
            facts
                .texts
                .push((format!("{DIRECTORY}/{name}"), text.clone()));
        }
        assert_eq!(check(&facts), []);
        facts
            .texts
            .push((format!("{DIRECTORY}/two.md"), String::new()));
        assert!(check(&facts)[0].what.contains("remove it"));
        facts.texts.pop();
        facts.texts.iter_mut().last().unwrap().1.push('x');
        assert!(check(&facts)[0].what.contains("cargo dev generate"));
    }
}
