//! Whose tags are read again after a sweep. Nothing but reading them shows that somebody took one off, and a resync that read them all
//! would take twice the calls.

use std::time::Duration;

use jiff::Timestamp;

/// How many resyncs pass before a job's turn comes again, so that ⌈N/20⌉ reads a resync verify them all.
pub(super) const TAG_ROTATION: u64 = 20;

/// What bears the tags that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tagged {
    /// The rules of a job.
    Rules,
    /// Its revisions.
    Revisions,
}

/// The turn of those jobs whose place in the order of all of a place's is this one's, modulo [`TAG_ROTATION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    remainder: u64,
    tagged: Tagged,
}

impl Turn {
    /// The turn after the last of `sweeps` sweeps of a process. Within a process turns are counted; the first is told by the clock on the
    /// wall, or none but the first few would come where no process lives for long.
    pub(super) fn after(sweeps: u64, first_sweep: Timestamp, resync: Duration) -> Self {
        let since_first = sweeps.saturating_sub(1);
        let seconds = u64::try_from(first_sweep.as_second()).unwrap_or_default();
        let first = seconds / resync.as_secs().max(1);
        // A process that is new has read the tags of the revisions, and takes those of the rules for granted.
        let is_of_rules = (since_first / TAG_ROTATION).is_multiple_of(2);
        let tagged = if is_of_rules { Tagged::Rules } else { Tagged::Revisions };
        Self { remainder: (first + since_first) % TAG_ROTATION, tagged }
    }

    /// What is read again of the job that so many others of its place come before.
    pub fn of(self, before: usize) -> Option<Tagged> {
        let before = u64::try_from(before).unwrap_or_default();
        (before % TAG_ROTATION == self.remainder).then_some(self.tagged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESYNC: Duration = Duration::from_secs(600);

    fn at(resyncs: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH.checked_add(RESYNC * u32::try_from(resyncs).unwrap()).unwrap()
    }

    fn read(turns: impl Iterator<Item = Turn>, job: usize, tagged: Tagged) -> usize {
        turns.filter(|turn| turn.of(job) == Some(tagged)).count()
    }

    #[test]
    fn each_job_has_one_turn_in_twenty_resyncs_and_each_turn_no_more_than_a_twentieth_of_the_jobs() {
        for jobs in [1, 19, 20, 23, 107] {
            let turns = || (1..=2 * TAG_ROTATION).map(|sweeps| Turn::after(sweeps, at(7), RESYNC));
            for job in 0..jobs {
                assert_eq!(read(turns(), job, Tagged::Rules), 1);
                assert_eq!(read(turns(), job, Tagged::Revisions), 1);
            }
            for turn in turns() {
                assert!((0..jobs).filter(|job| turn.of(*job).is_some()).count() <= jobs.div_ceil(20));
            }
        }
    }

    #[test]
    fn the_tags_of_rules_are_read_in_twenty_resyncs_however_short_processes_live() {
        for life in 1..=25 {
            let turns =
                || (0..TAG_ROTATION).map(|resync| Turn::after(1 + resync % life, at(resync - resync % life), RESYNC));
            for job in 0..20 {
                assert_eq!(read(turns(), job, Tagged::Rules), 1, "job {job}, {life} resyncs a process");
            }
        }
    }

    #[test]
    fn a_clock_before_1970_and_no_resync_at_all_give_a_turn() {
        let before = Timestamp::UNIX_EPOCH.checked_sub(RESYNC).unwrap();
        assert_eq!(Turn::after(1, before, Duration::ZERO).of(0), Some(Tagged::Rules));
    }
}
