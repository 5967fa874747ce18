//! What is remembered, what a list may overrule, and what it costs.

use ecs_etl_spec::name::Region;
use ecs_etl_spec::shapes::TaskDefinition;

use super::*;

fn place() -> Place {
    Place { region: Region::new("eu-central-1").unwrap(), assume_role_arn: None, external_id: None }
}

fn at(time: &str) -> Timestamp {
    format!("2026-11-23T{time}Z").parse().unwrap()
}

fn names(job: &str) -> Names {
    Names::of(&Prefix::new("etl-").unwrap(), &JobName::new(job).unwrap()).unwrap()
}

fn arn(family: &str, revision: u64) -> RevisionArn {
    RevisionArn::parse(&format!("arn:aws:ecs:eu-central-1:123456789012:task-definition/{family}:{revision}")).unwrap()
}

fn rule(name: &str) -> LiveRule {
    let name = RuleName::new(name).unwrap();
    let arn = format!("arn:aws:events:eu-central-1:123456789012:rule/{name}");
    LiveRule {
        name,
        arn,
        expression: Some("rate(1 day)".to_owned()),
        event_pattern: None,
        timing: None,
        state: ecs_etl_plan::observed::RuleState::Enabled,
        description: None,
        role_arn: None,
        managed_by: None,
    }
}

fn sweep(time: &str, rules: &[&str], active: &[RevisionArn]) -> Sweep {
    let mut lists: BTreeMap<Family, Vec<RevisionArn>> = BTreeMap::new();
    for arn in active {
        lists.entry(Family::new(arn.family()).unwrap()).or_default().push(arn.clone());
    }
    let rules = rules.iter().map(|name| (RuleName::new(*name).unwrap(), Arc::new(rule(name)))).collect();
    Sweep { at: at(time), rules, active: lists, ..Sweep::default() }
}

/// What a reconcile knows after it put this rule.
fn put(name: &str) -> Observed {
    let rules = BTreeMap::from([(RuleName::new(name).unwrap(), Fact::Known(Some(rule(name))))]);
    Observed { rules, ..Observed::default() }
}

fn rules_of(world: &World, job: &str) -> Vec<String> {
    world.rule_names(&place(), &[names(job)]).iter().map(ToString::to_string).collect()
}

#[test]
fn a_job_has_its_own_rules_and_no_other_job_s() {
    let mut world = World::default();
    let rules = ["etl-a", "etl-a.0a1b2c", "etl-a.0a1b2", "etl-a.nothex", "etl-a-b", "etl-ab", "etl-a-b.0a1b2c"];
    world.take_sweep(&place(), sweep("08:00:00", &rules, &[]));
    assert_eq!(rules_of(&world, "a"), ["etl-a", "etl-a.0a1b2c"]);
    assert_eq!(rules_of(&world, "a-b"), ["etl-a-b", "etl-a-b.0a1b2c"]);
    assert!(world.shows(&place(), &names("ab")) && !world.shows(&place(), &names("b")));
}

#[test]
fn a_rule_put_while_the_list_was_read_is_there_whatever_the_list_says() {
    let mut world = World::default();
    world.take_sweep(&place(), sweep("08:00:00", &[], &[]));
    world.learn(&place(), &put("etl-a"), true, at("08:10:01"));
    world.take_sweep(&place(), sweep("08:10:00", &[], &[]));
    assert_eq!(rules_of(&world, "a"), ["etl-a"]);
    world.take_sweep(&place(), sweep("08:20:00", &[], &[]));
    assert!(!world.shows(&place(), &names("a")), "later the list is believed");
}

#[test]
fn a_rule_that_a_list_leaves_out_is_asked_for_until_it_is_read_to_be_gone() {
    let mut world = World::default();
    world.take_sweep(&place(), sweep("08:00:00", &["etl-a", "etl-b"], &[]));
    world.take_sweep(&place(), sweep("08:10:00", &["etl-b"], &[]));
    assert_eq!(rules_of(&world, "a"), ["etl-a"], "the list may lag");
    world.take_sweep(&place(), sweep("08:20:00", &["etl-b"], &[]));
    assert_eq!(rules_of(&world, "a"), ["etl-a"], "however often it says so");
    let gone = BTreeMap::from([(RuleName::new("etl-a").unwrap(), Fact::Known(None))]);
    world.learn(&place(), &Observed { rules: gone, ..Observed::default() }, false, at("08:20:10"));
    assert_eq!(rules_of(&world, "a"), [""; 0]);
    world.take_sweep(&place(), sweep("08:30:00", &["etl-a"], &[]));
    world.take_sweep(&place(), sweep("08:40:00", &["etl-a"], &[]));
    assert_eq!(rules_of(&world, "a"), ["etl-a"]);
}

#[test]
fn what_one_place_lists_says_nothing_of_another() {
    let mut world = World::default();
    let there = Place { region: Region::new("us-east-1").unwrap(), ..place() };
    world.take_sweep(&place(), sweep("08:00:00", &["etl-a"], &[arn("etl-a", 1)]));
    world.take_sweep(&there, sweep("08:00:00", &[], &[]));
    assert_eq!(rules_of(&world, "a"), ["etl-a"]);
    world.keep_places(&[there.clone()].into());
    assert_eq!(world.places().collect::<Vec<_>>(), [&there]);
    assert_eq!(rules_of(&world, "a"), [""; 0]);
}

#[test]
fn the_first_sweep_names_every_family_and_later_ones_those_that_changed() {
    let mut world = World::default();
    let families = |changed: BTreeSet<Family>| changed.iter().map(ToString::to_string).collect::<Vec<_>>();
    let first = sweep("08:00:00", &["etl-a", "etl-b.0a1b2c"], &[arn("etl-c", 1)]);
    assert_eq!(families(world.take_sweep(&place(), first)), ["etl-a", "etl-b", "etl-c"]);
    let second = sweep("08:10:00", &["etl-a"], &[arn("etl-c", 1), arn("etl-c", 2)]);
    assert_eq!(families(world.take_sweep(&place(), second)), ["etl-b", "etl-c"]);
}

#[test]
fn tags_are_forgotten_in_their_turn_and_revisions_that_are_gone_at_once() {
    let mut world = World::default();
    let revision = |arn: &RevisionArn| LiveRevision {
        arn: arn.clone(),
        normal: ecs_etl_plan::normalise::task_definition(&TaskDefinition::default()),
        tags: Tags::new(),
    };
    let known = [arn("etl-a", 1), arn("etl-a", 2), arn("etl-ab", 1)];
    world.take_sweep(&place(), sweep("08:00:00", &["etl-a"], &known));
    let mut facts = put("etl-a");
    facts.rule_tags.insert(RuleName::new("etl-a").unwrap(), Fact::Known(Tags::new()));
    facts.revisions = known.iter().map(|arn| (arn.clone(), Fact::Known(Some(revision(arn))))).collect();
    world.learn(&place(), &facts, false, at("08:00:01"));
    assert_eq!(world.known_revisions(&place(), &[names("a")]).len(), 2);
    assert!(!world.has_passed(&place(), &names("a")));
    let rule = RuleName::new("etl-a").unwrap();
    let cached = |world: &World| {
        let view = world.bulk(&place(), &[names("a")], &[], &Observed::default());
        let tags = view.rule_tags.get(&rule).is_some_and(|tags| tags.known().is_some());
        (tags, world.known_revisions(&place(), &[names("a")]).len())
    };
    let resync = Duration::from_secs(600);
    let mut seen = Vec::new();
    for _ in 0..40 {
        world.rotate(&place(), &[names("a")], resync);
        seen.extend(Some(cached(&world)).filter(|cached| *cached != (true, 2)));
        assert_eq!(world.rule_tags_of(&place(), &names("a")).len(), 1, "whose rule it was is still known");
        world.learn(&place(), &facts, false, at("08:00:02"));
    }
    assert_eq!(seen, [(false, 2), (true, 0)]);
    assert!(world.has_passed(&place(), &names("a")), "nothing is taken for granted of what is read in its turn");
    world.take_sweep(&place(), sweep("08:10:00", &["etl-a"], &known[1..]));
    assert_eq!(world.known_revisions(&place(), &[names("a")]).len(), 1);
}
