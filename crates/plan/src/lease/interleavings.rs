//! Several controllers, one table, and a network and machines that do their worst: never do two have a write under way.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const TERMS: Terms = Terms { duration: Duration::from_secs(30), call: Duration::from_secs(6) };

/// How long a request may take before its sender gives it up.
const PATIENCE: u64 = 5_000;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

/// A request on its way: when the table sees it, and when and whether its answer comes back.
struct Request {
    ask: Ask,
    effect: u64,
    back: Option<u64>,
    sent: u64,
    answer: Option<Answer>,
}

struct Controller {
    lease: Lease,
    /// Its clock began at another time.
    offset: u64,
    /// Stopped until then: a long pause of its machine, in which its clock goes on.
    stopped: u64,
    /// Cut off from the table until then, and from nothing else.
    cut: u64,
    wakes: u64,
    under_way: Option<usize>,
    versions: u64,
    /// Begun writes, each of which may take `call`.
    writes: Vec<u64>,
    alive: bool,
}

/// How the rule is broken, to see that the test would notice.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mutant {
    None,
    /// The holder counts from the answer.
    CountsFromTheAnswer,
    /// Who waits does not wait for the last call.
    TakesOneCallEarly,
    /// The holder writes until the very end.
    WritesToTheEnd,
}

struct World {
    now: u64,
    dice: Dice,
    table: Option<Record>,
    requests: BTreeMap<usize, Request>,
    numbers: usize,
    controllers: Vec<Controller>,
    mutant: Mutant,
}

impl World {
    fn new(seed: u64, controllers: usize, mutant: Mutant) -> Self {
        let mut dice = Dice(seed);
        let wait = TERMS;
        let controllers = (0..controllers)
            .map(|index| Controller {
                lease: Lease::new(format!("c{index}"), wait),
                offset: dice.roll(1_000_000),
                stopped: 0,
                cut: 0,
                wakes: dice.roll(20_000),
                under_way: None,
                versions: 0,
                writes: Vec::new(),
                alive: true,
            })
            .collect();
        Self { now: 0, dice, table: None, requests: BTreeMap::new(), numbers: 0, controllers, mutant }
    }

    fn moment(&self, index: usize) -> Moment {
        let since = Duration::from_millis(self.now + self.controllers[index].offset);
        Moment { steady: since, wall: since }
    }

    /// The next millisecond in which anything happens.
    fn step(&mut self) -> Option<()> {
        let effects = self.requests.values().filter(|request| request.answer.is_none()).map(|request| request.effect);
        let answers = self.controllers.iter().filter(|one| one.alive).filter_map(|one| {
            let request = self.requests.get(&one.under_way?)?;
            let back = request.back.filter(|back| *back < request.sent + PATIENCE);
            Some(back.unwrap_or(request.sent + PATIENCE).max(one.stopped))
        });
        let wakes = self
            .controllers
            .iter()
            .filter(|one| one.alive && one.under_way.is_none())
            .map(|one| one.wakes.max(one.stopped));
        self.now = effects.chain(answers).chain(wakes).min()?.max(self.now);
        self.let_requests_arrive();
        for index in 0..self.controllers.len() {
            self.turn(index);
        }
        Some(())
    }

    fn let_requests_arrive(&mut self) {
        let due: Vec<usize> =
            self.requests.iter().filter(|(_, r)| r.answer.is_none() && r.effect <= self.now).map(|(n, _)| *n).collect();
        for number in due {
            let request = self.requests.get_mut(&number).unwrap();
            request.answer = Some(match &request.ask {
                Ask::Read => Answer::Read(self.table.clone().map(|record| match self.mutant {
                    Mutant::TakesOneCallEarly => Record { duration: record.duration - TERMS.call, ..record },
                    Mutant::None | Mutant::CountsFromTheAnswer | Mutant::WritesToTheEnd => record,
                })),
                Ask::Put { record, replaces } => {
                    let there = self.table.as_ref().map(|record| &record.version);
                    if there == replaces.as_ref() || there == Some(&record.version) {
                        self.table = Some(record.clone());
                        Answer::Written
                    } else {
                        Answer::Refused
                    }
                }
            });
        }
    }

    fn turn(&mut self, index: usize) {
        let (now, moment) = (self.now, self.moment(index));
        let one = &mut self.controllers[index];
        if !one.alive || one.stopped > now {
            return;
        }
        if let Some(number) = one.under_way {
            let request = &self.requests[&number];
            let answer = match (&request.answer, request.back) {
                (Some(answer), Some(back)) if back <= now => answer.clone(),
                _ if request.sent + PATIENCE <= now => Answer::Unknown,
                _ => return,
            };
            one.under_way = None;
            let written = matches!(answer, Answer::Written);
            one.lease.answered(moment, answer);
            if self.mutant == Mutant::CountsFromTheAnswer
                && written
                && let Some(held) = &mut one.lease.held
            {
                held.sent = moment;
            }
        }
        let versions = one.versions;
        match one.lease.next(moment, || format!("c{index}-{versions}")) {
            Next::Wait(wait) => one.wakes = now + u64::try_from(wait.as_millis()).unwrap().max(1),
            Next::Ask(ask) => {
                one.versions += 1;
                let slowest = if self.dice.one_in(8) { 60_000 } else { 400 };
                let delay = if one.cut > now { 60_000 } else { 0 };
                let effect = now + delay + self.dice.roll(slowest);
                let back = (delay == 0 && !self.dice.one_in(8)).then(|| effect + self.dice.roll(400));
                self.numbers += 1;
                one.under_way = Some(self.numbers);
                self.requests.insert(self.numbers, Request { ask, effect, back, sent: now, answer: None });
            }
        }
        self.write_if_allowed(index, moment);
        let one = &mut self.controllers[index];
        if self.dice.one_in(25) {
            one.stopped = now + self.dice.roll(90_000);
        }
        if self.dice.one_in(40) {
            one.cut = now + self.dice.roll(90_000);
        }
        if self.dice.one_in(150) {
            one.alive = false;
        } else if self.dice.one_in(100) {
            for version in one.lease.release() {
                // Asked at once, and no write is under way: those that began are waited for.
                let busy = one.writes.last().is_some_and(|begun| begun + 12_000 > now);
                if !busy && self.table.as_ref().is_some_and(|record| record.version == version) {
                    self.table = None;
                }
            }
        }
    }

    fn write_if_allowed(&mut self, index: usize, moment: Moment) {
        let quiet_until = self.next_event_of(index).max(self.now);
        let one = &mut self.controllers[index];
        let late =
            Moment { steady: moment.steady.saturating_sub(TERMS.call), wall: moment.wall.saturating_sub(TERMS.call) };
        let asked = if self.mutant == Mutant::WritesToTheEnd { late } else { moment };
        if one.lease.may_write(asked) {
            one.writes.push(self.now);
            // A standing controller writes whenever it likes, until the last moment.
            let left = u64::try_from(one.lease.left(asked).as_millis()).unwrap();
            let last = self.now + self.dice.roll(left + 1);
            one.writes.push(last.min(quiet_until));
        }
    }

    /// Until then nothing changes what a controller knows.
    fn next_event_of(&self, index: usize) -> u64 {
        let one = &self.controllers[index];
        match one.under_way.and_then(|number| self.requests.get(&number)) {
            Some(request) => request.back.unwrap_or(u64::MAX).min(request.sent + PATIENCE),
            None => one.wakes,
        }
    }

    /// Two writes of different controllers that may be under way at once: who sent one may have given it up after `call`, and
    /// the network may hold it back for as long again.
    fn overlap(&self) -> Option<(u64, u64)> {
        let call = 2 * u64::try_from(TERMS.call.as_millis()).unwrap();
        let mut writes: Vec<(u64, usize)> = Vec::new();
        for (index, one) in self.controllers.iter().enumerate() {
            writes.extend(one.writes.iter().map(|begun| (*begun, index)));
        }
        writes.sort_unstable();
        let mut last: BTreeMap<usize, u64> = BTreeMap::new();
        for (begun, index) in writes {
            if let Some((_, other)) = last.iter().find(|(other, at)| **other != index && **at + call > begun) {
                return Some((*other, begun));
            }
            last.insert(index, begun);
        }
        None
    }

    fn holders(&self) -> usize {
        self.controllers.iter().filter(|one| !one.writes.is_empty()).count()
    }
}

/// Plays a history, and tells whether two writes met, and how many controllers have held the lease.
fn play(seed: u64, controllers: usize, mutant: Mutant) -> (Option<(u64, u64)>, usize) {
    let mut world = World::new(seed, controllers, mutant);
    for _ in 0..600 {
        if world.step().is_none() {
            break;
        }
    }
    (world.overlap(), world.holders())
}

proptest! {
    #[test]
    fn no_two_ever_have_a_write_under_way(seed in any::<u64>(), controllers in 2_usize..5) {
        let (overlap, _) = play(seed, controllers, Mutant::None);
        prop_assert_eq!(overlap, None);
    }
}

#[test]
fn the_lease_changes_hands_in_these_histories_and_a_wrong_rule_would_be_noticed() {
    let changes = (0..200).filter(|seed| play(*seed, 3, Mutant::None).1 > 1).count();
    assert!(changes > 100, "{changes} of 200");
    for mutant in [Mutant::CountsFromTheAnswer, Mutant::TakesOneCallEarly, Mutant::WritesToTheEnd] {
        let noticed = (0..500).filter(|seed| play(*seed, 3, mutant).0.is_some()).count();
        assert!(noticed > 0, "{mutant:?} goes unnoticed");
    }
}
