//! Which files of a directory are configuration.

use std::collections::BTreeSet;

use terrace_port::FileEntry;

use crate::load::clean;

/// One configuration file of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    /// The directory.
    pub(crate) directory: String,
    /// Name in its directory.
    pub(crate) name: String,
    /// Whether it is JSON.
    pub(crate) is_json: bool,
    /// Whether it is a `.tofu` file, judged by another version of the language.
    pub(crate) is_tofu: bool,
    /// Whether it overrides what other files say.
    pub(crate) is_override: bool,
}

/// The configuration files among `entries`, by name; `.tofu` files stand in for `.tf` files of the same name.
pub(crate) fn configuration_files(directory: &str, entries: &[FileEntry]) -> Vec<ConfigFile> {
    let names: Vec<&str> = entries
        .iter()
        .filter(|entry| !entry.is_directory)
        .map(|entry| entry.name.as_str())
        .collect();
    let all: BTreeSet<&str> = names.iter().copied().collect();
    let mut files: Vec<ConfigFile> = names
        .iter()
        .filter(|name| !is_ignored(name))
        .filter_map(|name| {
            let (stem, extension) = split_extension(name)?;
            let shadow = match extension {
                ".tf" => Some(format!("{stem}.tofu")),
                ".tf.json" => Some(format!("{stem}.tofu.json")),
                _ => None,
            };
            if shadow.is_some_and(|shadow| all.contains(shadow.as_str())) {
                return None;
            }
            Some(ConfigFile {
                directory: clean(directory),
                name: (*name).to_owned(),
                is_json: matches!(extension, ".tf.json" | ".tofu.json"),
                is_tofu: extension.starts_with(".tofu"),
                is_override: stem == "override" || stem.ends_with("_override"),
            })
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn split_extension(name: &str) -> Option<(&str, &'static str)> {
    [".tf.json", ".tofu.json", ".tf", ".tofu"]
        .into_iter()
        .find_map(|extension| Some((name.strip_suffix(extension)?, extension)))
}

/// Hidden files and what editors leave behind.
pub(crate) fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(entries: &[&str]) -> Vec<String> {
        let entries: Vec<FileEntry> = entries
            .iter()
            .map(|name| FileEntry {
                name: (*name).to_owned(),
                is_directory: false,
            })
            .collect();
        configuration_files(".", &entries)
            .into_iter()
            .map(|file| format!("{}{}", file.name, if file.is_override { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn tofu_files_win_and_overrides_are_known() {
        assert_eq!(
            names(&[
                "b.tf",
                "a.tf",
                "a.tofu",
                "c.tf.json",
                "c.tofu",
                "x_override.tf",
                "override.tf.json",
                "notes.md"
            ]),
            [
                "a.tofu",
                "b.tf",
                "c.tf.json",
                "c.tofu",
                "override.tf.json!",
                "x_override.tf!"
            ]
        );
    }

    #[test]
    fn editors_files_are_ignored() {
        assert_eq!(
            names(&[".a.tf", "a.tf~", "#a.tf#", "a.tfvars", "a.tftest.hcl"]),
            Vec::<String>::new()
        );
    }
}
