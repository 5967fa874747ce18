//! Reads a service model as botocore ships it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// A service model: shapes by name.
#[derive(Debug, Deserialize)]
pub struct Model {
    shapes: BTreeMap<String, Shape>,
    metadata: Metadata,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    api_version: String,
    service_id: String,
}

/// One shape of the model; constraints that do not belong to its type are absent.
#[derive(Debug, Clone, Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    members: Members,
    #[serde(default)]
    required: Vec<String>,
    member: Option<Reference>,
    value: Option<Reference>,
    #[serde(rename = "enum", default)]
    values: Vec<String>,
    min: Option<serde_json::Number>,
    max: Option<serde_json::Number>,
    pattern: Option<String>,
    #[serde(default)]
    union: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct Reference {
    shape: String,
}

/// Members in the order of the model, which a JSON map of serde would sort away.
#[derive(Debug, Clone, Default)]
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> serde::de::Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the members of a structure")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, reference)) = map.next_entry::<String, Reference>()? {
                    members.push((name, reference.shape));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// What a member holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Text, an enumeration included.
    String,
    /// 32-bit integer.
    Integer,
    /// True or false.
    Boolean,
    /// A structure, by name.
    Structure(String),
    /// A list.
    List(Box<Kind>),
    /// A map from text.
    Map(Box<Kind>),
}

/// One member of a structure with everything the model says about its value.
#[derive(Debug, Clone)]
pub struct Member {
    /// Name on the wire.
    pub name: String,
    /// Type of the value.
    pub kind: Kind,
    /// A request without it is refused.
    pub required: bool,
    /// Smallest length, count or value.
    pub min: Option<i64>,
    /// Largest length, count or value.
    pub max: Option<i64>,
    /// Regular expression of a text.
    pub pattern: Option<String>,
    /// Known values of a text, or of the texts in a list.
    pub values: Vec<String>,
}

impl Model {
    /// Reads `<botocore>/data/<service>/service-2.json`, compressed or not.
    pub fn read(botocore: &Path, service: &str) -> anyhow::Result<Self> {
        let folder = botocore.join("data").join(service);
        let plain = folder.join("service-2.json");
        let text = if plain.is_file() {
            std::fs::read_to_string(&plain).with_context(|| format!("reading {}", plain.display()))?
        } else {
            gunzip(&folder.join("service-2.json.gz"))?
        };
        serde_json::from_str(&text).with_context(|| format!("reading the model in {}", folder.display()))
    }

    /// `ECS 2014-11-13`.
    pub fn title(&self) -> String {
        format!("{} {}", self.metadata.service_id, self.metadata.api_version)
    }

    /// Adds structure `name`: those members of `of` that `keep` wants.
    pub fn derive(&mut self, name: &str, of: &str, keep: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let mut shape = self.shape(of)?.clone();
        shape.members.0.retain(|(member, _)| keep(member));
        shape.required.retain(|member| keep(member));
        self.shapes.insert(name.to_owned(), shape);
        Ok(())
    }

    /// Known values of an enumeration.
    pub fn values(&self, shape: &str) -> anyhow::Result<Vec<String>> {
        Ok(self.shape(shape)?.values.clone())
    }

    /// Gives one member a shape of its own that knows only those values which `known` has too.
    pub fn narrow_values(&mut self, structure: &str, member: &str, known: &[String]) -> anyhow::Result<()> {
        let old = self.reference(structure, member)?;
        let mut shape = self.shape(&old)?.clone();
        shape.values.retain(|value| known.contains(value));
        let own = format!("{structure}.{member}");
        self.shapes.insert(own.clone(), shape);
        let members = self.shapes.get_mut(structure).map(|s| &mut s.members.0);
        for (name, target) in members.into_iter().flatten() {
            if name == member {
                own.clone_into(target);
            }
        }
        Ok(())
    }

    /// True for a structure of which exactly one member may be set.
    pub fn is_union(&self, structure: &str) -> anyhow::Result<bool> {
        Ok(self.shape(structure)?.union)
    }

    /// Members of a structure in the model's order.
    pub fn members(&self, structure: &str) -> anyhow::Result<Vec<Member>> {
        let shape = self.shape(structure)?;
        shape.members.0.iter().map(|(name, _)| self.member(structure, shape, name)).collect()
    }

    /// `root` and every structure its members reach, root first, then in order of first mention.
    pub fn reachable(&self, root: &str) -> anyhow::Result<Vec<String>> {
        let (mut order, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![root.to_owned()]);
        while let Some(name) = next.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let mut inner: Vec<String> =
                self.members(&name)?.iter().filter_map(|m| m.kind.structure().map(str::to_owned)).collect();
            inner.reverse();
            next.extend(inner);
            order.push(name);
        }
        Ok(order)
    }

    fn member(&self, structure: &str, shape: &Shape, name: &str) -> anyhow::Result<Member> {
        let target = self.reference(structure, name)?;
        let value = self.shape(&target)?;
        let item = value.member.as_ref().map(|item| self.shape(&item.shape)).transpose()?;
        Ok(Member {
            name: name.to_owned(),
            kind: self.kind(&target)?,
            required: shape.required.iter().any(|r| r == name),
            min: value.min.as_ref().and_then(serde_json::Number::as_i64),
            max: value.max.as_ref().and_then(serde_json::Number::as_i64),
            pattern: value.pattern.clone(),
            values: item.unwrap_or(value).values.clone(),
        })
    }

    fn kind(&self, name: &str) -> anyhow::Result<Kind> {
        let shape = self.shape(name)?;
        let inner = |of: &Option<Reference>| -> anyhow::Result<Box<Kind>> {
            let of = of.as_ref().with_context(|| format!("{name} does not say what it holds"))?;
            Ok(Box::new(self.kind(&of.shape)?))
        };
        Ok(match shape.kind.as_str() {
            "string" => Kind::String,
            "integer" => Kind::Integer,
            "boolean" => Kind::Boolean,
            "structure" => Kind::Structure(name.to_owned()),
            "list" => Kind::List(inner(&shape.member)?),
            "map" => Kind::Map(inner(&shape.value)?),
            other => bail!("shape {name} has the type `{other}`, which nothing here handles yet"),
        })
    }

    fn reference(&self, structure: &str, member: &str) -> anyhow::Result<String> {
        let shape = self.shape(structure)?;
        let found = shape.members.0.iter().find(|(name, _)| name == member);
        found.map(|(_, target)| target.clone()).with_context(|| format!("{structure} has no member `{member}`"))
    }

    fn shape(&self, name: &str) -> anyhow::Result<&Shape> {
        self.shapes.get(name).with_context(|| format!("the model has no shape `{name}`"))
    }
}

impl Kind {
    /// The structure it is or holds.
    pub fn structure(&self) -> Option<&str> {
        match self {
            Self::Structure(name) => Some(name),
            Self::List(inner) | Self::Map(inner) => inner.structure(),
            Self::String | Self::Integer | Self::Boolean => None,
        }
    }
}

/// The version of an installed botocore.
pub fn botocore_version(botocore: &Path) -> anyhow::Result<String> {
    let path = botocore.join("__init__.py");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let line = text.lines().find_map(|line| line.strip_prefix("__version__ = "));
    let version = line.with_context(|| format!("{} names no version", path.display()))?;
    Ok(version.trim_matches(['\'', '"']).to_owned())
}

/// Python is there wherever botocore is, so it unpacks what botocore packed.
fn gunzip(path: &Path) -> anyhow::Result<String> {
    const UNPACK: &str = "import gzip, sys; sys.stdout.buffer.write(gzip.open(sys.argv[1]).read())";
    let output = Command::new("python3").args(["-c", UNPACK]).arg(path).output().context("starting python3")?;
    if !output.status.success() {
        bail!("cannot unpack {}: {}", path.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} is no UTF-8", path.display()))
}
