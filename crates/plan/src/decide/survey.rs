//! The first stage of a decision: which rules of the job exist, and that they are ours.

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, RuleName};

use super::adopt;
use super::see::{Ours, Seen, see};
use super::stop::{Asks, Stop};
use crate::condition::{Reason, Verdict};
use crate::desired::{Desired, DesiredRule, Former};
use crate::lower::names_rule;
use crate::observed::{Fact, Look, Observed, RevisionArn};
use crate::ownership::{self, Mark};
use crate::tags;

/// A rule that the job should have.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub desired: &'a DesiredRule,
    pub live: Option<Ours<'a>>,
}

/// Why a rule of ours is to go although its job stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Superseded<'a> {
    /// The job's schedules changed.
    Schedule,
    /// The job moved here from another name or place; its old family is there.
    Move(&'a Family),
}

/// A rule of ours that starts the job but should not any more.
#[derive(Debug)]
pub(crate) struct Old<'a> {
    /// None for the place the job lives in.
    pub elsewhere: Option<&'a Place>,
    pub rule: Ours<'a>,
    pub why: Superseded<'a>,
}

/// Everything a decision knows of the job's rules, and its family's revisions.
#[derive(Debug)]
pub(crate) struct Survey<'a> {
    pub wanted: Vec<Wanted<'a>>,
    pub old: Vec<Old<'a>>,
    /// ACTIVE revisions of the family, newest first.
    pub active: &'a [RevisionArn],
    /// The job is to have schedules in EventBridge Scheduler, and the controller's group is not there.
    pub lacks_group: bool,
    pub notes: Vec<String>,
}

impl Survey<'_> {
    /// Rules of ours where the job lives, wanted or not.
    pub(crate) fn rules_here(&self) -> impl Iterator<Item = &Ours<'_>> {
        let old = self.old.iter().filter(|old| old.elsewhere.is_none()).map(|old| &old.rule);
        self.wanted.iter().filter_map(|wanted| wanted.live.as_ref()).chain(old)
    }
}

/// Looks at every rule that bears a name of the job, here, under its former name and elsewhere.
pub(crate) fn survey<'a>(desired: &'a Desired, observed: &'a Observed) -> Result<Survey<'a>, Stop> {
    let mut asks = Asks::default();
    let mut notes = Vec::new();

    let active = asks.fact(
        observed.active.get(&desired.family),
        None,
        || Look::Active(desired.family.clone()),
        || format!("the revisions of family {}", desired.family),
    );

    let mark = mark(desired, None);
    let here = Home { desired, observed, elsewhere: None };
    let mut wanted = Vec::new();
    for rule in &desired.rules {
        let seen = if desired.adoption.rules.contains(&rule.name) {
            adopt::see(desired, observed, &rule.name, &here.families(), &mut asks)
        } else {
            here.rule(&rule.name, &mark, &mut asks)
        };
        let live = match seen {
            Seen::Ours(live) => Some(live),
            Seen::Absent | Seen::Lacking => None,
            Seen::Stranger(whose) => {
                asks.stop(Stop::not_owned(format!("{} exists and is not ours: {whose}", rule.name.titled())));
                None
            }
        };
        wanted.push(Wanted { desired: rule, live });
    }

    let lacks_group = lacks_group(desired, observed, &mark, &mut asks);

    let mut old = here.superseded(&mut asks, &mut notes);
    for (place, observed) in observed.elsewhere.iter().filter(|(place, _)| *place != desired.place) {
        old.extend(Home { desired, observed, elsewhere: Some(place) }.superseded(&mut asks, &mut notes));
    }

    let rules = wanted.iter().filter_map(|w| w.live.as_ref()).chain(old.iter().map(|o| &o.rule));
    for rule in rules {
        if ownership::is_paused(&rule.tags) {
            let message = paused(rule);
            asks.stop(Stop::Leave(Verdict::Paused(Reason::ReconcileDisabled, message)));
        }
    }
    asks.settled()?;
    Ok(Survey { wanted, old, active: active.map(Vec::as_slice).unwrap_or_default(), lacks_group, notes })
}

/// What says that a rule is to be left alone: its tag, or that of its group.
pub(crate) fn paused(rule: &Ours<'_>) -> String {
    let bearer = rule.live.name.group().map(|group| format!("schedule group {group}"));
    let bearer = bearer.unwrap_or_else(|| rule.live.name.titled());
    format!("{bearer} is tagged {}=disabled", tags::RECONCILE)
}

/// Whether the group must be made before the job's schedules can be. One of another controller is no home for them.
fn lacks_group(desired: &Desired, observed: &Observed, mark: &Mark<'_>, asks: &mut Asks) -> bool {
    let Some(scheduled) = &desired.scheduled else { return false };
    match super::see::group(observed, None, &scheduled.group, asks) {
        Some(None) => true,
        Some(Some(tags)) if !mark.is_of_controller(tags) => {
            let whose = mark.stranger(tags);
            asks.stop(Stop::not_owned(format!("schedule group {} exists and is not ours: {whose}", scheduled.group)));
            false
        }
        Some(Some(_)) | None => false,
    }
}

/// The mark on the job's resources, or on those under its former name.
pub(crate) fn mark<'a>(desired: &'a Desired, former: Option<&'a Former>) -> Mark<'a> {
    let controller = desired.rule_tags.get(tags::CONTROLLER).map(String::as_str).unwrap_or_default();
    Mark { controller, job: former.map_or(desired.job.as_str(), |former| former.job.as_str()) }
}

/// One place in which resources of the job may be.
struct Home<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    elsewhere: Option<&'a Place>,
}

impl<'a> Home<'a> {
    fn rule(&self, name: &RuleName, mark: &Mark<'_>, asks: &mut Asks) -> Seen<'a> {
        see(self.observed, self.elsewhere, name, mark, &self.families(), asks)
    }

    /// Families whose tasks are runs of this job.
    fn families(&self) -> Vec<&'a Family> {
        let former = self.desired.moved_from.as_ref().map(|former| &former.family);
        [&self.desired.family, &self.desired.adoption.own].into_iter().chain(former).collect()
    }

    /// The former name of the job, if an adopted rule here still bears its mark. By what it is called nobody can tell: it is called
    /// after neither name, and a job that is renamed while it moves has left it where it was.
    fn former_of(&self, name: &RuleName) -> Option<&'a Former> {
        let tags = self.observed.rule_tags.get(name)?.known()?;
        self.desired.moved_from.as_ref().filter(|former| mark(self.desired, Some(former)).is_on(tags))
    }

    /// Rules of ours here that the job should not have any more.
    fn superseded(&self, asks: &mut Asks, notes: &mut Vec<String>) -> Vec<Old<'a>> {
        let desired = self.desired;
        let mut old = Vec::new();
        for (name, former) in self.candidates() {
            let why = match (former, self.elsewhere) {
                (None, None) => Superseded::Schedule,
                (None, Some(_)) => Superseded::Move(&desired.family),
                (Some(_), _) if desired.adoption.rules.contains(&name) => Superseded::Move(&desired.family),
                (Some(former), _) => Superseded::Move(&former.family),
            };
            if self.is_here(&name) {
                continue;
            }
            match self.rule(&name, &mark(desired, former), asks) {
                Seen::Ours(rule) => old.push(Old { elsewhere: self.elsewhere, rule, why }),
                Seen::Stranger(whose) => notes.push(format!("{} is left alone: {whose}", name.titled())),
                Seen::Absent | Seen::Lacking => {}
            }
        }
        old
    }

    /// Whether a rule seen elsewhere is one of the place the job lives in: two roles may reach the same account and Region.
    fn is_here(&self, name: &RuleName) -> bool {
        let live = self.observed.rules.get(name).and_then(|fact| fact.known()?.as_ref());
        let desired = self.desired;
        self.elsewhere.is_some() && live.is_some_and(|live| live.is_in(&desired.place.region, &desired.account))
    }

    /// Names of rules here that the job may have had. What is not in a sweep's list is asked for only where the list may
    /// not reach: the plain name of a former home.
    fn candidates(&self) -> Vec<(RuleName, Option<&'a Former>)> {
        let desired = self.desired;
        let wanted = |name: &RuleName| self.elsewhere.is_none() && desired.rules.iter().any(|rule| rule.name == *name);
        let mut names = Vec::new();
        for (name, fact) in &self.observed.rules {
            if wanted(name) || matches!(fact, Fact::Known(None)) {
                continue;
            }
            if desired.adoption.rules.contains(name) {
                names.push((name.clone(), self.former_of(name)));
            } else if names_rule(&desired.adoption.own, name) {
                names.push((name.clone(), None));
            } else if let Some(former) = desired.moved_from.as_ref().filter(|old| names_rule(&old.family, name)) {
                names.push((name.clone(), Some(former)));
            }
        }
        let former = desired.moved_from.as_ref().filter(|_| self.elsewhere.is_none());
        if let Some((former, name)) = former.and_then(|old| Some((old, RuleName::new(old.family.as_str()).ok()?)))
            && !self.observed.rules.contains_key(&name)
        {
            names.push((name, Some(former)));
        }
        names
    }
}
