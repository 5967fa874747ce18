//! The first mark of retirement on a family that a job leaves behind.

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::Family;
use jiff::Timestamp;

use super::draft::Draft;
use super::stop::{Asks, Stop};
use super::survey::{Old, Superseded, Survey, mark};
use crate::desired::Desired;
use crate::observed::{Look, Observed, RevisionArn};
use crate::step::{Action, Because};
use crate::tags::{self, Tags};

/// A revision that no schedule will pin any more.
pub(crate) struct Retired {
    elsewhere: Option<Place>,
    revision: RevisionArn,
}

/// The newest revision of each family that a move leaves behind, if it is ours and not marked yet. Older ones are left to
/// clean-up.
pub(crate) fn former(desired: &Desired, observed: &Observed, survey: &Survey<'_>) -> Result<Vec<Retired>, Stop> {
    let mut asks = Asks::default();
    let mut retired = Vec::new();
    let mut homes: Vec<(Option<&Place>, &Family)> = survey.old.iter().filter_map(left_behind).collect();
    homes.sort_unstable();
    homes.dedup();
    for (place, family) in homes {
        let seen = match place {
            None => Some(observed),
            Some(place) => observed.elsewhere.iter().find(|(other, _)| other == place).map(|(_, seen)| seen),
        };
        let Some(seen) = seen else { continue };
        let look = || Look::Active(family.clone());
        let what = || format!("the revisions of family {family}");
        let Some(active) = asks.fact(seen.active.get(family), place, look, what) else { continue };
        let Some(newest) = active.first() else { continue };
        let (look, what) = (|| Look::Revision(newest.clone()), || format!("revision {newest}"));
        let Some(Some(revision)) = asks.fact(seen.revisions.get(newest), place, look, what) else { continue };
        if is_ours(desired, family, &revision.tags) && !revision.tags.contains_key(tags::RETIRED_AT) {
            retired.push(Retired { elsewhere: place.cloned(), revision: newest.clone() });
        }
    }
    asks.settled()?;
    Ok(retired)
}

/// Whether a revision of a family that is left behind is the job's. An adopted family is called after no name of the job, so its
/// revisions may bear the mark of either.
fn is_ours(desired: &Desired, family: &Family, tags: &Tags) -> bool {
    let former = desired.moved_from.as_ref();
    if desired.adoption.takes_family(family.as_str()) {
        return mark(desired, None).is_on(tags) || former.is_some_and(|old| mark(desired, Some(old)).is_on(tags));
    }
    mark(desired, former.filter(|old| old.family == *family)).is_on(tags)
}

fn left_behind<'a>(old: &Old<'a>) -> Option<(Option<&'a Place>, &'a Family)> {
    match old.why {
        Superseded::Schedule => None,
        Superseded::Move(family) => Some((old.elsewhere, family)),
    }
}

/// Marks it.
pub(crate) fn tag(retired: &Retired, now: Timestamp, draft: &mut Draft<'_>) {
    let action = Action::TagRevision { revision: retired.revision.clone(), tags: retired_at(now) };
    let why = "no schedule pins it any more".to_owned();
    draft.push_in(retired.elsewhere.as_ref(), action, Because::Note(why));
}

/// The retirement tag: since now, to the second.
pub(crate) fn retired_at(now: Timestamp) -> Tags {
    Tags::from([(tags::RETIRED_AT.to_owned(), format!("{now:.0}"))])
}
