//! From bytes to text: what is no YAML at all is refused here, before anything is built.

use super::build::{Builder, Stream, Tags};
use super::node::Mark;

/// What one file may cost. The defaults fit any manifest a person would write.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one file.
    pub bytes: usize,
    /// How deep lists and mappings may nest.
    pub depth: usize,
    /// Documents of one file.
    pub documents: usize,
    /// Values of one file, what aliases repeat among them.
    pub nodes: usize,
    /// Bytes of text of one file, what aliases repeat among them.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 64, documents: 10_000, nodes: 100_000, text: 4 << 20 }
    }
}

/// Why a file, or the rest of it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where; line 0 when the whole file is meant, column 0 when the line is.
    pub at: Mark,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Reads a file. Documents before a fault are kept; every problem that leaves the YAML readable stands in its document.
pub fn read(file: u32, bytes: &[u8], limits: Limits) -> Stream {
    read_with(file, bytes, limits, Tags::Refused)
}

/// [`read`] for YAML of others, in which tags may mean something.
pub fn read_with(file: u32, bytes: &[u8], limits: Limits, tags: Tags) -> Stream {
    match text(file, bytes, limits) {
        Ok(text) => Builder::new(file, text, limits, tags).run(),
        Err(fault) => Stream { documents: Vec::new(), fault: Some(fault) },
    }
}

fn text(file: u32, bytes: &[u8], limits: Limits) -> Result<&str, Fault> {
    let whole = |message: String, help: &str| Fault {
        at: Mark { file, line: 0, column: 0 },
        message,
        help: Some(help.to_owned()),
    };
    if bytes.len() > limits.bytes {
        return Err(whole(
            format!("the file has {} bytes; at most {} are read", bytes.len(), limits.bytes),
            "split it, one job to a file",
        ));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(whole("the file is UTF-16; UTF-8 was expected".to_owned(), "save it as UTF-8"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            return Err(Fault {
                at: end_of(file, &String::from_utf8_lossy(valid)),
                message: "a byte that is not UTF-8".to_owned(),
                help: Some("is this a text file? save it as UTF-8".to_owned()),
            });
        }
    };
    let forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some((index, c)) = text.char_indices().find(|(_, c)| forbidden(*c)) {
        return Err(Fault {
            at: end_of(file, text.get(..index).unwrap_or_default()),
            message: format!("the control character {} is not allowed in YAML", c.escape_unicode()),
            help: Some("is this a text file?".to_owned()),
        });
    }
    Ok(text)
}

fn end_of(file: u32, before: &str) -> Mark {
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Mark { file, line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
}
