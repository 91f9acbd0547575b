//! Directories in packages, which sources may name by patterns.

use std::path::Path;

/// The one directory in `package` that `pattern` names; `*` and `?` stand for parts of a name. Empty stays empty.
pub(crate) fn find(package: &Path, pattern: &str) -> Result<String, String> {
    let mut found = vec![String::new()];
    for step in pattern.split('/').filter(|step| !step.is_empty()) {
        let mut next = Vec::new();
        for directory in &found {
            next.extend(matches(package, directory, step));
        }
        found = next;
    }
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(format!("subdir {pattern:?} not found")),
        _ => Err(format!("subdir {pattern:?} matches multiple paths")),
    }
}

fn matches(package: &Path, directory: &str, step: &str) -> Vec<String> {
    let join = |name: &str| {
        if directory.is_empty() {
            name.to_owned()
        } else {
            format!("{directory}/{name}")
        }
    };
    if !step.contains(['*', '?']) {
        let path = join(step);
        return package
            .join(&path)
            .is_dir()
            .then_some(path)
            .into_iter()
            .collect();
    }
    let Ok(entries) = std::fs::read_dir(package.join(directory)) else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name != ".git" && fits(step.as_bytes(), name.as_bytes()))
        .map(|name| join(&name))
        .collect()
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|skipped| fits(rest, &name[skipped..])),
        Some((b'?', rest)) => !name.is_empty() && fits(rest, &name[1..]),
        Some((byte, rest)) => name.first() == Some(byte) && fits(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_name_one_directory() {
        let package = tempfile::tempdir().unwrap();
        for path in ["repo-abc/modules/x", "repo-abc/modules/y", "other"] {
            std::fs::create_dir_all(package.path().join(path)).unwrap();
        }
        std::fs::write(package.path().join("repo-file"), "").unwrap();
        let find = |pattern: &str| find(package.path(), pattern);
        assert_eq!(find("").unwrap(), "");
        assert_eq!(find("repo-*").unwrap(), "repo-abc");
        assert_eq!(
            find("repo-*/modules/?*x").unwrap_err(),
            "subdir \"repo-*/modules/?*x\" not found"
        );
        assert_eq!(find("*-abc/modules/x").unwrap(), "repo-abc/modules/x");
        assert_eq!(
            find("*").unwrap_err(),
            "subdir \"*\" matches multiple paths"
        );
        assert_eq!(find("nothing").unwrap_err(), "subdir \"nothing\" not found");
    }
}
