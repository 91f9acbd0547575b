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
