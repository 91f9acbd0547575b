//! The files of a new module.

/// What a new module is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaffold {
    /// Its name, such as `network` or `static-site`.
    pub name: String,
    /// Under which namespace it is to be published, where that is known.
    pub namespace: Option<String>,
    /// The provider that it is mostly for, such as `aws`, where that is known.
    pub provider: Option<String>,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaffoldFile {
    /// Its path within the module.
    pub path: &'static str,
    /// Its content.
    pub text: String,
}

const FILES: [(&str, &str); 11] = [
    ("main.tf", include_str!("../scaffold/main.tf")),
    ("variables.tf", include_str!("../scaffold/variables.tf")),
    ("outputs.tf", include_str!("../scaffold/outputs.tf")),
    ("versions.tf", include_str!("../scaffold/versions.tf")),
    ("README.md", include_str!("../scaffold/README.md")),
    ("CHANGELOG.md", include_str!("../scaffold/CHANGELOG.md")),
    (".gitignore", include_str!("../scaffold/gitignore")),
    (
        "tests/defaults.tftest.hcl",
        include_str!("../scaffold/tests/defaults.tftest.hcl"),
    ),
    (
        "examples/basic/main.tf",
        include_str!("../scaffold/examples/basic/main.tf"),
    ),
    (
        "examples/basic/README.md",
        include_str!("../scaffold/examples/basic/README.md"),
    ),
    (
        ".github/workflows/module.yml",
        include_str!("../scaffold/workflow/module.yml"),
    ),
];

impl Scaffold {
    /// Why a name is none, in a sentence; `None` for a good one.
    pub fn problem(&self) -> Option<String> {
        let fits = |name: &str| {
            let mut chars = name.chars();
            chars.next().is_some_and(|c| c.is_ascii_lowercase())
                && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                && !name.ends_with('-')
                && name.len() <= 64
        };
        let names = [
            Some(&self.name),
            self.namespace.as_ref(),
            self.provider.as_ref(),
        ];
        let wrong = names.into_iter().flatten().find(|name| !fits(name))?;
        Some(format!(
            "{wrong:?} is no name of a module in a registry: these begin with a lower-case letter, and hold lower-case letters, digits and dashes, at most 64."
        ))
    }
}

/// The files of a new module: one that is formatted, valid, documented and tested as it stands.
pub fn scaffold(wanted: &Scaffold) -> Vec<ScaffoldFile> {
    let identifier = wanted.name.replace('-', "_");
    let namespace = wanted.namespace.as_deref().unwrap_or("example");
    let provider = wanted.provider.as_deref().unwrap_or("terraform");
    FILES
        .into_iter()
        .map(|(path, text)| ScaffoldFile {
            path,
            text: text
                .replace("MODULE_IDENTIFIER", &identifier)
                .replace("MODULE_NAME", &wanted.name)
                .replace("NAMESPACE", namespace)
                .replace("PROVIDER", provider),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(name: &str) -> Scaffold {
        Scaffold {
            name: name.to_owned(),
            namespace: None,
            provider: None,
        }
    }

    #[test]
    fn names_are_those_of_registries() {
        assert_eq!(wanted("static-site").problem(), None);
        for name in ["Net", "", "-a", "a-", "a_b", "../x"] {
            assert!(wanted(name).problem().is_some(), "{name}");
        }
    }

    #[test]
    fn its_files_are_in_the_usual_form_and_nothing_is_left_open() {
        for file in scaffold(&wanted("static-site")) {
            for word in ["MODULE_", "NAMESPACE", "PROVIDER"] {
                assert!(!file.text.contains(word), "{} holds {word}", file.path);
            }
            if [".tf", ".hcl"]
                .iter()
                .any(|ending| file.path.ends_with(ending))
            {
                assert_eq!(
                    terrace_syntax::format(&file.text),
                    file.text,
                    "{}",
                    file.path
                );
            }
        }
    }
}
