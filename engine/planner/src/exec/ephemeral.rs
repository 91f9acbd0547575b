//! Ephemeral resources: open for as long as something needs them.

use std::collections::{BTreeMap, BTreeSet};

use terrace_addr::{AbsProviderConfig, AbsResourceInstance};
use terrace_eval::Dependency;
use terrace_plan::OpKind;

use super::Builder;

impl<'a> Builder<'a> {
    /// The op that opens an ephemeral instance, which something reads.
    pub(super) fn open_ephemeral(
        &mut self,
        address: &'a AbsResourceInstance,
        provider: &'a AbsProviderConfig,
    ) -> u32 {
        let open = self.add(
            OpKind::OpenEphemeral {
                address: address.clone(),
                provider: provider.clone(),
            },
            Vec::new(),
        );
        self.producers.insert(address, open);
        self.opened.push((address, provider, open));
        let reads = self.sources.reads.get(address);
        let after: Vec<u32> = reads
            .into_iter()
            .flatten()
            .filter_map(|dependency| self.resolve(dependency))
            .filter(|op| *op != open)
            .collect();
        self.ops[open as usize].after = after;
        open
    }

    /// Finds out what conditions and outputs read before the providers are opened that this takes. Where anything is done
    /// at all, instances that nothing reads are opened too: to be open is all that some of them are for.
    pub(super) fn open_for_ends(&mut self) {
        let sources = self.sources;
        if !self.ops.is_empty() {
            for (address, provider) in sources.ephemerals {
                if !self.producers.contains_key(address) {
                    self.open_ephemeral(address, provider);
                }
            }
            for dependency in sources.checks.values().flatten() {
                self.resolve(dependency);
            }
        }
        if sources.outputs_change {
            for output in sources.outputs {
                self.resolve(&Dependency::Output(output.clone()));
            }
        }
    }

    /// Closes each ephemeral instance after all its users: a provider that was set up by it uses it to its end, and so does
    /// another ephemeral instance. Its own provider is closed after it.
    pub(super) fn close_ephemerals(
        &mut self,
        provider_opens: &BTreeMap<&AbsProviderConfig, u32>,
        provider_closes: &BTreeMap<u32, u32>,
    ) {
        let opened = self.opened.clone();
        let mut closes = BTreeMap::new();
        for (address, _, open) in &opened {
            let kind = OpKind::CloseEphemeral {
                address: (*address).clone(),
            };
            closes.insert(*open, self.add(kind, vec![*open]));
        }
        let mut waiting: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (op, after) in (0..).zip(&self.ops) {
            for before in &after.after {
                waiting.entry(*before).or_default().push(op);
            }
        }
        for (_, provider, open) in &opened {
            let close = closes[open];
            let users = self.users(*open, &waiting);
            let ends = users.into_iter().filter(|user| *user != close).map(|user| {
                let end = provider_closes.get(&user).or_else(|| closes.get(&user));
                end.copied().unwrap_or(user)
            });
            let ends: Vec<u32> = ends.collect();
            self.ops[close as usize].after.extend(ends);
            let provider = provider_opens.get(provider);
            if let Some(end) = provider.and_then(|opened| provider_closes.get(opened)) {
                self.ops[*end as usize].after.push(close);
            }
        }
    }

    /// The ops that wait for `op`, directly or by way of ops that only gather others. The closing of its own provider is
    /// none of them.
    fn users(&self, op: u32, waiting: &BTreeMap<u32, Vec<u32>>) -> BTreeSet<u32> {
        let mut users = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut stack = vec![op];
        while let Some(op) = stack.pop() {
            for user in waiting.get(&op).into_iter().flatten() {
                match &self.ops[*user as usize].kind {
                    OpKind::CloseProvider(_) => {}
                    OpKind::Join => {
                        if seen.insert(*user) {
                            stack.push(*user);
                        }
                    }
                    _ => {
                        users.insert(*user);
                    }
                }
            }
        }
        users
    }
}
