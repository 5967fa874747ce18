//! From files to a [`Directory`].

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::again::{self, Earlier, Standing};
use super::jobs::Jobs;
use super::{Directory, File, across, adoptions, chains};
use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{self, Document, Sorted};
use crate::fill_in;
use crate::finding::Findings;
use crate::job::{Controller, Job, Origin};
use crate::manifest::Kind;
use crate::name::ClusterName;
use crate::resolve::{self, Context, Known};
use crate::yaml::{self, Limits, Mark};

/// Loads a directory's files. What is wrong with one document does not stop the others.
///
/// `now` only tells schedules whose last run is over, for a warning: whether a manifest is valid does not depend on it.
pub fn load(files: &[File<'_>], now: Timestamp) -> Directory {
    load_within(files, now, Limits::default())
}

/// [`load`] of a directory that was read before: what has not changed, and is plain, is taken as it was. The same comes of it.
pub fn load_next(files: &[File<'_>], earlier: Earlier<'_>, now: Timestamp) -> Directory {
    let standing = earlier.standing();
    if standing.jobs.is_empty() {
        return load(files, now);
    }
    let (next, fits) = read_all(files, now, Limits::default(), &standing);
    if fits && earlier.is_framed_by(&next) { next } else { load(files, now) }
}

/// [`load`] with budgets of one's own for each file.
pub fn load_within(files: &[File<'_>], now: Timestamp, limits: Limits) -> Directory {
    read_all(files, now, limits, &Standing::default()).0
}

/// Reads all files but those whose job stands. False if a job that stands is said elsewhere too.
fn read_all(files: &[File<'_>], now: Timestamp, limits: Limits, standing: &Standing<'_>) -> (Directory, bool) {
    let mut sorted: Vec<&File<'_>> = files.iter().collect();
    sorted.sort_by_key(|file| file.path);
    let paths: Vec<&str> = sorted.iter().map(|file| file.path).collect();
    let unread: Vec<Unread<'_>> = (0..).zip(sorted).filter(|(_, file)| !standing.files.contains(file.path)).collect();
    // What jobs hang on is read first: then the others need not all be held. The trees of ten thousand files take a hundred times
    // the room of what comes of them.
    let (first, others): (Vec<_>, Vec<_>) = unread.iter().partition(|(_, file)| holds(file.bytes, FRAME));
    let (read, complete) = Loader::new(&paths, limits).directory(&first, &others, now, standing);
    if complete {
        return read;
    }
    // One of the others says what jobs hang on after all, in a spelling of its own.
    Loader::new(&paths, limits).directory(&unread, &[], now, standing).0
}

/// A file that is to be read, and its index among all of them.
type Unread<'f> = (u32, &'f File<'f>);

/// What the kinds of documents that jobs hang on begin with.
const FRAME: &str = "EtlC";

/// Documents of ours by kind, in the order of their files.
#[derive(Default)]
struct Read {
    jobs: Vec<Document>,
    clusters: Vec<Document>,
    controllers: Vec<Document>,
}

/// Where findings are gathered.
pub(super) struct Loader<'f> {
    files: &'f [&'f str],
    limits: Limits,
    diagnostics: Vec<Diagnostic>,
    unreadable: BTreeMap<String, String>,
    /// A file that could not be understood and may hold the EtlController.
    suspect: Option<String>,
}

impl<'f> Loader<'f> {
    fn new(files: &'f [&'f str], limits: Limits) -> Self {
        Self { files, limits, diagnostics: Vec::new(), unreadable: BTreeMap::new(), suspect: None }
    }

    /// What the files say, those of `others` one after the other. Not complete if what jobs hang on turns up among those; and
    /// whether no job that stands is said elsewhere too.
    fn directory(
        mut self,
        first: &[Unread<'_>],
        others: &[Unread<'_>],
        now: Timestamp,
        standing: &Standing<'_>,
    ) -> ((Directory, bool), bool) {
        let mut read = Read::default();
        first.iter().for_each(|file| self.read(*file, &mut read));
        let (controller, controller_problem) = self.controller(read.controllers);
        let (clusters, broken) = self.clusters(read.clusters);
        let context = Context { clusters: &clusters, broken: &broken, prefix: &controller.prefix, now };
        let mut all = Jobs::default();
        read.jobs.into_iter().for_each(|document| self.job(document, &context, &mut all));
        let mut complete = true;
        for file in others {
            let mut read = Read::default();
            self.read(*file, &mut read);
            complete &= read.clusters.is_empty() && read.controllers.is_empty();
            if !complete {
                break;
            }
            read.jobs.into_iter().for_each(|document| self.job(document, &context, &mut all));
        }
        self.duplicates(&mut all);
        let fits = !again::clashes(standing, &all.said);
        let Jobs { valid: mut jobs, mut blocked, moved_at, after_at, adopt_at, .. } = all;
        again::add(standing, &mut jobs);
        across::moves(&mut jobs, &mut blocked, &moved_at, &mut self.diagnostics);
        adoptions::adoptions(&mut jobs, &mut blocked, &controller.prefix, &adopt_at, &mut self.diagnostics);
        chains::chains(&mut jobs, &mut blocked, &after_at, &mut self.diagnostics);
        across::quotas(&jobs, &mut self.diagnostics);
        self.diagnostics.sort();
        let directory = Directory {
            jobs,
            blocked,
            clusters: clusters.into_iter().map(|(name, known)| (name, known.cluster)).collect(),
            controller,
            controller_problem,
            diagnostics: self.diagnostics,
            unreadable: self.unreadable,
        };
        ((directory, fits), complete)
    }

    fn read(&mut self, (index, file): Unread<'_>, read: &mut Read) {
        let stream = yaml::read(index, file.bytes, self.limits);
        for document in stream.documents {
            match document::sort(document) {
                Sorted::Ours(mut document) => {
                    fill_in::check(&document.root, &mut document.findings);
                    if !document.clear {
                        self.unreadable(file.path, document.findings.summary());
                    }
                    match document.kind {
                        Kind::Job => read.jobs.push(document),
                        Kind::Cluster => read.clusters.push(document),
                        Kind::Controller => read.controllers.push(document),
                    }
                }
                Sorted::Foreign(findings) => self.report(findings, None),
                Sorted::Unclear(findings) => {
                    self.unreadable(file.path, findings.summary());
                    self.report(findings, None);
                }
            }
        }
        if let Some(fault) = stream.fault {
            self.unreadable(file.path, Some(fault.message.clone()));
            let mut findings = Findings::default();
            findings.error(fault.at, "", fault.message, fault.help);
            self.report(findings, None);
        }
        if self.unreadable.contains_key(file.path) && holds(file.bytes, CONTROLLER) {
            self.suspect.get_or_insert(file.path.to_owned());
        }
    }

    pub(super) fn unreadable(&mut self, path: &str, why: Option<String>) {
        self.unreadable.entry(path.to_owned()).or_insert_with(|| why.unwrap_or_default());
    }

    pub(super) fn report(&mut self, findings: Findings, job: Option<&str>) {
        let files = &self.files;
        let file = |index: u32| files.get(index as usize).copied().unwrap_or_default().to_owned();
        self.diagnostics.extend(findings.into_diagnostics(job, file));
    }

    fn file(&self, at: Mark) -> &str {
        self.files.get(at.file as usize).copied().unwrap_or_default()
    }

    fn origin(&self, document: &Document) -> Origin {
        self.origin_at(document.at())
    }

    pub(super) fn origin_at(&self, at: Mark) -> Origin {
        Origin { file: self.file(at).to_owned(), line: at.line }
    }

    /// The controller, and why nothing may be written if there is no single valid one.
    fn controller(&mut self, documents: Vec<Document>) -> (Controller, Option<String>) {
        if let (true, Some(file)) = (documents.is_empty(), &self.suspect) {
            let problem = format!("{file} cannot be understood, and may hold the EtlController");
            return (Controller::default(), Some(problem));
        }
        let count = documents.len();
        let places: Vec<String> = documents.iter().map(|document| self.place(document.at())).collect();
        let mut controller = None;
        let mut problem = None;
        for (index, mut document) in documents.into_iter().enumerate() {
            if count > 1 {
                let other = if index == 0 { places.get(1) } else { places.first() };
                let message =
                    format!("there are {count} EtlControllers; another is at {}", other.cloned().unwrap_or_default());
                document.findings.error(document.at(), "", message, Some("keep one".to_owned()));
            }
            let origin = self.origin(&document);
            let valid = if document.settled { resolve::controller(&mut document, origin) } else { None };
            if document.findings.has_errors() {
                let why = document.findings.summary().unwrap_or_default();
                problem.get_or_insert(format!("EtlController at {}: {why}", self.place(document.at())));
            } else {
                controller = valid;
            }
            self.report(document.findings, None);
        }
        (controller.filter(|_| problem.is_none()).unwrap_or_default(), problem)
    }

    pub(super) fn place(&self, at: Mark) -> String {
        format!("{}:{}", self.file(at), at.line)
    }

    /// Valid clusters, and for the others why they are not.
    fn clusters(&mut self, documents: Vec<Document>) -> (BTreeMap<ClusterName, Known>, BTreeMap<String, String>) {
        let twice = self.twice(&documents);
        let (mut clusters, mut broken) = (BTreeMap::new(), BTreeMap::new());
        for (mut document, twice) in documents.into_iter().zip(twice) {
            if let Some(other) = twice {
                let message = format!("two EtlClusters have this name; the other is at {other}");
                document.findings.error(document.at_path(&["metadata", "name"]), "metadata.name", message, None);
            }
            let origin = self.origin(&document);
            let known = if document.settled { resolve::cluster(&mut document, origin) } else { None };
            match (known, document.findings.summary()) {
                (Some(known), None) => {
                    clusters.insert(known.cluster.name.clone(), known);
                }
                (_, why) => {
                    if let Some(name) = &document.name {
                        let why = format!("{}: {}", self.place(document.at()), why.unwrap_or_default());
                        broken.entry(name.clone()).or_insert(why);
                    }
                }
            }
            self.report(document.findings, None);
        }
        (clusters, broken)
    }

    /// For each document the place of another one with its name, if there is one.
    fn twice(&self, documents: &[Document]) -> Vec<Option<String>> {
        let mut places: BTreeMap<&str, Vec<Mark>> = BTreeMap::new();
        for document in documents {
            if let Some(name) = &document.name {
                places.entry(name).or_default().push(document.at());
            }
        }
        let other = |document: &Document| {
            let marks = places.get(document.name.as_deref()?)?;
            marks.iter().find(|mark| **mark != document.at()).map(|mark| self.place(*mark))
        };
        documents.iter().map(other).collect()
    }
}

/// Where a file that was not understood may say whose everything is: to go on with the default identity would create every job a
/// second time. It is enough that the word begins where the file ends; no shorter, or every half-written EtlCluster would do.
const CONTROLLER: &str = "EtlCo";

fn holds(bytes: &[u8], word: &str) -> bool {
    memchr::memmem::find(bytes, word.as_bytes()).is_some()
}

/// A diagnostic about a job that only the whole directory shows.
pub(super) fn about(job: &Job, severity: Severity, path: &str, message: String, help: Option<String>) -> Diagnostic {
    Diagnostic {
        file: job.origin.file.clone(),
        line: job.origin.line,
        column: 0,
        severity,
        path: path.to_owned(),
        message,
        help,
        job: Some(job.name.to_string()),
    }
}
