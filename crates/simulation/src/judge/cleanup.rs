//! What a job's changes and its removal replace is tidied away, and nothing else is: marked once nothing pins it, kept for a day and
//! among the newest, then deregistered.

use jiff::{SignedDuration, Timestamp};

use super::book::{Books, Page, Shelf, Wanted};
use super::status::Status;
use super::{Finding, Rules, Sight, calm};
use crate::mirror::{Changed, Key, Mirror, Revision, belongs_to, is_ours};
use crate::story::Crew;

/// The mark of what nothing pins any more.
const MARK: &str = "ecs-etl/retired-at";

/// How long a revision stays marked: a day, the longest that EventBridge retries, and an hour (docs/design/decide.md).
const WAIT: SignedDuration = SignedDuration::from_hours(25);

/// How late the clean-up may be after hours of calm: it looks with each resync, gives way to all else, and a failure that the storm
/// left behind may cost it one of them.
const LATE: SignedDuration = SignedDuration::from_mins(3 * 66);

/// How far apart two processes of one identity may do the same, in milliseconds.
const TWINS: i64 = 120_000;

/// How long what the directory said before may still be acted on, in milliseconds.
const UNDER_WAY: i64 = 60_000;

/// A revision may go only if as many newer ones stay as are to be kept.
pub(crate) fn check(changed: &Changed, sight: Sight<'_>) -> Finding {
    let Sight { millis, process, mirror, books, rules } = sight;
    let Changed::Revision(key, Some(before), Some(after)) = changed else { return None };
    if rules.crew == Crew::Rivals || !before.active || after.active {
        return None;
    }
    let (shelf, identity) = (books.of_process(process)?, books.identity(process));
    let job = before.tags.get("ecs-etl/job")?;
    let page = shelf.pages.get(job).filter(|page| page.since < millis - UNDER_WAY)?;
    let wanted = page.wanted.as_ref()?;
    if key.0 != wanted.place || before.family != wanted.job.family(job) {
        return None;
    }
    let newer = newer(mirror, key, before, identity, job);
    let keep = keep(shelf);
    (newer < keep)
        .then(|| format!("revision {} was deregistered although {newer} newer ones are kept, of {keep}", key.1))
}

/// Whether a write tidies something that it is time for. What is written again as it was is not due, nor is a label.
pub(crate) fn is_due(changed: &Changed, sight: Sight<'_>) -> bool {
    let Sight { millis, mirror, rules, .. } = sight;
    let Changed::Revision(key, Some(before), Some(after)) = changed else { return false };
    if rules.crew == Crew::Rivals {
        // What one of them pins the other retires, for as long as they fight.
        return true;
    }
    let now = rules.at(millis);
    let age = marked_at(before).map(|at| now.duration_since(at));
    // Two of one identity tidy the same at the same moment, and the later one cannot know.
    let is_race = rules.crew == Crew::Twins && age.is_none_or(|age| age.abs() < SignedDuration::from_millis(TWINS));
    if before.active && !after.active {
        let early = SignedDuration::from_millis(rules.skew);
        return !mirror.is_pinned(key) && age.is_some_and(|age| age.saturating_add(early) >= WAIT);
    }
    if !before.active {
        return rules.crew == Crew::Twins;
    }
    if others(before) != others(after) {
        return false;
    }
    match (before.tags.get(MARK), after.tags.get(MARK)) {
        (None, Some(_)) => !mirror.is_pinned(key),
        (Some(_), None) => mirror.is_pinned(key),
        (Some(_), Some(_)) | (None, None) => is_race,
    }
}

/// Tags but the mark.
fn others(revision: &Revision) -> impl PartialEq {
    revision
        .tags
        .iter()
        .filter(|(key, _)| *key != MARK)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect::<Vec<_>>()
}

/// After hours of calm, what is to be marked is, and what is to go has gone.
pub(crate) fn left_over(millis: i64, mirror: &Mirror, books: &Books, status: &Status, rules: &Rules) -> Finding {
    let look = Look { millis, mirror, books, status, rules };
    let active = mirror.revisions.iter().filter(|(_, revision)| revision.active);
    let mut tended = active.filter_map(|(key, revision)| Some((key, revision, look.tends(key, revision)?)));
    tended.find_map(|(key, revision, keep)| look.untidy(key, revision, keep))
}

/// The end of a history.
struct Look<'a> {
    millis: i64,
    mirror: &'a Mirror,
    books: &'a Books,
    status: &'a Status,
    rules: &'a Rules,
}

/// Who looks after a revision's family.
struct Tended<'a> {
    identity: &'a str,
    job: &'a str,
    /// How many of the newest stay, unless the job is gone.
    keep: Option<usize>,
}

impl<'a> Look<'a> {
    /// Whether somebody has to look after a revision's family, and what stays of it.
    fn tends(&self, key: &Key, revision: &'a Revision) -> Option<Tended<'a>> {
        let job = revision.tags.get("ecs-etl/job")?.as_str();
        (0..self.rules.crew.directories().len()).find_map(|process| {
            let (shelf, identity) = (self.books.of_process(process)?, self.books.identity(process));
            let is_in_reach = belongs_to(&revision.tags, identity) && shelf.now.names(&key.0);
            if !is_in_reach || self.books.touched_since(job, self.millis) {
                return None;
            }
            let is_at_rest = |job: &str, wanted: &Wanted| {
                // What is left alone, and what cannot be as it should, is not tidied either.
                self.status.of(process, job).is_some_and(|told| told.is_ready())
                    && !wanted.job.disabled
                    && calm::excuse(self.mirror, shelf, job, wanted).is_none()
            };
            let keep = match heir(shelf, job) {
                Some((heir, wanted)) => {
                    let is_home = heir == job && key.0 == wanted.place && revision.family == wanted.job.family(job);
                    let is_looked_after = is_home || is_left_by_us(revision, shelf, job);
                    (is_looked_after && is_at_rest(heir, wanted)).then(|| is_home.then(|| keep(shelf)))
                }
                None => self.is_gone((key, revision), shelf, (identity, job)).then_some(None),
            }?;
            Some(Tended { identity, job, keep })
        })
    }

    /// Whether a job has gone, and its revisions are to follow.
    fn is_gone(&self, (key, revision): (&Key, &Revision), shelf: &Shelf, (identity, job): (&str, &str)) -> bool {
        let book = &shelf.now.book;
        let is_former = book.jobs.values().any(|other| other.moved_from.as_deref() == Some(job));
        let stays = revision.tags.get("ecs-etl/policy").is_some_and(|policy| policy == "Retain");
        let is_read = shelf.incomplete_since.is_none() && !book.jobs.is_empty();
        let still_runs = self.mirror.rules_of(identity, job).next().is_some();
        let is_mentioned = book.jobs.contains_key(job);
        let is_over = is_read && !is_mentioned && !is_former && !still_runs;
        let is_in_sight = || self.is_in_sight((key, revision), keep(shelf), (identity, job));
        is_over && !stays && is_left_by_us(revision, shelf, job) && is_in_sight()
    }

    /// Whether any of the newest revisions of a family tells that something of the job is left: two controllers with one prefix may call
    /// their jobs alike, and the one whose job stays goes on registering (docs/design/decide.md).
    fn is_in_sight(&self, (key, revision): (&Key, &Revision), keep: usize, (identity, job): (&str, &str)) -> bool {
        let family = self.mirror.family(&key.0, &revision.family);
        let mut newest = family.into_iter().filter(|other| other.active).take(keep + 1);
        newest.any(|other| is_ours(&other.tags, identity, job))
    }

    /// What is wrong with a revision that somebody looks after.
    fn untidy(&self, key: &Key, revision: &Revision, tended: Tended<'_>) -> Finding {
        let Tended { identity, job, keep } = tended;
        let now = self.rules.at(self.millis);
        let idle = now.duration_since(revision.wanted_at);
        let marked = marked_at(revision);
        if idle <= LATE {
            return None;
        }
        let pins = |rule: &crate::mirror::Rule| rule.pins().any(|pinned| pinned == key.1);
        if self.mirror.rules_of(identity, job).any(|(at, rule)| at.0 == key.0 && pins(rule)) {
            return marked.map(|at| format!("revision {} is pinned and still marked as retired at {at}", key.1));
        }
        // What a job left that fires no more is not replaced by anything as long as it is the only one.
        let is_only = || {
            let family = self.mirror.family(&key.0, &revision.family);
            let others = |other: &&Revision| other.active && other.number != revision.number;
            !family.into_iter().any(|other| others(&other) && is_ours(&other.tags, identity, job))
        };
        if self.mirror.is_pinned(key) || (keep.is_some() && is_only()) {
            return None;
        }
        let Some(marked) = marked else {
            return Some(format!(
                "revision {} has been pinned by nothing for {} s and bears no mark",
                key.1,
                idle.as_secs()
            ));
        };
        let newer = newer(self.mirror, key, revision, identity, job);
        let late = now.duration_since(marked).saturating_sub(WAIT);
        (newer >= keep.unwrap_or(0) && late > LATE).then(|| {
            format!("revision {} was retired at {marked}, {newer} newer ones stay, and it is still ACTIVE", key.1)
        })
    }
}

/// Who looks after what bears a job's name: the job, or the one that it is called now.
fn heir<'a>(shelf: &'a Shelf, job: &'a str) -> Option<(&'a str, &'a Wanted)> {
    let wanted = |job: &str| shelf.pages.get(job)?.wanted.as_ref();
    let is_heir = |(_, page): &(&String, &Page)| {
        page.wanted.as_ref().is_some_and(|wanted| wanted.job.moved_from.as_deref() == Some(job))
    };
    let renamed =
        || shelf.pages.iter().find(is_heir).and_then(|(name, page)| Some((name.as_str(), page.wanted.as_ref()?)));
    wanted(job).map(|wanted| (job, wanted)).or_else(renamed)
}

/// Whether a revision is in a family of the job's own, and of this source. Which family a job had taken over, no list tells a process that was
/// started since (docs/manifests.md).
fn is_left_by_us(revision: &Revision, shelf: &Shelf, job: &str) -> bool {
    let controller = &shelf.now.book.controller;
    let is_own = revision.family.strip_prefix(controller.prefix.as_str()) == Some(job);
    is_own && revision.tags.get("ecs-etl/source") == Some(&controller.source)
}

/// How many of the newest revisions of a job stay: the one that is pinned counts.
fn keep(shelf: &Shelf) -> usize {
    usize::try_from(shelf.now.book.controller.keep_revisions).unwrap_or(usize::MAX)
}

/// ACTIVE revisions of the job that are newer.
fn newer(mirror: &Mirror, key: &Key, revision: &Revision, identity: &str, job: &str) -> usize {
    let family = mirror.family(&key.0, &revision.family);
    let newer = family.into_iter().take_while(|other| other.number > revision.number);
    newer.filter(|other| other.active && is_ours(&other.tags, identity, job)).count()
}

fn marked_at(revision: &Revision) -> Option<Timestamp> {
    revision.tags.get(MARK)?.parse().ok()
}
