//! A manifest directory that exists in memory: what is written, what is damaged, and what a look at it finds.

use std::collections::BTreeMap;
use std::sync::Arc;

use ecs_etl_controller::scan::Scan;
use serde::{Deserialize, Serialize};

use crate::sketch::Book;

/// What is wrong with a file, or with all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Damage {
    /// The text is no YAML.
    Broken,
    /// Only so many hundredths of the text are there yet.
    Half(u8),
    /// The reader may not read it.
    Unreadable,
    /// A second document of the same name stands beside it.
    Twice,
}

/// A directory.
#[derive(Debug, Clone)]
pub struct Directory {
    /// What is meant.
    pub book: Book,
    /// Damaged files, by path.
    pub damage: BTreeMap<String, Damage>,
    /// It is not there at all.
    pub gone: bool,
    /// It is there, and empty.
    pub emptied: bool,
    /// Documents as they were rendered last.
    rendered: Rendered,
}

/// Files of equal documents, so that a look renders only what was edited.
#[derive(Debug, Clone, Default)]
struct Rendered {
    of: Option<Book>,
    files: BTreeMap<String, Arc<[u8]>>,
}

impl Directory {
    /// A directory that says what `book` says.
    pub fn new(book: Book) -> Self {
        Self { book, damage: BTreeMap::new(), gone: false, emptied: false, rendered: Rendered::default() }
    }

    /// Whether anything keeps a reader from knowing all of it.
    pub fn is_complete(&self) -> bool {
        let is_there = |path: &String| {
            path == Book::CONTROLLER
                || self.book.clusters.keys().any(|cluster| Book::file_of_cluster(cluster) == *path)
                || self.book.jobs.keys().any(|job| Book::file_of(job) == *path)
        };
        let harms = |(path, damage): (&String, &Damage)| *damage != Damage::Twice && is_there(path);
        !self.gone && !self.emptied && !self.damage.iter().any(harms)
    }

    /// Whether a reader finds a cluster that names a place, `account/region`.
    pub fn names(&self, place: &str) -> bool {
        let is_read = |cluster: &str| !self.damage.contains_key(&Book::file_of_cluster(cluster));
        let mut named = self.book.clusters.iter().filter(|(_, cluster)| cluster.place() == place);
        !self.gone && !self.emptied && named.any(|(name, _)| is_read(name))
    }

    /// Whether a file that a job hangs on is damaged, so that its document cannot be used.
    pub fn is_damaged(&self, job: &str) -> bool {
        if self.gone || self.emptied {
            return true;
        }
        // What was removed is gone, whatever was the matter with its file.
        let written = self.book.jobs.get(job).filter(|_| !self.damage.is_empty());
        let files =
            written.into_iter().flat_map(|written| [Book::file_of(job), Book::file_of_cluster(&written.cluster)]);
        self.damage.contains_key(Book::CONTROLLER) || files.into_iter().any(|file| self.damage.contains_key(&file))
    }

    /// What a look finds.
    pub fn scan(&mut self) -> Scan {
        if self.gone {
            return Scan::of_nothing("No such file or directory (os error 2)");
        }
        let mut files: BTreeMap<String, Arc<[u8]>> = BTreeMap::new();
        let mut problems = BTreeMap::new();
        if !self.emptied {
            for (path, bytes) in self.rendered.files_of(&self.book) {
                let (path, text) = (path.clone(), Arc::clone(bytes));
                match self.damage.get(&path) {
                    None => files.insert(path, text),
                    Some(Damage::Broken) => files.insert(path, [&text, &b"\n  - ]: {\n"[..]].concat().into()),
                    Some(Damage::Half(share)) => {
                        let end = text.len() * usize::from(*share) / 100;
                        files.insert(path, text.get(..end).unwrap_or_default().into())
                    }
                    Some(Damage::Unreadable) => {
                        problems.insert(path, "Permission denied (os error 13)".to_owned());
                        None
                    }
                    Some(Damage::Twice) => {
                        files.insert(format!("{path}.copy.yaml"), Arc::clone(&text));
                        files.insert(path, text)
                    }
                };
            }
        }
        let mut scan = Scan::of_files(files.iter().map(|(path, bytes)| (path.as_str(), bytes)));
        scan.problems = problems;
        scan
    }
}

impl Rendered {
    fn files_of(&mut self, book: &Book) -> &BTreeMap<String, Arc<[u8]>> {
        if self.of.as_ref() != Some(book) {
            let before = self.of.take();
            let mut files = book.files_since(before.as_ref(), std::mem::take(&mut self.files));
            std::mem::swap(&mut self.files, &mut files);
            self.of = Some(book.clone());
        }
        &self.files
    }
}
