//! The one way to standard output and standard error.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use anstream::AutoStream;
use ecs_etl_spec::name::JobName;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::args::Color;

/// Standard output and standard error, coloured where that helps.
pub struct Terminal {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
}

/// How a word is set off.
#[derive(Debug, Clone, Copy)]
pub enum Tone {
    /// All is well.
    Good,
    /// Worth a look.
    Warn,
    /// Something failed.
    Bad,
    /// Less important.
    Dim,
    /// More important.
    Bold,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "\u{1b}[32m",
            Self::Warn => "\u{1b}[33m",
            Self::Bad => "\u{1b}[31m",
            Self::Dim => "\u{1b}[2m",
            Self::Bold => "\u{1b}[1m",
        }
    }
}

/// Text in a tone; the stream strips the tone where it is not wanted.
pub fn toned(tone: Tone, text: impl fmt::Display) -> String {
    format!("{}{text}\u{1b}[0m", tone.code())
}

/// Names of jobs shown in a line.
const NAMED: usize = 5;

/// The names of jobs, the first few of many.
pub fn names<'a>(jobs: impl IntoIterator<Item = &'a JobName>) -> String {
    let names: Vec<&str> = jobs.into_iter().map(JobName::as_str).collect();
    let more = names.len().saturating_sub(NAMED);
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// A number of things, `1 job` or `2 jobs`.
pub fn count(number: impl fmt::Display, thing: &str) -> String {
    let number = number.to_string();
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

impl Terminal {
    /// Streams that colour as `color` says.
    pub fn new(color: Color) -> Self {
        let choice = match color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        Self { out: AutoStream::new(io::stdout(), choice), err: AutoStream::new(io::stderr(), choice) }
    }

    /// Whether standard error is watched by a person.
    pub fn error_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether colour reaches standard error.
    pub fn error_is_coloured(&self) -> bool {
        self.err.current_choice() != anstream::ColorChoice::Never
    }

    /// Columns of the terminal that standard output is; none when it goes elsewhere.
    pub fn width(&self) -> Option<usize> {
        terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
    }

    /// Whether a person can be asked.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// A line of the result.
    pub fn line(&mut self, text: impl fmt::Display) -> io::Result<()> {
        quiet_pipe(writeln!(self.out, "{}", tame(&text.to_string())))
    }

    /// A JSON result.
    pub fn json(&mut self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.line(text)?;
        Ok(())
    }

    /// A line beside the result: what is talked to, progress, advice.
    pub fn note(&mut self, text: impl fmt::Display) -> io::Result<()> {
        quiet_pipe(writeln!(self.err, "{}", tame(&text.to_string())))
    }

    /// An error with its causes, each once.
    pub fn error(&mut self, error: &anyhow::Error) {
        let text = format!("{} {error:#}", toned(Tone::Bad, "error:"));
        if writeln!(self.err, "{}", tame(&text)).is_err() {
            tracing::error!(error = format!("{error:#}"), "cannot write to standard error");
        }
    }

    /// Asks a yes-or-no question; anything but yes is no, and so is a signal to stop.
    pub async fn ask(&mut self, question: &str, stop: &CancellationToken) -> io::Result<bool> {
        write!(self.err, "{} [y/N] ", tame(question))?;
        self.err.flush()?;
        let (send, answer) = oneshot::channel();
        // A thread of its own: a read from a terminal cannot be given up, and must not hold up the end of the program.
        std::thread::spawn(move || {
            let mut line = String::new();
            // Nobody waits for the answer once the program was told to stop.
            send.send(io::stdin().read_line(&mut line).map(|_bytes| line)).unwrap_or_default();
        });
        let line = tokio::select! {
            () = stop.cancelled() => {
                writeln!(self.err)?;
                String::new()
            }
            answer = answer => answer.unwrap_or(Ok(String::new()))?,
        };
        Ok(matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }
}

/// The text without what could steer a terminal: names of files and words of AWS are shown as they are. Colours stay, since
/// they are ours and do no harm.
fn tame(text: &str) -> String {
    let mut tame = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match character {
            '\n' | '\t' => tame.push(character),
            '\u{1b}' if is_colour(text.get(at..).unwrap_or_default()) => tame.push(character),
            control if control.is_control() => tame.extend(control.escape_default()),
            other => tame.push(other),
        }
    }
    tame
}

/// Whether a text begins with `ESC [ digits m`.
fn is_colour(text: &str) -> bool {
    let rest = text.strip_prefix("\u{1b}[").unwrap_or_default();
    rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m')
}

/// A reader that has seen enough (`| head`) ends the program's output, not in an error.
fn quiet_pipe(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_colour_steers_the_terminal() {
        for (text, expected) in [
            ("\u{1b}[31mred\u{1b}[0m\n\tx", "\u{1b}[31mred\u{1b}[0m\n\tx"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            ("a\rb\u{8}\u{9b}1m", "a\\rb\\u{8}\\u{9b}1m"),
            ("\u{1b}", "\\u{1b}"),
        ] {
            assert_eq!(tame(text), expected);
        }
    }

    #[test]
    fn many_names_are_cut_short_and_things_are_counted() {
        let jobs: Vec<JobName> = ["a", "b", "c", "d", "e", "f", "g"].map(|name| JobName::new(name).unwrap()).to_vec();
        assert_eq!(names(&jobs), "a, b, c, d, e and 2 more");
        assert_eq!(names(&jobs[..2]), "a, b");
        assert_eq!((count(1, "job"), count(0, "job")), ("1 job".to_owned(), "0 jobs".to_owned()));
    }
}
