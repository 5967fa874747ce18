//! Names of jobs and clusters, made of names that others gave.

use std::collections::{BTreeMap, BTreeSet};

/// The longest name: with the default prefix and the suffix of a rule in a list, a rule's name may have 64 characters.
const LONGEST: usize = 53;

/// Gives names out, each once.
#[derive(Debug, Default)]
pub struct Names {
    given: BTreeSet<String>,
    /// The last number that a name was given out with: thousands may be called alike.
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// A name like `text` that was not given out before.
    pub fn give(&mut self, text: &str, fallback: &str) -> String {
        let name = label(text);
        let name = if name.is_empty() { fallback.to_owned() } else { name };
        let numbered = |number: usize| {
            let end = format!("-{number}");
            let start: String = name.chars().take(LONGEST - end.len()).collect();
            format!("{}{end}", start.trim_end_matches('-'))
        };
        if self.given.insert(name.clone()) {
            return name;
        }
        let last = self.numbers.entry(name.clone()).or_insert(1);
        loop {
            *last += 1;
            let next = numbered(*last);
            if self.given.insert(next.clone()) {
                return next;
            }
        }
    }
}

/// `DailySales_report` as `daily-sales-report`: a DNS label.
fn label(text: &str) -> String {
    let mut label = String::new();
    let mut before = '-';
    for c in text.chars() {
        let new_word = c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if (new_word || !c.is_ascii_alphanumeric()) && !label.ends_with('-') && !label.is_empty() {
            label.push('-');
        }
        if c.is_ascii_alphanumeric() {
            label.push(c.to_ascii_lowercase());
        }
        before = c;
    }
    label.truncate(LONGEST);
    label.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use ecs_etl_spec::name::JobName;

    use super::*;

    #[track_caller]
    fn check(texts: &[&str], expected: &[&str]) {
        let mut names = Names::default();
        let given: Vec<String> = texts.iter().map(|text| names.give(text, "job")).collect();
        assert_eq!(given, expected);
        assert!(given.iter().all(|name| JobName::new(name.as_str()).is_ok()), "{given:?}");
    }

    #[test]
    fn a_name_becomes_a_dns_label() {
        check(
            &["DailySalesRule", "nightly_ETL", "a.b..c", "2nd-Load2Go"],
            &["daily-sales-rule", "nightly-etl", "a-b-c", "2nd-load2-go"],
        );
        check(&["", "___", "日本"], &["job", "job-2", "job-3"]);
    }

    #[test]
    fn no_name_is_given_twice_or_too_long() {
        check(&["a", "A", "a-2"], &["a", "a-2", "a-2-2"]);
        let long = "x".repeat(80);
        check(&[&long, &long], &[&"x".repeat(53), &format!("{}-2", "x".repeat(51))]);
    }
}
