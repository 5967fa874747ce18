//! Tables that know what changed in them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::change::{Kind, Row};

/// A table whose every write leaves a trace.
#[derive(Debug, Clone)]
pub(crate) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    touched: BTreeSet<K>,
    /// What time added or took away since the last write, to be written down with the next one; `None` keeps no book.
    carried: Option<BTreeSet<K>>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), touched: BTreeSet::new(), carried: None }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    /// From now on keeps book of what time adds and takes away.
    pub(super) fn keep_book(&mut self) {
        self.carried.get_or_insert_default();
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.rows.get(key)
    }

    pub(crate) fn range(&self, range: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.range(range)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.rows.iter()
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.touched.insert(key.clone());
        self.rows.insert(key, value);
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.touched.insert(key.clone());
        self.rows.remove(key)
    }

    /// Writes a row in place, if it is there.
    pub(crate) fn update<T>(&mut self, key: &K, change: impl FnOnce(&mut V) -> T) -> Option<T> {
        let row = self.rows.get_mut(key)?;
        self.touched.insert(key.clone());
        Some(change(row))
    }

    /// Changes a row without a trace, for what time alone does: the same clock does it again after a restart.
    pub(crate) fn amend(&mut self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some(row) = self.rows.get_mut(key) {
            change(row);
        }
    }

    /// Takes a row away without a trace, likewise.
    pub(crate) fn expire(&mut self, key: &K) {
        self.rows.remove(key);
    }

    /// Adds a row that time alone made. It is written down with the next write, which may change what it followed from.
    pub(crate) fn grow(&mut self, key: K, value: V) {
        if let Some(carried) = &mut self.carried {
            carried.insert(key.clone());
        }
        self.rows.insert(key, value);
    }

    /// Takes a row away that time alone ended, and has the next write take it off the books.
    pub(crate) fn wither(&mut self, key: &K) {
        self.rows.remove(key);
        if let Some(carried) = &mut self.carried
            // What came and went between two writes is in no book.
            && !carried.remove(key)
        {
            carried.insert(key.clone());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

impl<K, V> Table<K, V>
where
    K: Ord + Clone + Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    /// What requests changed.
    pub(super) fn drain_touched(&mut self, kind: Kind, rows: &mut Vec<Row>) {
        if self.touched.is_empty() {
            return;
        }
        for key in std::mem::take(&mut self.touched) {
            if let Some(carried) = &mut self.carried {
                carried.remove(&key);
            }
            rows.push(self.row(kind, &key));
        }
    }

    /// What time changed, besides.
    pub(super) fn drain_carried(&mut self, kind: Kind, rows: &mut Vec<Row>) {
        for key in self.carried.as_mut().map(std::mem::take).unwrap_or_default() {
            rows.push(self.row(kind, &key));
        }
    }

    fn row(&self, kind: Kind, key: &K) -> Row {
        Row { kind, key: row_value(key), value: self.rows.get(key).map(|value| row_value(value)) }
    }

    pub(super) fn all(&self, kind: Kind, rows: &mut Vec<Row>) {
        rows.extend(self.rows.keys().map(|key| self.row(kind, key)));
    }

    pub(super) fn apply(&mut self, row: Row) -> Result<(), serde_json::Error> {
        let key = serde_json::from_value(row.key)?;
        match row.value {
            Some(value) => self.rows.insert(key, serde_json::from_value(value)?),
            None => self.rows.remove(&key),
        };
        Ok(())
    }
}

/// Our rows have string keys and finite numbers only, so they always have a JSON form.
fn row_value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
