//! Texts with gaps: `arn:aws:*:event-bus/*` (docs/aws.md, Event patterns).

/// So many gaps are taken; EventBridge refuses what is "too complex" and does not publish the measure (assumed).
const MOST_GAPS: usize = 5;

/// What stands between the gaps, from the first piece, which is at the beginning, to the last, which is at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wildcard {
    pieces: Vec<String>,
}

impl Wildcard {
    /// Reads a text in which `*` is a gap, `\*` an asterisk and `\\` a backslash (docs/aws.md, Event patterns).
    ///
    /// # Errors
    ///
    /// The reason, in EventBridge's words where they are known.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut pieces = vec![String::new()];
        let mut letters = text.chars().enumerate().peekable();
        while let Some((at, letter)) = letters.next() {
            let literal = match letter {
                '*' => {
                    if letters.peek().is_some_and(|(_, next)| *next == '*') {
                        // Counted in the text with its quotes.
                        return Err(format!("Consecutive wildcard characters at pos {}", at + 1));
                    }
                    pieces.push(String::new());
                    continue;
                }
                '\\' => match letters.next() {
                    Some((_, escaped @ ('*' | '\\'))) => escaped,
                    Some(_) | None => return Err(format!("Invalid escape character at pos {}", at + 1)),
                },
                letter => letter,
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push(literal);
            }
        }
        if pieces.len() > MOST_GAPS + 1 {
            return Err("Rule is too complex - try using fewer wildcard characters or fewer repeating character \
                        sequences after a wildcard character"
                .to_owned());
        }
        Ok(Self { pieces })
    }

    /// Whether a text has all pieces in their order, with anything in the gaps.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.pieces.split_first() else { return false };
        let Some((last, between)) = rest.split_last() else { return text == first };
        let Some(mut text) = text.strip_prefix(first.as_str()).and_then(|text| text.strip_suffix(last.as_str())) else {
            return false;
        };
        // The earliest find leaves the most room for what is to come.
        between.iter().all(|piece| match text.split_once(piece.as_str()) {
            Some((_, behind)) => {
                text = behind;
                true
            }
            None => false,
        })
    }
}
