//! What a pinned revision says of the tags of its rules, for those who read nothing else.

use std::collections::BTreeMap;

use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::observed::RevisionArn;
use ecs_etl_plan::tags;
use proptest::prelude::*;

use crate::histories::sound;
use crate::job::{Spec, job};
use crate::world::{Rule, World};

/// A job by its labels, its image, whether it has a second schedule, and whether it is to be retained.
type Words = (BTreeMap<String, String>, bool, bool, bool);

fn words() -> impl Strategy<Value = Words> {
    let labels = prop::collection::btree_map("[ab]", "[xy]", 0..3);
    (labels, any::<bool>(), any::<bool>(), any::<bool>())
}

fn desired((labels, image, second, retain): &Words) -> Desired {
    let schedules = if *second { vec!["cron(0 2 * * ? *)", "cron(0 3 * * ? *)"] } else { vec!["cron(0 2 * * ? *)"] };
    let image = format!("sales:{}", u8::from(*image));
    Spec { labels: labels.clone(), image, schedules, list: true, retain: *retain, ..job() }.desired()
}

/// Whether what a rule pins says of itself all that a manifest wants, so that the rule is taken to have been told the same.
fn speaks(world: &World, rule: &Rule, desired: &Desired) -> bool {
    let pinned =
        rule.targets.get("ecs-etl").and_then(|target| target.ecs_parameters.as_ref()?.task_definition_arn.clone());
    let Some(arn) = pinned.as_deref().and_then(RevisionArn::parse) else { return false };
    let region = &world.regions[&desired.place];
    let revision = region.revisions.values().find(|revision| revision.live.arn == arn).unwrap();
    tags::changes(&desired.revision_tags, &revision.live.tags).is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wherever_an_edit_stops_a_revision_says_nothing_that_its_rules_were_not_told(
        first in words(), told in prop::collection::vec((words(), 0..8usize), 0..4), then in words(), read in words(),
    ) {
        let mut world = World::with(&desired(&first));
        for (words, carried_out) in &told {
            let steps = sound(&world, &desired(words)).plan.steps;
            world.apply(&steps[..steps.len().min(*carried_out)]);
        }
        let steps = sound(&world, &desired(&then)).plan.steps;
        for after in 0..=steps.len() {
            let mut stopped = world.clone();
            stopped.apply(&steps[..after]);
            for words in told.iter().map(|(words, _)| words).chain([&first, &then, &read]) {
                let desired = desired(words);
                let rules = stopped.regions[&desired.place].rules.values().filter(|rule| speaks(&stopped, rule, &desired));
                for rule in rules {
                    let differs = tags::changes(&desired.rule_tags, &rule.tags);
                    prop_assert!(differs.is_empty(), "after {after} of {steps:#?}: {differs:?}, {words:?}");
                }
            }
        }
    }
}
