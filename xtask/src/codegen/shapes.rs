//! The shapes as Rust structures that serde reads and writes under AWS's names.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Output;
use super::model::{Kind, Member, Model};
use super::rust;

/// Members written as AWS accepts a size: a number, a numeral, or a numeral with a unit.
fn size_reader(structure: &str, member: &str) -> Option<&'static str> {
    match (structure, member) {
        ("TaskDefinition" | "TaskOverride", "cpu") => Some("task_cpu"),
        ("TaskDefinition" | "TaskOverride", "memory") => Some("task_memory"),
        ("ContainerDefinition" | "ContainerOverride", "cpu") => Some("container_cpu"),
        ("ContainerDefinition" | "ContainerOverride", "memory" | "memoryReservation") => Some("container_memory"),
        _ => None,
    }
}

/// The ECS shapes, in three files: what a container reaches, the rest of a task definition, and what starts a run.
pub fn ecs(model: &Model, version: &str) -> anyhow::Result<Vec<Output>> {
    let parts = [
        ("ContainerDefinition", "crates/spec/src/shapes/ecs/container.rs", "A container of a task definition."),
        ("TaskDefinition", "crates/spec/src/shapes/ecs/task_definition.rs", "A task definition around its containers."),
        ("RunTask", "crates/spec/src/shapes/ecs/run_task.rs", "How a run of a task definition is started."),
    ];
    let mut written: BTreeSet<String> = BTreeSet::new();
    let mut outputs = Vec::new();
    for (root, path, about) in parts {
        let structures: Vec<String> =
            model.reachable(root)?.into_iter().filter(|name| !written.contains(name)).collect();
        let text = file(model, &structures, &written, about, version)?;
        written.extend(structures);
        outputs.push(Output { path, text });
    }
    Ok(outputs)
}

/// The shapes of an EventBridge rule and its targets.
pub fn events(model: &Model, version: &str) -> anyhow::Result<Output> {
    let mut structures = model.reachable("Rule")?;
    structures.extend(model.reachable("Target")?);
    let text = file(model, &structures, &BTreeSet::new(), "An EventBridge rule and its targets.", version)?;
    Ok(Output { path: "crates/spec/src/shapes/events.rs", text })
}

fn file(
    model: &Model,
    structures: &[String],
    elsewhere: &BTreeSet<String>,
    about: &str,
    version: &str,
) -> anyhow::Result<String> {
    let mut body = String::new();
    let mut imports = BTreeSet::new();
    let mut sizes = false;
    let mut maps = false;
    for name in structures {
        let members = model.members(name)?;
        structure(&mut body, model, name, &members)?;
        for member in &members {
            imports.extend(member.kind.structure().filter(|s| elsewhere.contains(*s)).map(str::to_owned));
            sizes |= size_reader(name, &member.name).is_some();
            maps |= matches!(member.kind, Kind::Map(_));
        }
    }
    let mut text = format!("//! {about}\n\n{}", rust::header(&[model], version));
    if maps {
        text.push_str("use std::collections::BTreeMap;\n\n");
    }
    text.push_str("use schemars::JsonSchema;\nuse serde::{Deserialize, Serialize};\n\n");
    if !imports.is_empty() {
        writeln!(text, "use super::{{{}}};", imports.into_iter().collect::<Vec<_>>().join(", "))?;
    }
    if sizes {
        text.push_str("use crate::shapes::size;\n");
    }
    text.push_str("use crate::shapes::strict::{Strict, given};\n\n");
    Ok(text + &body)
}

fn structure(text: &mut String, model: &Model, name: &str, members: &[Member]) -> anyhow::Result<()> {
    let pascal = members.iter().all(|m| m.name.starts_with(|c: char| c.is_ascii_uppercase()));
    let (case, rename): (&str, fn(&str) -> String) =
        if pascal { ("PascalCase", rust::pascal) } else { ("camelCase", rust::camel) };
    let union = if model.is_union(name)? { " Exactly one member may be set." } else { "" };
    writeln!(text, "/// {name}: {} members.{union}", members.len())?;
    text.push_str("#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]\n");
    writeln!(text, "#[serde(rename_all = \"{case}\", deny_unknown_fields, default)]")?;
    writeln!(text, "pub struct {name} {{")?;
    for member in members {
        let field = rust::field(&member.name);
        let reader = size_reader(name, &member.name).map(|r| format!("size::{r}"));
        let mut serde = Vec::new();
        if rename(&field) != member.name {
            serde.push(format!("rename = \"{}\"", member.name));
        }
        serde.push("skip_serializing_if = \"Option::is_none\"".to_owned());
        serde.push(format!("deserialize_with = \"{}\"", reader.as_deref().unwrap_or("given")));
        writeln!(text, "/// {}", about(name, member))?;
        writeln!(text, "#[serde({})]", serde.join(", "))?;
        match reader {
            Some(reader) => writeln!(text, "#[schemars(schema_with = \"{reader}_schema\")]")?,
            None => writeln!(text, "#[schemars({})]", schema(member))?,
        }
        writeln!(text, "pub {field}: Option<{}>,", rust::type_of(&member.kind))?;
    }
    text.push_str("}\n\n");
    writeln!(text, "impl<'de> Strict<'de> for {name} {{")?;
    writeln!(text, "const EXPECTED: &'static str = \"a map ({name})\";\n}}\n")?;
    Ok(())
}

fn about(structure: &str, member: &Member) -> String {
    let required = if member.required { ", required" } else { "" };
    format!("`{}` of {structure}: {}{required}.", member.name, rust::in_words(&member.kind))
}

/// The JSON Schema of a member: its type without null, and the model's own limits.
fn schema(member: &Member) -> String {
    let mut extend = Vec::new();
    let (min, max) = match member.kind {
        Kind::String => ("minLength", "maxLength"),
        Kind::List(_) => ("minItems", "maxItems"),
        Kind::Map(_) => ("minProperties", "maxProperties"),
        Kind::Integer | Kind::Boolean | Kind::Structure(_) => ("minimum", "maximum"),
    };
    extend.extend(member.min.map(|n| format!("\"{min}\" = {n}")));
    extend.extend(member.max.map(|n| format!("\"{max}\" = {n}")));
    if !member.values.is_empty() {
        let values = format!("{:?}", member.values);
        extend.push(match member.kind {
            Kind::List(_) => format!("\"items\" = {{\"type\": \"string\", \"enum\": {values}}}"),
            Kind::String | Kind::Integer | Kind::Boolean | Kind::Structure(_) | Kind::Map(_) => {
                format!("\"enum\" = {values}")
            }
        });
    }
    let with = format!("with = \"{}\"", rust::type_of(&member.kind));
    if extend.is_empty() { with } else { format!("{with}, extend({})", extend.join(", ")) }
}
