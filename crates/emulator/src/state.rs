//! What the emulator remembers: five tables of entities, each of which knows what changed in it.
//!
//! Everything that a request can change is a row here, so that a journal of rows is a journal of everything.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeBounds};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::place::Place;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A task definition family: what outlives its revisions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Family {
    /// The newest revision number ever given; it never goes back (docs/aws.md, Revision lifecycle).
    pub last_revision: u32,
    /// When that one was registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<Timestamp>,
}

/// Where a revision is in its life (docs/aws.md, Revision lifecycle).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Active,
    Inactive,
    DeleteInProgress,
}

impl Status {
    /// The word on the wire.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
        }
    }
}

/// One revision of a family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Revision {
    /// The task definition as AWS gives it back, less what changes over its life.
    pub definition: Map<String, Value>,
    pub tags: Tags,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregistered_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_requested_at: Option<Timestamp>,
}

/// A cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cluster {
    /// The members that its creator gave, on the wire's names.
    pub given: Map<String, Value>,
    pub tags: Tags,
    /// Deleted clusters stay visible as INACTIVE for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

/// A rule of the default event bus with its targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// ScheduleExpression, EventPattern, State, Description, RoleArn, ManagedBy: those that are set.
    pub members: Map<String, Value>,
    pub tags: Tags,
    pub created_at: Timestamp,
    /// Targets by Id, as they were put.
    pub targets: BTreeMap<String, Value>,
    /// When targets were last removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets_removed_at: Option<Timestamp>,
}

/// What the tagging index says of one resource, which is not always what is so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Indexed {
    /// What GetResources shows until `pending` comes due; `None` shows nothing.
    pub seen: Option<Tags>,
    /// What it will show, and from when on.
    pub pending: Vec<(Timestamp, Option<Tags>)>,
}

/// The tables' names in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A task definition family.
    Family,
    /// A revision, named `family:number`.
    Revision,
    /// A cluster.
    Cluster,
    /// A rule with its targets and tags.
    Rule,
    /// An entry of the tagging index, named by the resource's ARN.
    Index,
}

/// One thing that a request wrote or took away.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity<'a> {
    /// What kind of thing.
    pub kind: Kind,
    /// Its account.
    pub account: &'a str,
    /// Its Region.
    pub region: &'a str,
    /// Its name, as in [`crate::Emulator::snapshot`].
    pub name: String,
    /// What it is now, in the form of the snapshot; none if it is gone.
    pub value: Option<&'a Value>,
}

/// One row that was written (`value`) or taken away (none).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    kind: Kind,
    key: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
}

/// All rows that one request changed: what must be written as one, or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub(crate) rows: Vec<Row>,
    /// Everything there was is gone first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) reset: bool,
}

impl Change {
    /// What was written or taken away, in the order of kinds and names.
    pub fn entities(&self) -> impl Iterator<Item = Entity<'_>> {
        self.rows.iter().filter_map(Row::entity)
    }
}

impl Row {
    /// Keys are a place, a name and, for revisions, a number.
    fn entity(&self) -> Option<Entity<'_>> {
        let [place, name, number @ ..] = self.key.as_array()?.as_slice() else { return None };
        let (account, region) = (place.get("account")?.as_str()?, place.get("region")?.as_str()?);
        let name = match number {
            [number] => format!("{}:{number}", name.as_str()?),
            _ => name.as_str()?.to_owned(),
        };
        Some(Entity { kind: self.kind, account, region, name, value: self.value.as_ref() })
    }
}

/// A table whose every write leaves a trace.
#[derive(Debug, Clone)]
pub(crate) struct Table<K, V> {
    rows: BTreeMap<K, V>,
    touched: BTreeSet<K>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), touched: BTreeSet::new() }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
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

    fn len(&self) -> usize {
        self.rows.len()
    }
}

impl<K, V> Table<K, V>
where
    K: Ord + Clone + Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    fn drain_touched(&mut self, kind: Kind, rows: &mut Vec<Row>) {
        for key in std::mem::take(&mut self.touched) {
            let value = self.rows.get(&key).map(|value| row_value(value));
            rows.push(Row { kind, key: row_value(&key), value });
        }
    }

    fn all(&self, kind: Kind, rows: &mut Vec<Row>) {
        rows.extend(self.rows.iter().map(|(key, value)| Row {
            kind,
            key: row_value(key),
            value: Some(row_value(value)),
        }));
    }

    fn apply(&mut self, row: Row) -> Result<(), serde_json::Error> {
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

/// What time alone will change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The end of a revision's deletion.
    Revision((Place, String, u32)),
    /// The end of a deleted cluster's afterlife.
    Cluster((Place, String)),
    /// Something the tagging index is to see of a resource.
    Index((Place, String)),
}

/// The whole memory of the emulator.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    pub families: Table<(Place, String), Family>,
    pub revisions: Table<(Place, String, u32), Revision>,
    pub clusters: Table<(Place, String), Cluster>,
    pub rules: Table<(Place, String), Rule>,
    pub index: Table<(Place, String), Indexed>,
    /// What is due when; it follows from the rows and is not written down.
    agenda: BTreeSet<(Timestamp, Due)>,
    reset: bool,
}

impl State {
    /// Forgets everything, and remembers that it did.
    pub(crate) fn reset(&mut self) {
        *self = Self { reset: true, ..Self::default() };
    }

    /// Has something looked at again at `when`, if ever.
    pub(crate) fn remind(&mut self, when: Option<Timestamp>, what: Due) {
        if let Some(when) = when {
            self.agenda.insert((when, what));
        }
    }

    /// No longer has something looked at again at `when`.
    pub(crate) fn forget_reminder(&mut self, when: Option<Timestamp>, what: Due) {
        if let Some(when) = when {
            self.agenda.remove(&(when, what));
        }
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(when, _)| *when)
    }

    /// What is due by `now`, the earliest first; each is told once.
    pub(crate) fn pop_due(&mut self, now: Timestamp) -> Option<Due> {
        if self.next_due()? > now {
            return None;
        }
        self.agenda.pop_first().map(|(_, what)| what)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.families.len() + self.revisions.len() + self.clusters.len() + self.rules.len() + self.index.len()
    }

    /// What changed since the last call, or `None`.
    pub(crate) fn take_change(&mut self) -> Option<Change> {
        let mut rows = Vec::new();
        self.families.drain_touched(Kind::Family, &mut rows);
        self.revisions.drain_touched(Kind::Revision, &mut rows);
        self.clusters.drain_touched(Kind::Cluster, &mut rows);
        self.rules.drain_touched(Kind::Rule, &mut rows);
        self.index.drain_touched(Kind::Index, &mut rows);
        let reset = std::mem::take(&mut self.reset);
        (reset || !rows.is_empty()).then_some(Change { rows, reset })
    }

    /// Everything there is, one change per row, so that a reader needs memory for one row at a time.
    pub(crate) fn everything(&self) -> Vec<Change> {
        let mut rows = Vec::new();
        self.families.all(Kind::Family, &mut rows);
        self.revisions.all(Kind::Revision, &mut rows);
        self.clusters.all(Kind::Cluster, &mut rows);
        self.rules.all(Kind::Rule, &mut rows);
        self.index.all(Kind::Index, &mut rows);
        rows.into_iter().map(|row| Change { rows: vec![row], reset: false }).collect()
    }

    /// Takes over a change read from a journal.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), serde_json::Error> {
        if change.reset {
            *self = Self::default();
        }
        for row in change.rows {
            match row.kind {
                Kind::Family => self.families.apply(row)?,
                Kind::Revision => self.revisions.apply(row)?,
                Kind::Cluster => self.clusters.apply(row)?,
                Kind::Rule => self.rules.apply(row)?,
                Kind::Index => self.index.apply(row)?,
            }
        }
        Ok(())
    }

    /// All rows of one place whose name starts with `prefix`, in the order of their names.
    pub(crate) fn rules_with_prefix<'a>(
        &'a self,
        place: &Place,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Rule)> {
        starting_with(&self.rules, place, prefix)
    }

    /// The revisions of one place, by family and number.
    pub(crate) fn revisions_at(&self, place: &Place) -> impl DoubleEndedIterator<Item = (&str, u32, &Revision)> {
        // Family names are ASCII, so none comes after the last character of all.
        let from = (place.clone(), String::new(), 0);
        let to = (place.clone(), char::MAX.to_string(), 0);
        self.revisions.range(from..to).map(|((_, family, number), revision)| (family.as_str(), *number, revision))
    }

    /// The revisions of one family, oldest first.
    pub(crate) fn revisions_of(
        &self,
        place: &Place,
        family: &str,
    ) -> impl DoubleEndedIterator<Item = (u32, &Revision)> {
        let from = (place.clone(), family.to_owned(), 0);
        let to = (place.clone(), family.to_owned(), u32::MAX);
        self.revisions.range(from..=to).map(|((_, _, number), revision)| (*number, revision))
    }

    /// The newest ACTIVE revision of a family.
    pub(crate) fn latest_active(&self, place: &Place, family: &str) -> Option<(u32, &Revision)> {
        self.revisions_of(place, family).rev().find(|(_, revision)| revision.status == Status::Active)
    }
}

/// The rows of a table keyed by name, of one place, from the names that start with `prefix`.
pub(crate) fn starting_with<'a, V>(
    table: &'a Table<(Place, String), V>,
    place: &Place,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a V)> {
    let place = place.clone();
    let from = Bound::Included((place.clone(), prefix.to_owned()));
    table
        .range((from, Bound::Unbounded))
        .take_while(move |((at, name), _)| *at == place && name.starts_with(prefix))
        .map(|((_, name), value)| (name.as_str(), value))
}
