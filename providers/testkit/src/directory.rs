//! A world in a directory, which outlives its providers.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value as Json, json};
use terrace_schema::ProviderSchema;
use terrace_value::{Text, Type, Value};

use crate::world::{Lookup, StoredObject, World};

/// Something that happened in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldEvent {
    /// `create`, `plant`, `update` or `delete`.
    pub what: String,
    /// The object's id.
    pub id: String,
    /// The object's `string` at that time, by which a test tells objects apart; empty if it has none.
    pub key: String,
}

/// A world whose every change is one line of a log, which is also its only content: what is logged has happened, and
/// what has happened is logged, wherever a process is killed. Several processes may share it.
pub struct DirectoryWorld {
    directory: PathBuf,
    types: BTreeMap<Text, Type>,
    replayed: Mutex<Replayed>,
}

/// The log as far as it has been read.
#[derive(Default)]
struct Replayed {
    offset: u64,
    created: u64,
    objects: BTreeMap<String, Option<StoredObject>>,
    events: Vec<WorldEvent>,
}

impl DirectoryWorld {
    /// The world in `directory`, which is made if it is not there, of objects of a provider's resource types.
    pub fn open(directory: impl Into<PathBuf>, schema: &ProviderSchema) -> Result<Self, String> {
        let directory = directory.into();
        std::fs::create_dir_all(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        let types = schema
            .resources
            .iter()
            .map(|(name, schema)| (name.clone(), schema.block.implied_type()))
            .collect();
        Ok(Self {
            directory,
            types,
            replayed: Mutex::default(),
        })
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Everything that ever happened, in order.
    pub fn events(&self) -> Result<Vec<WorldEvent>, String> {
        self.with_log(|_, replayed| Ok(replayed.events.clone()))
    }

    /// Carries out something on the whole log while no other process does.
    fn with_log<T>(
        &self,
        act: impl FnOnce(&mut Log<'_>, &mut Replayed) -> Result<T, String>,
    ) -> Result<T, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", self.directory.display());
        let mut replayed = self.replayed.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.directory.join("world.jsonl");
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        file.lock().map_err(failed)?;
        let mut text = Vec::new();
        file.seek(SeekFrom::Start(replayed.offset))
            .map_err(failed)?;
        file.read_to_end(&mut text).map_err(failed)?;
        // A line without its end was being written when its writer was killed: it has not happened.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        for line in text[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            self.replay(line, &mut replayed)?;
        }
        replayed.offset += whole as u64;
        if whole < text.len() {
            file.set_len(replayed.offset).map_err(failed)?;
        }
        act(
            &mut Log {
                world: self,
                file: &mut file,
            },
            &mut replayed,
        )
    }

    fn replay(&self, line: &[u8], replayed: &mut Replayed) -> Result<(), String> {
        let damaged = || {
            format!(
                "a line of the log makes no sense: {}",
                String::from_utf8_lossy(line)
            )
        };
        let line: Json = serde_json::from_slice(line).map_err(|_| damaged())?;
        let text = |name: &str| line[name].as_str().map(String::from).ok_or_else(damaged);
        let (what, id) = (text("what")?, text("id")?);
        let object = match &*what {
            "delete" => None,
            _ => {
                let type_name = text("type")?;
                let ty = self.types.get(&*type_name).ok_or_else(damaged)?;
                let value = terrace_value::json::decode(&line["value"].to_string(), ty)
                    .map_err(|_| damaged())?;
                Some(StoredObject {
                    type_name: type_name.into(),
                    value,
                    planted: line["planted"] == true,
                })
            }
        };
        if what == "create" {
            replayed.created += 1;
        }
        let earlier = replayed.objects.get(&id).cloned().flatten();
        let named = object.as_ref().or(earlier.as_ref());
        let key = named
            .and_then(|object| object.value.get("string")?.as_str())
            .unwrap_or("")
            .to_owned();
        replayed.objects.insert(id.clone(), object);
        replayed.events.push(WorldEvent { what, id, key });
        Ok(())
    }
}

/// The log while it is held.
struct Log<'a> {
    world: &'a DirectoryWorld,
    file: &'a mut File,
}

impl Log<'_> {
    /// Makes something happen: one line, one write.
    fn append(
        &mut self,
        what: &str,
        id: &str,
        object: Option<&StoredObject>,
        replayed: &mut Replayed,
    ) -> Result<(), String> {
        let mut line = json!({ "what": what, "id": id });
        if let Some(object) = object {
            let ty = self
                .world
                .types
                .get(&object.type_name)
                .ok_or_else(|| format!("there is no resource type {:?}", object.type_name))?;
            let value = terrace_value::json::encode(&object.value, ty)
                .map_err(|error| error.to_string())?;
            line["type"] = json!(&*object.type_name);
            line["planted"] = json!(object.planted);
            line["value"] = serde_json::from_str(&value).map_err(|error| error.to_string())?;
        }
        let line = format!("{line}\n");
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| error.to_string())?;
        replayed.offset += line.len() as u64;
        self.world.replay(line.trim_end().as_bytes(), replayed)
    }
}

impl World for DirectoryWorld {
    fn create(
        &self,
        type_name: &str,
        build: &dyn Fn(&str) -> Value,
    ) -> Result<(String, Value), String> {
        self.with_log(|log, replayed| {
            let id = format!("object-{}", replayed.created + 1);
            let value = build(&id);
            let object = StoredObject {
                type_name: type_name.into(),
                value: value.clone(),
                planted: false,
            };
            log.append("create", &id, Some(&object), replayed)?;
            Ok((id, value))
        })
    }

    fn plant(&self, type_name: &str, id: &str, value: Value) -> Result<(), String> {
        let object = StoredObject {
            type_name: type_name.into(),
            value,
            planted: true,
        };
        self.with_log(|log, replayed| log.append("plant", id, Some(&object), replayed))
    }

    fn get(&self, id: &str) -> Result<Lookup, String> {
        self.with_log(|_, replayed| {
            Ok(match replayed.objects.get(id) {
                Some(Some(object)) => Lookup::Present(object.clone()),
                Some(None) => Lookup::Gone,
                None => Lookup::Never,
            })
        })
    }

    fn update(&self, id: &str, value: Value) -> Result<(), String> {
        self.with_log(|log, replayed| {
            let Some(Some(mut object)) = replayed.objects.get(id).cloned() else {
                return Err(format!("there is no object {id:?}"));
            };
            object.value = value;
            log.append("update", id, Some(&object), replayed)
        })
    }

    fn delete(&self, id: &str) -> Result<(), String> {
        self.with_log(|log, replayed| match replayed.objects.get(id) {
            Some(Some(_)) => log.append("delete", id, None, replayed),
            _ => Ok(()),
        })
    }

    fn objects(&self) -> Result<BTreeMap<String, StoredObject>, String> {
        self.with_log(|_, replayed| {
            Ok(replayed
                .objects
                .iter()
                .filter_map(|(id, object)| Some((id.clone(), object.clone()?)))
                .collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StrictProvider;

    #[test]
    fn a_world_outlives_its_providers_and_a_torn_line() {
        let directory = tempfile::tempdir().unwrap();
        let provider = StrictProvider::new();
        let schema = provider.provider_schema();
        let object = |string: &str, id: &str| {
            provider.object([("string", string.into()), ("id", id.into())])
        };
        let first = DirectoryWorld::open(directory.path(), schema).unwrap();
        let second = DirectoryWorld::open(directory.path(), schema).unwrap();
        assert_eq!(
            first
                .create("test_object", &|id| object("a", id))
                .unwrap()
                .0,
            "object-1"
        );
        assert_eq!(
            second
                .create("test_object", &|id| object("b", id))
                .unwrap()
                .0,
            "object-2"
        );
        std::fs::OpenOptions::new()
            .append(true)
            .open(directory.path().join("world.jsonl"))
            .unwrap()
            .write_all(b"{\"what\":\"cre")
            .unwrap();
        first.delete("object-2").unwrap();
        assert_eq!(second.get("object-2").unwrap(), Lookup::Gone);
        assert_eq!(second.get("object-3").unwrap(), Lookup::Never);
        assert_eq!(
            second
                .create("test_object", &|id| object("b", id))
                .unwrap()
                .0,
            "object-3"
        );
        let third = DirectoryWorld::open(directory.path(), schema).unwrap();
        assert_eq!(
            third.objects().unwrap().keys().collect::<Vec<_>>(),
            ["object-1", "object-3"]
        );
        let creations: Vec<String> = third
            .events()
            .unwrap()
            .into_iter()
            .filter(|event| event.what == "create")
            .map(|event| event.key)
            .collect();
        assert_eq!(creations, ["a", "b", "b"], "the second creation of b shows");
    }
}
