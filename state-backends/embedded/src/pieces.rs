//! A state's bytes in pieces, one for each resource instance, so that a write costs what changed.
//!
//! The pieces one after the other are the bytes, whatever these are; where they begin is a guess that fits state files as
//! Terrace writes them. A piece's key says where it belongs among the others and nothing else: one that is inserted gets a
//! key between those of its neighbours.

use std::collections::HashMap;

/// The distance of keys that are given out in a row.
const STEP: u64 = 1 << 32;

/// The distance that is left at least where room is made.
const ROOM: u64 = 1 << 24;

/// What a resource begins with, and what an instance does.
const RESOURCE: &[u8] = b"    {";
const INSTANCE: &[u8] = b"        {";

/// Cuts before each resource, and before each instance but a resource's first.
pub(crate) fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    let mut is_first = false;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let cuts = match content {
            RESOURCE => {
                is_first = true;
                true
            }
            INSTANCE => !std::mem::take(&mut is_first),
            _ => false,
        };
        if cuts && at > begin {
            pieces.push(&bytes[begin..at]);
            begin = at;
        }
        at += line.len();
    }
    if begin < bytes.len() {
        pieces.push(&bytes[begin..]);
    }
    pieces
}

/// What makes the stored pieces the new ones.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference<'a> {
    /// Keys of pieces that are no longer there, unless `put` has them.
    pub(crate) gone: Vec<u64>,
    /// Pieces to store.
    pub(crate) put: Vec<(u64, &'a [u8])>,
}

/// Compares stored pieces, in the order of their keys, with new ones.
pub(crate) fn difference<'a>(stored: &[(u64, Vec<u8>)], new: &[&'a [u8]]) -> Difference<'a> {
    let kept = kept(stored, new);
    let mut keys: Vec<Option<u64>> = kept
        .iter()
        .map(|place| place.map(|place| stored[place].0))
        .collect();
    number(&mut keys);
    let mut put = Vec::new();
    let mut stays = vec![false; stored.len()];
    for ((piece, key), kept) in new.iter().zip(keys).zip(kept) {
        let key = key.expect("every piece was given a key");
        match kept {
            Some(place) if stored[place].0 == key => stays[place] = true,
            _ => put.push((key, *piece)),
        }
    }
    let gone = stored.iter().zip(stays).filter(|(_, stays)| !stays);
    Difference {
        gone: gone.map(|((key, _), _)| *key).collect(),
        put,
    }
}

/// For each new piece the place of the stored one that it is; places grow.
fn kept(stored: &[(u64, Vec<u8>)], new: &[&[u8]]) -> Vec<Option<usize>> {
    // Where pieces are the same at one place each, they are the same piece.
    let mut places: HashMap<&[u8], (Option<usize>, usize)> = HashMap::with_capacity(stored.len());
    for (place, (_, piece)) in stored.iter().enumerate() {
        places
            .entry(piece)
            .and_modify(|found| found.0 = None)
            .or_insert((Some(place), 0));
    }
    for piece in new {
        if let Some(found) = places.get_mut(piece) {
            found.1 += 1;
        }
    }
    let same: Vec<Option<usize>> = new
        .iter()
        .map(|piece| match places.get(piece) {
            Some((place, 1)) => *place,
            _ => None,
        })
        .collect();
    in_order(&same)
}

/// As many of these as can stay such that they grow.
fn in_order(places: &[Option<usize>]) -> Vec<Option<usize>> {
    // By length of a growing row, where the one that ends lowest ends; and what goes before each.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; places.len()];
    for (at, place) in places.iter().enumerate() {
        let Some(place) = place else { continue };
        let length = ends.partition_point(|end| places[*end].is_some_and(|other| other < *place));
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut kept = vec![None; places.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        kept[at] = places[at];
        next = before[at];
    }
    kept
}

/// Gives keys to those that have none, in order; where there is no room between two, to some behind them anew.
fn number(keys: &mut [Option<u64>]) {
    let mut begin = 0;
    while begin < keys.len() {
        if keys[begin].is_some() {
            begin += 1;
            continue;
        }
        let low = begin
            .checked_sub(1)
            .and_then(|before| keys[before])
            .unwrap_or(0);
        let mut end = begin;
        let mut room = 1;
        let step = loop {
            while end < keys.len() && keys[end].is_none() {
                end += 1;
            }
            let count = (end - begin) as u64;
            let Some(high) = keys.get(end).copied().flatten() else {
                break (u64::MAX - low) / (count + 1);
            };
            let step = (high - low) / (count + 1);
            if step >= room {
                break step;
            }
            // As many again are moved, so far that room is seldom made.
            room = ROOM;
            let moved = (end + (end - begin)).min(keys.len());
            keys[end..moved].fill(None);
        };
        let mut key = low;
        for place in &mut keys[begin..end] {
            key += step.min(STEP);
            *place = Some(key);
        }
        begin = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = r#"{
  "version": 4,
  "outputs": {
    "o": {
      "value": [
        {
          "a": 1
        }
      ]
    }
  },
  "resources": [
    {
      "mode": "managed",
      "instances": [
        {
          "index_key": 0
        },
        {
          "index_key": 1
        }
      ]
    },
    {
      "mode": "managed",
      "instances": [
        {
          "attributes": {}
        }
      ]
    }
  ]
}
"#;

    #[test]
    fn a_piece_is_an_instance_and_all_pieces_are_the_bytes() {
        let pieces = split(STATE.as_bytes());
        assert_eq!(pieces.concat(), STATE.as_bytes());
        let has = |piece: &[u8], text: &str| String::from_utf8_lossy(piece).contains(text);
        assert_eq!(pieces.len(), 5);
        assert!(has(pieces[2], "index_key\": 0") && has(pieces[3], "index_key\": 1"));
        assert!(has(pieces[4], "attributes"));
        for text in ["", "\n", "{\"version\":4}", "    {\n    {\n", "no newline"] {
            assert_eq!(split(text.as_bytes()).concat(), text.as_bytes());
        }
    }

    /// Writes, and checks that what is stored then is what was written.
    fn write(stored: &mut Vec<(u64, Vec<u8>)>, new: &[&str]) -> usize {
        let new: Vec<&[u8]> = new.iter().map(|piece| piece.as_bytes()).collect();
        let Difference { gone, put } = difference(stored, &new);
        let count = put.len();
        let put: Vec<(u64, Vec<u8>)> = put
            .iter()
            .map(|(key, piece)| (*key, piece.to_vec()))
            .collect();
        stored.retain(|(key, _)| !gone.contains(key));
        stored.extend(put);
        stored.sort();
        assert!(stored.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let pieces: Vec<&[u8]> = stored.iter().map(|(_, piece)| &**piece).collect();
        assert_eq!(pieces, new);
        count
    }

    #[test]
    fn only_what_changed_is_written() {
        let mut stored = Vec::new();
        assert_eq!(write(&mut stored, &["1", "a", "b", "c", "end"]), 5);
        assert_eq!(write(&mut stored, &["2", "a", "b", "c", "end"]), 1);
        assert_eq!(
            write(&mut stored, &["2", "a", "b", "x", "y", "c", "end"]),
            2
        );
        assert_eq!(write(&mut stored, &["2", "b", "x", "c", "end", "more"]), 1);
        assert_eq!(write(&mut stored, &["2", "c", "b", "x", "end", "more"]), 1);
        assert_eq!(write(&mut stored, &["2", "same", "same", "more"]), 2);
        assert_eq!(write(&mut stored, &["2", "same", "more"]), 1);
        assert_eq!(write(&mut stored, &[]), 0);
    }

    #[test]
    fn there_is_always_room_between_two() {
        for at_end_of_run in [true, false] {
            let mut all = vec!["first".to_owned(), "last".to_owned()];
            let mut stored = Vec::new();
            let mut written = 0;
            for index in 0..200 {
                let place = if at_end_of_run { all.len() - 1 } else { 1 };
                all.insert(place, format!("piece {index}"));
                let all: Vec<&str> = all.iter().map(|piece| &**piece).collect();
                written += write(&mut stored, &all);
            }
            assert!(written < 1000, "{written} pieces were written for 200");
        }
    }
}
