//! Ports for servers that must be told theirs before they start.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::install::Unavailable;

/// Where systems take no ports from for connections that go out, so that nobody takes one of these between the moment when
/// it is chosen and the moment when its server listens; nor does who asks whether the server answers yet meet itself.
const RANGE: std::ops::Range<u16> = 12_000..32_000;

/// A port of 127.0.0.1 that is free, and that this process gives to no other server.
pub(crate) fn free_port() -> Result<u16, Unavailable> {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let length = RANGE.end - RANGE.start;
    // Processes that look for ports at the same time begin at different places.
    let begin = std::process::id().wrapping_mul(2_654_435_761) >> 8;
    let begin = u16::try_from(begin % u32::from(length)).unwrap_or_default();
    for _ in 0..length {
        let step = TAKEN.fetch_add(1, Ordering::Relaxed) % length;
        let port = RANGE.start + (begin + step) % length;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Unavailable("there is no free port".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_once_and_is_free() {
        let first = free_port().unwrap();
        let second = free_port().unwrap();
        assert_ne!(first, second);
        assert!(RANGE.contains(&first) && RANGE.contains(&second));
    }
}
