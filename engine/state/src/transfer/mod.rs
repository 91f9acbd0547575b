//! Moving objects from one state to another, so that no crash loses one or leaves it in both.
//!
//! Both states are written under their locks. First a [`Transfer`] goes to the journal of the source, then to that of the
//! destination; then the destination is stored, then the source; then the journals are emptied, the destination's first.
//! So the source's journal holds the transfer for as long as anything is open, and no other command changes it meanwhile.
//! Wherever the process dies, [`Transfer::judge`] tells from both states and journals what remains to be done: an object is
//! taken out of the source only where the destination has it.

mod carry;

use sha2::{Digest as _, Sha256};
use terrace_addr::AbsResourceInstance;

use crate::journal::Frame;
use crate::operations::Move;
use crate::{InstanceState, State, StateError};

pub use carry::{Both, Party, Settlement, carry_out, settle};

/// Which end of a transfer a journal belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The state that objects leave.
    Source,
    /// The state that gets them.
    Destination,
}

/// One end of a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// What to call it for people.
    pub name: String,
    /// Where it is, in words that whoever wrote it reads again. Opaque here.
    pub place: String,
    /// Lineage of its state before; empty where there was none.
    pub lineage: String,
    /// Serial of its state before.
    pub serial: u64,
}

/// One instance that changes from one state to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// From where to where.
    pub addresses: Move,
    /// What tells its objects from others.
    pub digest: String,
}

/// What is about to be done to two states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The same in both journals.
    pub id: String,
    /// Which end the journal belongs to.
    pub role: Role,
    /// The state that objects leave.
    pub source: End,
    /// The state that gets them.
    pub destination: End,
    /// The instances.
    pub objects: Vec<Transferred>,
}

/// What remains to be done of a transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Instances that are in the destination and still in the source: to be taken out of the source.
    pub to_remove: Vec<Move>,
    /// Instances that have arrived and are gone from the source.
    pub done: Vec<Move>,
    /// Instances that have not arrived and stay in the source.
    pub stay: Vec<Move>,
    /// Instances that neither state has any more.
    pub gone: Vec<Move>,
    /// Instances in the source at whose destination there is something else than what was moved: nobody but a person knows.
    pub unclear: Vec<Move>,
}

/// What tells the objects of an instance from those of another.
pub fn digest_of(instance: &InstanceState) -> String {
    let mut hash = Sha256::new();
    let objects = instance.current.iter().chain(instance.deposed.values());
    for object in objects {
        hash.update(object.attributes.len().to_le_bytes());
        hash.update(&*object.attributes);
    }
    hash.finalize()
        .iter()
        .take(16)
        .fold(String::new(), |mut text, byte| {
            use std::fmt::Write as _;
            write!(text, "{byte:02x}").expect("a string takes everything");
            text
        })
}

fn instance_at<'a>(state: &'a State, address: &AbsResourceInstance) -> Option<&'a InstanceState> {
    state
        .resources
        .get(&address.resource)?
        .instances
        .get(&address.key)
}

impl Transfer {
    /// The transfer of `moves` out of `state`, as the journal of `role` is to hold it.
    pub fn new(
        id: String,
        role: Role,
        (source, destination): (End, End),
        (state, moves): (&State, &[Move]),
    ) -> Self {
        let objects = moves
            .iter()
            .filter_map(|one| {
                Some(Transferred {
                    digest: digest_of(instance_at(state, &one.from)?),
                    addresses: one.clone(),
                })
            })
            .collect();
        Self {
            id,
            role,
            source,
            destination,
            objects,
        }
    }

    /// The transfer that a journal holds, if it holds one.
    pub fn in_journal(frames: &[Vec<u8>]) -> Result<Option<Self>, StateError> {
        match frames
            .first()
            .map(|bytes| Frame::decode(bytes))
            .transpose()?
        {
            Some(Frame::Transfer(transfer)) => Ok(Some(*transfer)),
            _ => Ok(None),
        }
    }

    /// The other end's journal entry.
    #[must_use]
    pub fn for_role(&self, role: Role) -> Self {
        Self {
            role,
            ..self.clone()
        }
    }

    /// The end that the journal belongs to.
    pub fn own_end(&self) -> &End {
        match self.role {
            Role::Source => &self.source,
            Role::Destination => &self.destination,
        }
    }

    /// The end that the journal does not belong to.
    pub fn other_end(&self) -> &End {
        match self.role {
            Role::Source => &self.destination,
            Role::Destination => &self.source,
        }
    }

    /// What remains to be done, by both states as they are stored. `announced` says whether the destination's journal
    /// holds the transfer too: where it does not, the destination was not stored, or all is done.
    pub fn judge(&self, source: &State, destination: &State, announced: bool) -> Judgement {
        let mut judgement = Judgement::default();
        let untouched = |state: &State, end: &End| {
            state.serial == end.serial && (end.lineage.is_empty() || state.lineage == end.lineage)
        };
        let not_stored = !announced || untouched(destination, &self.destination);
        for object in &self.objects {
            let addresses = object.addresses.clone();
            let here = instance_at(source, &addresses.from)
                .is_some_and(|instance| digest_of(instance) == object.digest);
            let there = instance_at(destination, &addresses.to);
            let arrived = there.is_some_and(|instance| digest_of(instance) == object.digest);
            let list = match (here, arrived) {
                (true, _) if not_stored => &mut judgement.stay,
                (true, true) => &mut judgement.to_remove,
                (false, true) => &mut judgement.done,
                (true, false) if there.is_some() => &mut judgement.unclear,
                (true, false) => &mut judgement.stay,
                // Whoever has it may have changed it since.
                (false, false) if there.is_some() => &mut judgement.done,
                (false, false) => &mut judgement.gone,
            };
            list.push(addresses);
        }
        judgement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{relocate, same_addresses};
    use crate::state::tests::sample;

    fn transfer() -> (Transfer, State, State) {
        let source = sample();
        let moves = same_addresses(&source, &"t.a".parse().unwrap()).unwrap();
        let end = |state: &State| End {
            lineage: state.lineage.clone(),
            serial: state.serial,
            ..End::default()
        };
        let ends = (end(&source), end(&State::default()));
        let transfer = Transfer::new("id".into(), Role::Source, ends, (&source, &moves));
        let (mut rest, mut next) = relocate(&source, &State::default(), &moves).unwrap();
        rest.serial += 1;
        next.serial += 1;
        (transfer, rest, next)
    }

    fn sizes(judgement: &Judgement) -> [usize; 5] {
        [
            judgement.to_remove.len(),
            judgement.done.len(),
            judgement.stay.len(),
            judgement.gone.len(),
            judgement.unclear.len(),
        ]
    }

    #[test]
    fn each_point_of_a_crash_is_told_from_the_others() {
        let (transfer, rest, next) = transfer();
        let (source, nothing) = (sample(), State::default());
        assert_eq!(
            sizes(&transfer.judge(&source, &nothing, false)),
            [0, 0, 2, 0, 0]
        );
        assert_eq!(
            sizes(&transfer.judge(&source, &nothing, true)),
            [0, 0, 2, 0, 0]
        );
        assert_eq!(
            sizes(&transfer.judge(&source, &next, true)),
            [2, 0, 0, 0, 0]
        );
        assert_eq!(sizes(&transfer.judge(&rest, &next, true)), [0, 2, 0, 0, 0]);
        assert_eq!(sizes(&transfer.judge(&rest, &next, false)), [0, 2, 0, 0, 0]);
    }

    #[test]
    fn what_others_have_changed_meanwhile_is_not_taken_for_what_was_moved() {
        let (transfer, rest, next) = transfer();
        let mut other = next.clone();
        other.serial += 1;
        let provider = crate::state::tests::provider();
        let object = crate::state::tests::object("{\"id\":\"of someone else\"}");
        other.set_object(&"t.a[0]".parse().unwrap(), None, &provider, Some(object));
        assert_eq!(
            sizes(&transfer.judge(&sample(), &other, true)),
            [1, 0, 0, 0, 1]
        );
        assert_eq!(sizes(&transfer.judge(&rest, &other, true)), [0, 2, 0, 0, 0]);
        let mut emptied = next;
        emptied.serial += 1;
        emptied.resources.clear();
        assert_eq!(
            sizes(&transfer.judge(&rest, &emptied, true)),
            [0, 0, 0, 2, 0]
        );
        assert_eq!(
            sizes(&transfer.judge(&sample(), &emptied, true)),
            [0, 0, 2, 0, 0]
        );
    }

    #[test]
    fn a_transfer_comes_back_from_its_journal() {
        let (mut transfer, _, _) = transfer();
        transfer.destination.place = "{\"directory\":\"../b\"}".into();
        let frames = [Frame::Transfer(Box::new(transfer.clone())).encode()];
        assert_eq!(
            Transfer::in_journal(&frames).unwrap(),
            Some(transfer.clone())
        );
        assert_eq!(Transfer::in_journal(&[]).unwrap(), None);
        assert_eq!(
            transfer.for_role(Role::Destination).own_end().place,
            transfer.destination.place
        );
        let recovery = crate::journal::recover(&sample(), &frames).unwrap();
        assert!(!recovery.is_clean() && recovery.transfer == Some(transfer));
    }
}
