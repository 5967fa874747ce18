//! Ranges of numbers: `["=", 5]`, `[">", 0, "<=", 5]` (docs/aws.md, Event patterns).

use std::cmp::Ordering;

use serde_json::Value;

/// The numbers between two bounds, either of which may be missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    least: Option<Bound>,
    most: Option<Bound>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bound {
    number: f64,
    /// Whether the number itself is in the range.
    included: bool,
}

impl Range {
    pub(super) fn contains(&self, number: f64) -> bool {
        let within = |bound: Option<Bound>, inner: Ordering| {
            bound.is_none_or(|Bound { number: bound, included }| match number.partial_cmp(&bound) {
                Some(Ordering::Equal) => included,
                Some(order) => order == inner,
                None => false,
            })
        };
        within(self.least, Ordering::Greater) && within(self.most, Ordering::Less)
    }

    /// Reads the words of a range (docs/aws.md, Event patterns).
    ///
    /// # Errors
    ///
    /// The reason, in EventBridge's words where they are known.
    pub(super) fn read(words: &[Value]) -> Result<Self, String> {
        let mut words = words.iter();
        let first = words.next().map_or_else(|| "]".to_owned(), plain);
        match first.as_str() {
            "=" => {
                let number = operand("=", words.next())?;
                end(words.next())?;
                let bound = Some(Bound { number, included: true });
                Ok(Self { least: bound, most: bound })
            }
            "<" | "<=" => {
                let most = Bound { number: operand(&first, words.next())?, included: first == "<=" };
                end(words.next())?;
                Ok(Self { least: None, most: Some(most) })
            }
            ">" | ">=" => {
                let least = Bound { number: operand(&first, words.next())?, included: first == ">=" };
                let Some(second) = words.next().map(plain) else { return Ok(Self { least: Some(least), most: None }) };
                if !matches!(second.as_str(), "<" | "<=") {
                    return Err(format!("Bad numeric range operator: {second}"));
                }
                let most = Bound { number: operand(&second, words.next())?, included: second == "<=" };
                end(words.next())?;
                if least.number >= most.number {
                    return Err("Bottom must be less than top".to_owned());
                }
                Ok(Self { least: Some(least), most: Some(most) })
            }
            unknown => Err(format!("Unrecognized numeric range operator: {unknown}")),
        }
    }
}

/// A word as it is told in a reason: texts without their quotes.
fn plain(word: &Value) -> String {
    word.as_str().map_or_else(|| word.to_string(), str::to_owned)
}

fn operand(operator: &str, word: Option<&Value>) -> Result<f64, String> {
    word.and_then(Value::as_f64).ok_or_else(|| format!("Value of {operator} must be numeric"))
}

fn end(word: Option<&Value>) -> Result<(), String> {
    match word {
        None => Ok(()),
        Some(_) => Err("Too many terms in numeric range expression".to_owned()),
    }
}
