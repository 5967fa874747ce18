//! The member table: what the model says of every member, for checks, suggestions and completeness tests.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Output;
use super::model::{Kind, Member, Model};
use super::rust;

/// Members of everything a task definition and a run can say.
pub fn ecs(model: &Model, version: &str) -> anyhow::Result<Output> {
    let path = "crates/spec/src/shapes/members/ecs.rs";
    Ok(Output { path, text: file(model, &["TaskDefinition", "RunTask"], "ECS", version)? })
}

/// Members of everything a rule and a target can say.
pub fn events(model: &Model, version: &str) -> anyhow::Result<Output> {
    let path = "crates/spec/src/shapes/members/events.rs";
    Ok(Output { path, text: file(model, &["Rule", "Target"], "EventBridge", version)? })
}

fn file(model: &Model, roots: &[&str], service: &str, version: &str) -> anyhow::Result<String> {
    let mut seen = BTreeSet::new();
    let mut text = format!("//! Members of the {service} shapes.\n\n{}", rust::header(&[model], version));
    text.push_str("use super::{Kind, Member};\n\n");
    writeln!(text, "/// Every member of the {service} shapes, structure by structure in the model's order.")?;
    text.push_str("pub const MEMBERS: &[Member] = &[\n");
    for root in roots {
        for structure in model.reachable(root)? {
            if !seen.insert(structure.clone()) {
                continue;
            }
            for member in model.members(&structure)? {
                writeln!(text, "{},", entry(&structure, &member))?;
            }
        }
    }
    text.push_str("];\n");
    Ok(text)
}

fn entry(structure: &str, member: &Member) -> String {
    let mut text = format!("Member::new({structure:?}, {:?}, {})", member.name, kind(&member.kind));
    if member.required {
        text.push_str(".required()");
    }
    if member.min.is_some() || member.max.is_some() {
        text.push_str(&format!(".limits({:?}, {:?})", member.min, member.max));
    }
    if let Some(pattern) = &member.pattern {
        text.push_str(&format!(".pattern({pattern:?})"));
    }
    if !member.values.is_empty() {
        text.push_str(&format!(".values(&{:?})", member.values));
    }
    text
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::String => "Kind::String".to_owned(),
        Kind::Integer => "Kind::Integer".to_owned(),
        Kind::Boolean => "Kind::Boolean".to_owned(),
        Kind::Structure(name) => format!("Kind::Structure({name:?})"),
        Kind::List(inner) => format!("Kind::List(&{})", self::kind(inner)),
        Kind::Map(inner) => format!("Kind::Map(&{})", self::kind(inner)),
    }
}
