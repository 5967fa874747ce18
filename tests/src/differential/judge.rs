//! Judges a sequence: what differs, what of it the table explains, and what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::thread;

use super::compare::{self, Difference};
use super::drive;
use super::sequence::Call;
use crate::canonical::Outcome;
use crate::deviations::Deviation;
use crate::server::{Kind, Server};

/// A difference that nothing explains.
#[derive(Debug, Clone)]
pub struct Unexplained {
    /// Who differs from our emulator.
    pub kind: Kind,
    /// The call whose answers differ.
    pub call: Call,
    /// How.
    pub difference: Difference,
}

impl Unexplained {
    /// Whether it is the same fault in another sequence.
    pub fn is_like(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.call.name() == other.call.name()
            && self.difference.path == other.difference.path
            && self.difference.says == other.difference.says
            && (!self.difference.path.is_empty() || self.difference.theirs == other.difference.theirs)
    }
}

impl fmt::Display for Unexplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} differs in {}: {}", self.kind, self.call.name(), self.difference)
    }
}

/// What came of one or many sequences.
#[derive(Debug, Clone, Default)]
pub struct Judgement {
    /// Answers that were compared with the emulator's.
    pub compared: usize,
    /// Answers about what an excused difference had spoiled before.
    pub passed_over: usize,
    /// How often each excuse, an entry's name and the place among its `covers`, explained a difference of a stand-in.
    pub excused: BTreeMap<(String, usize, Kind), usize>,
    /// What nothing explained.
    pub unexplained: Vec<Unexplained>,
}

impl Judgement {
    /// Adds what came of other sequences.
    pub fn add(&mut self, other: Self) {
        self.compared += other.compared;
        self.passed_over += other.passed_over;
        self.unexplained.extend(other.unexplained);
        for (key, count) in other.excused {
            *self.excused.entry(key).or_default() += count;
        }
    }
}

/// The emulator and those it is compared with.
#[derive(Debug)]
pub struct Bench {
    ours: Server,
    others: Vec<Server>,
    table: Vec<Deviation>,
}

impl Bench {
    /// Starts the emulator and `others`.
    pub fn start(others: &[Kind], table: Vec<Deviation>) -> Self {
        Self {
            ours: Server::start(Kind::Emulator),
            others: others.iter().map(|kind| Server::start(*kind)).collect(),
            table,
        }
    }

    /// The table by which it excuses.
    pub fn table(&self) -> &[Deviation] {
        &self.table
    }

    /// Carries `calls` out everywhere and judges the answers.
    pub fn judge(&self, calls: &[Call]) -> Judgement {
        let (ours, theirs) = thread::scope(|scope| {
            let others: Vec<_> =
                self.others.iter().map(|server| scope.spawn(move || drive::run(server, calls))).collect();
            let ours = drive::run(&self.ours, calls);
            let theirs: Vec<Vec<Outcome>> =
                others.into_iter().map(|thread| thread.join().expect("a server answers")).collect();
            (ours, theirs)
        });
        let mut judgement = Judgement::default();
        for (server, theirs) in self.others.iter().zip(theirs) {
            judgement.add(self.judge_one(server.kind(), calls, &ours, &theirs));
        }
        judgement
    }

    fn judge_one(&self, kind: Kind, calls: &[Call], ours: &[Outcome], theirs: &[Outcome]) -> Judgement {
        let mut judgement = Judgement::default();
        let mut spoiled: BTreeSet<&str> = BTreeSet::new();
        for (n, (call, (ours, theirs))) in calls.iter().zip(ours.iter().zip(theirs)).enumerate() {
            if call.subjects.iter().any(|subject| spoiled.contains(subject)) {
                judgement.passed_over += 1;
                // What depends on a spoiled thing may have come out otherwise as well.
                if call.writes() {
                    spoiled.extend(call.subjects.iter().copied());
                }
                continue;
            }
            judgement.compared += 1;
            for difference in compare::compare(ours, theirs, &spoiled) {
                let one_refused = difference.path.is_empty() && call.writes();
                match self.excuse(kind, &calls[..=n], &difference) {
                    Some((id, place, spoils)) => {
                        *judgement.excused.entry((id.to_owned(), place, kind)).or_default() += 1;
                        if spoils || one_refused {
                            spoiled.extend(call.subjects.iter().copied());
                        }
                    }
                    None => {
                        judgement.unexplained.push(Unexplained { kind, call: call.clone(), difference });
                        spoiled.extend(call.subjects.iter().copied());
                    }
                }
            }
        }
        judgement
    }

    fn excuse(&self, kind: Kind, calls: &[Call], difference: &Difference) -> Option<(&str, usize, bool)> {
        let of_kind = self.table.iter().filter(|entry| entry.seen.contains_key(kind.name()));
        of_kind.into_iter().find_map(|entry| {
            let mut covers = entry.covers.iter().enumerate();
            let (place, cover) = covers.find(|(_, cover)| cover.explains(kind, calls, difference))?;
            Some((entry.id.as_str(), place, cover.spoils))
        })
    }
}
