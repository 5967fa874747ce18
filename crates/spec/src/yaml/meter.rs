//! How far the scanner may look ahead.
//!
//! A list or mapping in brackets might turn out to be a key, so the scanner holds back its first event until the closing
//! bracket, at a cost that grows with what it holds and with the brackets open in it. The meter counts what was handed
//! out since the last event, and ends the input where that is more than any manifest needs.

use std::cell::Cell;
use std::rc::Rc;
use std::str::Chars;

/// Characters between two events. A whole task definition has at most 65,536 (docs/aws.md, Sizes and names).
const MOST_CHARACTERS: usize = 160 << 10;

/// Brackets opened and not closed between two events: twice the depth that is read at all.
const MOST_BRACKETS: usize = 128;

/// Shared between the input and who takes the events.
#[derive(Debug, Default)]
pub struct Meter {
    characters: Cell<usize>,
    brackets: Cell<usize>,
    exceeded: Cell<bool>,
}

impl Meter {
    /// An event came out: counting begins anew.
    pub fn event(&self) {
        self.characters.set(0);
        self.brackets.set(0);
    }

    /// Whether the input was cut short.
    pub fn exceeded(&self) -> bool {
        self.exceeded.get()
    }

    fn admit(&self, c: char) -> bool {
        let characters = self.characters.get() + 1;
        let brackets = match c {
            '[' | '{' => self.brackets.get() + 1,
            ']' | '}' => self.brackets.get().saturating_sub(1),
            _ => self.brackets.get(),
        };
        self.characters.set(characters);
        self.brackets.set(brackets);
        let admitted = characters <= MOST_CHARACTERS && brackets <= MOST_BRACKETS;
        if !admitted {
            self.exceeded.set(true);
        }
        admitted
    }
}

/// The characters of a file, as long as the meter admits them.
#[derive(Debug)]
pub struct Metered<'t> {
    characters: Chars<'t>,
    meter: Rc<Meter>,
}

impl<'t> Metered<'t> {
    /// Characters of `text` that `meter` watches.
    pub fn new(text: &'t str, meter: Rc<Meter>) -> Self {
        Self { characters: text.chars(), meter }
    }
}

impl Iterator for Metered<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if self.meter.exceeded() {
            return None;
        }
        self.characters.next().filter(|c| self.meter.admit(*c))
    }
}
