//! What differs between two normal forms, field by field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ecs_etl_spec::shapes::members::Kind;
use serde::Serialize;
use serde::ser::SerializeStruct as _;
use serde_json::{Map, Value};

use super::rule::{Rule, Tables};
use super::{Normal, secrets, table};

/// One field that differs. However it is shown, what looks secret is masked.
#[derive(Clone, PartialEq)]
pub struct FieldChange {
    /// Path such as `containerDefinitions[main].image`.
    pub path: String,
    /// What is live; none if absent or what AWS takes for granted.
    pub live: Option<Value>,
    /// What is desired; none if absent or what AWS takes for granted.
    pub desired: Option<Value>,
}

impl FieldChange {
    /// The change without what looks secret.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mask = |value: &Option<Value>| value.as_ref().map(|value| secrets::mask(&self.path, value));
        Self { path: self.path.clone(), live: mask(&self.live), desired: mask(&self.desired) }
    }
}

impl fmt::Display for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, live, desired } = self.masked();
        let side = |value: Option<Value>| value.map_or_else(|| "absent".to_owned(), |value| value.to_string());
        write!(f, "{path}: {} -> {}", side(live), side(desired))
    }
}

impl fmt::Debug for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for FieldChange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { path, live, desired } = self.masked();
        let mut fields = serializer.serialize_struct("FieldChange", 3)?;
        fields.serialize_field("path", &path)?;
        fields.serialize_field("live", &live)?;
        fields.serialize_field("desired", &desired)?;
        fields.end()
    }
}

/// What has to change for `live` to become `desired`, in the order of AWS's own reference. Entries of a list that have
/// names are matched by name; a list whose entries have none is one field.
pub fn diff(live: &Normal, desired: &Normal) -> Vec<FieldChange> {
    if live == desired {
        return Vec::new();
    }
    let mut diff = Diff(Vec::new());
    let subject = desired.subject;
    let (live, desired) = (live.value(), desired.value());
    diff.inside(subject.tables(), Kind::Structure(subject.structure()), "", Some(&live), Some(&desired));
    diff.0
}

struct Diff(Vec<FieldChange>);

type Side<'a> = Option<&'a Value>;

impl Diff {
    fn whole(&mut self, path: &str, live: Side<'_>, desired: Side<'_>) {
        self.0.push(FieldChange { path: path.to_owned(), live: live.cloned(), desired: desired.cloned() });
    }

    /// Compares two structures or maps member by member; one that is absent counts as empty.
    fn inside(&mut self, tables: &Tables, kind: Kind, path: &str, live: Side<'_>, desired: Side<'_>) {
        let empty = Map::new();
        let (Some(before), Some(after)) = (members(live, &empty), members(desired, &empty)) else {
            return self.whole(path, live, desired);
        };
        match kind {
            Kind::Structure(name) => {
                for member in in_order(tables, name, before, after) {
                    let (live, desired) = (before.get(member), after.get(member));
                    if live != desired {
                        let at = if path.is_empty() { member.to_owned() } else { format!("{path}.{member}") };
                        self.member(tables, name, member, &at, live, desired);
                    }
                }
            }
            Kind::Map(_) | Kind::List(_) | Kind::String | Kind::Integer | Kind::Boolean => {
                for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                    let (live, desired) = (before.get(key), after.get(key));
                    if live != desired {
                        self.whole(&format!("{path}[{key}]"), live, desired);
                    }
                }
            }
        }
    }

    fn member(
        &mut self,
        tables: &Tables,
        structure: &str,
        member: &str,
        path: &str,
        live: Side<'_>,
        desired: Side<'_>,
    ) {
        let kind = tables.kind(structure, member);
        match tables.rule(structure, member).unwrap_or(Rule::Verbatim) {
            Rule::Inner => self.inside(tables, kind, path, live, desired),
            Rule::Present if live.is_some() && desired.is_some() => self.inside(tables, kind, path, live, desired),
            Rule::By(key) => self.keyed(tables, kind, key, path, live, desired),
            Rule::Json(Some(name)) if live.is_some() && desired.is_some() => {
                self.inside(&table::ECS, Kind::Structure(name), path, live, desired);
            }
            Rule::Verbatim
            | Rule::Default(_)
            | Rule::Present
            | Rule::InOrder
            | Rule::AnyOrder
            | Rule::AllOf(_)
            | Rule::Cpu
            | Rule::Memory
            | Rule::HostPort
            | Rule::Json(_) => self.whole(path, live, desired),
        }
    }

    fn keyed<'a>(&mut self, tables: &Tables, kind: Kind, key: &str, path: &str, live: Side<'a>, desired: Side<'a>) {
        let (Some(before), Some(after), Kind::List(entry)) = (by_name(live, key), by_name(desired, key), kind) else {
            return self.whole(path, live, desired);
        };
        for name in after.keys().chain(before.keys().filter(|name| !after.contains_key(*name))) {
            let at = format!("{path}[{name}]");
            match (before.get(name).copied(), after.get(name).copied()) {
                (live, desired) if live == desired => {}
                (Some(live), Some(desired)) => self.inside(tables, *entry, &at, Some(live), Some(desired)),
                (live, desired) => match only_other_member(tables, *entry, key) {
                    Some(member) => {
                        let value = |side: Side<'a>| side.and_then(|entry| entry.get(member));
                        self.whole(&format!("{at}.{member}"), value(live), value(desired));
                    }
                    None => self.whole(&at, live, desired),
                },
            }
        }
    }
}

/// Members of a structure or map; those of an absent one are `empty`.
fn members<'a>(side: Side<'a>, empty: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
    match side {
        None => Some(empty),
        Some(value) => value.as_object(),
    }
}

/// Members of either side: first those of the model in its order, then any other.
fn in_order<'a>(
    tables: &Tables,
    name: &str,
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
) -> Vec<&'a str> {
    let mut rest: BTreeSet<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
    let mut order: Vec<&str> = tables.members(name).filter_map(|m| rest.take(m.member)).collect();
    order.extend(rest);
    order
}

/// Entries by name; none unless each has a name of its own.
fn by_name<'a>(list: Side<'a>, key: &str) -> Option<BTreeMap<&'a str, &'a Value>> {
    let entries: &[Value] = match list {
        None => &[],
        Some(value) => value.as_array()?,
    };
    let named: Option<BTreeMap<_, _>> = entries.iter().map(|entry| Some((entry.get(key)?.as_str()?, entry))).collect();
    named.filter(|named| named.len() == entries.len())
}

/// The one member beside its name that an entry can have, as a variable's value is.
fn only_other_member(tables: &Tables, entry: Kind, key: &str) -> Option<&'static str> {
    let mut others = tables.members(entry.structure()?).map(|m| m.member).filter(|member| *member != key);
    others.next().filter(|_| others.next().is_none())
}
