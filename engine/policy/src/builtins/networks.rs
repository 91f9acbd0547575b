//! `net.*`: blocks of addresses that overlap, hold one another, or are merged.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use regorus::Value;

use super::{Entry, Outcome, text};

pub(super) const FUNCTIONS: &[Entry] = &[
    ("net.cidr_intersects", 2, |values| {
        let (left, right) = (block(text(values, 0)?)?, block(text(values, 1)?)?);
        Ok((left.holds(&right) || right.holds(&left)).into())
    }),
    ("net.cidr_overlap", 2, |values| {
        let (left, right) = (block(text(values, 0)?)?, address(text(values, 1)?)?);
        Ok(left.holds(&right).into())
    }),
    ("net.cidr_contains_matches", 2, contains_matches),
    ("net.cidr_merge", 1, merge),
];

/// A block of addresses: its first one, and how many bits its addresses have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    is_v6: bool,
    first: u128,
    n_bits: u32,
}

impl Block {
    fn new(address: IpAddr, n_bits: u32) -> Self {
        let (is_v6, value, width) = match address {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let n_free = width - n_bits;
        let first = if n_free == 128 {
            0
        } else {
            (value >> n_free) << n_free
        };
        Self {
            is_v6,
            first,
            n_bits,
        }
    }

    fn width(&self) -> u32 {
        if self.is_v6 { 128 } else { 32 }
    }

    fn first(&self) -> IpAddr {
        if self.is_v6 {
            IpAddr::V6(Ipv6Addr::from(self.first))
        } else {
            let first = u32::try_from(self.first).expect("an address of version 4 has 32 bits");
            IpAddr::V4(Ipv4Addr::from(first))
        }
    }

    /// The block of one bit less around it.
    fn around(&self) -> Self {
        Self::new(self.first(), self.n_bits - 1)
    }

    fn holds(&self, other: &Self) -> bool {
        self.is_v6 == other.is_v6
            && self.n_bits <= other.n_bits
            && Self::new(other.first(), self.n_bits) == *self
    }
}

/// Reads `ADDRESS/BITS`.
fn block(text: &str) -> Result<Block, String> {
    let invalid = || format!("invalid CIDR address: {text}");
    let (address, n_bits) = text.split_once('/').ok_or_else(invalid)?;
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    let width = if address.is_ipv6() { 128 } else { 32 };
    let n_bits = n_bits
        .parse()
        .ok()
        .filter(|n_bits| *n_bits <= width && !text.contains('+'))
        .ok_or_else(invalid)?;
    Ok(Block::new(address, n_bits))
}

/// Reads a block or a single address.
fn address(text: &str) -> Result<Block, String> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(Block::new(
            address,
            if address.is_ipv6() { 128 } else { 32 },
        )),
        Err(_) => block(text),
    }
}

/// A single address of version 4 stands for the block of its class.
fn block_or_class(text: &str) -> Result<Block, String> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(_)) => Err("IPv6 invalid: needs prefix length".to_owned()),
        Ok(IpAddr::V4(address)) => {
            let n_bits = match address.octets()[0] {
                0..128 => 8,
                128..192 => 16,
                192.. => 24,
            };
            Ok(Block::new(address.into(), n_bits))
        }
        Err(_) => block(text),
    }
}

fn merge(values: &[Value]) -> Outcome {
    let blocks = match values.first() {
        Some(Value::Array(items)) => items.iter().cloned().collect::<Vec<_>>(),
        Some(Value::Set(items)) => items.iter().cloned().collect(),
        _ => return Err("operand 1 must be array or set of strings".to_owned()),
    };
    let mut merged = BTreeSet::new();
    for index in 0..blocks.len() {
        merged.insert(block_or_class(text(&blocks, index)?)?);
    }
    loop {
        let before = merged.len();
        merged = merged
            .iter()
            .filter(|inner| {
                !merged
                    .iter()
                    .any(|outer| outer != *inner && outer.holds(inner))
            })
            .copied()
            .collect();
        let halves = merged.iter().copied().find(|half| {
            half.n_bits > 0
                && merged.iter().any(|other| {
                    other != half && other.n_bits == half.n_bits && half.around().holds(other)
                })
        });
        if let Some(half) = halves {
            let around = half.around();
            merged.retain(|block| !around.holds(block));
            merged.insert(around);
        } else if merged.len() == before {
            break;
        }
    }
    let texts: BTreeSet<Value> = merged
        .iter()
        .map(|block| {
            debug_assert!(block.n_bits <= block.width(), "read within its width");
            format!("{}/{}", block.first(), block.n_bits).into()
        })
        .collect();
    Ok(texts.into())
}

/// What names an element, and its block: a list's elements are named by their places, an object's by their keys.
fn named_blocks(value: &Value, operand: usize) -> Result<Vec<(Value, Block)>, String> {
    let wrong = || format!("operand {operand}: element must be string or non-empty array");
    let read = |element: &Value| match element {
        Value::String(text) => address(text),
        Value::Array(tuple) => match tuple.iter().next() {
            Some(Value::String(text)) => address(text),
            _ => Err(wrong()),
        },
        _ => Err(wrong()),
    };
    match value {
        Value::String(text) => Ok(vec![(value.clone(), address(text)?)]),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| Ok((Value::from(index), read(item)?)))
            .collect(),
        Value::Set(items) => items
            .iter()
            .map(|item| Ok((item.clone(), read(item)?)))
            .collect(),
        Value::Object(members) => members
            .iter()
            .map(|(key, item)| Ok((key.clone(), read(item)?)))
            .collect(),
        _ => Err(format!(
            "operand {operand} must be one of {{string, array, set, object}}"
        )),
    }
}

fn contains_matches(values: &[Value]) -> Outcome {
    let [outer, inner] = values else {
        return Err("two operands are needed".to_owned());
    };
    let inner = named_blocks(inner, 2)?;
    let mut matches = BTreeSet::new();
    for (outer_name, outer) in named_blocks(outer, 1)? {
        for (inner_name, inner) in &inner {
            if outer.holds(inner) {
                matches.insert(Value::from(vec![outer_name.clone(), inner_name.clone()]));
            }
        }
    }
    Ok(matches.into())
}
