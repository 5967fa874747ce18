//! Who may work now. A job is worked on by one worker at a time, whichever of its keys that is; and each place has a bounded
//! number of workers, so that one that does not answer takes none from the others.

use std::collections::{BTreeMap, BTreeSet};

use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::JobName;

use crate::queue::Urgency;

/// Reconciles in flight at once in one place. Reads wait for their budget inside; this bounds memory and connections.
const PER_PLACE: usize = 16;

/// What a key needs while it is worked on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// A worker of this place.
    pub place: Option<Place>,
    /// These jobs for itself.
    pub jobs: BTreeSet<JobName>,
}

/// Keys at work, and those that wait for one of them to be through.
#[derive(Debug)]
pub struct Slots<K> {
    working: BTreeMap<K, Needs>,
    /// Jobs of the keys at work.
    jobs: BTreeSet<JobName>,
    /// How many keys are at work in each place.
    places: BTreeMap<Place, usize>,
    /// Keys that wait for a worker of a place, the most urgent first.
    waiting_for_place: BTreeMap<Place, BTreeSet<(Urgency, K)>>,
    /// Keys that wait for another key of the same job.
    waiting_for_job: BTreeMap<JobName, BTreeMap<K, Urgency>>,
}

impl<K> Default for Slots<K> {
    /// Nobody works, nobody waits.
    fn default() -> Self {
        Self {
            working: BTreeMap::new(),
            jobs: BTreeSet::new(),
            places: BTreeMap::new(),
            waiting_for_place: BTreeMap::new(),
            waiting_for_job: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Slots<K> {
    /// Lets `key` work; or notes that it waits, and [`free`](Self::free) will name it.
    #[must_use = "a key that may not work waits"]
    pub fn take(&mut self, key: &K, needs: Needs, urgency: Urgency) -> bool {
        if let Some(busy) = needs.jobs.iter().find(|job| self.jobs.contains(*job)) {
            let waiting = self.waiting_for_job.entry(busy.clone()).or_default();
            let earlier = waiting.entry(key.clone()).or_insert(urgency);
            *earlier = urgency.min(*earlier);
            return false;
        }
        if let Some(place) = &needs.place {
            let working = self.places.entry(place.clone()).or_default();
            if *working >= PER_PLACE {
                self.waiting_for_place.entry(place.clone()).or_default().insert((urgency, key.clone()));
                return false;
            }
            *working += 1;
        }
        self.jobs.extend(needs.jobs.iter().cloned());
        self.working.insert(key.clone(), needs);
        true
    }

    /// How many keys are at work, or wait for one that is.
    pub fn len(&self) -> usize {
        let for_place: usize = self.waiting_for_place.values().map(BTreeSet::len).sum();
        let for_job: usize = self.waiting_for_job.values().map(BTreeMap::len).sum();
        self.working.len() + for_place + for_job
    }

    /// `key` is through.
    pub fn give_back(&mut self, key: &K) {
        let Some(needs) = self.working.remove(key) else { return };
        for job in &needs.jobs {
            self.jobs.remove(job);
        }
        if let Some(working) = needs.place.and_then(|place| self.places.get_mut(&place)) {
            *working = working.saturating_sub(1);
        }
    }

    /// Keys that waited and may ask again now. Each is named once: it asks again, or needs nothing any more.
    pub fn free(&mut self) -> Vec<(K, Urgency)> {
        let mut free = Vec::new();
        let Self { working: _, jobs, places, waiting_for_place, waiting_for_job } = self;
        waiting_for_job.retain(|job, waiting| {
            let busy = jobs.contains(job);
            if !busy {
                free.extend(std::mem::take(waiting));
            }
            busy
        });
        waiting_for_place.retain(|place, waiting| {
            let room = PER_PLACE.saturating_sub(places.get(place).copied().unwrap_or(0));
            free.extend((0..room).map_while(|_| waiting.pop_first()).map(|(urgency, key)| (key, urgency)));
            !waiting.is_empty()
        });
        places.retain(|_, working| *working > 0);
        free
    }
}

#[cfg(test)]
mod tests {
    use ecs_etl_spec::name::Region;

    use super::*;

    fn needs(region: &str, jobs: &[&str]) -> Needs {
        let place = Place { region: Region::new(region).unwrap(), assume_role_arn: None, external_id: None };
        Needs { place: Some(place), jobs: jobs.iter().map(|job| JobName::new(*job).unwrap()).collect() }
    }

    #[test]
    fn a_place_that_is_full_keeps_its_own_waiting_and_nobody_else() {
        let mut slots = Slots::default();
        for index in 0..PER_PLACE {
            assert!(slots.take(&index, needs("eu-west-1", &[]), Urgency::Drift));
        }
        assert!(!slots.take(&100, needs("eu-west-1", &[]), Urgency::Drift));
        assert!(!slots.take(&200, needs("eu-west-1", &[]), Urgency::Edit));
        assert!(slots.take(&300, needs("us-east-1", &[]), Urgency::CleanUp));
        assert_eq!(slots.free(), []);
        slots.give_back(&0);
        assert_eq!(slots.free(), [(200, Urgency::Edit)], "the most urgent first");
        // It turned out to need nothing: the place is free for the next.
        assert_eq!(slots.free(), [(100, Urgency::Drift)]);
    }

    #[test]
    fn a_job_has_one_worker_whichever_key_brings_it() {
        let mut slots = Slots::default();
        assert!(slots.take(&"job", needs("eu-west-1", &["a", "former"]), Urgency::Edit));
        assert!(!slots.take(&"orphan", needs("us-east-1", &["former"]), Urgency::Drift));
        assert!(slots.take(&"other", needs("eu-west-1", &["b"]), Urgency::Drift));
        assert_eq!(slots.free(), []);
        slots.give_back(&"job");
        assert_eq!(slots.free(), [("orphan", Urgency::Drift)]);
        assert!(slots.take(&"orphan", needs("us-east-1", &["former"]), Urgency::Drift));
    }
}
