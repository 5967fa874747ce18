//! The log of a history: a hash that is equal exactly when two histories are, and the lines themselves if somebody wants to read
//! them.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What happened, in order.
#[derive(Debug)]
pub struct Log {
    hasher: DefaultHasher,
    lines: Option<Vec<(i64, String)>>,
}

impl Log {
    /// An empty log, which keeps its lines or only their hash.
    pub fn new(keeps_lines: bool) -> Self {
        Self { hasher: DefaultHasher::new(), lines: keeps_lines.then(Vec::new) }
    }

    /// Whether lines are kept.
    pub fn keeps_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// Notes what happened so many milliseconds into the history.
    pub fn note(&mut self, millis: i64, what: std::fmt::Arguments<'_>) {
        let line = what.to_string();
        (millis, &line).hash(&mut self.hasher);
        if let Some(lines) = &mut self.lines {
            lines.push((millis, line));
        }
    }

    /// Adds what is only hashed.
    pub fn hash(&mut self, millis: i64, what: &(impl Hash + ?Sized)) {
        millis.hash(&mut self.hasher);
        what.hash(&mut self.hasher);
    }

    /// Notes what somebody who reads the lines may want to know, and what no hash may hang on: a process id, say.
    pub fn remark(&mut self, millis: i64, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push((millis, what()));
        }
    }

    /// The hash of everything so far.
    pub fn digest(&self) -> u64 {
        self.hasher.finish()
    }

    /// The lines, if they were kept.
    pub fn lines(&self) -> &[(i64, String)] {
        self.lines.as_deref().unwrap_or_default()
    }
}

/// A moment of the history as a person reads it: `1d 03:20:07.250`.
pub fn clock(millis: i64) -> String {
    let (seconds, rest) = (millis.div_euclid(1000), millis.rem_euclid(1000));
    let (days, seconds) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let day = if days == 0 { String::new() } else { format!("{days}d ") };
    format!("{day}{:02}:{:02}:{:02}.{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
