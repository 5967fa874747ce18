//! The documents of jobs, one at a time: what is kept of each is its job, or why it has none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::load::Loader;
use super::{Blocked, BlockedReason};
use crate::document::Document;
use crate::finding::Findings;
use crate::job::Job;
use crate::manifest::MOVED_FROM;
use crate::name::JobName;
use crate::resolve::{self, Context, Refused};
use crate::shapes::{Packed, RunTask};
use crate::yaml::Mark;

/// Jobs by their fate.
#[derive(Default)]
pub(super) struct Jobs {
    pub valid: BTreeMap<JobName, Arc<Job>>,
    /// Those that at least have a name.
    pub blocked: BTreeMap<JobName, Blocked>,
    /// Where valid jobs say what they moved from.
    pub moved_at: BTreeMap<JobName, Mark>,
    /// Where valid jobs say what they start after.
    pub after_at: BTreeMap<JobName, Mark>,
    /// Where valid jobs say what they take over.
    pub adopt_at: BTreeMap<JobName, Mark>,
    /// Every document that has a name, by that.
    pub said: BTreeMap<String, Vec<Said>>,
    /// What many jobs say alike is kept once.
    shared: Shared,
}

/// What valid jobs were found to say.
#[derive(Default)]
struct Shared {
    texts: BTreeSet<Arc<BTreeMap<String, String>>>,
    runs: BTreeMap<String, Packed<RunTask>>,
}

impl Shared {
    /// The job, with what an earlier one says alike taken from that one: teams label their jobs alike, and start them alike.
    fn share(&mut self, mut job: Job) -> Job {
        for texts in [&mut job.tags, &mut job.labels] {
            match self.texts.get(texts) {
                Some(known) => *texts = Arc::clone(known),
                None => drop(self.texts.insert(Arc::clone(texts))),
            }
        }
        match self.runs.get(job.run_task.as_json()) {
            Some(known) => job.run_task = known.clone(),
            None => drop(self.runs.insert(job.run_task.as_json().to_owned(), job.run_task.clone())),
        }
        job
    }
}

/// Where a document stands, its name in it, and what it says the job was called before.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    at: Mark,
    name_at: Mark,
    moved_from: Option<JobName>,
}

/// What a document says its job was called before, whatever else it says.
fn moved_from(document: &Document) -> Option<JobName> {
    let annotations = document.root.get("metadata")?.get("annotations")?;
    JobName::new(annotations.get(MOVED_FROM)?.text()?).ok()
}

impl Loader<'_> {
    /// Resolves one document.
    pub(super) fn job(&mut self, mut document: Document, context: &Context<'_>, jobs: &mut Jobs) {
        let origin = self.origin_at(document.at());
        let moved_from = moved_from(&document);
        if let Some(name) = &document.name {
            let name_at = document.at_path(&["metadata", "name"]);
            let said = Said { at: document.at(), name_at, moved_from: moved_from.clone() };
            jobs.said.entry(name.clone()).or_default().push(said);
        }
        let result = if document.settled {
            resolve::job(&mut document, origin.clone(), context)
        } else {
            let message = document.findings.summary().unwrap_or_default();
            Err(Refused { reason: BlockedReason::InvalidSpec, message })
        };
        let name = document.name.as_deref().and_then(|name| JobName::new(name).ok());
        match (result, name) {
            (Ok(job), _) => {
                let note = |places: &mut BTreeMap<JobName, Mark>, is_said: bool, path: &[&str]| {
                    if is_said {
                        places.insert(job.name.clone(), document.at_path(path));
                    }
                };
                note(&mut jobs.moved_at, job.moved_from.is_some(), &["metadata", "annotations", MOVED_FROM]);
                note(&mut jobs.after_at, !job.after.is_empty(), &["spec", "after"]);
                note(&mut jobs.adopt_at, !job.adopt.is_empty(), &["spec", "adopt"]);
                let job = jobs.shared.share(job);
                jobs.valid.insert(job.name.clone(), Arc::new(job));
            }
            (Err(Refused { reason, message }), Some(name)) => {
                let blocked = jobs.blocked.entry(name);
                let blocked = blocked.or_insert(Blocked { reason, message, origin, moved_from: BTreeSet::new() });
                blocked.moved_from.extend(moved_from);
            }
            (Err(_), None) => self.unreadable(&origin.file, document.findings.summary()),
        }
        self.report(document.findings, document.name.as_deref());
    }

    /// Blocks the jobs that several documents lay claim to.
    pub(super) fn duplicates(&mut self, jobs: &mut Jobs) {
        for (name, said) in jobs.said.iter_mut().filter(|(_, said)| said.len() > 1) {
            said.sort();
            for place in said.iter() {
                let Some(other) = said.iter().find(|other| *other != place) else { continue };
                let message = format!("two EtlJobs have this name; the other is at {}", self.place(other.at));
                let mut findings = Findings::default();
                findings.error(place.name_at, "metadata.name", message.clone(), None);
                self.report(findings, Some(name));
                let Ok(name) = JobName::new(name.as_str()) else { continue };
                jobs.valid.remove(&name);
                // The first of them speaks for all.
                if said.first() == Some(place) {
                    let (reason, origin) = (BlockedReason::DuplicateName, self.origin_at(place.at));
                    let moved_from = said.iter().filter_map(|said| said.moved_from.clone()).collect();
                    jobs.blocked.insert(name, Blocked { reason, message, origin, moved_from });
                }
            }
        }
    }
}
