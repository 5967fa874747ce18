//! Making a failing story shorter: whatever can be left out without mending it is left out.

use crate::fault;
use crate::history;
use crate::judge::Broken;
use crate::mutant::Mutant;
use crate::story::{Nature, Story};

/// How many histories may be run for one story.
const MOST_RUNS: usize = 400;

/// A story that still breaks the promise, and what it breaks.
#[derive(Debug)]
pub struct Shrunk {
    /// The story.
    pub story: Story,
    /// What happens in it.
    pub broken: Broken,
}

/// Shortens `story`, which breaks a promise with these faults.
///
/// # Errors
///
/// A runtime cannot be made.
pub fn shrink(story: &Story, broken: &Broken, faults: &[String], mutant: Option<Mutant>) -> std::io::Result<Shrunk> {
    let mut work = Work { best: story.clone(), broken: broken.clone(), mutant, runs: 0 };
    // First name the faults, so that they can be left out one by one and stay where they are.
    work.attempt(|story| story.faults.only = Some(faults.iter().cloned().collect()))?;
    work.attempt(|story| {
        story.faults = fault::Plan { seed: story.faults.seed, latency: story.faults.latency, ..fault::Plan::none() };
    })?;
    work.attempt(|story| story.nature = Nature::kind())?;
    work.attempt(|story| story.faults.latency = false)?;
    work.attempt(|story| story.limits = false)?;
    work.events()?;
    work.faults()?;
    work.jobs()?;
    work.events()?;
    Ok(Shrunk { story: work.best, broken: work.broken })
}

struct Work {
    best: Story,
    broken: Broken,
    mutant: Option<Mutant>,
    runs: usize,
}

impl Work {
    /// Tries a change; keeps it if the same promise is still broken.
    fn attempt(&mut self, change: impl FnOnce(&mut Story)) -> std::io::Result<bool> {
        if self.runs >= MOST_RUNS {
            return Ok(false);
        }
        self.runs += 1;
        let mut story = self.best.clone();
        change(&mut story);
        if story == self.best {
            return Ok(false);
        }
        let report = history::run(&story, self.mutant, false)?;
        match report.broken {
            Some(broken) if broken.oracle == self.broken.oracle => {
                self.best = story;
                self.broken = broken;
                Ok(true)
            }
            Some(_) | None => Ok(false),
        }
    }

    /// Leaves out events, many at a time at first.
    fn events(&mut self) -> std::io::Result<()> {
        let mut size = self.best.events.len().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            while from < self.best.events.len() {
                let gone = from..(from + size).min(self.best.events.len());
                if !self.attempt(|story| drop(story.events.drain(gone)))? {
                    from += size;
                }
            }
            size /= 2;
        }
        Ok(())
    }

    fn faults(&mut self) -> std::io::Result<()> {
        let Some(only) = self.best.faults.only.clone() else { return Ok(()) };
        let labels: Vec<String> = only.into_iter().collect();
        let mut size = labels.len().div_ceil(2);
        while size > 0 {
            for chunk in labels.chunks(size) {
                self.attempt(|story| {
                    if let Some(only) = &mut story.faults.only {
                        only.retain(|label| !chunk.contains(label));
                    }
                })?;
            }
            size /= 2;
        }
        Ok(())
    }

    fn jobs(&mut self) -> std::io::Result<()> {
        for directory in 0..self.best.books.len() {
            let names: Vec<String> =
                self.best.books.get(directory).map(|book| book.jobs.keys().cloned().collect()).unwrap_or_default();
            for name in names {
                self.attempt(|story| {
                    if let Some(book) = story.books.get_mut(directory) {
                        book.jobs.remove(&name);
                    }
                })?;
            }
        }
        Ok(())
    }
}
