//! Whose tags are read again after a sweep. Nothing but reading them shows that somebody took one off, and a resync that read them all
//! would take twice the calls.

use std::collections::BTreeMap;
use std::time::Duration;

use ecs_etl_spec::name::Family;
use jiff::Timestamp;

/// How many resyncs pass before a job's turn comes again, so that ⌈N/20⌉ reads a resync verify them all.
const TAG_ROTATION: usize = 20;

/// What bears the tags that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tagged {
    /// The rules of a job.
    Rules,
    /// Its revisions.
    Revisions,
}

impl Tagged {
    fn other(self) -> Self {
        match self {
            Self::Rules => Self::Revisions,
            Self::Revisions => Self::Rules,
        }
    }
}

/// The turns of a place's jobs.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    /// The number of the last sweep.
    sweep: Option<usize>,
    /// After which sweep each family is due, and what is read then.
    turns: BTreeMap<Family, (usize, Tagged)>,
}

impl Rotation {
    /// Whose turn it is after a sweep that began then, by their index among the `families` of all jobs: a twentieth of them, those that
    /// have waited for the longest.
    ///
    /// Sweeps are counted, and the number of a process's first is told by the clock on the wall: counted from none, only the first few
    /// turns would come where no process lives for long.
    pub fn next(&mut self, families: &[&Family], at: Timestamp, resync: Duration) -> Vec<(usize, Tagged)> {
        let by_the_clock = || usize::try_from(at.as_second()).unwrap_or_default() / resync.as_secs().max(1) as usize;
        let sweep = self.sweep.map_or_else(by_the_clock, |last| last + 1);
        self.sweep = Some(sweep);
        let mut before = std::mem::take(&mut self.turns);
        let mut due = Vec::new();
        for (index, family) in families.iter().copied().enumerate() {
            // Of a job that is new to the process the tags of its revisions are read, and those of its rules taken for granted.
            let first = || (sweep + (index + TAG_ROTATION - sweep % TAG_ROTATION) % TAG_ROTATION, Tagged::Rules);
            let (family, turn) = before.remove_entry(family).unwrap_or_else(|| (family.clone(), first()));
            if turn.0 <= sweep {
                due.push((turn.0, index));
            }
            self.turns.insert(family, turn);
        }
        due.sort_unstable();
        due.truncate(families.len().div_ceil(TAG_ROTATION));
        let mut taken = Vec::new();
        for (_, index) in due {
            let Some((due, tagged)) = families.get(index).and_then(|family| self.turns.get_mut(*family)) else {
                continue;
            };
            taken.push((index, *tagged));
            (*due, *tagged) = (sweep + TAG_ROTATION, tagged.other());
        }
        taken
    }

    /// How many jobs have turns.
    pub fn len(&self) -> usize {
        self.turns.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESYNC: Duration = Duration::from_secs(600);

    fn families(jobs: usize) -> Vec<Family> {
        (0..jobs).map(|job| Family::new(format!("etl-{job:03}")).unwrap()).collect()
    }

    fn at(resyncs: usize) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(RESYNC * u32::try_from(resyncs).unwrap()).unwrap()
    }

    /// Whose turn it is after a sweep of some, of whom only those that are still wanted are.
    fn turn(rotation: &mut Rotation, families: &[Family], sweep: usize) -> Vec<(Family, Tagged)> {
        let families: Vec<&Family> = families.iter().collect();
        let turns = rotation.next(&families, at(sweep), RESYNC);
        assert!(turns.len() <= families.len().div_ceil(TAG_ROTATION), "{} of {}", turns.len(), families.len());
        turns.into_iter().map(|(index, tagged)| (families[index].clone(), tagged)).collect()
    }

    #[test]
    fn each_job_has_one_turn_in_twenty_resyncs_by_turns_for_its_rules_and_its_revisions() {
        for jobs in [1, 19, 20, 23, 107] {
            let families = families(jobs);
            let mut rotation = Rotation::default();
            for tagged in [Tagged::Rules, Tagged::Revisions, Tagged::Rules] {
                let mut seen: Vec<_> = (0..20).flat_map(|sweep| turn(&mut rotation, &families, 7 + sweep)).collect();
                seen.sort_by(|one, other| one.0.cmp(&other.0));
                let expected: Vec<_> = families.iter().map(|family| (family.clone(), tagged)).collect();
                assert_eq!(seen, expected);
            }
        }
    }

    #[test]
    fn the_tags_of_rules_are_read_in_twenty_resyncs_however_short_processes_live() {
        let families = families(20);
        for life in 1..=25 {
            let mut rotation = Rotation::default();
            let mut seen = Vec::new();
            for sweep in 0..20 {
                if sweep % life == 0 {
                    rotation = Rotation::default();
                }
                seen.extend(turn(&mut rotation, &families, sweep));
            }
            assert!(seen.iter().all(|(_, tagged)| *tagged == Tagged::Rules));
            assert_eq!(
                seen.into_iter().map(|(family, _)| family).collect::<Vec<_>>(),
                families,
                "{life} resyncs a process"
            );
        }
    }

    #[test]
    fn jobs_that_come_and_go_keep_nobody_waiting() {
        let all = families(200);
        let mut rotation = Rotation::default();
        let mut last = BTreeMap::new();
        for sweep in 0..100 {
            // The first goes before each, and every other time one comes that is the first from then on.
            let families = &all[100 - sweep % 2 * 40 - sweep / 4..];
            for (family, _) in turn(&mut rotation, families, sweep) {
                last.insert(family, sweep);
            }
            let is_late = |family: &Family| last.get(family).is_none_or(|last| sweep - last > 20);
            assert!(sweep < 20 || !all[100..].iter().any(is_late), "{sweep}");
        }
    }

    #[test]
    fn a_clock_before_1970_and_no_resync_at_all_give_a_turn() {
        let before = Timestamp::UNIX_EPOCH.checked_sub(RESYNC).unwrap();
        let families = families(1);
        let turns = Rotation::default().next(&[&families[0]], before, Duration::ZERO);
        assert_eq!(turns, [(0, Tagged::Rules)]);
    }
}
