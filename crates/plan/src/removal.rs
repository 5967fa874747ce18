//! Taking a job away whose manifest is gone: its schedule now, its revisions when no retry can want them any more.
//!
//! Whether it may go is [`crate::prune`]'s to say; here its tags are read once more, directly, and what they do not prove is
//! not touched.

use std::collections::BTreeSet;

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, JobName, RuleName};
use jiff::{SignedDuration, Timestamp};

use crate::condition::{Reason, Verdict};
use crate::decide::draft::Draft;
use crate::decide::retire::retired_at;
use crate::decide::see::{Ours, Seen, see};
use crate::decide::stop::{Asks, Stop};
use crate::decide::survey::paused;
use crate::decide::targets::task_family;
use crate::decide::{Decision, Policy};
use crate::desired::Identity;
use crate::observed::{Fact, LiveRevision, Look, Observed, RevisionArn};
use crate::ownership::{self, Mark};
use crate::step::{Action, Because, Kind, Plan};
use crate::tags::{self, Tags, Written};

/// How old a mark of this removal may be while its first steps are still being tried.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// A job that goes, in one place.
#[derive(Debug, Clone, Copy)]
pub struct Leaving<'a> {
    /// Its name.
    pub job: &'a JobName,
    /// Its family, `<prefix><job>`.
    pub family: &'a Family,
    /// Where it lives.
    pub place: &'a Place,
    /// Who we are.
    pub identity: &'a Identity,
}

/// Decides how to take a job away, or asks for what proves that it is ours to take.
///
/// Rules are those that `observed` names, and the one that bears the family's name; families likewise, with those that our targets
/// start, which the job may have taken over. The newest revision is marked first, so that a
/// crash half-way does not hide the deletion from the hourly cap.
pub fn decide(leaving: &Leaving<'_>, observed: &Observed, policy: &Policy, now: Timestamp) -> Decision {
    match remove(leaving, observed, policy, now) {
        Ok(plan) => Decision::Plan(plan),
        Err(Stop::Look(questions)) => Decision::Look(questions),
        Err(Stop::Leave(verdict)) => Decision::Plan(Plan::leave(leaving.job, verdict)),
    }
}

fn remove(leaving: &Leaving<'_>, observed: &Observed, policy: &Policy, now: Timestamp) -> Result<Plan, Stop> {
    let mark = Mark::new(&leaving.identity.controller, leaving.job);
    let mut notes = Vec::new();
    let rules = rules(leaving, &mark, observed, &mut notes)?;
    let mut newest: Vec<&LiveRevision> = Vec::new();
    for family in families(leaving, &rules, observed) {
        newest.extend(self::newest(&family, &mark, &rules, observed, policy)?);
    }
    if rules.is_empty() && newest.is_empty() {
        let message = match notes.first() {
            Some(note) => note.clone(),
            None => "nothing of the job is left".to_owned(),
        };
        let verdict = Verdict::Waiting(Reason::Removed, message, None);
        return Ok(Plan { notes, ..Plan::leave(leaving.job, verdict) });
    }
    refuse(leaving, &rules, newest.first().copied())?;

    let mut draft = Draft::new(leaving.place);
    for newest in newest.into_iter().filter(|newest| !is_marked(newest, &rules, now)) {
        let tag = Action::TagRevision { revision: newest.arn.clone(), tags: retired_at(now) };
        draft.push(
            tag,
            Because::Note("the manifest is gone; deletions of the last hour are counted by this".to_owned()),
        );
    }
    for rule in &rules {
        take_away(rule, &mut draft, &mut notes);
    }
    let message = "the schedule is removed; its revisions follow when no retry can want them".to_owned();
    let kind = if draft.is_empty() { Kind::None } else { Kind::Remove };
    let verdict = Verdict::Waiting(Reason::Removed, message, None);
    Ok(Plan { job: leaving.job.clone(), kind, steps: draft.into_steps(), verdict, pins: None, notes })
}

/// The job's rules that are ours; others are noted.
fn rules<'a>(
    leaving: &Leaving<'_>,
    mark: &Mark<'_>,
    observed: &'a Observed,
    notes: &mut Vec<String>,
) -> Result<Vec<Ours<'a>>, Stop> {
    let plain = RuleName::new(leaving.family.as_str()).ok();
    let plain = plain.filter(|name| !observed.rules.contains_key(name));
    let known = observed.rules.iter().filter(|(_, fact)| !matches!(fact, Fact::Known(None)));
    let names: Vec<RuleName> = known.map(|(name, _)| name.clone()).chain(plain).collect();
    let mut asks = Asks::default();
    let mut rules = Vec::new();
    for name in names {
        match see(observed, None, &name, mark, &[leaving.family], &mut asks) {
            Seen::Ours(rule) => rules.push(rule),
            Seen::Stranger(whose) => notes.push(format!("{} is left alone: {whose}", name.titled())),
            Seen::Absent | Seen::Lacking => {}
        }
    }
    let look = || Look::Active(leaving.family.clone());
    let what = || format!("the revisions of family {}", leaving.family);
    asks.fact(observed.active.get(leaving.family), None, look, what);
    asks.settled()?;
    Ok(rules)
}

/// The job's families: its own, those that our targets start, and those that are known to have been taken over.
fn families(leaving: &Leaving<'_>, rules: &[Ours<'_>], observed: &Observed) -> Vec<Family> {
    let started = rules.iter().filter_map(|rule| Family::new(task_family(rule.split.ours?)?).ok());
    let mut families: Vec<Family> = started.chain(observed.active.keys().cloned()).collect();
    families.retain(|family| family != leaving.family);
    families.sort();
    families.dedup();
    std::iter::once(leaving.family.clone()).chain(families).collect()
}

/// The newest ACTIVE revision of ours, among the newest of the family; where those are all of others, among what our targets start.
fn newest<'a>(
    family: &Family,
    mark: &Mark<'_>,
    rules: &[Ours<'_>],
    observed: &'a Observed,
    policy: &Policy,
) -> Result<Option<&'a LiveRevision>, Stop> {
    let mut asks = Asks::default();
    let look = || Look::Active(family.clone());
    let active = asks.fact(observed.active.get(family), None, look, || format!("the revisions of family {family}"));
    asks.settled()?;
    let Some(active) = active else { return Ok(None) };
    let pinned: BTreeSet<RevisionArn> = rules.iter().filter_map(|rule| rule.split.pinned()).collect();
    let pinned = active.iter().filter(|arn| pinned.contains(*arn)).collect();
    // The newest alone is nearly always ours; only where it is not are the others read.
    let newest = |window| active.iter().take(window).collect();
    let looks: [Vec<&RevisionArn>; 3] = [newest(1), newest(policy.window()), pinned];
    for arns in looks {
        let mut asks = Asks::default();
        for arn in arns {
            let look = || Look::Revision(arn.clone());
            let fact = asks.fact(observed.revisions.get(arn), None, look, || format!("revision {arn}"));
            if let Some(Some(revision)) = fact
                && mark.is_on(&revision.tags)
            {
                return Ok(Some(revision));
            }
        }
        asks.settled()?;
    }
    Ok(None)
}

/// Tags that say the job stays: a person's, the policy, another source.
fn refuse(leaving: &Leaving<'_>, rules: &[Ours<'_>], newest: Option<&LiveRevision>) -> Result<(), Stop> {
    let pause = |reason, message: String| Err(Stop::Leave(Verdict::Paused(reason, message)));
    if let Some(rule) = rules.iter().find(|rule| ownership::is_paused(&rule.tags)) {
        return pause(Reason::ReconcileDisabled, paused(rule));
    }
    // A rule's tags follow the manifest at once, a revision's only while it is pinned: so the rules' win.
    let mut deciding: Vec<&Tags> = rules.iter().map(|rule| &*rule.tags).collect();
    if deciding.is_empty() {
        deciding.extend(newest.map(|revision| &revision.tags));
    }
    let source = leaving.identity.source.as_str();
    if let Some(tags) = deciding.iter().find(|tags| tags.get(tags::SOURCE).map(String::as_str) != Some(source)) {
        let other = tags.get(tags::SOURCE).map_or("none", String::as_str);
        return pause(Reason::OtherSource, format!("its resources belong to the source {other:?}, not to {source:?}"));
    }
    let fallback = newest.and_then(|revision| revision.tags.get(tags::POLICY));
    let retained = |tags: &&Tags| tags.get(tags::POLICY).or(fallback).is_some_and(|policy| policy == "Retain");
    if deciding.iter().any(retained) {
        return pause(Reason::Retained, "its deletionPolicy was Retain: the resources stay".to_owned());
    }
    Ok(())
}

/// Whether a revision is marked as retired by this removal. A mark from before belongs to an earlier one: the job came back, and by
/// that mark its revisions would go too soon and the hourly cap would not count it.
fn is_marked(newest: &LiveRevision, rules: &[Ours<'_>], now: Timestamp) -> bool {
    let marked: Option<Timestamp> = newest.tags.get(tags::RETIRED_AT).and_then(|at| at.parse().ok());
    let scheduled = rules.iter().any(|rule| !rule.split.our_ids().is_empty());
    marked.is_some_and(|at| !scheduled || now.duration_since(at) < FRESH)
}

/// Our target first, then the rule. A rule with targets of others stays, without our marks and labels: it is theirs from now on.
fn take_away(rule: &Ours<'_>, draft: &mut Draft<'_>, notes: &mut Vec<String>) {
    let name = &rule.live.name;
    if name.group().is_some() {
        let why = Because::Note("the manifest is gone".to_owned());
        draft.push(Action::DeleteSchedule { rule: name.clone() }, why);
        return;
    }
    let because = || Because::Note("the manifest is gone".to_owned());
    let ids = rule.split.our_ids();
    if !ids.is_empty() {
        draft.push(Action::RemoveTargets { rule: name.clone(), ids }, because());
    }
    if rule.split.strangers.is_empty() {
        draft.push(Action::DeleteRule { rule: name.clone() }, because());
        return;
    }
    let others = rule.split.strangers.join(", ");
    notes.push(format!("rule {name} stays without our marks: it has targets of others ({others})"));
    let is_ours =
        |key: &&String| key.starts_with(tags::OURS) || tags::written(&rule.tags, key) == Written::FromManifest;
    let keys = rule.tags.keys().filter(is_ours).cloned().collect();
    draft.push(Action::UntagRule { arn: rule.live.arn.clone(), keys }, because());
}
