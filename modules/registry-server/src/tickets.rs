//! Tickets: addresses of archives that open for a while to whoever has them.
//!
//! Clients give their token to the registry and to nothing that the registry leads to, so the address of an archive says by
//! itself that someone asked for it who may.

use std::collections::BTreeMap;
use std::sync::Arc;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use terrace_backend_remote::{Objects, Put, When, Write};
use terrace_port::Entropy;

use crate::RegistryError;
use crate::tokens::hex;

/// Where the secret lies.
const NAME: &str = "tickets.key";
/// How long a ticket opens, in seconds: archives are fetched right after they were asked for.
const LASTING: i64 = 900;

/// Makes tickets and knows them again.
#[derive(Clone)]
pub(crate) struct Tickets {
    secret: Arc<[u8]>,
}

impl Tickets {
    /// By the secret in a store that nobody serves; it is made where there is none.
    pub(crate) async fn open(
        store: &dyn Objects,
        entropy: &dyn Entropy,
    ) -> Result<Self, RegistryError> {
        if let Some(object) = store.get(NAME).await? {
            return Self::of(object.bytes);
        }
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        let made = store.put(NAME, &secret, Write::when(When::Absent)).await?;
        if matches!(made, Put::Written(_)) {
            return Self::of(Arc::from(&secret[..]));
        }
        // Another server was faster.
        match store.get(NAME).await? {
            Some(object) => Self::of(object.bytes),
            None => Err(RegistryError::Store(format!(
                "{} comes and goes",
                store.place(NAME)
            ))),
        }
    }

    fn of(secret: Arc<[u8]>) -> Result<Self, RegistryError> {
        if secret.len() < 32 {
            return Err(RegistryError::Malformed(
                "the secret of download tickets is too short".to_owned(),
            ));
        }
        Ok(Self { secret })
    }

    fn mac(&self, path: &str, until: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.secret).expect("a key of any length will do");
        mac.update(format!("{until}\n{path}").as_bytes());
        mac
    }

    /// The query that opens `path` from `now` on.
    pub(crate) fn issue(&self, path: &str, now: i64) -> String {
        let until = now + LASTING;
        let ticket = hex(&self.mac(path, until).finalize().into_bytes());
        format!("until={until}&ticket={ticket}")
    }

    /// Whether a query opens `path` now.
    pub(crate) fn opens(&self, path: &str, query: &BTreeMap<String, String>, now: i64) -> bool {
        let Some(until) = query.get("until").and_then(|until| until.parse().ok()) else {
            return false;
        };
        let ticket = query.get("ticket").and_then(|ticket| unhex(ticket));
        let Some(ticket) = ticket else { return false };
        now <= until && self.mac(path, until).verify_slice(&ticket).is_ok()
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Method, Request};

    #[test]
    fn a_ticket_opens_its_path_for_a_while() {
        let tickets = Tickets::of(Arc::from([7; 32])).unwrap();
        let query = |path: &str, now| {
            let address = format!("{path}?{}", tickets.issue(path, now));
            Request::new(Method::Get, &address).query
        };
        let given = query("/a", 1000);
        assert!(tickets.opens("/a", &given, 1000));
        assert!(tickets.opens("/a", &given, 1900));
        assert!(!tickets.opens("/a", &given, 1901));
        assert!(!tickets.opens("/b", &given, 1000));
        let mut longer = given.clone();
        longer.insert("until".to_owned(), "9999".to_owned());
        assert!(!tickets.opens("/a", &longer, 1000));
        let mut broken = given;
        broken.insert("ticket".to_owned(), "zz".to_owned());
        assert!(!tickets.opens("/a", &broken, 1000));
        assert!(!tickets.opens("/a", &BTreeMap::new(), 1000));
        let others = Tickets::of(Arc::from([8; 32])).unwrap();
        assert!(!others.opens("/a", &query("/a", 1000), 1000));
        assert!(Tickets::of(Arc::from([1; 8])).is_err());
    }
}
