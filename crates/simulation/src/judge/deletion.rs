//! Promise 5: deletion needs complete knowledge, waits for the grace period and stays within the caps. And what is deregistered
//! was wanted by nobody for a day.

use std::collections::{BTreeMap, BTreeSet};

use super::book::Shelf;
use super::{Finding, Rules, Sight};
use crate::mirror::{Changed, Key, Mirror, Revision, Rule, belongs_to, is_ours};
use crate::sketch::Job;
use crate::story::Crew;

/// How long a plan that has begun may go on after its grounds fell away: three writes, each of which may time out.
const UNDER_WAY: i64 = 45_000;

const HOUR: i64 = 3_600_000;

/// How old the mark of a removal may be when the rule goes, which meets with failures: an older one belongs to an earlier removal.
const MARKED: i64 = 6 * 60_000;

/// Marks are told to the second, in milliseconds.
const ROUNDED: i64 = 1000;

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct Deletion {
    /// Jobs that went, each with the moment by which the hour is counted, by controller.
    removals: BTreeMap<String, Vec<(i64, String)>>,
}

impl Deletion {
    pub fn check(&mut self, changed: &Changed, sight: Sight<'_>) -> Finding {
        let Sight { millis, mirror, rules, .. } = sight;
        if rules.crew == Crew::Rivals {
            return None;
        }
        match changed {
            Changed::Rule(key, Some(before), None) => self.rule_gone(key, before, sight),
            Changed::Revision(key, Some(before), Some(after)) if before.active && !after.active => {
                deregistered(millis, key, before, mirror, rules)
            }
            Changed::Rule(..) | Changed::Revision(..) => None,
        }
    }

    fn rule_gone(&mut self, key: &Key, before: &Rule, sight: Sight<'_>) -> Finding {
        let Sight { millis, process, mirror, books, rules } = sight;
        let shelf = books.of_process(process)?;
        let job = before.tags.get("ecs-etl/job")?;
        let page = shelf.pages.get(job);
        if let Some(page) = page.filter(|page| page.mentioned) {
            let fresh = page.since > millis - UNDER_WAY - 15_000 || books.touched_since(job, millis - HOUR);
            // A schedule that fires on although none of the written moments is left has to go.
            let wanted = page.wanted.as_ref().filter(|wanted| !fresh && !wanted.is_over(rules.at(millis)))?;
            let still = key.0 == wanted.place
                && wanted.job.schedules.len() == 1
                && !wanted.job.list
                && wanted.scheduled == before.is_scheduled()
                && key.1.rsplit('/').next() == Some(format!("etl-{job}").as_str());
            return still.then(|| format!("rule {} was deleted although its manifest is there and unchanged", key.1));
        }
        let moved = shelf.pages.values().any(|page| {
            page.wanted.as_ref().is_some_and(|wanted| wanted.job.moved_from.as_deref() == Some(job.as_str()))
        });
        // A rename whose plan has begun goes on although the job was renamed again meanwhile.
        let is_moving = shelf.pages.iter().any(|(name, page)| {
            let is_it = name != job && books.root(name) == books.root(job);
            is_it && page.gone_since.is_some_and(|since| since > millis - UNDER_WAY)
        });
        // So does one whose new name cannot be used any more, as its cluster went meanwhile.
        let is_heir = |(name, heir): (&String, &Job)| {
            let fresh = shelf.pages.get(name).is_some_and(|page| page.since > millis - UNDER_WAY);
            fresh && heir.moved_from.as_deref() == Some(job.as_str())
        };
        // And one of several rules of a job may go with a plan that began before its manifest went: a removal takes the others, too.
        let has_others = page.and_then(|page| page.gone_since).is_some_and(|since| since > millis - UNDER_WAY)
            && mirror
                .rules_of(books.identity(process), job)
                .any(|(at, rule)| at.0 == key.0 && rule.pins().next().is_some());
        if moved || is_moving || has_others || shelf.now.book.jobs.iter().any(is_heir) {
            return None;
        }
        self.job_gone(job, &key.0, shelf, sight)
    }

    fn job_gone(&mut self, job: &str, place: &str, shelf: &Shelf, sight: Sight<'_>) -> Finding {
        let Sight { millis, books, rules, .. } = sight;
        if let Some(since) = shelf.incomplete_since.filter(|since| *since < millis - UNDER_WAY) {
            return Some(format!(
                "job {job} was removed while the directory had not been readable for {} s",
                (millis - since) / 1000
            ));
        }
        // One whose cluster drains goes with all that it was before.
        let is_heir =
            |(name, heir): &(&String, &Job)| heir.moved_from.as_deref() == Some(job) && shelf.now.book.mentions(name);
        if let Some((heir, _)) = shelf
            .now
            .book
            .jobs
            .iter()
            .find(is_heir)
            .filter(|(heir, _)| shelf.pages.get(*heir).is_some_and(|page| page.since < millis - UNDER_WAY))
        {
            return Some(format!("job {job} was removed although the document of {heir} says that it was renamed"));
        }
        if shelf.retained.get(job) == Some(&true) && !books.touched_since(job, 0) {
            return Some(format!("job {job} was removed although its policy was Retain"));
        }
        // What was under way when the controller's document changed goes by what it said before.
        let retuned = shelf.controller_since > 0 && shelf.controller_since > millis - UNDER_WAY;
        let is_written = |(name, heir): (&String, &Job)| name == job || heir.moved_from.as_deref() == Some(job);
        let drains = shelf.now.book.jobs.iter().any(is_written) || retuned;
        let gone = shelf.pages.get(job).and_then(|page| page.gone_since);
        let grace = i64::from(shelf.now.book.controller.grace) * 1000;
        match gone {
            None => return Some(format!("job {job} was removed, of which nobody had ever said that it should go")),
            Some(since) if !drains && millis - since + rules.skew < grace => {
                return Some(format!(
                    "job {job} was removed {} s after its manifest, within the grace period",
                    (millis - since) / 1000
                ));
            }
            Some(_) => {}
        }
        self.capped(job, place, shelf, sight)
    }

    fn capped(&mut self, job: &str, place: &str, shelf: &Shelf, sight: Sight<'_>) -> Finding {
        let Sight { millis, process, mirror, books, rules } = sight;
        let identity = books.identity(process);
        // The hour is counted from the mark, which a removal sets before all else.
        let at = marked(mirror, place, identity, job, rules).filter(|at| *at > millis - MARKED).unwrap_or(millis);
        let removals = self.removals.entry(identity.to_owned()).or_default();
        removals.retain(|(earlier, _)| *earlier > at - HOUR + ROUNDED + rules.skew);
        if removals.iter().any(|(_, removed)| removed == job) {
            return None;
        }
        removals.push((at, job.to_owned()));
        // One that is written again did not go, after all.
        let is_back = |job: &str| shelf.pages.get(job).is_some_and(|page| page.mentioned);
        let lately: BTreeSet<&str> = removals.iter().map(|(_, job)| job.as_str()).filter(|job| !is_back(job)).collect();
        let live = mirror.rules.values().filter(|rule| belongs_to(&rule.tags, identity));
        let live: BTreeSet<&str> = live.filter_map(|rule| rule.tags.get("ecs-etl/job")).map(String::as_str).collect();
        // What a stranger has just taken the marks of is ours by what was read before.
        let touched = shelf.pages.keys().map(String::as_str).filter(|job| books.touched_since(job, millis - 2 * HOUR));
        let owned = live.union(&lately).copied().chain(touched).collect::<BTreeSet<&str>>().len();
        let most =
            usize::try_from(shelf.now.book.controller.max_deletions).unwrap_or(usize::MAX).min(owned.div_ceil(4));
        let retuned = shelf.controller_since > 0 && shelf.controller_since > millis - UNDER_WAY;
        // An approval is of a set: what had gone by then, and has not been back since.
        let gone = shelf.pages.get(job).and_then(|page| page.gone_since);
        let is_approved = shelf.approved.zip(gone).is_some_and(|(approved, gone)| gone <= approved);
        (lately.len() > most && !is_approved && !retuned)
            .then(|| format!("{} jobs were removed within an hour, of {owned}; {most} may: {lately:?}", lately.len()))
    }
}

/// When a job's revisions in a place were last marked as retired, in milliseconds.
fn marked(mirror: &Mirror, place: &str, identity: &str, job: &str, rules: &Rules) -> Option<i64> {
    let of_job = |revision: &&Revision| revision.active && is_ours(&revision.tags, identity, job);
    let revisions = mirror.revisions.iter().filter(|(key, _)| key.0 == place).map(|(_, revision)| revision);
    let marks = revisions.filter(of_job).filter_map(|revision| revision.tags.get("ecs-etl/retired-at")?.parse().ok());
    let newest: jiff::Timestamp = marks.max()?;
    i64::try_from(newest.duration_since(rules.start).as_millis()).ok()
}

fn deregistered(millis: i64, key: &Key, before: &Revision, mirror: &Mirror, rules: &Rules) -> Finding {
    if mirror.is_pinned(key) {
        return Some(format!("revision {} was deregistered although a target pins it", key.1));
    }
    let idle = rules.at(millis).duration_since(before.wanted_at).as_secs();
    (idle < 24 * 3600)
        .then(|| format!("revision {} was deregistered {idle} s after it was last pinned: a retry may want it", key.1))
}
