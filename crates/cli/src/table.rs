//! A table of text that fits the terminal: wide columns shrink first, then columns that matter less go.

use crate::output::{Tone, toned};

/// Between two columns.
const GAP: usize = 2;
/// The last column gets this much before others may keep what they would like, if it has that much to say.
const LAST_AT_LEAST: usize = 30;
/// What is left of the last column even where nothing fits.
const LAST_EVER: usize = 12;

/// A cell and its tone.
pub type Cell = (String, Option<Tone>);

/// What a column is called, and what it gives up when room is short.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Heading.
    pub title: &'static str,
    /// Narrowest that it may be cut to; never cut without one.
    pub least: Option<usize>,
    /// Which columns go first: the higher, the earlier; never without one.
    pub expendable: Option<u8>,
}

impl Column {
    /// A column that is always there as it is.
    pub const fn new(title: &'static str) -> Self {
        Self { title, least: None, expendable: None }
    }

    /// May be cut to `least` characters.
    pub const fn shrinks_to(self, least: usize) -> Self {
        Self { least: Some(least), ..self }
    }

    /// May be left out.
    pub const fn expendable(self, rank: u8) -> Self {
        Self { expendable: Some(rank), ..self }
    }
}

/// Rows under a heading. The last column takes what width is left.
pub struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows.
    pub fn new(columns: [Column; N]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [Cell; N]) {
        self.rows.push(cells);
    }

    /// The lines of the table; made to fit `width` columns where there is a terminal to fit.
    pub fn lines(&self, width: Option<usize>) -> Vec<String> {
        let widths = self.widths(width);
        let heading = self.columns.map(|column| (column.title.to_owned(), Some(Tone::Dim)));
        std::iter::once(&heading).chain(&self.rows).map(|row| line(row, &widths)).collect()
    }

    /// The width of each column; none for those left out.
    fn widths(&self, room: Option<usize>) -> [Option<usize>; N] {
        let mut widths = std::array::from_fn(|index| Some(self.natural(index)));
        let Some(room) = room else { return widths };
        loop {
            let shrunk = self.shrunk(widths, room);
            if fits(&shrunk, room) {
                return shrunk;
            }
            let victim =
                (0..N).filter(|index| widths[*index].is_some()).max_by_key(|index| self.columns[*index].expendable);
            match victim.filter(|index| self.columns[*index].expendable.is_some()) {
                Some(index) => widths[index] = None,
                None => return squeezed(shrunk, room),
            }
        }
    }

    fn natural(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[index].0.chars().count());
        cells.chain([self.columns[index].title.len()]).max().unwrap_or_default()
    }

    /// Cuts columns that may be cut, from the right to the left, and the last one first of all, until all fit.
    fn shrunk(&self, mut widths: [Option<usize>; N], room: usize) -> [Option<usize>; N] {
        let last = N.saturating_sub(1);
        for index in (0..N).rev() {
            let least = if index == last { Some(LAST_AT_LEAST) } else { self.columns[index].least };
            let over = total(&widths).saturating_sub(room);
            if let (Some(width), Some(least)) = (&mut widths[index], least) {
                *width = width.saturating_sub(over).max(least.min(*width));
            }
        }
        widths
    }
}

fn total(widths: &[Option<usize>]) -> usize {
    let there = || widths.iter().flatten();
    there().sum::<usize>() + GAP * there().count().saturating_sub(1)
}

fn fits(widths: &[Option<usize>], room: usize) -> bool {
    total(widths) <= room
}

fn squeezed<const N: usize>(mut widths: [Option<usize>; N], room: usize) -> [Option<usize>; N] {
    let over = total(&widths).saturating_sub(room);
    if let Some(Some(last)) = widths.last_mut() {
        *last = last.saturating_sub(over).max(LAST_EVER.min(*last));
    }
    widths
}

fn line<const N: usize>(row: &[Cell; N], widths: &[Option<usize>; N]) -> String {
    let mut line = String::new();
    let mut gap = 0;
    for ((text, tone), width) in row.iter().zip(widths) {
        let Some(width) = width else { continue };
        let text = cut(text, *width);
        line.push_str(&" ".repeat(gap));
        let tone = tone.filter(|_| !text.is_empty());
        line.push_str(&tone.map_or_else(|| text.clone(), |tone| toned(tone, &text)));
        gap = GAP + width - text.chars().count();
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

    const COLUMNS: [Column; 4] = [
        Column::new("NAME").shrinks_to(8),
        Column::new("WHEN").shrinks_to(6).expendable(1),
        Column::new("REV").expendable(2),
        Column::new("MESSAGE"),
    ];

    /// The table of one row at that width, without colour.
    fn check(row: [&str; 4], width: Option<usize>, expected: &[&str]) {
        let mut table = Table::new(COLUMNS);
        table.row(row.map(|text| (text.to_owned(), None)));
        let lines: Vec<String> =
            table.lines(width).iter().map(|line| line.replace("\u{1b}[2m", "").replace("\u{1b}[0m", "")).collect();
        assert_eq!(lines, expected, "{width:?}");
        assert!(width.is_none_or(|width| lines.iter().all(|line| line.chars().count() <= width)));
    }

    #[test]
    fn without_a_terminal_nothing_is_cut() {
        let message = "m".repeat(200);
        let heading = "NAME  WHEN   REV  MESSAGE";
        check(["a", "daily", "1", &message], None, &[heading, &format!("a     daily  1    {message}")]);
    }

    #[test]
    fn a_long_message_gives_way_first() {
        let message = "m".repeat(60);
        let row = format!("a     daily  1    {}…", "m".repeat(31));
        check(["a", "daily", "1", &message], Some(50), &["NAME  WHEN   REV  MESSAGE", &row]);
    }

    #[test]
    fn a_short_message_leaves_room_to_the_others() {
        check(
            ["abcdefgh", "every day", "1", "ok"],
            Some(33),
            &["NAME      WHEN       REV  MESSAGE", "abcdefgh  every day  1    ok"],
        );
        check(
            ["abcdefgh", "every day", "1", "ok"],
            Some(30),
            &["NAME      WHEN    REV  MESSAGE", "abcdefgh  every…  1    ok"],
        );
    }

    #[test]
    fn what_matters_less_goes_before_the_message_is_lost() {
        let message = "m".repeat(60);
        let row = format!("abcdefg…  every…  {}…", "m".repeat(29));
        check(["abcdefghij", "every day", "1", &message], Some(48), &["NAME      WHEN    MESSAGE", &row]);
        let row = format!("abcdefg…  {}…", "m".repeat(19));
        check(["abcdefghij", "every day", "1", &message], Some(30), &["NAME      MESSAGE", &row]);
    }
}
