//! What AWS's service models say of every member: type, need, limits and known values.

mod ecs;
mod events;

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Every member of the ECS shapes.
pub const MEMBERS: &[Member] = ecs::MEMBERS;

/// Every member of the EventBridge shapes.
pub const EVENT_MEMBERS: &[Member] = events::MEMBERS;

/// One member of a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The structure it belongs to, by AWS's name.
    pub structure: &'static str,
    /// Its name on the wire.
    pub member: &'static str,
    /// Type of its value.
    pub kind: Kind,
    /// AWS refuses the structure without it.
    pub required: bool,
    /// Smallest value, length of a text, or count of entries.
    pub min: Option<i64>,
    /// Largest value, length of a text, or count of entries.
    pub max: Option<i64>,
    /// Regular expression for a text, as AWS writes it.
    pub pattern: Option<&'static str>,
    /// Values known when the model was published, of a text or of the texts in a list. AWS adds values over time, so
    /// another one is suspicious, not wrong.
    pub values: &'static [&'static str],
}

/// Type of a member's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// 32-bit integer.
    Integer,
    /// True or false.
    Boolean,
    /// A structure, by AWS's name.
    Structure(&'static str),
    /// A list of values.
    List(&'static Kind),
    /// A map from text to values.
    Map(&'static Kind),
}

impl Kind {
    /// The structure it is, or holds as a list or map.
    pub fn structure(self) -> Option<&'static str> {
        match self {
            Self::Structure(name) => Some(name),
            Self::List(inner) | Self::Map(inner) => inner.structure(),
            Self::String | Self::Integer | Self::Boolean => None,
        }
    }
}

impl Member {
    const fn new(structure: &'static str, member: &'static str, kind: Kind) -> Self {
        Self { structure, member, kind, required: false, min: None, max: None, pattern: None, values: &[] }
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn limits(mut self, min: Option<i64>, max: Option<i64>) -> Self {
        self.min = min;
        self.max = max;
        self
    }

    const fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    const fn values(mut self, values: &'static [&'static str]) -> Self {
        self.values = values;
        self
    }
}

/// The ECS structures, each with its members in the model's order.
static STRUCTURES: LazyLock<BTreeMap<&str, &[Member]>> = LazyLock::new(|| {
    let together = MEMBERS.chunk_by(|one, next| one.structure == next.structure);
    together.filter_map(|members| Some((members.first()?.structure, members))).collect()
});

/// Members of an ECS structure in the model's order; none for an unknown structure.
pub fn of(structure: &str) -> impl Iterator<Item = &'static Member> {
    STRUCTURES.get(structure).copied().unwrap_or_default().iter()
}

/// One member of an ECS structure.
pub fn find(structure: &str, member: &str) -> Option<&'static Member> {
    of(structure).find(|m| m.member == member)
}

/// Known values of a member of an ECS structure, or none where it takes any text.
pub fn enum_values(structure: &str, member: &str) -> Option<&'static [&'static str]> {
    find(structure, member).map(|m| m.values).filter(|values| !values.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found_by_structure_and_wire_name() {
        let member = find("ContainerDefinition", "portMappings").unwrap();
        assert_eq!(member.kind, Kind::List(&Kind::Structure("PortMapping")));
        assert!(find("ContainerDefinition", "portmappings").is_none());
        assert!(find("TaskDefinition", "containerDefinitions").unwrap().required);
    }

    #[test]
    fn known_values_are_there_for_texts_and_for_lists_of_texts() {
        assert_eq!(enum_values("TaskDefinition", "networkMode"), Some(&["bridge", "host", "awsvpc", "none"][..]));
        assert!(enum_values("TaskDefinition", "requiresCompatibilities").unwrap().contains(&"FARGATE"));
        assert_eq!(enum_values("ContainerDefinition", "image"), None);
    }

    #[test]
    fn the_members_of_each_structure_stand_together() {
        assert_eq!(STRUCTURES.values().map(|members| members.len()).sum::<usize>(), MEMBERS.len());
    }

    #[test]
    fn a_target_narrows_what_run_task_knows() {
        assert_eq!(enum_values("RunTask", "propagateTags"), Some(&["TASK_DEFINITION"][..]));
        assert_eq!(enum_values("RunTask", "launchType"), Some(&["EC2", "FARGATE", "EXTERNAL"][..]));
    }

    #[test]
    fn every_structure_a_member_names_is_in_its_table() {
        for table in [MEMBERS, EVENT_MEMBERS] {
            for name in table.iter().filter_map(|m| m.kind.structure()) {
                assert!(table.iter().any(|m| m.structure == name), "{name}");
            }
        }
    }
}
