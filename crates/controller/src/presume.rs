//! What the tags of a job's rules are taken to be until they are read, so that a cold start need not ask for each: a call of two for
//! every job, in the bucket that is the scarcest.
//!
//! Taken for true they prove silence and nothing else: before any write they are read. A daemon alone does so, whose rotation reads them
//! in the end. It takes all of these:
//!
//! - an earlier process called the job ready in the end, or left no status of it (`report::Reporter::was_in_trouble`);
//! - no pass of this process has found the job as it should be yet, nor was it its turn: from then on its tags are cached, and read in
//!   the rotation that verifies all of them ([`World::rotate`]);
//! - the list shows the rule with the very description that it is given, which names the controller and the job;
//! - the rule pins a revision whose own tags, which were read, are those the manifest asks for. While a rule is told of other tags, the
//!   revision that it pins bears a sign that no manifest asks for (`decide::tagging`), so what a revision without it says of the labels
//!   its rule was told before;
//! - nothing was taken over: such a rule bears a tag that only reading it shows.

use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::observed::{Fact, Observed};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::name::RuleName;

use crate::world::{Names, World};

/// Rules of one job, as they are described, and the tags they are taken to bear.
#[derive(Debug, Clone)]
pub struct Presumption {
    rules: Vec<(RuleName, String)>,
    tags: Tags,
}

impl Presumption {
    /// For a job of which no pass has come to rest; none for others.
    pub fn of(world: &World, desired: &Desired, names: &Names) -> Option<Self> {
        let takes_over =
            desired.adoption.family.is_some() || !desired.adoption.rules.is_empty() || !names.taken.is_empty();
        if takes_over || world.has_passed(&desired.place, names) {
            return None;
        }
        let of_bus = desired.rules.iter().filter(|rule| rule.name.group().is_none());
        let rules = of_bus.map(|rule| (rule.name.clone(), rule.description.clone())).collect();
        Some(Self { rules, tags: desired.rule_tags.clone() })
    }

    /// Fills tags that nobody has read into a view of bulk knowledge. Those that it filled in.
    pub fn fill(&self, view: &mut Observed) -> Vec<RuleName> {
        let mut filled = Vec::new();
        for (name, description) in &self.rules {
            let live = view.rules.get(name).and_then(|fact| fact.known()?.as_ref());
            let is_described = live.is_some_and(|live| live.description.as_ref() == Some(description));
            let is_read = view.rule_tags.get(name).is_some_and(|tags| *tags != Fact::NotRead);
            if is_described && !is_read {
                view.rule_tags.insert(name.clone(), Fact::Known(self.tags.clone()));
                filled.push(name.clone());
            }
        }
        filled
    }
}
