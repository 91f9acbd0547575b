//! States and Terrace's own things in Secrets.
//!
//! What fits into one Secret is written in one step. What does not is written in parts, and is switched in one step too:
//! the parts are written under new names, then the Secret that names them is, under the condition on its version, and then
//! the parts of the write before are deleted. Readers follow the names. Other tools know nothing of them: they look for
//! Secrets `…-part-N` behind the first, so that a state's parts are written there as well once it is switched.

use async_trait::async_trait;
use serde_json::Value as Json;
use terrace_backend_remote::{Deleted, Failure, Object, Objects, Put, Version, When, Write};
use uuid::Uuid;

use crate::STATES;
use crate::api::{Answer, Api, Kind};
use crate::secrets::{CHUNK, Parts, Place, compressed, own_name_of, parts, version, write_of};

/// What lies around an object.
#[derive(Debug, Default)]
struct LeftBehind {
    /// The parts of a state that other tools see.
    shown: Vec<(String, Version)>,
    /// Those that only Terrace looks at.
    parts: Vec<String>,
}

impl Api {
    /// The content of a Secret and of the parts that it names; `None` where one of them is gone.
    async fn whole(&self, place: &Place<'_>, first: &Json) -> Result<Option<Vec<u8>>, Failure> {
        let mut bytes = self.content(&place.secret, first, place.key())?;
        let Some(named) = parts(first, &bytes) else {
            if let Some(workspace) = place.workspace {
                self.add_shown_parts(workspace, &mut bytes).await?;
            }
            return Ok(Some(bytes));
        };
        for number in 1..=named.count {
            let name = place.part(&named.write, number);
            let Some(part) = self.get(Kind::Secret, &name).await? else {
                return Ok(None);
            };
            bytes.extend(self.content(&name, &part, place.key())?);
        }
        Ok(Some(bytes))
    }

    /// Adds the parts of a state that another tool wrote.
    async fn add_shown_parts(&self, workspace: &str, bytes: &mut Vec<u8>) -> Result<(), Failure> {
        let mut part = 1;
        // A chunk that is not full is the last.
        while bytes.len() == CHUNK * part {
            let name = self.state_name(workspace, part);
            let Some(next) = self.get(Kind::Secret, &name).await? else {
                break;
            };
            bytes.extend(self.content(&name, &next, "tfstate")?);
            part += 1;
        }
        Ok(())
    }

    async fn read(&self, place: &Place<'_>) -> Result<Option<Object>, Failure> {
        let mut before = None;
        loop {
            let Some(first) = self.get(Kind::Secret, &place.secret).await? else {
                return Ok(None);
            };
            if let Some(bytes) = self.whole(place, &first).await? {
                return Ok(Some(Object {
                    bytes: self.expanded(&place.secret, &bytes)?.into(),
                    version: version(&first),
                }));
            }
            // Who replaces an object deletes its parts.
            let now = Some(version(&first));
            if before == now {
                return Err(self.damaged(&place.secret, "a part of it is gone"));
            }
            before = now;
        }
    }

    async fn write(&self, place: &Place<'_>, bytes: &[u8], when: When<'_>) -> Result<Put, Failure> {
        let content = if bytes.is_empty() {
            Vec::new()
        } else {
            compressed(bytes)
        };
        let mut chunks = content.chunks(CHUNK);
        let first = chunks.next().unwrap_or_default();
        let rest: Vec<&[u8]> = chunks.collect();
        if !rest.is_empty() {
            return self.write_in_parts(place, first, &rest, when).await;
        }
        let left = self.left_behind(place, false).await?;
        let named = Parts {
            write: Uuid::new_v4().simple().to_string(),
            count: 0,
        };
        let secret = self.first_secret(place, first, &named);
        let put = self.put_secret(secret, when).await?;
        if put != Put::Refused {
            self.clean_up(&left, 0).await?;
        }
        Ok(put)
    }

    async fn write_in_parts(
        &self,
        place: &Place<'_>,
        first: &[u8],
        rest: &[&[u8]],
        when: When<'_>,
    ) -> Result<Put, Failure> {
        for _ in 0..8 {
            // Whoever prepares a write before this one is switched writes over what this one replaces, and will be refused:
            // what lies there now belongs to nobody afterwards.
            let there = self.get(Kind::Secret, &place.secret).await?;
            let over = there.as_ref().map(version);
            let holds = match when {
                When::Always => true,
                When::Absent => over.is_none(),
                When::Is(expected) => over.as_ref() == Some(expected),
            };
            if !holds {
                return Ok(Put::Refused);
            }
            let left = self.left_behind(place, true).await?;
            let named = Parts {
                write: Uuid::new_v4().simple().to_string(),
                count: rest.len(),
            };
            for (number, chunk) in (1..).zip(rest) {
                let part = self.part_secret(place, &named.write, number, chunk);
                self.put_secret(part, When::Absent).await?;
            }
            let secret = self.first_secret(place, first, &named);
            let condition = over.as_ref().map_or(When::Absent, When::Is);
            let put = self.put_secret(secret, condition).await?;
            if put != Put::Refused {
                self.show_parts(place, &named, rest, &left).await?;
                self.clean_up(&left, rest.len()).await?;
                return Ok(put);
            }
            for number in 1..=rest.len() {
                let name = place.part(&named.write, number);
                self.delete(Kind::Secret, &name, None).await?;
            }
            if when != When::Always {
                break;
            }
        }
        Ok(Put::Refused)
    }

    /// What lies around an object before it is replaced. Where parts are not listed, they are if other tools would see some.
    async fn left_behind(&self, place: &Place<'_>, listed: bool) -> Result<LeftBehind, Failure> {
        let mut left = LeftBehind::default();
        if let Some(workspace) = place.workspace {
            loop {
                let name = self.state_name(workspace, left.shown.len() + 1);
                let Some(part) = self.get(Kind::Secret, &name).await? else {
                    break;
                };
                left.shown.push((name, version(&part)));
            }
        }
        if listed || !left.shown.is_empty() {
            for part in Self::list(self, &place.selector()).await? {
                let name = part["metadata"]["name"].as_str().unwrap_or_default();
                left.parts.push(name.to_owned());
            }
        }
        Ok(left)
    }

    /// Deletes what was left behind, but for so many of the parts that other tools see, and for those that are not as they
    /// were.
    async fn clean_up(&self, left: &LeftBehind, kept: usize) -> Result<(), Failure> {
        for (name, version) in left.shown.iter().skip(kept) {
            self.delete(Kind::Secret, name, Some(version.as_str()))
                .await?;
        }
        for name in &left.parts {
            // Nobody reads them. The next write finds what stays.
            self.delete(Kind::Secret, name, None).await.ok();
        }
        Ok(())
    }

    /// Writes the parts of a state where other tools look for them, as long as the state is that of this write.
    async fn show_parts(
        &self,
        place: &Place<'_>,
        named: &Parts,
        rest: &[&[u8]],
        left: &LeftBehind,
    ) -> Result<(), Failure> {
        let Some(workspace) = place.workspace else {
            return Ok(());
        };
        for (index, chunk) in rest.iter().enumerate() {
            let part = self.shown_part(workspace, index + 1, chunk);
            let mut over = left.shown.get(index).map(|(_, version)| version.clone());
            loop {
                let condition = over.as_ref().map_or(When::Absent, When::Is);
                if self.put_secret(part.clone(), condition).await? != Put::Refused {
                    break;
                }
                // A former holder of the lock has just written there, or the next one has.
                let name = self.state_name(workspace, index + 1);
                let there = self.get(Kind::Secret, &name).await?;
                over = there.as_ref().map(version);
                let first = self.get(Kind::Secret, &place.secret).await?;
                if first.as_ref().and_then(write_of) != Some(&named.write) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Objects for Api {
    fn place(&self, name: &str) -> String {
        self.shown(&self.place_of(name).secret)
    }

    async fn get(&self, name: &str) -> Result<Option<Object>, Failure> {
        self.read(&self.place_of(name)).await
    }

    async fn put(&self, name: &str, bytes: &[u8], write: Write<'_>) -> Result<Put, Failure> {
        self.write(&self.place_of(name), bytes, write.when).await
    }

    async fn delete(&self, name: &str, write: Write<'_>) -> Result<Deleted, Failure> {
        let place = self.place_of(name);
        let there = Self::get(self, Kind::Secret, &place.secret).await?;
        let over = match write.when {
            When::Is(version) => Some(version.as_str()),
            _ => None,
        };
        let has_parts = match &there {
            Some(first) => {
                let chunk = self.content(&place.secret, first, place.key())?;
                parts(first, &chunk).is_some()
            }
            None => false,
        };
        let left = self
            .left_behind(&place, has_parts || place.workspace.is_some())
            .await?;
        let deleted = Self::delete(self, Kind::Secret, &place.secret, over).await?;
        if matches!(deleted, Answer::Conflict) {
            return Ok(Deleted::Refused);
        }
        self.clean_up(&left, 0).await?;
        Ok(Deleted::Done)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut names = Vec::new();
        if prefix.starts_with(STATES) {
            let selector = format!("tfstate=true,tfstateSecretSuffix={}", self.suffix);
            for secret in Self::list(self, &selector).await? {
                let metadata = &secret["metadata"];
                if let Some(workspace) = metadata["labels"]["tfstateWorkspace"].as_str() {
                    // Not its parts.
                    if metadata["name"].as_str() == Some(&*self.state_name(workspace, 0)) {
                        names.push(format!("{STATES}{workspace}"));
                    }
                }
            }
        } else {
            for secret in Self::list(self, &self.own_selector()).await? {
                names.extend(own_name_of(&secret).map(str::to_owned));
            }
        }
        names.retain(|name| name.starts_with(prefix));
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}
