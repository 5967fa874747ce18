//! Shapes of AWS in the spelling of others: `EntryPoint` of CloudFormation, `entry_point` of Terraform, `entryPoint`.
//!
//! The member tables of `ecs-etl-spec` say which members there are and of what type, so one reader serves every source and
//! a member that AWS adds is read with the next generated table.

use ecs_etl_spec::fill_in;
use ecs_etl_spec::shapes::members::{self, Kind, Member};
use ecs_etl_spec::yaml::{Entry, Node, Value};
use serde_json::{Map, Value as Json, json};

use crate::object::{Left, is_empty, scalar};

/// Which values of a source say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// Only null: an empty text or list was written by a person.
    Kept,
    /// Empty texts, lists and maps too: a tool wrote them for what is not set.
    Absent,
}

/// Reads `node`, which stands at `path`, as the ECS structure `name`. What has no place in it is left.
pub fn structure(node: &Node, name: &str, path: &str, empty: Empty) -> (Map<String, Json>, Vec<Left>) {
    let mut reader = Reader { empty, left: Vec::new() };
    let map = reader.structure(node, name, path);
    (map, reader.left)
}

/// A value as the one member of a structure, to be read as that.
pub fn wrap(member: &str, node: &Node) -> Node {
    let entry = Entry { key_at: node.at, node: node.clone() };
    Node { at: node.at, value: Value::Mapping([(member.to_owned(), entry)].into()) }
}

struct Reader {
    empty: Empty,
    left: Vec<Left>,
}

impl Reader {
    fn structure(&mut self, node: &Node, name: &str, path: &str) -> Map<String, Json> {
        // Terraform writes a block that may be there once as a list of one.
        let node = match node.sequence() {
            Some([only]) => only,
            Some(_) | None => node,
        };
        let Some(map) = node.mapping() else {
            self.leave(node, path, format!("expected a map, found {}", node.value.kind()));
            return Map::new();
        };
        let mut read = Map::new();
        for (key, entry) in map {
            let at = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            if entry.node.is_null() || self.empty == Empty::Absent && is_empty(&entry.node) {
                continue;
            }
            let Some(member) = member(name, key) else {
                self.leave(&entry.node, &at, "a manifest has nothing like it".to_owned());
                continue;
            };
            if let Some(value) = self.value(&entry.node, member.kind, &at) {
                read.insert(member.member.to_owned(), value);
            }
        }
        read
    }

    fn value(&mut self, node: &Node, kind: Kind, path: &str) -> Option<Json> {
        // What is still to be filled in may be anything.
        if let Some(text) = node.text().filter(|text| fill_in::is_open(text)) {
            return Some(json!(text));
        }
        match (kind, &node.value) {
            (Kind::Structure(name), Value::Mapping(_) | Value::Sequence(_)) => {
                Some(Json::Object(self.structure(node, name, path)))
            }
            (Kind::List(inner), Value::Sequence(items)) => {
                let each = |(index, item)| self.value(item, *inner, &format!("{path}[{index}]"));
                Some(Json::Array(items.iter().enumerate().filter_map(each).collect()))
            }
            (Kind::Map(inner), Value::Mapping(map)) => {
                let each = |(key, entry): (&String, &Entry)| {
                    Some((key.clone(), self.value(&entry.node, *inner, &format!("{path}.{key}"))?))
                };
                Some(Json::Object(map.iter().filter_map(each).collect()))
            }
            (Kind::String | Kind::Integer | Kind::Boolean, _) => {
                let value = scalar(node).and_then(|text| typed(text, kind));
                if value.is_none() {
                    self.leave(node, path, format!("expected {}, found {}", words(kind), node.value.kind()));
                }
                value
            }
            (Kind::Structure(_) | Kind::List(_) | Kind::Map(_), _) => {
                self.leave(node, path, format!("expected {}, found {}", words(kind), node.value.kind()));
                None
            }
        }
    }

    fn leave(&mut self, node: &Node, path: &str, why: String) {
        self.left.push(Left { field: path.to_owned(), line: node.at.line, why });
    }
}

/// The member that a source's key means: the same letters and digits, whatever their case.
fn member(structure: &str, key: &str) -> Option<&'static Member> {
    members::find(structure, key).or_else(|| members::of(structure).find(|member| plain(member.member) == plain(key)))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// A scalar in the type AWS wants: the sources are free with quotes.
fn typed(text: String, kind: Kind) -> Option<Json> {
    match kind {
        Kind::String => Some(Json::String(text)),
        Kind::Integer => text.trim().parse::<i32>().ok().map(|number| json!(number)),
        Kind::Boolean => text.to_ascii_lowercase().parse::<bool>().ok().map(|truth| json!(truth)),
        Kind::Structure(_) | Kind::List(_) | Kind::Map(_) => None,
    }
}

fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a text",
        Kind::Integer => "a whole number",
        Kind::Boolean => "true or false",
        Kind::Structure(_) | Kind::Map(_) => "a map",
        Kind::List(_) => "a list",
    }
}

#[cfg(test)]
mod tests {
    use ecs_etl_spec::yaml::{Limits, read};

    use super::*;

    #[track_caller]
    fn check(text: &str, name: &str, empty: Empty, expected: Json, left: &[&str]) {
        let stream = read(0, text.as_bytes(), Limits::default());
        let (found, unread) = structure(&stream.documents[0].root, name, "", empty);
        let unread: Vec<&str> = unread.iter().map(|left| left.field.as_str()).collect();
        assert_eq!((Json::Object(found), unread.as_slice()), (expected, left), "{text}");
    }

    #[test]
    fn every_spelling_means_the_same_member() {
        let expected = json!({"efsVolumeConfiguration": {"fileSystemId": "fs-1"}, "name": "v"});
        for text in [
            "{Name: v, EFSVolumeConfiguration: {FilesystemId: fs-1}}",
            "{name: v, efs_volume_configuration: [{file_system_id: fs-1}]}",
            "{name: v, efsVolumeConfiguration: {fileSystemId: fs-1}}",
        ] {
            check(text, "Volume", Empty::Kept, expected.clone(), &[]);
        }
    }

    #[test]
    fn scalars_take_the_type_that_aws_wants_and_markers_stay() {
        let text = "{Cpu: '256', Essential: 'true', Environment: [{Name: A, Value: 1}], Memory: FILL_IN(x)}";
        let expected = json!({"cpu": 256, "essential": true, "environment": [{"name": "A", "value": "1"}], "memory": "FILL_IN(x)"});
        check(text, "ContainerDefinition", Empty::Kept, expected, &[]);
    }

    #[test]
    fn what_has_no_place_is_left_with_its_path() {
        let text = "{Image: a, Flavour: b, Command: {a: b}, PortMappings: [{ContainerPort: 1, X: 2}]}";
        let expected = json!({"image": "a", "portMappings": [{"containerPort": 1}]});
        check(text, "ContainerDefinition", Empty::Kept, expected, &["Command", "Flavour", "PortMappings[0].X"]);
    }

    #[test]
    fn what_a_tool_writes_for_nothing_is_nothing_only_there() {
        check("{platform_version: '', group: x}", "RunTask", Empty::Absent, json!({"group": "x"}), &[]);
        check("{platformVersion: ''}", "RunTask", Empty::Kept, json!({"platformVersion": ""}), &[]);
    }
}
