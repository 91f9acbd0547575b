//! The starter pack: policies that most teams want first.

/// A file of the starter pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StarterFile {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! starter {
    ($($name:literal),* $(,)?) => {
        [$(StarterFile { name: $name, text: include_str!(concat!("../starter/", $name)) }),*]
    };
}

/// Encryption, public access, tags, least privilege, deletion protection and regions, each with its unit tests, and the data
/// that they are set by.
pub const fn starter_pack() -> &'static [StarterFile] {
    const FILES: &[StarterFile] = &starter![
        "changes.rego",
        "deletion_protection.rego",
        "deletion_protection_test.rego",
        "encryption.rego",
        "encryption_test.rego",
        "least_privilege.rego",
        "least_privilege_test.rego",
        "public_access.rego",
        "public_access_test.rego",
        "regions.rego",
        "regions_test.rego",
        "settings.json",
        "tags.rego",
        "tags_test.rego",
    ];
    FILES
}

/// The starter pack's rules of this name, such as `encryption`, with the helpers that they call and without their tests;
/// nothing where there are none of that name.
pub fn starter_rules(name: &str) -> Vec<StarterFile> {
    let wanted = format!("{name}.rego");
    if !starter_names().contains(&name) {
        return Vec::new();
    }
    let files = starter_pack().iter().copied();
    files
        .filter(|file| file.name == wanted || file.name == HELPERS)
        .collect()
}

/// The names that [`starter_rules`] knows, in their order.
pub fn starter_names() -> Vec<&'static str> {
    let files = starter_pack().iter().filter(|file| file.name != HELPERS);
    files
        .filter_map(|file| file.name.strip_suffix(".rego"))
        .filter(|name| !name.ends_with("_test"))
        .collect()
}

/// What the starter pack asks for where nobody sets it.
pub fn starter_settings() -> StarterFile {
    let mut files = starter_pack().iter().copied();
    files
        .find(|file| file.name == "settings.json")
        .expect("the starter pack has settings")
}

/// What the other rules of the starter pack call.
const HELPERS: &str = "changes.rego";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_the_starter_pack_are_found_by_their_names() {
        assert_eq!(
            starter_names(),
            [
                "deletion_protection",
                "encryption",
                "least_privilege",
                "public_access",
                "regions",
                "tags"
            ]
        );
        let names = |name: &str| -> Vec<&str> {
            starter_rules(name).iter().map(|file| file.name).collect()
        };
        assert_eq!(names("tags"), ["changes.rego", "tags.rego"]);
        for none in ["changes", "tags_test", "", "settings"] {
            assert!(starter_rules(none).is_empty(), "{none}");
        }
        assert!(starter_settings().text.contains("required_tags"));
    }
}
