//! Label selectors, as `kubectl` has them: which jobs a shard is about, told from labels or from what became of them in AWS.

mod parse;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::tags::{self, Written};

pub use parse::SelectorError;

/// Requirements on labels, all of which must hold: `team=data,stage in (test,prod),!legacy`.
///
/// As in Kubernetes, `!=` and `notin` hold for what lacks the label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

/// What one label must be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    demand: Demand,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Demand {
    /// There, with one of these values.
    In(BTreeSet<String>),
    /// Not there, or with another value.
    NotIn(BTreeSet<String>),
    /// There.
    Exists,
    /// Not there.
    Absent,
}

/// Whether something belongs to a part, as far as can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belongs {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// It cannot be told, and why.
    Unknown(String),
}

impl LabelSelector {
    /// Whether it selects what has these labels.
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels.get(&requirement.key)))
    }

    /// Whether it selects the job that left something behind with these tags.
    ///
    /// Of the tags, those count that were written from the manifest. What may have been one of them and is not any more, by
    /// somebody's hand, leaves the question open unless the answer is the same either way.
    pub fn judge(&self, tags: &tags::Tags) -> Belongs {
        let mut unknown = None;
        for Requirement { key, demand } in &self.requirements {
            let holds = |value| Requirement::meets(demand, value);
            let value = tags.get(key);
            let sure = match tags::written(tags, key) {
                Written::FromManifest => Some(holds(value)),
                Written::Never => Some(holds(None)),
                // Somebody else's tag, or a label whose mention in the list was lost.
                Written::ByOthers => Some(holds(value)).filter(|held| *held == holds(None)),
                Written::Lost => None,
            };
            match sure {
                Some(false) => return Belongs::No,
                Some(true) => {}
                None => {
                    unknown
                        .get_or_insert_with(|| format!("whether its label `{key}` was what the tags say is not known"));
                }
            }
        }
        unknown.map_or(Belongs::Yes, Belongs::Unknown)
    }
}

impl Belongs {
    /// Whether it belongs to two parts at once.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    /// What several witnesses say together: they must agree. None if there is no witness.
    pub fn agreed(witnesses: impl IntoIterator<Item = Self>, disagree: &str) -> Option<Self> {
        witnesses.into_iter().reduce(|one, other| match (one, other) {
            (Self::Yes, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why),
            (Self::Yes, Self::No) | (Self::No, Self::Yes) => Self::Unknown(disagree.to_owned()),
        })
    }
}

impl Requirement {
    fn holds(&self, value: Option<&String>) -> bool {
        Self::meets(&self.demand, value)
    }

    fn meets(demand: &Demand, value: Option<&String>) -> bool {
        match demand {
            Demand::In(values) => value.is_some_and(|value| values.contains(value)),
            Demand::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Demand::Exists => value.is_some(),
            Demand::Absent => value.is_none(),
        }
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        parse::parse(text)
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, demand } = self;
        let list = |values: &BTreeSet<String>| values.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        match demand {
            Demand::In(values) if values.len() == 1 => write!(f, "{key}={}", list(values)),
            Demand::NotIn(values) if values.len() == 1 => write!(f, "{key}!={}", list(values)),
            Demand::In(values) => write!(f, "{key} in ({})", list(values)),
            Demand::NotIn(values) => write!(f, "{key} notin ({})", list(values)),
            Demand::Exists => write!(f, "{key}"),
            Demand::Absent => write!(f, "!{key}"),
        }
    }
}
