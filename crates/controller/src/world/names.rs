//! Names under which a job's resources may be found.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_plan::observed::RevisionArn;
use ecs_etl_spec::name::{Family, JobName, Prefix, RuleName};

use crate::adopted::{Taken, stem};

/// Names under which a job's resources may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its own family.
    pub family: Family,
    /// What it has taken over.
    pub taken: Taken,
}

impl Names {
    /// Names of the job called `job`; none if they would be longer than AWS allows.
    pub fn of(prefix: &Prefix, job: &JobName) -> Option<Self> {
        Some(Self { family: Family::new(format!("{prefix}{job}")).ok()?, taken: Taken::default() })
    }

    /// The family whose revisions the job runs: one that it has taken over, or its own.
    pub fn running(&self) -> &Family {
        self.taken.families.first().unwrap_or(&self.family)
    }

    /// Its own family, and those it has taken over.
    pub fn families(&self) -> impl Iterator<Item = &Family> {
        std::iter::once(&self.family).chain(self.taken.families.iter().filter(|family| **family != self.family))
    }

    /// Whether anything of the job is among these, by family or by what its rules are called.
    pub fn is_among(&self, changed: &BTreeSet<Family>) -> bool {
        let mut rules = self.taken.rules.iter().map(|rule| stem(rule.as_str()));
        self.families().any(|family| changed.contains(family)) || rules.any(|rule| changed.contains(rule))
    }

    /// Those of `rules` that bear one of the job's names: the family's own, or with a suffix of six hexadecimal digits.
    pub(super) fn rules<'a, V>(
        &self,
        rules: &'a BTreeMap<RuleName, V>,
    ) -> impl Iterator<Item = (&'a RuleName, &'a V)> + use<'a, V> {
        if rules.is_empty() {
            return Vec::new().into_iter();
        }
        let family = self.family.as_str();
        // Names are ordered by their text. What is too long for a name bears none.
        let from = |text: &str| RuleName::new(text).ok().map(|first| rules.range(first..)).into_iter().flatten();
        let plain = from(family).take_while(|(name, _)| name.as_str() == family);
        let dotted = format!("{family}.");
        let suffixed = from(&dotted).take_while(|(name, _)| name.as_str().starts_with(&dotted));
        let taken = self.taken.rules.iter().filter(|rule| stem(rule.as_str()) != family);
        let taken = taken.filter_map(|rule| rules.get_key_value(rule));
        let found: Vec<_> =
            plain.chain(suffixed.filter(|(name, _)| stem(name.as_str()) == family)).chain(taken).collect();
        found.into_iter()
    }

    /// Those of `revisions` that are of the family.
    pub(super) fn revisions<'a, V>(
        &self,
        revisions: &'a BTreeMap<RevisionArn, V>,
    ) -> impl Iterator<Item = (&'a RevisionArn, &'a V)> {
        // Revisions are ordered by family first, and AWS numbers them from one.
        let firsts = self.families().filter_map(|family| RevisionArn::parse(&format!(":task-definition/{family}:0")));
        let of_family = |first: RevisionArn| {
            let family = first.family().to_owned();
            revisions.range(first..).take_while(move |(arn, _)| arn.family() == family)
        };
        firsts.flat_map(of_family).collect::<Vec<_>>().into_iter()
    }
}
