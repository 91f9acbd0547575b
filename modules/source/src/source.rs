//! What a source text names.

/// A module's source, as it is written in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleSource {
    /// A path relative to the calling module: it starts with `./` or `../`.
    Local(String),
    /// A module of a registry: `namespace/name/target` or `host/namespace/name/target`, perhaps with `//subdirectory`.
    Registry(String),
    /// Something to fetch: an address with a scheme, a forge's short form, an archive.
    Remote(String),
}

impl ModuleSource {
    /// Reads a source; or says what is wrong with it.
    pub fn parse(source: &str) -> Result<Self, String> {
        if source == "." || source == ".." || source.starts_with("./") || source.starts_with("../")
        {
            return Ok(Self::Local(source.to_owned()));
        }
        if source.starts_with('/') {
            return Ok(Self::Remote(source.to_owned()));
        }
        if is_remote(source) {
            return Ok(Self::Remote(source.to_owned()));
        }
        let package = source
            .split_once("//")
            .map_or(source, |(package, _)| package);
        if is_registry(package) {
            return Ok(Self::Registry(source.to_owned()));
        }
        Err(format!(
            "Terrace failed to determine your intended installation method for remote module package \"{source}\".\n\nIf you intended this as a path relative to the current module, use \"./{source}\" instead. The \"./\" prefix indicates that the address is a relative filesystem path."
        ))
    }
}

fn is_remote(source: &str) -> bool {
    const SHORT_FORMS: [&str; 3] = ["github.com/", "bitbucket.org/", "git@"];
    source.contains("://")
        || source.contains("::")
        || SHORT_FORMS.iter().any(|form| source.starts_with(form))
}

fn is_registry(package: &str) -> bool {
    let parts: Vec<&str> = package.split('/').collect();
    let names = match parts.as_slice() {
        [host, names @ ..] if names.len() == 3 && (host.contains('.') || host.contains(':')) => {
            names
        }
        names if names.len() == 3 => names,
        _ => return false,
    };
    names.iter().all(|name| {
        !name.is_empty()
            && !name.starts_with(['-', '_'])
            && !name.ends_with(['-', '_'])
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let parse = |source: &str| ModuleSource::parse(source);
        assert!(matches!(parse("./a"), Ok(ModuleSource::Local(_))));
        assert!(matches!(parse("../a"), Ok(ModuleSource::Local(_))));
        assert!(matches!(
            parse("hashicorp/consul/aws"),
            Ok(ModuleSource::Registry(_))
        ));
        assert!(matches!(
            parse("example.com/a/b/c//sub"),
            Ok(ModuleSource::Registry(_))
        ));
        for remote in [
            "git::https://example.com/x.git",
            "github.com/a/b",
            "https://example.com/x.zip",
            "git@github.com:a/b.git",
            "/abs",
        ] {
            assert!(
                matches!(parse(remote), Ok(ModuleSource::Remote(_))),
                "{remote}"
            );
        }
        assert!(parse("foo").unwrap_err().contains("use \"./foo\" instead"));
        assert!(parse("5").is_err());
    }
}
