//! What several test crates share.
