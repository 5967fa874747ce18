//! What a request changed, as rows that are written down and read again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// A task, named by the last part of its ARN.
    Task,
    /// What a rule was before its latest changes, as long as it still fires so.
    Former,
    /// A group of schedules.
    ScheduleGroup,
    /// A schedule, named `group/name`.
    Schedule,
    /// A queue.
    Queue,
    /// A message, named `queue/moment/id`.
    Message,
    /// A delivery that is to be tried again, named by what was to be delivered.
    Retry,
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
    pub(super) kind: Kind,
    pub(super) key: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Value>,
}

/// All rows that one request changed: what must be written as one, or not at all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What time did since the write before, which what follows from here may no longer tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) carried: Vec<Row>,
    pub(super) rows: Vec<Row>,
    /// When it was: what was due by then has been done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
    /// Everything there was is gone first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) reset: bool,
}

impl Change {
    /// What was written or taken away, in the order of kinds and names. What time did by itself is not among it.
    pub fn entities(&self) -> impl Iterator<Item = Entity<'_>> {
        self.rows.iter().filter_map(Row::entity)
    }

    /// The change as lists that lag are to see it: they show no tasks, schedules and queues, and fire nothing.
    pub(crate) fn for_lists(&self) -> Self {
        let listed = |row: &&Row| match row.kind {
            Kind::Family | Kind::Revision | Kind::Cluster | Kind::Rule | Kind::Index => true,
            Kind::Task | Kind::Former | Kind::ScheduleGroup | Kind::Schedule => false,
            Kind::Queue | Kind::Message | Kind::Retry => false,
        };
        let rows = self.rows.iter().filter(listed).cloned().collect();
        Self { carried: Vec::new(), rows, at: None, reset: self.reset }
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
