//! Answers that no world would give: a decision copes with them all the same, and never reaches for what is not ours.
//!
//! Each answer is one that AWS could give. But lists lag, tags are edited by hand, and things come and go between two reads,
//! so what is known at one time need not fit together.

use ecs_etl_plan::clean_up::{self, CleanUp, Keep, Scope};
use ecs_etl_plan::decide::{Decision, Policy, decide};
use ecs_etl_plan::desired::Desired;
use ecs_etl_plan::lint::{Subject, lint};
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::{
    Fact, LiveRevision, LiveRule, Look, Observed, Question, Questions, RevisionArn, RuleState,
};
use ecs_etl_plan::removal::{self, Leaving};
use ecs_etl_plan::step::Plan;
use ecs_etl_plan::tags::{self, Tags};
use ecs_etl_spec::name::{Family, RuleName};
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::histories::spec;
use crate::job::{ACCOUNT, identity, place};

/// Rounds of questions that a decision may take; every stage has few.
const ROUNDS: usize = 30;

/// Picks answers one after another, the same for the same choices.
struct Oracle {
    choices: Vec<u16>,
    next: usize,
    desired: Desired,
}

impl Oracle {
    fn choose(&mut self, count: usize) -> usize {
        let choice = self.choices[self.next % self.choices.len()];
        // Going round again, the same choices mean something else.
        let turn = self.next / self.choices.len();
        self.next += 1;
        (usize::from(choice) + turn * 7) % count
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.choose(from.len())].clone()
    }

    fn fact<T>(&mut self, value: T) -> Fact<T> {
        if self.choose(12) == 0 { Fact::Unreadable("AccessDeniedException".to_owned()) } else { Fact::Known(value) }
    }

    fn arn(&mut self, region: &str, family: &str) -> RevisionArn {
        let number = self.choose(9);
        RevisionArn::parse(&format!("arn:aws:ecs:{region}:{ACCOUNT}:task-definition/{family}:{number}")).unwrap()
    }

    fn tags(&mut self) -> Tags {
        let mut all = match self.choose(4) {
            0 => Tags::new(),
            1 => self.desired.rule_tags.clone(),
            _ => self.desired.revision_tags.clone(),
        };
        let keys =
            [tags::CONTROLLER, tags::JOB, tags::SOURCE, tags::SPEC, tags::POLICY, tags::LABELS, tags::RETIRED_AT];
        let values =
            ["", "prod", "sales", "orders", "other", "v1:", "v2:0", "disabled", "2026-11-20T00:00:00Z", "Retain"];
        for _ in 0..self.choose(4) {
            let (key, value) = (self.pick(&keys), self.pick(&values));
            if self.choose(3) == 0 {
                all.remove(key);
            } else {
                all.insert(key.to_owned(), value.to_owned());
            }
        }
        if self.choose(15) == 0 {
            all.insert("ecs-etl/reconcile".to_owned(), "disabled".to_owned());
        }
        all
    }

    fn target(&mut self) -> Target {
        let id = self.pick(&["ecs-etl", "ecs-etl", "ecs-etl-2", "notify"]);
        let mut target = if self.choose(3) == 0 { Target::default() } else { self.desired.target.clone() };
        target.id = Some(id.to_owned());
        let reference = match self.choose(4) {
            0 => None,
            1 => Some("nonsense".to_owned()),
            2 => Some(format!("arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition/etl-sales")),
            // A revision of any family, of another Region at times.
            _ => {
                let region = self.pick(&["eu-west-1", "us-east-1"]);
                let family = self.pick(&["etl-sales", "etl-orders", "etl-sales-2", "other"]);
                Some(self.arn(region, family).to_string())
            }
        };
        target.ecs_parameters.get_or_insert_default().task_definition_arn = reference;
        target
    }

    fn rule(&mut self, region: &str, name: &RuleName) -> LiveRule {
        let expressions = [None, Some("cron(0 2 * * ? *)"), Some("rate(1 hour)"), Some("nonsense"), Some("")];
        let states = [RuleState::Enabled, RuleState::Disabled, RuleState::Other("NEW".to_owned())];
        LiveRule {
            name: name.clone(),
            arn: format!("arn:aws:events:{region}:{ACCOUNT}:rule/{name}"),
            expression: self.pick(&expressions).map(str::to_owned),
            event_pattern: self.pick(&[None, None, None, Some("{}".to_owned())]),
            timing: None,
            state: self.pick(&states),
            description: self.pick(&[None, Some("theirs".to_owned()), Some(self.desired.rules[0].description.clone())]),
            role_arn: self.pick(&[None, None, Some("arn:aws:iam::1:role/r".to_owned())]),
            managed_by: if self.choose(20) == 0 { Some("scheduler".to_owned()) } else { None },
        }
    }

    fn answer(&mut self, region: &str, look: Look, seen: &mut Observed) {
        match look {
            Look::Active(family) => {
                let mut arns: Vec<RevisionArn> =
                    (0..self.choose(5)).map(|_| self.arn(region, family.as_str())).collect();
                arns.sort_by(|a, b| b.cmp(a));
                arns.dedup();
                let fact = self.fact(arns);
                seen.active.insert(family, fact);
            }
            Look::Revision(arn) => {
                let normal = match self.choose(3) {
                    0 => normalise::task_definition(&TaskDefinition::default()),
                    _ => self.desired.normal.clone(),
                };
                let live = LiveRevision { arn: arn.clone(), normal, tags: self.tags() };
                let known = (self.choose(8) > 0).then_some(live);
                let fact = self.fact(known);
                seen.revisions.insert(arn, fact);
            }
            Look::Rule(name) => {
                let known = (self.choose(4) > 0).then(|| self.rule(region, &name));
                let fact = self.fact(known);
                seen.rules.insert(name, fact);
            }
            Look::Targets(name) => {
                let mut targets: Vec<Target> = (0..self.choose(4)).map(|_| self.target()).collect();
                targets.sort_by(|a, b| a.id.cmp(&b.id));
                targets.dedup_by(|a, b| a.id == b.id);
                let fact = self.fact(targets);
                seen.targets.insert(name, fact);
            }
            Look::Group(_) => {
                let tags = self.tags();
                let known = (self.choose(4) > 0).then_some(tags);
                seen.group = self.fact(known);
            }
            Look::RuleTags(name, _) => {
                let tags = self.tags();
                let fact = self.fact(tags);
                seen.rule_tags.insert(name, fact);
            }
        }
    }

    fn answer_all(&mut self, questions: Questions, observed: &mut Observed) {
        assert!(!questions.is_empty(), "a decision that asks nothing");
        for Question { elsewhere, look } in questions {
            let place = elsewhere.as_ref().unwrap_or(&self.desired.place).clone();
            let seen = match elsewhere {
                None => &mut *observed,
                Some(place) => {
                    let mut others = observed.elsewhere.iter_mut();
                    others.find_map(|(other, seen)| (*other == place).then_some(seen)).unwrap()
                }
            };
            assert!(!knows(seen, &look), "asked again: {look:?}");
            self.answer(place.region.as_str(), look, seen);
        }
    }

    /// Rules that a sweep's lists named, in this place and in others.
    fn found(&mut self) -> Observed {
        let names = ["etl-sales", "etl-sales.0a1b2c", "etl-orders", "etl-orders.ffffff"];
        let mut named = |count: usize| {
            let mut seen = Observed::default();
            for _ in 0..count {
                seen.rules.insert(RuleName::new(self.pick(&names)).unwrap(), Fact::NotRead);
            }
            seen
        };
        let mut observed = named(2);
        let (there, further) = (named(1), named(2));
        for (region, seen) in [("us-east-1", there), ("eu-west-1", further)] {
            if place(region) != self.desired.place && self.choose(2) == 0 {
                observed.elsewhere.push((place(region), seen));
            }
        }
        observed
    }
}

fn knows(seen: &Observed, look: &Look) -> bool {
    fn read<T>(fact: Option<&Fact<T>>) -> bool {
        fact.is_some_and(|fact| !matches!(fact, Fact::NotRead))
    }
    match look {
        Look::Active(family) => read(seen.active.get(family)),
        Look::Revision(arn) => read(seen.revisions.get(arn)),
        Look::Rule(name) => read(seen.rules.get(name)),
        Look::Targets(name) => read(seen.targets.get(name)),
        Look::RuleTags(name, _) => read(seen.rule_tags.get(name)),
        Look::Group(_) => read(Some(&seen.group)),
    }
}

/// Decides until there is a plan.
fn settle(
    oracle: &mut Oracle,
    mut observed: Observed,
    mut decide: impl FnMut(&Observed) -> Result<Plan, Questions>,
) -> (Plan, Observed) {
    for _ in 0..ROUNDS {
        match decide(&observed) {
            Ok(plan) => return (plan, observed),
            Err(questions) => oracle.answer_all(questions, &mut observed),
        }
    }
    panic!("it never stops asking: {observed:#?}");
}

fn decided(decision: Decision) -> Result<Plan, Questions> {
    match decision {
        Decision::Plan(plan) => Ok(plan),
        Decision::Look(questions) => Err(questions),
    }
}

fn policy() -> impl Strategy<Value = Policy> {
    (0..9u32, 0..100_000_i64)
        .prop_map(|(keep_revisions, margin)| Policy { keep_revisions, move_margin: SignedDuration::from_secs(margin) })
}

fn now() -> impl Strategy<Value = Timestamp> {
    let some = prop::sample::select(vec![0, 1_795_000_000, 7_258_118_400, -62_000_000_000, 253_402_000_000]);
    prop_oneof![some, 1_700_000_000..1_900_000_000_i64].prop_map(|second| Timestamp::from_second(second).unwrap())
}

fn choices() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(any::<u16>(), 1..60)
}

fn keep() -> impl Strategy<Value = Keep> {
    prop_oneof![(0..9u32).prop_map(Keep::Newest), Just(Keep::MovedAway), Just(Keep::Gone)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decision_is_made_whatever_is_answered(spec in spec(), choices in choices(), policy in policy(), now in now()) {
        let desired = spec.desired();
        let mut oracle = Oracle { choices, next: 0, desired: desired.clone() };
        let found = oracle.found();
        let (plan, observed) =
            settle(&mut oracle, found, |observed| decided(decide(&desired, observed, &policy, now)));
        let violations = lint(&plan, &Subject::of(&desired), &observed);
        prop_assert!(violations.is_empty(), "{violations:#?}\n{:#?}\n{observed:#?}", plan.steps);
    }

    #[test]
    fn a_removal_is_decided_whatever_is_answered(spec in spec(), choices in choices(), policy in policy(), now in now()) {
        let desired = spec.desired();
        let identity = identity(spec.source);
        let leaving = Leaving { job: &desired.job, family: &desired.family, place: &desired.place, identity: &identity };
        let subject = Subject::leaving(&identity, &desired.job, &desired.family, &desired.place);
        let mut oracle = Oracle { choices, next: 0, desired: desired.clone() };
        let found = oracle.found();
        let (plan, observed) =
            settle(&mut oracle, found, |observed| decided(removal::decide(&leaving, observed, &policy, now)));
        let violations = lint(&plan, &subject, &observed);
        prop_assert!(violations.is_empty(), "{violations:#?}\n{:#?}\n{observed:#?}", plan.steps);
    }

    #[test]
    fn a_family_is_tidied_whatever_is_answered(
        spec in spec(), choices in choices(), keep in keep(), age in 0..86_400_i64, now in now(),
    ) {
        let desired = spec.desired();
        let identity = identity(spec.source);
        let (job, family, place): (_, &Family, _) = (&desired.job, &desired.family, &desired.place);
        let scope = Scope { job, family, place, identity: &identity, keep, event_age: SignedDuration::from_secs(age) };
        let subject = Subject::leaving(&identity, job, family, place);
        let mut oracle = Oracle { choices, next: 0, desired: desired.clone() };
        let found = oracle.found();
        let (plan, observed) = settle(&mut oracle, found, |observed| match clean_up::decide(&scope, observed, now) {
            CleanUp::Plan(plan, _) => Ok(plan),
            CleanUp::Look(questions) => Err(questions),
        });
        let violations = lint(&plan, &subject, &observed);
        prop_assert!(violations.is_empty(), "{violations:#?}\n{:#?}\n{observed:#?}", plan.steps);
    }
}
