//! What disturbs: damaged directories, the hands of strangers, ends of processes, faults, and AWS's own room.

use fastrand::Rng;

use super::{Drawing, HOUR};
use crate::directory::Damage;
use crate::fault::{self, Kind, Outage};
use crate::hand::{Deed, Hand};
use crate::hands::Hands;
use crate::platform::WRITING;
use crate::shape::pick;
use crate::sketch::Book;
use crate::story::{Crew, Event, Nature, What};

impl Drawing {
    pub(super) fn damages(&mut self, calm: u32, books: &[Book]) {
        for _ in 0..self.rng.u8(1..4) {
            let directory = self.rng.usize(..books.len());
            let from = self.rng.u32(60_000..calm);
            let to = self.rng.u32(from..calm);
            let names: Vec<String> = books
                .get(directory)
                .into_iter()
                .flat_map(|book| book.jobs.keys())
                .map(|name| Book::file_of(name))
                .collect();
            if names.is_empty() {
                continue;
            }
            let file = pick(&mut self.rng, &names).clone();
            let mut between = |on: What, off: What, to: u32| {
                self.events.push(Event { at: from, what: on });
                self.events.push(Event { at: to, what: off });
            };
            let mend = What::Damage { directory, file: file.clone(), damage: None };
            let harm = |damage| What::Damage { directory, file: file.clone(), damage: Some(damage) };
            match self.rng.u8(..6) {
                0 => between(harm(Damage::Broken), mend, to),
                1 => between(harm(Damage::Unreadable), mend, to),
                2 => between(harm(Damage::Twice), mend, to),
                3 => {
                    let share = self.rng.u8(10..95);
                    between(harm(Damage::Half(share)), mend, from + WRITING);
                }
                4 => between(What::Gone { directory, gone: true }, What::Gone { directory, gone: false }, to),
                _ => {
                    between(What::Emptied { directory, emptied: true }, What::Emptied { directory, emptied: false }, to)
                }
            }
        }
    }

    pub(super) fn hands(&mut self, calm: u32, books: &[Book]) {
        let mut further = Hands::of(self.seed);
        for _ in 0..self.rng.u8(1..8) {
            let directory = self.rng.usize(..books.len());
            let Some(book) = books.get(directory) else { continue };
            let names: Vec<&String> = book.jobs.keys().collect();
            if names.is_empty() {
                continue;
            }
            let job = (*pick(&mut self.rng, &names)).clone();
            let controller = book.controller.name.clone();
            let deed = match self.rng.u8(..20) {
                0 => Deed::Beside,
                1 => Deed::ClashRule,
                2 => Deed::Burst,
                _ => *pick(&mut self.rng, &Deed::DRIFT),
            };
            let at = self.rng.u32(30_000..calm);
            let times = if self.rng.u8(..6) == 0 { 3 } else { 1 };
            let rule = further.rule();
            for time in 0..times {
                let at = at.saturating_add(time * 2 * HOUR);
                if at < calm {
                    let hand = Hand { controller: controller.clone(), job: job.clone(), deed, rule };
                    self.events.push(Event { at, what: What::Hand(hand) });
                }
            }
            if deed == Deed::Pause {
                let hand = Hand { controller, job, deed: Deed::Resume, rule };
                let at = self.rng.u32(at..calm);
                self.events.push(Event { at, what: What::Hand(hand) });
            }
        }
        self.events.extend(further.seldom(calm, books));
    }

    pub(super) fn kills(&mut self, calm: u32, crew: Crew) {
        // Most requests read, and what is left half done is what was half written.
        let mut writes = Rng::with_seed(self.seed.rotate_left(7) ^ 0x4b49_4c4c);
        for _ in 0..self.rng.u8(1..5) {
            let process = self.rng.usize(..crew.directories().len());
            // Most of what matters happens shortly after an edit.
            let edits: Vec<u32> = self.events.iter().map(|event| event.at).collect();
            let near = if edits.is_empty() { 0 } else { *pick(&mut self.rng, &edits) };
            let at = if self.rng.bool() { near.saturating_add(self.rng.u32(..2000)) } else { self.rng.u32(1000..calm) };
            let at = at.min(calm - 1);
            let down = *pick(&mut self.rng, &[50, 1000, 30_000, HOUR]);
            let what = if self.rng.u8(..5) == 0 {
                What::Stop { process, down }
            } else {
                What::Kill {
                    process,
                    request: (self.rng.u8(..4) != 0).then(|| self.rng.u32(..12)),
                    writes: writes.bool(),
                    effect: self.rng.bool(),
                    keeps_disk: self.rng.bool(),
                    down,
                }
            };
            self.events.push(Event { at, what });
        }
        if self.rng.u8(..4) == 0 {
            let process = self.rng.usize(..crew.directories().len());
            let at = self.rng.u32(..calm);
            let seconds = self.rng.i32(-60..60);
            self.events.push(Event { at, what: What::Skew { process, seconds } });
            self.events.push(Event { at: calm, what: What::Skew { process, seconds: 0 } });
            // For a while it may be hours off, and AWS takes nothing that is signed by it.
            let (hours, minutes) = (seconds / 8, seconds.unsigned_abs());
            let (far, near) = (at.saturating_add(minutes * 60_000), at.saturating_add(2 * minutes * 60_000));
            if near < calm {
                self.events.push(Event { at: far, what: What::Skew { process, seconds: hours * 3600 } });
                self.events.push(Event { at: near, what: What::Skew { process, seconds } });
            }
        }
    }

    pub(super) fn faults(&mut self, calm: u32, books: &[Book]) -> fault::Plan {
        let mut plan =
            fault::Plan { seed: self.seed, latency: self.rng.u8(..3) != 0, until: calm / 1000, ..fault::Plan::none() };
        if self.rng.u8(..3) == 0 {
            return plan;
        }
        let rate = *pick(&mut self.rng, &[5, 20, 60]);
        for kind in Kind::ALL {
            if self.rng.u8(..4) == 0 {
                plan.kinds.push((kind, rate));
            }
        }
        for _ in 0..self.rng.u8(..3) {
            let from = self.rng.u32(..calm / 1000);
            let to = from + *pick(&mut self.rng, &[20, 300, 3600]);
            let kind = *pick(&mut self.rng, &Kind::ALL);
            let operations =
                (*pick(&mut self.rng, &["", "events:", "ecs:", "PutTargets", "Register", "List"])).to_owned();
            plan.outages.push(Outage { from, to, kind, operations });
        }
        if self.rng.u8(..8) == 0 {
            let names: Vec<&String> = books.iter().flat_map(|book| book.jobs.keys()).collect();
            if !names.is_empty() {
                plan.blocked = Some(format!("etl-{}", pick(&mut self.rng, &names)));
            }
        }
        plan
    }

    pub(super) fn nature(&mut self) -> Nature {
        let sometimes = |rng: &mut Rng, value: u32| if rng.u8(..3) == 0 { value } else { 0 };
        Nature {
            list_lag: sometimes(&mut self.rng, 10),
            targets_linger: sometimes(&mut self.rng, 5),
            registration_takes: sometimes(&mut self.rng, 400),
            reorders: self.rng.bool(),
            throttles: self.rng.u8(..3) == 0,
            changes_take: *pick(&mut self.rng, &[0, 5, 30]),
        }
    }
}
