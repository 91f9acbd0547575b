//! Hosts that are asked: which service's they are, and what becomes of those to which there is no connection.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use terrace_backend_remote::chain;
use tokio::time::Instant;

/// How often a host is tried that refuses connections, or that has no address. The pauses between so many attempts sum up to
/// 26 s on average, and to 51 s at most; today's provider makes nine attempts.
const ATTEMPTS: u32 = 7;
/// How often a host is tried that lets every attempt wait until it is given up.
const SLOW_ATTEMPTS: u32 = 3;
/// For how long a host that was given up is tried once by each request: whoever refreshes a hundred objects waits for it once.
const GIVEN_UP: Duration = Duration::from_mins(1);

/// Services that are the same in all regions.
const GLOBAL: [&str; 2] = ["cloudfront", "iam"];

/// Takes what helps to find a mistake.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// Where a request went to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The service, by the name that its endpoint is configured by.
    pub service: String,
    /// The host, with the port where one is named.
    pub host: String,
    /// The endpoint that is configured for the service, where it is not where it usually is.
    pub endpoint: Option<String>,
    region: String,
}

impl Place {
    pub(crate) fn new(service: &str, region: &str, host: &str, endpoint: Option<&str>) -> Self {
        Self {
            service: service.to_owned(),
            host: host.to_owned(),
            endpoint: endpoint.map(str::to_owned),
            region: region.to_owned(),
        }
    }

    /// The region that was asked; none of a service that is the same in all of them.
    pub fn region(&self) -> Option<&str> {
        (!GLOBAL.contains(&self.service.as_str())).then_some(self.region.as_str())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.service, self.host)?;
        match self.region() {
            Some(region) => write!(f, " (region {region})"),
            None => Ok(()),
        }
    }
}

/// A host gave no answer.
#[derive(Debug)]
pub struct Unreached {
    /// Whether there was a connection.
    pub connected: bool,
    /// Where the request was to go.
    pub place: Place,
    /// How often it was tried.
    pub attempts: u32,
    /// Why there is no answer, in words.
    pub why: String,
}

impl Unreached {
    /// The one behind an error.
    pub fn behind<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(error), |error| (*error).source())
            .find_map(<dyn Error>::downcast_ref)
    }

    /// What helps.
    pub fn advice(&self) -> String {
        let Place {
            service, endpoint, ..
        } = &self.place;
        match endpoint {
            _ if self.connected => "The connection broke, or nothing came for half a minute. Whether the service did what it was asked for is not known. Look at the network and at the proxy settings (HTTPS_PROXY, NO_PROXY), and run plan again.".to_owned(),
            Some(endpoint) => format!(
                "The configured endpoint of {service} is {endpoint} (an endpoints argument, AWS_ENDPOINT_URL, or the profile). See whether a server listens there and whether the address is spelled right, or leave it out where AWS itself is meant. Then run the command again."
            ),
            None => "Look at the network, at DNS and at the proxy settings (HTTPS_PROXY, NO_PROXY), and at the region: a service is only where its region is spelled right, and not every region has every service. Then run the command again.".to_owned(),
        }
    }
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = match self.attempts {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        let Self { place, why, .. } = self;
        if self.connected {
            write!(f, "{place} does not answer, asked {times}: {why}")
        } else {
            write!(f, "there is no connection to {place}, tried {times}: {why}")
        }
    }
}

impl Error for Unreached {}

/// What all clients of a session know of hosts.
#[derive(Clone, Default)]
pub(crate) struct Hosts {
    log: Option<Log>,
    given_up: Arc<Mutex<BTreeMap<String, Instant>>>,
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts")
            .field("given_up", &self.given_up)
            .finish_non_exhaustive()
    }
}

impl Hosts {
    pub(crate) fn new(log: Option<Log>) -> Self {
        Self {
            log,
            given_up: Arc::default(),
        }
    }

    /// A host has answered.
    pub(crate) fn answered(&self, host: &str) {
        self.lock().remove(host);
    }

    /// What was begun came to no end. The SDK tries it again, as it does all that may pass.
    pub(crate) fn broken(place: Place, attempt: Attempt, error: &reqwest::Error) -> ConnectorError {
        let is_slow = error.is_timeout();
        let broken = Unreached {
            connected: true,
            place,
            attempts: attempt.number,
            why: why(error),
        };
        if is_slow {
            ConnectorError::timeout(broken.into())
        } else {
            ConnectorError::io(broken.into())
        }
    }

    /// There was no connection. The error is one that the SDK tries again, unless it was tried often enough.
    pub(crate) fn unreached(
        &self,
        place: Place,
        attempt: Attempt,
        error: &reqwest::Error,
    ) -> ConnectorError {
        let is_slow = error.is_timeout();
        let most = if is_slow { SLOW_ATTEMPTS } else { ATTEMPTS };
        let is_last = attempt.number >= attempt.most.min(most);
        let is_end = is_last || self.is_given_up(&place.host);
        if is_last {
            self.lock().insert(place.host.clone(), Instant::now());
        }
        let unreached = Unreached {
            connected: false,
            place,
            attempts: attempt.number,
            why: why(error),
        };
        if let Some(log) = &self.log {
            let next = if is_end {
                "that is given up"
            } else {
                "trying again"
            };
            log(&format!("{unreached}; {next}"));
        }
        if is_end {
            // Of the kinds of errors, the one that is not tried again.
            ConnectorError::other(unreached.into(), None)
        } else if is_slow {
            ConnectorError::timeout(unreached.into())
        } else {
            ConnectorError::io(unreached.into())
        }
    }

    fn is_given_up(&self, host: &str) -> bool {
        let given_up = self.lock().get(host).copied();
        given_up.is_some_and(|moment| moment.elapsed() < GIVEN_UP)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Instant>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the errors behind an error say; itself it says where the request was to go.
fn why(error: &reqwest::Error) -> String {
    error.source().map_or_else(|| error.to_string(), chain)
}

/// Which attempt of a request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    number: u32,
    most: u32,
}

impl Attempt {
    /// What the SDK tells the service of it; the only one where it tells nothing.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        Self::told(request.headers().get("amz-sdk-request").unwrap_or_default())
    }

    fn told(header: &str) -> Self {
        let said = |name: &str| {
            let mut pairs = header.split(';');
            pairs.find_map(|pair| {
                let (key, value) = pair.trim().split_once('=')?;
                (key == name).then(|| value.parse().ok())?
            })
        };
        let number = said("attempt").unwrap_or(1);
        Self {
            number,
            most: said("max").unwrap_or(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_an_attempt_is_read_from_what_the_service_is_told() {
        for (header, number, most) in [
            ("attempt=1; max=25", 1, 25),
            ("ttl=20260101T000000Z; attempt=3; max=6", 3, 6),
            ("attempt=2", 2, 2),
            ("", 1, 1),
        ] {
            assert_eq!(Attempt::told(header), Attempt { number, most }, "{header}");
        }
    }

    #[test]
    fn a_service_that_is_everywhere_has_no_region() {
        let place = |service| Place::new(service, "eu-west-1", "example.com:1", None);
        assert_eq!(
            place("ssm").to_string(),
            "ssm at example.com:1 (region eu-west-1)"
        );
        assert_eq!(place("iam").to_string(), "iam at example.com:1");
    }
}
