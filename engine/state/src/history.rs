//! What a state was before: versions that are kept beside it, so that they can be listed, compared and restored.
//!
//! A version is kept as its difference to the one before, so that keeping it costs what changed. The first one, one after
//! as many changes as the state has instances, and one after a hundred versions is kept whole: reading a version costs at
//! most a few times the size of the state. Writes by other tools are noticed at the next write and kept as versions too.
//!
//! Everything lies in the store of runs: `history/index` tells what there is, `history/versions/NUMBER` holds a version.
//! Both are written under the lock of the state, by whoever has just written it.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use terrace_port::RunStore;

use crate::journal::{Begin, Frame, RunOutputs, StateChange, difference};
use crate::{State, StateError, StorageError};

/// The name of the list of versions.
const INDEX: &str = "history/index";

/// So many versions stay, however old they are.
pub const KEPT_VERSIONS: usize = 30;

/// Versions that are younger stay, in seconds: 90 days.
pub const KEPT_SECONDS: i64 = 90 * 24 * 60 * 60;

/// No more versions stay than these, however young they are.
const MOST_VERSIONS: usize = 500;

/// A version is kept whole after so many that are not.
const LONGEST_CHAIN: usize = 100;

/// Changes beside the number of instances after which a version is kept whole.
const SLACK: usize = 256;

/// A version of a state, without its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Where its content is: versions are counted from 1.
    pub(crate) number: u64,
    /// Its lineage.
    pub lineage: String,
    /// Its serial.
    pub serial: u64,
    /// Seconds since 1970 when it was written, as far as that is known.
    pub time: i64,
    /// `user@host` of whoever wrote it; empty where another tool did.
    pub who: String,
    /// What was done: `apply`, `state mv`; empty where another tool wrote it.
    pub operation: String,
    /// The run that wrote it, if one did.
    pub run: Option<String>,
    /// What has changed in it.
    pub counts: Counts,
    /// Whether its content needs no version before.
    pub(crate) whole: bool,
}

/// What differs between two states, in objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that are new.
    pub added: usize,
    /// Objects that are not what they were.
    pub changed: usize,
    /// Objects that are not there any more.
    pub removed: usize,
    /// Root outputs that are new, other or gone.
    pub outputs: usize,
}

/// Who wrote a state, when, doing what.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// Seconds since 1970.
    pub time: i64,
    /// `user@host`.
    pub who: String,
    /// `apply`, `state mv`.
    pub operation: String,
    /// The run, if it was one.
    pub run: Option<String>,
}

/// The versions that are kept of one state.
#[derive(Clone, Debug, Default)]
pub struct History {
    versions: Vec<Version>,
}

fn damaged(detail: String) -> StorageError {
    StateError {
        summary: "Unreadable history".into(),
        detail,
        hint: Some("The state itself is not concerned: the history lies beside it.".into()),
        position: None,
    }
    .into()
}

fn name_of(number: u64) -> String {
    format!("history/versions/{number:010}")
}

/// What differs between two states, in numbers.
pub fn counts(from: &State, to: &State) -> Counts {
    counts_of(&difference(from, to), from, to)
}

fn counts_of(changes: &[StateChange], from: &State, to: &State) -> Counts {
    let mut counts = Counts::default();
    for change in changes {
        match (change.present(from), &change.object) {
            (None, _) => counts.added += 1,
            (Some(_), Some(_)) => counts.changed += 1,
            (Some(_), None) => counts.removed += 1,
        }
    }
    let gone = from
        .outputs
        .keys()
        .filter(|name| !to.outputs.contains_key(*name));
    let other = to
        .outputs
        .iter()
        .filter(|(name, output)| from.outputs.get(*name) != Some(*output));
    counts.outputs = gone.count() + other.count();
    counts
}

impl History {
    /// The versions that are kept beside a state.
    pub async fn load(runs: &dyn RunStore) -> Result<Self, StorageError> {
        let Some(bytes) = runs.get(INDEX).await? else {
            return Ok(Self::default());
        };
        let versions = crate::wire::history::read(&bytes).map_err(damaged)?;
        Ok(Self { versions })
    }

    /// The versions, oldest first. The last one is the state itself, unless another tool has written it since.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The latest version with this serial.
    pub fn version(&self, serial: u64) -> Option<&Version> {
        self.versions
            .iter()
            .rev()
            .find(|version| version.serial == serial)
    }

    /// The content of a version.
    pub async fn state(
        &self,
        runs: &dyn RunStore,
        version: &Version,
    ) -> Result<State, StorageError> {
        let end = self
            .versions
            .iter()
            .position(|one| one.number == version.number)
            .ok_or_else(|| damaged(format!("There is no version {}.", version.number)))?;
        let start = self.versions[..=end]
            .iter()
            .rposition(|version| version.whole)
            .ok_or_else(|| {
                damaged("The version that the others build upon is not there.".into())
            })?;
        let mut state = State::default();
        for version in &self.versions[start..=end] {
            let name = name_of(version.number);
            let bytes = runs.get(&name).await?.ok_or_else(|| {
                damaged(format!(
                    "{name} is listed in the history, and is not there."
                ))
            })?;
            if version.whole {
                state = State::default();
            }
            replay(&mut state, &bytes)
                .map_err(|why| damaged(format!("{name} cannot be read: {why}.")))?;
        }
        Ok(state)
    }

    /// Keeps the version `next`, which has just been written over `base` under the lock of the state. Nothing is kept
    /// where nothing was written. Versions that are too many and too old go.
    ///
    /// Fails without harm to the state; what is missing then is noticed the next time.
    pub async fn keep(
        &mut self,
        runs: &dyn RunStore,
        (base, next): (&State, &State),
        written: Written,
    ) -> Result<(), StorageError> {
        let same = |version: &Version, state: &State| {
            version.serial == state.serial && version.lineage == state.lineage
        };
        if base.serial == next.serial && base.lineage == next.lineage && base.same_content(next) {
            return Ok(());
        }
        let known = self.versions.last().is_some_and(|last| same(last, base));
        let is_new = base.lineage.is_empty() && base.resources.is_empty();
        let is_first = is_new && self.versions.is_empty();
        if !known && !is_first {
            self.keep_found(runs, base, written.time).await?;
        }
        self.push(runs, (base, next), written).await?;
        let gone = self.prune();
        let bytes = crate::wire::history::write(&self.versions);
        runs.put(INDEX, &bytes).await?;
        for number in gone {
            runs.delete(&name_of(number)).await?;
        }
        Ok(())
    }

    /// Keeps a state that someone wrote who keeps no versions.
    async fn keep_found(
        &mut self,
        runs: &dyn RunStore,
        found: &State,
        time: i64,
    ) -> Result<(), StorageError> {
        let last = match self.versions.last() {
            Some(last) => self.state(runs, last).await.unwrap_or_default(),
            None => State::default(),
        };
        let written = Written {
            time,
            ..Written::default()
        };
        self.push(runs, (&last, found), written).await
    }

    async fn push(
        &mut self,
        runs: &dyn RunStore,
        (from, to): (&State, &State),
        written: Written,
    ) -> Result<(), StorageError> {
        let mut changes = difference(from, to);
        let counts = counts_of(&changes, from, to);
        let whole = self.is_whole_due(from, to, counts);
        let number = self.versions.last().map_or(1, |last| last.number + 1);
        let nothing = State::default();
        let base = if whole { &nothing } else { from };
        if whole && !from.resources.is_empty() {
            changes = difference(base, to);
        }
        let bytes = compress(&frames(base, to, changes))
            .map_err(|error| damaged(format!("A version cannot be compressed: {error}.")))?;
        runs.put(&name_of(number), &bytes).await?;
        self.versions.push(Version {
            number,
            lineage: to.lineage.clone(),
            serial: to.serial,
            time: written.time,
            who: written.who,
            operation: written.operation,
            run: written.run,
            counts,
            whole,
        });
        Ok(())
    }

    fn is_whole_due(&self, from: &State, to: &State, counts: Counts) -> bool {
        let Some(start) = self.versions.iter().rposition(|version| version.whole) else {
            return true;
        };
        // Then the difference holds everything anyway.
        if from.resources.is_empty() {
            return true;
        }
        let total = |counts: Counts| counts.added + counts.changed + counts.removed;
        let chain = &self.versions[start + 1..];
        let changes: usize = chain.iter().map(|version| total(version.counts)).sum();
        let instances = to.instances().count();
        chain.len() >= LONGEST_CHAIN || changes + total(counts) > 2 * instances + SLACK
    }

    /// Takes out versions that need not stay. Returns their numbers.
    fn prune(&mut self) -> Vec<u64> {
        let Some(now) = self.versions.last().map(|version| version.time) else {
            return Vec::new();
        };
        let count = self.versions.len();
        let stays = |index: usize, version: &Version| {
            let from_end = count - index;
            from_end <= KEPT_VERSIONS
                || (from_end <= MOST_VERSIONS && now - version.time <= KEPT_SECONDS)
        };
        let first = self
            .versions
            .iter()
            .enumerate()
            .position(|(index, version)| stays(index, version))
            .unwrap_or(0);
        // What stays may build upon versions before it.
        let start = self.versions[..=first]
            .iter()
            .rposition(|version| version.whole)
            .unwrap_or(0);
        self.versions
            .drain(..start)
            .map(|version| version.number)
            .collect()
    }
}

/// What makes `to` of `from`, from which it differs by `changes`.
fn frames(from: &State, to: &State, changes: Vec<StateChange>) -> Vec<Frame> {
    let mut frames = vec![Frame::Begin(Begin {
        lineage: to.lineage.clone(),
        serial: to.serial,
        changes,
        ..Begin::default()
    })];
    if from.outputs != to.outputs || from.check_results != to.check_results {
        frames.push(Frame::Outputs(RunOutputs {
            outputs: to.outputs.clone(),
            checks: to.check_results.clone(),
        }));
    }
    frames
}

fn compress(frames: &[Frame]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    for frame in frames {
        encoder.write_all(&frame.encode())?;
        encoder.write_all(b"\n")?;
    }
    encoder.finish()
}

fn replay(state: &mut State, bytes: &[u8]) -> Result<(), String> {
    let mut text = Vec::new();
    ZlibDecoder::new(bytes)
        .read_to_end(&mut text)
        .map_err(|error| error.to_string())?;
    for line in text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        match Frame::decode(line).map_err(|error| error.to_string())? {
            Frame::Begin(begin) => {
                for change in &begin.changes {
                    change.apply_to(state);
                }
                state.lineage = begin.lineage;
                state.serial = begin.serial;
            }
            Frame::Outputs(outputs) => {
                state.outputs = outputs.outputs;
                state.check_results = outputs.checks;
            }
            _ => return Err("it holds what no version holds".into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use futures::executor::block_on;
    use terrace_port::StoreError;

    use super::*;
    use crate::OutputState;
    use crate::state::tests::{object, provider, sample};

    #[derive(Default)]
    struct Memory(Mutex<BTreeMap<String, Arc<[u8]>>>);

    #[async_trait]
    impl RunStore for Memory {
        async fn get(&self, name: &str) -> Result<Option<Arc<[u8]>>, StoreError> {
            Ok(self.0.lock().unwrap().get(name).cloned())
        }
        async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
            self.0.lock().unwrap().insert(name.into(), bytes.into());
            Ok(())
        }
        async fn compare_and_put(
            &self,
            name: &str,
            _: Option<&[u8]>,
            bytes: &[u8],
        ) -> Result<(), StoreError> {
            self.put(name, bytes).await
        }
        async fn delete(&self, name: &str) -> Result<(), StoreError> {
            self.0.lock().unwrap().remove(name);
            Ok(())
        }
        async fn list(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
            let all = self.0.lock().unwrap();
            Ok(all
                .keys()
                .filter(|name| name.starts_with(prefix))
                .cloned()
                .collect())
        }
    }

    fn written(time: i64) -> Written {
        Written {
            time,
            who: "me@here".into(),
            operation: "apply".into(),
            run: None,
        }
    }

    /// The state after `state`, with one object changed.
    fn next(state: &State, content: &str) -> State {
        let mut next = state.clone();
        next.serial += 1;
        let content = object(&format!("{{\"id\":\"{content}\"}}"));
        next.set_object(&"t.a[0]".parse().unwrap(), None, &provider(), Some(content));
        next
    }

    fn keep(history: &mut History, runs: &Memory, base: &State, next: &State, time: i64) {
        block_on(history.keep(runs, (base, next), written(time))).unwrap();
    }

    #[test]
    fn every_version_comes_back_as_it_was() {
        let runs = Memory::default();
        let mut history = History::default();
        let mut states = vec![sample()];
        keep(&mut history, &runs, &State::default(), &states[0], 1);
        for step in 0..5 {
            let mut state = next(states.last().unwrap(), &format!("step {step}"));
            if step == 2 {
                state.set_object(&"t.a[1]".parse().unwrap(), None, &provider(), None);
                let value = terrace_value::Value::string("v");
                let output = OutputState {
                    value,
                    sensitive: true,
                };
                state.outputs.insert("o".into(), output);
            }
            keep(
                &mut history,
                &runs,
                states.last().unwrap(),
                &state,
                step + 2,
            );
            states.push(state);
        }
        let again = block_on(History::load(&runs)).unwrap();
        assert_eq!(again.versions(), history.versions());
        assert_eq!(again.versions().len(), states.len());
        for state in &states {
            let version = again.version(state.serial).unwrap();
            assert_eq!(&block_on(again.state(&runs, version)).unwrap(), state);
        }
        let counts = again.versions()[3].counts;
        assert_eq!(
            counts,
            Counts {
                added: 0,
                changed: 1,
                removed: 1,
                outputs: 1
            }
        );
    }

    #[test]
    fn a_version_costs_what_changed() {
        let runs = Memory::default();
        let mut big = sample();
        for index in 0..3000 {
            let content = object(&format!(
                "{{\"id\":\"{index}\",\"text\":\"{}\"}}",
                index * 7919
            ));
            let address = format!("t.many[{index}]").parse().unwrap();
            big.set_object(&address, None, &provider(), Some(content));
        }
        let mut history = History::default();
        keep(&mut history, &runs, &State::default(), &big, 1);
        let changed = next(&big, "other");
        keep(&mut history, &runs, &big, &changed, 2);
        let size = |number| runs.0.lock().unwrap()[&name_of(number)].len();
        assert!(size(1) > 10_000 && size(2) < 400, "{} {}", size(1), size(2));
    }

    #[test]
    fn a_write_by_another_tool_is_a_version_too() {
        let runs = Memory::default();
        let mut history = History::default();
        let first = sample();
        keep(&mut history, &runs, &State::default(), &first, 1);
        let foreign = next(&next(&first, "x"), "foreign");
        let ours = next(&foreign, "ours");
        keep(&mut history, &runs, &foreign, &ours, 2);
        let versions = history.versions();
        assert_eq!(versions.len(), 3);
        assert_eq!(
            (versions[1].serial, versions[1].who.as_str()),
            (foreign.serial, "")
        );
        let version = history.version(foreign.serial).unwrap();
        assert_eq!(block_on(history.state(&runs, version)).unwrap(), foreign);
    }

    #[test]
    fn old_versions_go_and_what_stays_can_be_read() {
        let runs = Memory::default();
        let mut history = History::default();
        let mut state = sample();
        keep(&mut history, &runs, &State::default(), &state, 0);
        for step in 1..=300 {
            let after = next(&state, &format!("{step}"));
            keep(&mut history, &runs, &state, &after, step * 24 * 60 * 60);
            state = after;
        }
        let count = history.versions().len();
        assert!((90..=200).contains(&count), "{count}");
        let names = block_on(runs.list("history/versions/")).unwrap();
        assert_eq!(names.len(), count);
        let oldest = history.versions()[0].clone();
        assert_eq!(
            block_on(history.state(&runs, &oldest)).unwrap().serial,
            oldest.serial
        );
        assert_eq!(
            block_on(history.state(&runs, history.version(state.serial).unwrap())).unwrap(),
            state
        );
    }

    #[test]
    fn nothing_is_kept_where_nothing_was_written() {
        let runs = Memory::default();
        let mut history = History::default();
        keep(&mut history, &runs, &sample(), &sample(), 1);
        assert!(history.versions().is_empty() && runs.0.lock().unwrap().is_empty());
    }

    #[test]
    fn damage_is_told() {
        let runs = Memory::default();
        let mut history = History::default();
        keep(&mut history, &runs, &State::default(), &sample(), 1);
        let version = history.versions()[0].clone();
        block_on(runs.put(&name_of(1), b"nonsense")).unwrap();
        let error = block_on(history.state(&runs, &version)).unwrap_err();
        assert!(error.to_string().contains("cannot be read"), "{error}");
        block_on(runs.put(INDEX, b"{")).unwrap();
        assert!(block_on(History::load(&runs)).is_err());
    }
}
