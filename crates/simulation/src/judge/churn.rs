//! Promise 4: what is there already is not registered again.

use super::{Finding, Sight};
use crate::fault;
use crate::mirror::{Changed, belongs_to};
use crate::story::Crew;

/// How far apart two processes of one identity may be in what they know, in milliseconds.
const TWINS: i64 = 60_000;

/// The oracle.
#[derive(Debug)]
pub(crate) struct Churn;

impl Churn {
    pub fn check(&self, changed: &Changed, sight: Sight<'_>) -> Finding {
        let Sight { millis, process, mirror, books, rules } = sight;
        let Changed::Revision(key, None, Some(made)) = changed else { return None };
        if rules.crew == Crew::Rivals || rules.lists_lie {
            return None;
        }
        let identity = books.identity(process);
        let spec = made.tags.get("ecs-etl/spec");
        if spec.is_none() {
            return Some(format!("revision {} was registered without the digest of its spec", key.1));
        }
        let keep = books.of_process(process).map_or(0, |shelf| shelf.now.book.controller.keep_revisions);
        let window = usize::try_from(keep).unwrap_or(usize::MAX).saturating_add(1);
        let earlier =
            mirror.family(&key.0, &made.family).into_iter().filter(|other| other.active && other.number != made.number);
        let same = earlier.take(window).find(|other| {
            belongs_to(&other.tags, identity)
                && other.tags.get("ecs-etl/job") == made.tags.get("ecs-etl/job")
                && other.tags.get("ecs-etl/spec") == spec
        })?;
        let race = if rules.crew == Crew::Twins { TWINS } else { 0 };
        let age = rules.at(millis).duration_since(same.made_at).as_millis();
        let unseen = i64::try_from(age).unwrap_or(i64::MAX) <= rules.list_lag + race + fault::LONGEST;
        let excused = unseen && (rules.list_lag > 0 || race > 0);
        (!excused)
            .then(|| format!("revision {} repeats {}:{}, which was registered before", key.1, same.family, same.number))
    }
}
