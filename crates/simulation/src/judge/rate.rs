//! A `rate(...)` names no minutes, only how far apart its ticks are: whenever AWS began to count, a job that is ready and left alone is
//! started within each period.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// Starts are told to the second at best.
const ROUNDED: SignedDuration = SignedDuration::from_secs(1);

/// When each rate of a job started something, under the name the job was first called.
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<(String, String), Vec<Timestamp>>);

impl Rates {
    /// A tick of a rate started something.
    pub fn started(&mut self, root: &str, expression: &str, due: Timestamp) {
        self.0.entry((root.to_owned(), expression.to_owned())).or_default().push(due);
    }

    /// Between which moments a rate should have started something and did not, given that it was to be ready from `since` on and that
    /// all up to `until` has been told. `since` moves on to the last start.
    pub fn missed(
        &self,
        root: &str,
        expression: &str,
        since: &mut Timestamp,
        until: Timestamp,
    ) -> Option<(Timestamp, Timestamp)> {
        let most = period(expression)?.saturating_add(ROUNDED);
        let starts = self.0.get(&(root.to_owned(), expression.to_owned()));
        let (from, mut last) = (*since, *since);
        let told = starts.into_iter().flatten().copied().filter(|at| *at > from && *at <= until);
        for next in told.chain([until]) {
            if next.duration_since(last) > most {
                return Some((last, next));
            }
            last = next;
            if next < until {
                *since = next;
            }
        }
        None
    }
}

/// How far apart the ticks of a rate are; none for what is no rate.
fn period(expression: &str) -> Option<SignedDuration> {
    let (count, unit) = expression.strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let count: i64 = count.parse().ok()?;
    Some(match unit.trim_end_matches('s') {
        "minute" => SignedDuration::from_mins(count),
        "hour" => SignedDuration::from_hours(count),
        "day" => SignedDuration::from_hours(24 * count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(starts: &[&str], until: &str, expected: Option<(&str, &str)>) {
        let at = |text: &str| format!("2026-11-23T{text}Z").parse::<Timestamp>().unwrap();
        let mut rates = Rates::default();
        starts.iter().for_each(|start| rates.started("sales", "rate(50 minutes)", at(start)));
        let missed = rates.missed("sales", "rate(50 minutes)", &mut at("01:00:00"), at(until));
        assert_eq!(missed, expected.map(|(from, to)| (at(from), at(to))), "{starts:?} until {until}");
    }

    #[test]
    fn a_rate_starts_something_in_each_period() {
        check(&[], "01:50:00", None);
        check(&[], "01:51:00", Some(("01:00:00", "01:51:00")));
        check(&["00:55:00", "01:45:00", "02:35:00"], "03:25:00", None);
        check(&["01:45:00", "03:25:00"], "03:25:30", Some(("01:45:00", "03:25:00")));
        check(&["01:45:00"], "02:36:00", Some(("01:45:00", "02:36:00")));
    }

    #[test]
    fn what_is_no_rate_has_no_period() {
        assert_eq!(period("rate(6 hours)"), Some(SignedDuration::from_hours(6)));
        assert_eq!((period("0 2 * * *"), period("cron(0 2 * * ? *)")), (None, None));
    }
}
