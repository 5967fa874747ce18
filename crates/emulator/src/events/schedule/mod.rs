//! Schedule expressions: whether EventBridge accepts one, and when it fires (docs/aws.md, Schedule expressions).
//!
//! A reading of the grammar of its own, on purpose: it shares nothing with the parser of the manifests, so that an
//! error in one shows against the other.

mod cron;
mod days;
mod field;

use jiff::Timestamp;

pub(crate) use cron::Cron;

/// When a rule fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// Every so many milliseconds from the moment that the expression was put.
    Rate { period: i64 },
    /// At the minutes that an expression names, in UTC.
    Cron(Box<Cron>),
}

impl Schedule {
    /// Reads an expression; `None` when PutRule does not accept it: `rate(...)` or `cron(...)`, exactly.
    pub(crate) fn parse(expression: &str) -> Option<Self> {
        match inside(expression, "rate(") {
            Some(inner) => Some(Self::Rate { period: rate(inner)? }),
            None => Some(Self::Cron(Box::new(Cron::parse(inside(expression, "cron(")?)?))),
        }
    }

    /// The first tick later than `after`; `anchor` is where a rate counts from, and itself no tick of it.
    pub(super) fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rate { period } => {
                let start = anchor.as_millisecond();
                let elapsed = after.as_millisecond().saturating_sub(start).max(0);
                let tick = (elapsed / period).checked_add(1)?.checked_mul(*period)?.checked_add(start)?;
                Timestamp::from_millisecond(tick).ok()
            }
            Self::Cron(cron) => cron.next_after(after.max(anchor)),
        }
    }
}

fn inside<'a>(expression: &'a str, opening: &str) -> Option<&'a str> {
    expression.strip_prefix(opening)?.strip_suffix(')')
}

/// A positive number, one space, and the unit in the number that fits; in milliseconds.
fn rate(inner: &str) -> Option<i64> {
    let (value, unit) = inner.split_once(' ')?;
    let value = field::number(value).filter(|value| *value > 0)?;
    let minutes = match (value, unit) {
        (1, "minute") | (2.., "minutes") => 1,
        (1, "hour") | (2.., "hours") => 60,
        (1, "day") | (2.., "days") => 24 * 60,
        _ => return None,
    };
    Some(i64::from(value) * minutes * 60_000)
}

#[cfg(test)]
mod tests;
