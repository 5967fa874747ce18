//! Functions of templates, as far as the template alone says what they come to.

use std::cell::Cell;
use std::collections::BTreeMap;

use ecs_etl_spec::fill_in;
use ecs_etl_spec::yaml::{Entry, Node, Value};

use crate::object::scalar;

/// How deep functions may hold each other, beyond what the depth of a file bounds: parameters refer to nothing.
const DEEPEST: usize = 64;

/// Bytes that defaults of parameters may come to in all the places that refer to them.
const MOST_SUBSTITUTED: usize = 16 << 20;

/// A template, for looking things up.
pub struct Template<'t> {
    root: &'t Node,
    region: Option<&'t str>,
    spent: Cell<usize>,
}

/// Short forms as long ones: `!Ref x` as `{Ref: x}`, `!Sub x` as `{Fn::Sub: x}`.
pub fn long_form(mut node: Node) -> Node {
    rename(&mut node);
    node
}

fn rename(node: &mut Node) {
    match &mut node.value {
        Value::Mapping(map) => {
            map.values_mut().for_each(|entry| rename(&mut entry.node));
            let short: Vec<String> = map.keys().filter(|key| key.starts_with('!')).cloned().collect();
            for key in short {
                let long = match key.as_str() {
                    "!Ref" => "Ref".to_owned(),
                    "!Condition" => "Condition".to_owned(),
                    other => format!("Fn::{}", other.trim_start_matches('!')),
                };
                if let Some(entry) = map.remove(&key) {
                    map.insert(long, entry);
                }
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(rename),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Open { .. } => {}
    }
}

impl<'t> Template<'t> {
    /// A template in its long form, for a stack in `region`.
    pub fn new(root: &'t Node, region: Option<&'t str>) -> Self {
        Self { root, region, spent: Cell::new(0) }
    }

    /// A value with its functions resolved; what cannot be told is a marker.
    pub fn resolved(&self, node: &Node) -> Node {
        self.value(node, 0).unwrap_or(Node { at: node.at, value: Value::Null })
    }

    /// The resource of a type that a resolved reference stands for.
    pub fn referred(&self, resolved: &str, kind: &str) -> Option<(&'t str, &'t Node)> {
        let resources = self.root.get("Resources").and_then(Node::mapping)?;
        let of_kind = |node: &Node| node.get("Type").and_then(Node::text) == Some(kind);
        let family = crate::target::family(resolved);
        let named =
            |node: &Node| node.get("Properties").and_then(|all| all.get("Family")).and_then(Node::text) == Some(family);
        resources
            .iter()
            .filter(|(_, entry)| of_kind(&entry.node))
            .find(|(id, entry)| resolved == reference(id) || named(&entry.node))
            .map(|(id, entry)| (id.as_str(), &entry.node))
    }

    /// None for `AWS::NoValue`.
    fn value(&self, node: &Node, depth: usize) -> Option<Node> {
        let same = |value: Value| Node { at: node.at, value };
        if depth > DEEPEST {
            return Some(same(Value::String(fill_in::marker("function"))));
        }
        match &node.value {
            Value::Mapping(map) => match (map.iter().next(), map.len()) {
                (Some((name, entry)), 1) if name == "Ref" || name.starts_with("Fn::") => {
                    self.function(node, name, &entry.node, depth + 1)
                }
                (_, _) => {
                    let mut read = BTreeMap::new();
                    for (key, entry) in map {
                        if let Some(node) = self.value(&entry.node, depth + 1) {
                            read.insert(key.clone(), Entry { key_at: entry.key_at, node });
                        }
                    }
                    Some(same(Value::Mapping(read)))
                }
            },
            Value::Sequence(items) => {
                Some(same(Value::Sequence(items.iter().filter_map(|item| self.value(item, depth + 1)).collect())))
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::String(_) | Value::Open { .. } => {
                Some(node.clone())
            }
        }
    }

    fn function(&self, node: &Node, name: &str, argument: &Node, depth: usize) -> Option<Node> {
        let text = |text: String| Some(Node { at: node.at, value: Value::String(text) });
        match name {
            "Ref" => match scalar(argument)?.as_str() {
                "AWS::NoValue" => None,
                id => match self.default_of(id) {
                    Some(default) => Some(Node { at: node.at, value: default.value.clone() }),
                    None => text(self.named(id).unwrap_or_else(|| reference(id))),
                },
            },
            "Fn::GetAtt" => {
                let parts: Vec<String> = match argument.sequence() {
                    Some(items) => items.iter().filter_map(scalar).collect(),
                    None => scalar(argument)?.split('.').map(str::to_owned).collect(),
                };
                let (id, attribute) = parts.split_first()?;
                text(self.attribute(id, &attribute.join(".")))
            }
            "Fn::Sub" => text(self.substituted(argument, depth)?),
            "Fn::Join" => match argument.sequence() {
                Some([separator, parts]) => {
                    let parts = self.value(parts, depth)?;
                    let parts: Option<Vec<String>> =
                        parts.sequence().map(|parts| parts.iter().filter_map(scalar).collect());
                    text(parts.map_or_else(
                        || fill_in::marker("Fn::Join"),
                        |parts| parts.join(&scalar(separator).unwrap_or_default()),
                    ))
                }
                Some(_) | None => text(fill_in::marker("Fn::Join")),
            },
            // Of a condition its name: what it chooses from may be secret, and markers reach logs.
            "Fn::If" => {
                let condition = argument.sequence().and_then(<[Node]>::first).and_then(scalar).unwrap_or_default();
                text(fill_in::marker(&format!("If {condition}")))
            }
            "Fn::GetAZs" | "Fn::ImportValue" | "Fn::FindInMap" => {
                let of = described(argument);
                text(fill_in::marker(&format!("{} {of}", name.trim_start_matches("Fn::"))))
            }
            other => text(fill_in::marker(other.trim_start_matches("Fn::"))),
        }
    }

    /// `Fn::Sub`: a text, or a text with values of its own.
    fn substituted(&self, argument: &Node, depth: usize) -> Option<String> {
        let (text, own) = match argument.sequence() {
            Some([text, own]) => (scalar(text)?, Some(own)),
            Some(_) => return None,
            None => (scalar(argument)?, None),
        };
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else { return Some(text) };
            match name.strip_prefix('!') {
                Some(literal) => out.push_str(&format!("${{{literal}}}")),
                None => {
                    let given = own.and_then(|own| own.get(name)).and_then(|value| self.value(value, depth));
                    let value = given.as_ref().and_then(scalar).unwrap_or_else(|| self.variable(name));
                    out.push_str(&value);
                }
            }
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }

    fn variable(&self, name: &str) -> String {
        match name.split_once('.') {
            Some((id, attribute)) => self.attribute(id, attribute),
            None => {
                let default = self.default_of(name).and_then(scalar);
                default.or_else(|| self.named(name)).unwrap_or_else(|| reference(name))
            }
        }
    }

    /// An attribute of a resource. Where an ARN is wanted of a role or cluster, a manifest takes the name too.
    fn attribute(&self, id: &str, attribute: &str) -> String {
        let by_name = self.named(id).filter(|_| attribute == "Arn");
        by_name.unwrap_or_else(|| fill_in::marker(&format!("{attribute} of {id}")))
    }

    /// The default of a parameter; one that names a parameter of Systems Manager holds its name, not its value.
    fn default_of(&self, parameter: &str) -> Option<&Node> {
        let parameter = self.root.get("Parameters")?.get(parameter)?;
        self.spent.set(self.spent.get() + parameter.get("Default").map_or(0, Node::text_bytes));
        if self.spent.get() > MOST_SUBSTITUTED {
            return None;
        }
        let kind = parameter.get("Type").and_then(Node::text).unwrap_or_default();
        parameter
            .get("Default")
            .filter(|_| !kind.starts_with("AWS::SSM::") && !kind.starts_with("List<") && kind != "CommaDelimitedList")
    }

    /// What `Ref` gives of a resource that bears its name, or of the Region.
    fn named(&self, id: &str) -> Option<String> {
        if id == "AWS::Region" {
            return self.region.map(str::to_owned);
        }
        let resource = self.root.get("Resources")?.get(id)?;
        let key = match resource.get("Type").and_then(Node::text)? {
            "AWS::ECS::Cluster" => "ClusterName",
            "AWS::IAM::Role" => "RoleName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            _ => return None,
        };
        resource.get("Properties")?.get(key)?.text().map(str::to_owned)
    }
}

/// What stands for a reference that cannot be told.
fn reference(id: &str) -> String {
    fill_in::marker(&format!("Ref {}", id.replace("::", ".")))
}

/// The scalars of an argument, for a person.
fn described(argument: &Node) -> String {
    match argument.sequence() {
        Some(items) => items.iter().filter_map(scalar).collect::<Vec<_>>().join(" "),
        None => scalar(argument).unwrap_or_default(),
    }
}
