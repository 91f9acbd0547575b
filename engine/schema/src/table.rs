//! Schemas by name, each read when somebody asks for it.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Index;
use std::sync::{Arc, OnceLock};

use terrace_value::Text;

/// Reads one schema by its name.
type Reader<T> = Arc<dyn Fn(&str) -> Option<T> + Send + Sync>;

/// Schemas by name. Providers have hundreds of types of which a run needs a few: one made by [`SchemaTable::deferred`]
/// reads each of them when it is first asked for.
pub struct SchemaTable<T> {
    entries: BTreeMap<Text, OnceLock<Option<Arc<T>>>>,
    reader: Option<Reader<T>>,
}

impl<T> SchemaTable<T> {
    /// A table of these names, whose schemas `reader` gives. A name that it gives nothing for is not in the table.
    pub fn deferred(
        names: impl IntoIterator<Item = Text>,
        reader: impl Fn(&str) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        Self {
            entries: names
                .into_iter()
                .map(|name| (name, OnceLock::new()))
                .collect(),
            reader: Some(Arc::new(reader)),
        }
    }

    /// The schema of a name.
    pub fn get<Q: Ord + ?Sized>(&self, name: &Q) -> Option<&Arc<T>>
    where
        Text: Borrow<Q>,
    {
        let (name, entry) = self.entries.get_key_value(name)?;
        self.read(name, entry)
    }

    fn read<'t>(&self, name: &str, entry: &'t OnceLock<Option<Arc<T>>>) -> Option<&'t Arc<T>> {
        let read = || self.reader.as_ref()?(name).map(Arc::new);
        entry.get_or_init(read).as_ref()
    }

    /// Whether there is a schema of that name.
    pub fn contains_key<Q: Ord + ?Sized>(&self, name: &Q) -> bool
    where
        Text: Borrow<Q>,
    {
        self.entries.contains_key(name)
    }

    /// The names, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.entries.keys()
    }

    /// All schemas with their names, sorted by these; each is read.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Arc<T>)> {
        self.entries
            .iter()
            .filter_map(|(name, entry)| Some((name, self.read(name, entry)?)))
    }

    /// All schemas, sorted by their names; each is read.
    pub fn values(&self) -> impl Iterator<Item = &Arc<T>> {
        self.iter().map(|(_, schema)| schema)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds or replaces one.
    pub fn insert(&mut self, name: Text, schema: Arc<T>) {
        self.entries.insert(name, OnceLock::from(Some(schema)));
    }
}

impl<T> Default for SchemaTable<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            reader: None,
        }
    }
}

impl<T> Clone for SchemaTable<T> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            reader: self.reader.clone(),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for SchemaTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<T: PartialEq> PartialEq for SchemaTable<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<T> FromIterator<(Text, Arc<T>)> for SchemaTable<T> {
    fn from_iter<I: IntoIterator<Item = (Text, Arc<T>)>>(schemas: I) -> Self {
        let mut table = Self::default();
        for (name, schema) in schemas {
            table.insert(name, schema);
        }
        table
    }
}

impl<T, const N: usize> From<[(Text, Arc<T>); N]> for SchemaTable<T> {
    fn from(schemas: [(Text, Arc<T>); N]) -> Self {
        schemas.into_iter().collect()
    }
}

impl<T> From<BTreeMap<Text, Arc<T>>> for SchemaTable<T> {
    fn from(schemas: BTreeMap<Text, Arc<T>>) -> Self {
        schemas.into_iter().collect()
    }
}

impl<T, Q: Ord + ?Sized> Index<&Q> for SchemaTable<T>
where
    Text: Borrow<Q>,
{
    type Output = Arc<T>;

    /// # Panics
    /// Where there is no schema of that name.
    fn index(&self, name: &Q) -> &Arc<T> {
        self.get(name).expect("there is a schema of that name")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_schema_is_read_once_and_only_if_it_is_asked_for() {
        let n_reads = Arc::new(AtomicUsize::new(0));
        let counted = n_reads.clone();
        let table = SchemaTable::deferred(["a".into(), "b".into(), "c".into()], move |name| {
            counted.fetch_add(1, Ordering::SeqCst);
            (name != "c").then(|| name.to_owned())
        });
        assert!(table.contains_key("a") && !table.contains_key("d"));
        assert_eq!((table.len(), table.keys().count()), (3, 3));
        assert_eq!(n_reads.load(Ordering::SeqCst), 0);
        assert_eq!(table.get("b").map(|text| text.as_str()), Some("b"));
        assert_eq!(*table["b"], "b");
        assert_eq!(n_reads.load(Ordering::SeqCst), 1);
        assert!(table.get("c").is_none(), "what cannot be read is not there");
        let ready: SchemaTable<String> = table
            .iter()
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect();
        assert_eq!(ready.len(), 2);
    }
}
