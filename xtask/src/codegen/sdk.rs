//! Reads off the SDK's source what the model does not say: Rust names, and which fields are not optional.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The types of one SDK crate, by their names in lower case: the SDK spells acronyms its own way.
pub struct Sdk {
    /// Name and version of the crate.
    pub title: String,
    types: BTreeMap<String, Type>,
}

/// A structure or union of the SDK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Type {
    /// Its name as the SDK spells it.
    pub name: String,
    /// Fields of a structure, or variants of a union, with the type each holds.
    pub fields: Vec<(String, String)>,
    /// Its builder can fail.
    pub fallible: bool,
    /// It is an `enum` of values.
    pub union: bool,
}

impl Sdk {
    /// Reads the crate that the workspace's lock file names.
    pub fn read(workspace: &Path, name: &str) -> anyhow::Result<Self> {
        let (version, folder) = locate(workspace, name)?;
        let mut types = BTreeMap::new();
        let folder = folder.join("src/types");
        for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
                types.extend(parse(&text).map(|found| (found.name.to_lowercase(), found)));
            }
        }
        Ok(Self { title: format!("{name} {version}"), types })
    }

    /// The SDK's type for a structure of the model; none if this version does not know it.
    pub fn find(&self, structure: &str) -> Option<&Type> {
        self.types.get(&structure.to_lowercase())
    }
}

impl Type {
    /// The type of a field, by our name for it.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, kind)| kind.as_str())
    }
}

/// Whether a field's type is optional, and the type within.
pub fn optional(kind: &str) -> (bool, &str) {
    match kind.strip_prefix("::std::option::Option<").and_then(|rest| rest.strip_suffix('>')) {
        Some(inner) => (true, inner),
        None => (false, kind),
    }
}

/// The SDK's own type that a field's type is or holds, without its path.
pub fn own_type(kind: &str) -> Option<&str> {
    let (_, rest) = kind.split_once("crate::types::")?;
    rest.split(|c: char| !c.is_ascii_alphanumeric()).next()
}

fn parse(text: &str) -> Option<Type> {
    let (union, start) = match (text.find("\npub struct "), text.find("\npub enum ")) {
        (Some(at), _) => (false, at + "\npub struct ".len()),
        (None, Some(at)) => (true, at + "\npub enum ".len()),
        (None, None) => return None,
    };
    let (name, rest) = text[start..].split_once(" {")?;
    let body = rest.split("\n}").next()?;
    let lines = body.lines().map(str::trim);
    let fields = if union {
        lines.filter_map(|line| line.strip_suffix("),")?.split_once('(')).map(owned).collect()
    } else {
        lines.filter_map(|line| line.strip_prefix("pub ")?.strip_suffix(',')?.split_once(": ")).map(owned).collect()
    };
    let build = text.split_once("pub fn build(").and_then(|(_, rest)| rest.split_once(" {"));
    let fallible = build.is_some_and(|(signature, _)| signature.contains("::std::result::Result<"));
    Some(Type { name: name.to_owned(), fields, fallible, union })
}

fn owned((name, kind): (&str, &str)) -> (String, String) {
    (name.to_owned(), kind.to_owned())
}

fn locate(workspace: &Path, name: &str) -> anyhow::Result<(String, PathBuf)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(workspace)
        .output()
        .context("starting cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
    let package = metadata.packages.into_iter().find(|package| package.name == name);
    let package = package.with_context(|| format!("the workspace does not depend on {name}"))?;
    let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
    Ok((package.version, folder.to_owned()))
}

#[derive(serde::Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(serde::Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_structure_of_the_sdk_is_read_with_its_fields_and_its_builder() {
        let text = "\npub struct Ulimit {\n    /// Doc.\n    pub name: crate::types::UlimitName,\n    pub soft: \
                    ::std::option::Option<i32>,\n}\nimpl UlimitBuilder {\n    pub fn build(\n        self,\n    ) -> \
                    ::std::result::Result<crate::types::Ulimit, E> {\n}";
        let found = parse(text).unwrap();
        assert_eq!((found.name.as_str(), found.fallible, found.union), ("Ulimit", true, false));
        assert_eq!(found.field("name").and_then(own_type), Some("UlimitName"));
        assert_eq!(found.field("soft").map(optional), Some((true, "i32")));
        assert_eq!(found.field("hard"), None);
    }

    #[test]
    fn a_union_of_the_sdk_is_read_with_its_variants() {
        let text =
            "\npub enum Strategy {\n    /// Doc.\n    Mps(crate::types::Mps),\n    #[non_exhaustive]\n    Unknown,\n}";
        let found = parse(text).unwrap();
        assert_eq!(found.fields, [("Mps".to_owned(), "crate::types::Mps".to_owned())]);
        assert!(found.union && !found.fallible);
    }
}
