//! Jobs in AWS's terms, kept for as long as neither they nor what they are lowered with changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs_etl_plan::desired::{Desired, Identity};
use ecs_etl_spec::job::Job;
use ecs_etl_spec::name::{AccountId, Digest, JobName, Prefix};

/// What a job is lowered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Account that it is bound to.
    pub account: AccountId,
    /// Whose it is.
    pub identity: Identity,
    /// What its names start with.
    pub prefix: Prefix,
}

/// So many are kept. One lowering takes a twentieth of a millisecond and some ten kilobytes, so of very many it is better to
/// lower them again once in a resync than to keep them all.
const MOST: usize = 128;

/// The latest lowering of some jobs. Losing it costs time, never safety.
#[derive(Debug, Default)]
pub struct Lowered(BTreeMap<JobName, Entry>);

#[derive(Debug)]
struct Entry {
    spec: Digest,
    terms: Terms,
    desired: Arc<Desired>,
}

impl Lowered {
    /// The job as it was lowered before, if the same would come of it again.
    pub fn get(&self, job: &Job, terms: &Terms) -> Option<Arc<Desired>> {
        let Entry { spec, terms: of, desired } = self.0.get(&job.name)?;
        (*spec == job.digest && of == terms).then(|| Arc::clone(desired))
    }

    /// Keeps what a job was lowered to, unless the time has a say in it.
    pub fn keep(&mut self, job: &Job, terms: Terms, desired: &Arc<Desired>) {
        if desired.hangs_on_time() {
            self.0.remove(&job.name);
        } else {
            if self.0.len() >= MOST && !self.0.contains_key(&job.name) {
                self.0.pop_first();
            }
            let entry = Entry { spec: job.digest.clone(), terms, desired: Arc::clone(desired) };
            self.0.insert(job.name.clone(), entry);
        }
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets the jobs that are not wanted any more.
    pub fn retain(&mut self, wanted: impl Fn(&JobName) -> bool) {
        self.0.retain(|job, _| wanted(job));
    }
}
