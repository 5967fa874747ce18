//! A table of text that fits the terminal.

use crate::output::{Tone, toned};

/// Narrowest that the last column is cut to.
const LAST_AT_LEAST: usize = 20;

/// A cell and its tone.
pub type Cell = (String, Option<Tone>);

/// Rows of equal length under a heading. The last column takes what width is left.
pub struct Table<const N: usize> {
    heading: [&'static str; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub fn new(heading: [&'static str; N]) -> Self {
        Self { heading, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells);
    }

    /// The lines of the table; cut to `width` columns where there is a terminal to fit.
    pub fn lines(&self, width: Option<usize>) -> Vec<String> {
        let mut widths: Vec<usize> = self.heading.iter().map(|title| title.len()).collect();
        for row in &self.rows {
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let fixed: usize = widths.iter().take(N.saturating_sub(1)).map(|width| width + 2).sum();
        let last = width.map(|width| width.saturating_sub(fixed).max(LAST_AT_LEAST));
        let heading = self.heading.map(|title| (title.to_owned(), Some(Tone::Dim)));
        std::iter::once(&heading).chain(&self.rows).map(|row| line(row, &widths, last)).collect()
    }
}

fn line<const N: usize>(row: &[Cell; N], widths: &[usize], last: Option<usize>) -> String {
    let mut line = String::new();
    for (index, ((text, tone), width)) in row.iter().zip(widths).enumerate() {
        let is_last = index + 1 == N;
        let text = match last.filter(|_| is_last) {
            Some(limit) => cut(text, limit),
            None => text.clone(),
        };
        let padding = if is_last { 0 } else { width + 2 - text.chars().count().min(*width) };
        line.push_str(&tone.map_or_else(|| text.clone(), |tone| toned(tone, &text)));
        line.push_str(&" ".repeat(padding));
    }
    line.trim_end().to_owned()
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    text.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_the_last_is_cut_to_the_terminal() {
        let mut table = Table::new(["A", "LONG TITLE", "M"]);
        table.row([("x".to_owned(), None), ("y".to_owned(), None), ("m".repeat(60), None)]);
        let lines = table.lines(Some(50));
        assert_eq!(lines[1].find('y'), lines[0].replace("\u{1b}[2m", "").replace("\u{1b}[0m", "").find('L'));
        assert!(lines[1].ends_with('…'));
        assert_eq!(lines[1].chars().count(), 50);
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let mut table = Table::new(["M"]);
        table.row([("m".repeat(300), None)]);
        assert_eq!(table.lines(None)[1].len(), 300);
    }
}
