//! Where the objects of a test provider live.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use terrace_value::{Text, Value};

/// An object as it is in the world.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredObject {
    /// Its resource type.
    pub type_name: Text,
    /// Its attributes, all known.
    pub value: Value,
    /// Put there by a test rather than made by a provider: nobody holds private bytes for it.
    pub planted: bool,
}

/// What is at an id.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// An object.
    Present(StoredObject),
    /// An object was there and has been deleted.
    Gone,
    /// No object was ever there.
    Never,
}

/// The objects outside, and what has been done to them. Ids are `object-1`, `object-2`, … in order of creation.
pub trait World: Send + Sync {
    /// Makes an object, whose attributes `build` gives for its new id.
    fn create(
        &self,
        type_name: &str,
        build: &dyn Fn(&str) -> Value,
    ) -> Result<(String, Value), String>;
    /// Puts an object there as if by another hand.
    fn plant(&self, type_name: &str, id: &str, value: Value) -> Result<(), String>;
    /// What is at `id`.
    fn get(&self, id: &str) -> Result<Lookup, String>;
    /// Replaces the attributes of an object that is there.
    fn update(&self, id: &str, value: Value) -> Result<(), String>;
    /// Deletes an object, if it is there.
    fn delete(&self, id: &str) -> Result<(), String>;
    /// All objects by id.
    fn objects(&self) -> Result<BTreeMap<String, StoredObject>, String>;
}

/// A world that ends with the process.
#[derive(Debug, Default)]
pub struct MemoryWorld {
    state: Mutex<MemoryState>,
}

#[derive(Debug, Default)]
struct MemoryState {
    created: u64,
    /// `None` for an object that is gone.
    objects: BTreeMap<String, Option<StoredObject>>,
}

impl MemoryWorld {
    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for MemoryWorld {
    fn create(
        &self,
        type_name: &str,
        build: &dyn Fn(&str) -> Value,
    ) -> Result<(String, Value), String> {
        let mut state = self.state();
        state.created += 1;
        let id = format!("object-{}", state.created);
        let value = build(&id);
        let object = StoredObject {
            type_name: type_name.into(),
            value: value.clone(),
            planted: false,
        };
        state.objects.insert(id.clone(), Some(object));
        Ok((id, value))
    }

    fn plant(&self, type_name: &str, id: &str, value: Value) -> Result<(), String> {
        let object = StoredObject {
            type_name: type_name.into(),
            value,
            planted: true,
        };
        self.state().objects.insert(id.into(), Some(object));
        Ok(())
    }

    fn get(&self, id: &str) -> Result<Lookup, String> {
        Ok(match self.state().objects.get(id) {
            Some(Some(object)) => Lookup::Present(object.clone()),
            Some(None) => Lookup::Gone,
            None => Lookup::Never,
        })
    }

    fn update(&self, id: &str, value: Value) -> Result<(), String> {
        match self.state().objects.get_mut(id) {
            Some(Some(object)) => {
                object.value = value;
                Ok(())
            }
            _ => Err(format!("there is no object {id:?}")),
        }
    }

    fn delete(&self, id: &str) -> Result<(), String> {
        if let Some(object) = self.state().objects.get_mut(id) {
            *object = None;
        }
        Ok(())
    }

    fn objects(&self) -> Result<BTreeMap<String, StoredObject>, String> {
        let state = self.state();
        Ok(state
            .objects
            .iter()
            .filter_map(|(id, object)| Some((id.clone(), object.clone()?)))
            .collect())
    }
}
