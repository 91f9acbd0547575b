//! Who asks, and what they may do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the holder of a token may do: each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads and installs.
    Read,
    /// Publishes, takes back and deprecates.
    Publish,
    /// Gives out tokens and ends them.
    Admin,
}

impl Role {
    /// The role of a name.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "read" => Self::Read,
            "publish" => Self::Publish,
            "admin" => Self::Admin,
            _ => return None,
        })
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Publish => "publish",
            Self::Admin => "admin",
        }
    }
}

/// Someone whose token is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The namespaces in which it publishes; all where none is named.
    pub namespaces: Vec<String>,
}

impl Caller {
    /// Whether they may publish in a namespace.
    pub(crate) fn publishes_in(&self, namespace: &str) -> bool {
        self.role >= Role::Publish
            && (self.namespaces.is_empty() || self.namespaces.iter().any(|name| name == namespace))
    }
}

/// The token in the header `Authorization`: a bearer's, or a password, which browsers ask for.
pub(crate) fn token_in(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let login = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (_, password) = login.split_once(':')?;
    Some(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_in_headers() {
        let found = |header: &str| token_in(header);
        assert_eq!(found("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(found("bearer abc").as_deref(), Some("abc"));
        let basic = format!("Basic {}", STANDARD.encode("anyone:a:b"));
        assert_eq!(found(&basic).as_deref(), Some("a:b"));
        for header in ["", "Bearer", "Digest abc", "Basic !", "Basic YQ=="] {
            assert_eq!(found(header), None, "{header}");
        }
    }

    #[test]
    fn a_publisher_publishes_in_the_namespaces_of_the_token() {
        let caller = |role, namespaces: &[&str]| Caller {
            name: "ci".to_owned(),
            role,
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
        };
        assert!(caller(Role::Publish, &[]).publishes_in("acme"));
        assert!(caller(Role::Publish, &["acme"]).publishes_in("acme"));
        assert!(!caller(Role::Publish, &["acme"]).publishes_in("other"));
        assert!(!caller(Role::Read, &[]).publishes_in("acme"));
        assert!(!caller(Role::Admin, &["acme"]).publishes_in("other"));
    }
}
