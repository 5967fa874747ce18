//! Where the characters of a file stand, counted as editors and terminals count.

use super::node::Mark;

/// The lines of a text. A line ends with `\n`: YAML also ends one with a lone `\r`, which nothing else does that shows a
/// file. And no place is beyond the end, where the parser sees what was cut off.
pub struct Lines {
    file: u32,
    /// The first character of each line.
    starts: Vec<u32>,
    /// How many characters there are.
    length: u32,
}

impl Lines {
    /// The lines of a file's text.
    pub fn new(file: u32, text: &str) -> Self {
        let mut lines = Self { file, starts: vec![0], length: 0 };
        for c in text.chars() {
            lines.length = lines.length.saturating_add(1);
            if c == '\n' {
                lines.starts.push(lines.length);
            }
        }
        lines
    }

    /// The place of the character with this number, counted from 0.
    pub fn mark(&self, character: usize) -> Mark {
        let character = u32::try_from(character).unwrap_or(u32::MAX).min(self.length);
        let line = self.starts.partition_point(|start| *start <= character);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        Mark { file: self.file, line: u32::try_from(line).unwrap_or(u32::MAX), column: character - start + 1 }
    }
}
