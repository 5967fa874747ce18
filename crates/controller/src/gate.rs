//! Counts how many existing jobs one pass over the manifests would change, and holds them all when `maxChanges` is exceeded.
//!
//! One edit of a shared default may reach every job. So with `maxChanges` set, changes wait until each job whose spec is new
//! has been looked at once; then they go together or are held together, as a set with a digest that a person can approve.

use std::collections::BTreeSet;

use ecs_etl_plan::changes::{self, Changes};
use ecs_etl_plan::prune::Held;
use ecs_etl_spec::name::{Digest, JobName};

use crate::context::Interrupted;

/// The count of one pass.
#[derive(Debug, Default)]
pub struct Gate {
    max: Option<u32>,
    approved: BTreeSet<Digest>,
    /// Jobs whose spec has not been looked at yet.
    unseen: BTreeSet<JobName>,
    /// Jobs that ask to be changed and may not yet.
    wanting: Changes,
    /// Jobs of this pass that may be changed.
    admitted: Changes,
    /// Those of them that have been.
    settled: BTreeSet<JobName>,
    /// Jobs that are being created: until that is done, what is still to do is no change.
    creating: Changes,
}

impl Gate {
    /// Begins a pass in which the specs of the `edited` jobs are new; any number of the `wanted` ones may change without `max`.
    ///
    /// What was held stays held, and what was admitted stays so until it is done: a set that was approved once is carried out,
    /// however long that takes.
    pub fn begin(&mut self, max: Option<u32>, edited: &BTreeSet<JobName>, wanted: impl Fn(&JobName) -> bool) {
        self.max = max;
        self.next_pass();
        self.unseen.retain(|job| wanted(job));
        self.unseen.extend(edited.iter().cloned());
        let unchanged = |job: &JobName| wanted(job) && !edited.contains(job);
        self.wanting.retain(|job, _| unchanged(job));
        self.admitted.retain(|job, _| unchanged(job));
        self.creating.retain(|job, _| unchanged(job));
    }

    /// Begins to count anew, for the repairs of the next resync.
    pub fn next_pass(&mut self) {
        let settled = std::mem::take(&mut self.settled);
        self.admitted.retain(|job, _| !settled.contains(job));
    }

    /// Digests of the sets that a person has released.
    pub fn approve(&mut self, approved: BTreeSet<Digest>) {
        self.approved = approved;
    }

    /// Whether jobs are still to be looked at, so that nobody knows how many would change.
    pub fn is_counting(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// A job was looked at, whatever came of it. True when it was the last, so that those that wait may be looked at again.
    pub fn seen(&mut self, job: &JobName) -> bool {
        self.unseen.remove(job) && self.unseen.is_empty()
    }

    /// A job has come to its end: it asks for nothing more.
    pub fn settled(&mut self, job: &JobName) {
        self.wanting.remove(job);
        self.creating.remove(job);
        if self.admitted.contains_key(job) {
            self.settled.insert(job.clone());
        }
    }

    /// A job is created with the spec of this digest, which is counted by nobody, however many tries it takes.
    pub fn creates(&mut self, job: &JobName, spec: &Digest) {
        self.creating.insert(job.clone(), spec.clone());
    }

    /// Asks to change an existing job to the spec with this digest.
    pub fn admit(&mut self, job: &JobName, spec: &Digest) -> Result<(), Interrupted> {
        if self.max.is_none() || [&self.admitted, &self.creating].iter().any(|known| known.get(job) == Some(spec)) {
            return Ok(());
        }
        self.wanting.insert(job.clone(), spec.clone());
        if self.unseen.iter().any(|other| other != job) {
            return Err(Interrupted::Counting);
        }
        match changes::hold(&self.wanting, &self.admitted, self.max, &self.approved) {
            Some(held) => Err(Interrupted::Held(held)),
            None => {
                self.admitted.append(&mut self.wanting);
                Ok(())
            }
        }
    }

    /// Jobs that wait for the count or for approval; after the count, those let go by it need another look.
    pub fn waiting(&self) -> BTreeSet<JobName> {
        let admitted = self.admitted.keys().filter(|job| !self.settled.contains(*job));
        self.wanting.keys().chain(admitted).cloned().collect()
    }

    /// How many jobs are counted, by the longest count.
    pub fn len(&self) -> usize {
        let Self { max: _, approved: _, unseen, wanting, admitted, settled, creating } = self;
        [unseen.len(), wanting.len(), admitted.len(), settled.len(), creating.len()].into_iter().max().unwrap_or(0)
    }

    /// What is held, once every job has been looked at.
    pub fn held(&self) -> Option<Held> {
        if self.is_counting() {
            return None;
        }
        changes::hold(&self.wanting, &self.admitted, self.max, &self.approved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs<const N: usize>(names: [&str; N]) -> BTreeSet<JobName> {
        names.into_iter().map(|name| JobName::new(name).unwrap()).collect()
    }

    fn ask(gate: &mut Gate, job: &str, spec: &str) -> Result<(), Interrupted> {
        let job = JobName::new(job).unwrap();
        let answer = gate.admit(&job, &Digest::of(spec.as_bytes()));
        gate.seen(&job);
        answer
    }

    fn settled(gate: &mut Gate, job: &str) {
        gate.settled(&JobName::new(job).unwrap());
    }

    /// Three jobs, all edited and counted; two may change.
    fn held() -> (Gate, Held) {
        let mut gate = Gate::default();
        let all = jobs(["a", "b", "c"]);
        gate.begin(Some(2), &all, |job| all.contains(job));
        assert_eq!(ask(&mut gate, "a", "new"), Err(Interrupted::Counting));
        assert_eq!(ask(&mut gate, "b", "new"), Err(Interrupted::Counting));
        let Err(Interrupted::Held(held)) = ask(&mut gate, "c", "new") else { panic!("not held") };
        assert_eq!(held.jobs, all);
        (gate, held)
    }

    #[test]
    fn an_edit_of_one_job_waits_for_no_other() {
        let mut gate = Gate::default();
        let all = jobs(["a", "b"]);
        gate.begin(Some(5), &all, |job| all.contains(job));
        assert_eq!(ask(&mut gate, "a", "1"), Err(Interrupted::Counting));
        assert_eq!(ask(&mut gate, "b", "1"), Ok(()));
        gate.begin(Some(5), &jobs(["a"]), |job| all.contains(job));
        assert_eq!(ask(&mut gate, "a", "2"), Ok(()));
    }

    #[test]
    fn what_is_left_of_a_creation_is_no_change() {
        let mut gate = Gate::default();
        let all = jobs(["a", "b"]);
        gate.begin(Some(0), &all, |job| all.contains(job));
        gate.creates(&JobName::new("a").unwrap(), &Digest::of(b"1"));
        assert_eq!(ask(&mut gate, "a", "1"), Ok(()));
        assert!(matches!(ask(&mut gate, "b", "1"), Err(Interrupted::Held(_))), "nobody created it just now");
        settled(&mut gate, "a");
        assert!(matches!(ask(&mut gate, "a", "1"), Err(Interrupted::Held(_))), "it exists");
        gate.creates(&JobName::new("a").unwrap(), &Digest::of(b"1"));
        gate.begin(Some(0), &jobs(["a"]), |job| all.contains(job));
        assert!(matches!(ask(&mut gate, "a", "2"), Err(Interrupted::Held(_))), "it is edited meanwhile");
    }

    #[test]
    fn an_edit_of_another_job_releases_nothing_that_is_held() {
        let (mut gate, _) = held();
        gate.begin(Some(2), &jobs(["d"]), |job| jobs(["a", "b", "c", "d"]).contains(job));
        assert!(matches!(ask(&mut gate, "d", "new"), Err(Interrupted::Held(held)) if held.jobs.len() == 4));
    }

    #[test]
    fn an_approved_set_is_carried_out_over_any_number_of_resyncs() {
        let (mut gate, held) = held();
        gate.approve([held.digest].into());
        assert_eq!(gate.held(), None);
        assert_eq!(ask(&mut gate, "a", "new"), Ok(()));
        settled(&mut gate, "a");
        gate.next_pass();
        gate.next_pass();
        assert_eq!(ask(&mut gate, "b", "new"), Ok(()));
        assert_eq!(gate.waiting(), jobs(["b", "c"]));
    }

    #[test]
    fn a_job_that_needs_no_change_any_more_is_not_counted() {
        let (mut gate, _) = held();
        settled(&mut gate, "c");
        assert_eq!(gate.held(), None);
        assert_eq!(ask(&mut gate, "a", "new"), Ok(()));
    }

    #[test]
    fn a_job_that_is_gone_is_not_waited_for() {
        let mut gate = Gate::default();
        gate.begin(Some(1), &jobs(["a", "b"]), |job| jobs(["a", "b"]).contains(job));
        gate.begin(Some(1), &jobs([]), |job| jobs(["a"]).contains(job));
        assert_eq!(ask(&mut gate, "a", "new"), Ok(()));
    }
}
