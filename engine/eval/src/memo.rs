//! What has been evaluated.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use terrace_addr::{AbsNamed, AbsResource};
use terrace_value::{Type, Value};

use crate::Evaluated;
use crate::expression::Template;

/// The kinds of named values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum NamedKind {
    Variable,
    Local,
    Output,
    /// All instances of a module call, as one value.
    Call,
}

enum Slot {
    Running(ThreadId),
    Done(Arc<Evaluated>),
}

/// What a look into the memo finds.
pub(crate) enum Found {
    /// It has been evaluated.
    Done(Arc<Evaluated>),
    /// It is being evaluated: it depends on itself.
    Cycle,
    /// It is now to be evaluated, and then to be given to [`Memo::finish`].
    Absent,
}

#[derive(Default)]
pub(crate) struct Memo {
    named: Mutex<HashMap<(NamedKind, AbsNamed), Slot>>,
    resources: Mutex<HashMap<AbsResource, (u64, Value)>>,
    types: Mutex<HashMap<usize, Type>>,
    templates: Mutex<HashMap<(String, String), Arc<Template>>>,
}

impl Memo {
    pub(crate) fn clear(&self) {
        lock(&self.named).clear();
        lock(&self.resources).clear();
    }

    pub(crate) fn start(&self, kind: NamedKind, address: &AbsNamed) -> Found {
        let mut named = lock(&self.named);
        let here = std::thread::current().id();
        match named.get(&(kind, address.clone())) {
            Some(Slot::Done(done)) => Found::Done(Arc::clone(done)),
            Some(Slot::Running(thread)) if *thread == here => Found::Cycle,
            _ => {
                named.insert((kind, address.clone()), Slot::Running(here));
                Found::Absent
            }
        }
    }

    /// Ends an evaluation without keeping what it gave.
    pub(crate) fn drop_running(&self, kind: NamedKind, address: &AbsNamed) {
        lock(&self.named).remove(&(kind, address.clone()));
    }

    pub(crate) fn finish(
        &self,
        kind: NamedKind,
        address: &AbsNamed,
        evaluated: Evaluated,
    ) -> Arc<Evaluated> {
        let evaluated = Arc::new(evaluated);
        self.remember(kind, address, Arc::clone(&evaluated));
        evaluated
    }

    /// Keeps what was evaluated elsewhere.
    pub(crate) fn remember(&self, kind: NamedKind, address: &AbsNamed, evaluated: Arc<Evaluated>) {
        lock(&self.named).insert((kind, address.clone()), Slot::Done(evaluated));
    }

    /// A named value that has been evaluated.
    pub(crate) fn done(&self, kind: NamedKind, address: &AbsNamed) -> Option<Arc<Evaluated>> {
        match lock(&self.named).get(&(kind, address.clone())) {
            Some(Slot::Done(done)) => Some(Arc::clone(done)),
            _ => None,
        }
    }

    /// The implied type of a schema, by the schema's place in memory, which stays while the evaluator holds it.
    pub(crate) fn implied_type(&self, schema: usize, make: impl FnOnce() -> Type) -> Type {
        lock(&self.types).entry(schema).or_insert_with(make).clone()
    }

    /// The value of a whole resource, if it was built in this generation.
    pub(crate) fn resource(&self, address: &AbsResource, generation: u64) -> Option<Value> {
        let resources = lock(&self.resources);
        let (built, value) = resources.get(address)?;
        (*built == generation).then(|| value.clone())
    }

    pub(crate) fn keep_resource(&self, address: &AbsResource, generation: u64, value: &Value) {
        lock(&self.resources).insert(address.clone(), (generation, value.clone()));
    }

    /// A template, parsed once for each name and text.
    pub(crate) fn template(
        &self,
        name: &str,
        text: &str,
        parse: impl FnOnce() -> Template,
    ) -> Arc<Template> {
        let key = (name.to_owned(), text.to_owned());
        if let Some(template) = lock(&self.templates).get(&key) {
            return Arc::clone(template);
        }
        let template = Arc::new(parse());
        lock(&self.templates).insert(key, Arc::clone(&template));
        template
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
