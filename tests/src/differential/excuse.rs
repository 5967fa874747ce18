//! Which differences an entry of the table of deviations explains.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::compare::Difference;
use super::sequence::Call;
use crate::server::Kind;

/// A pattern of differences. All that it says must hold; what it does not say may be anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cover {
    /// The operations, as `service:Operation`.
    pub on: Vec<String>,
    /// The difference's path: `*` is one step, `**` any number of them. Without it, one of the two was refused.
    #[serde(default)]
    pub at: String,
    /// What the emulator says there; null when nothing.
    #[serde(default, deserialize_with = "given")]
    pub ours: Option<Value>,
    /// What the stand-in says there; null when nothing.
    #[serde(default, deserialize_with = "given")]
    pub theirs: Option<Value>,
    /// What the text that the stand-in says there contains.
    #[serde(default)]
    pub theirs_contains: Option<String>,
    /// What the emulator's refusal contains.
    #[serde(default)]
    pub says: Option<String>,
    /// JSON pointers into what was asked, each with the value there; null when nothing.
    #[serde(default)]
    pub asked: BTreeMap<String, Value>,
    /// JSON pointers into what was asked, each with what the text there does not contain.
    #[serde(default)]
    pub asked_without: BTreeMap<String, String>,
    /// Operations that came before, on one of the same resources, in this order.
    #[serde(default)]
    pub after: Vec<String>,
    /// The one stand-in that is meant, when the entry names two.
    #[serde(default)]
    pub of: Option<String>,
    /// What the call is about is another thing on the two servers from here on, and no longer compared.
    ///
    /// A write that only one of them refused has this effect without saying so.
    #[serde(default)]
    pub spoils: bool,
}

/// A null that is given says something else than none given.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Cover {
    /// Whether it explains a difference of `kind` in the answer to the last of `calls`.
    pub fn explains(&self, kind: Kind, calls: &[Call], difference: &Difference) -> bool {
        let Some((call, before)) = calls.split_last() else { return false };
        self.of.as_ref().is_none_or(|name| name == kind.name())
            && self.on.contains(&call.name())
            && fits(&self.at, &difference.path)
            && self.ours.as_ref().is_none_or(|ours| *ours == difference.ours)
            && self.theirs.as_ref().is_none_or(|theirs| *theirs == difference.theirs)
            && self
                .theirs_contains
                .as_ref()
                .is_none_or(|part| difference.theirs.as_str().is_some_and(|text| text.contains(part.as_str())))
            && self.says.as_ref().is_none_or(|words| difference.says.contains(words.as_str()))
            && self.asked.iter().all(|(at, value)| call.body.pointer(at).unwrap_or(&Value::Null) == value)
            && self.asked_without.iter().all(|(at, part)| {
                call.body.pointer(at).and_then(Value::as_str).is_none_or(|text| !text.contains(part.as_str()))
            })
            && self.comes_after(call, before)
    }

    fn comes_after(&self, call: &Call, before: &[Call]) -> bool {
        let related = |other: &&Call| {
            call.subjects.is_empty() || other.subjects.iter().any(|subject| call.subjects.contains(subject))
        };
        let mut wanted = self.after.iter().peekable();
        for other in before.iter().filter(related) {
            if wanted.peek().is_some_and(|name| **name == other.name()) {
                wanted.next();
            }
        }
        wanted.peek().is_none()
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    fn steps(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), None) => steps(rest, path),
            (Some((&"**", rest)), Some((_, further))) => steps(rest, path) || steps(pattern, further),
            (Some((wanted, rest)), Some((step, further))) => (*wanted == "*" || wanted == step) && steps(rest, further),
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
    steps(&pattern.split('/').collect::<Vec<_>>(), &path.split('/').collect::<Vec<_>>())
}
