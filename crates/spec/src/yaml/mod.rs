//! YAML as this crate takes it: one event pass that keeps where every key and value was written, within budgets.
//!
//! There is one parser and one tree. Values and positions cannot disagree, and what a budget refuses was never built:
//! an alias bomb, a hundred thousand brackets or a binary file cost milliseconds, not the process.

mod build;
mod emit;
mod lines;
mod meter;
mod node;
mod read;
mod scalar;
#[cfg(test)]
mod tests;

pub use build::{Document, Problem, Stream, Tags};
pub use emit::emit;
pub use node::{Entry, Mark, Node, Value};
pub use read::{Fault, Limits, read, read_with};

/// Makes a piece of a manifest fit to be shown: at most 60 characters, on one line, nothing a terminal would obey.
pub fn shown(text: &str) -> String {
    shown_up_to(text, 60)
}

fn shown_up_to(text: &str, longest: usize) -> String {
    let mut out: String = text.chars().take(longest).collect();
    if text.chars().nth(longest).is_some() {
        out.push('…');
    }
    printable(out)
}

/// A sentence in which whatever came from a manifest cannot steer a terminal or hide something from a reader.
pub fn printable(sentence: String) -> String {
    // Bidirectional controls reorder what a reader sees; the rest of Cf and Cc moves the cursor or hides.
    let hides =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if !sentence.contains(|c: char| hides(c) || c.is_control()) {
        return sentence;
    }
    let mut out = String::with_capacity(sentence.len());
    for c in sentence.chars() {
        match c {
            c if hides(c) => out.extend(c.escape_unicode()),
            c if c.is_control() => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}
