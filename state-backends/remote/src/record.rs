//! What a lock says of its holder.

use terrace_port::{LockInfo, LockLease};

use crate::wire;

/// What a lock says of its holder: the reference's lock information, and the lease that Terrace adds.
///
/// Stores keep it as JSON text ([`to_json`](Self::to_json)) wherever the other tool keeps its own: a `.tflock` object, the `Info`
/// of an item, a blob's metadata, an annotation. Other tools' decoders ignore the member `Lease`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockRecord {
    /// Who holds the lock, doing what. Its `lease` is always `None`; the record's own is the one.
    pub info: LockInfo,
    /// The lease. A record without one is another tool's, or that of a store without leases: it is never taken over.
    pub lease: Option<LockLease>,
}

impl LockRecord {
    /// A record of a holder of whom the store knows nothing but that there is one.
    pub fn unknown(path: impl Into<String>) -> Self {
        Self {
            info: LockInfo {
                info: "The holder left no information.".into(),
                path: path.into(),
                ..LockInfo::default()
            },
            lease: None,
        }
    }

    /// JSON as the reference writes it, with the member `Lease` behind where there is a lease.
    pub fn to_json(&self) -> String {
        wire::write_record(self)
    }

    /// Reads what [`to_json`](Self::to_json) or another tool wrote. What cannot be read becomes a record without id whose
    /// `info` shows the text: lock information is for people, and a lock that nobody understands is still a lock.
    pub fn from_json(text: &[u8]) -> Self {
        wire::read_record(text)
    }

    /// The holder as the rest of Terrace knows it.
    pub fn holder(&self) -> LockInfo {
        LockInfo {
            lease: self.lease.clone(),
            ..self.info.clone()
        }
    }
}
