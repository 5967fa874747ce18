//! Values of flags: text that is wrong here is a usage error.

use std::path::PathBuf;

use ecs_etl_aws::{Endpoint, LeaseTable};
use ecs_etl_plan::labels::LabelSelector;
use ecs_etl_spec::name::{AccountId, ClusterName, ControllerName, JobName, Region};
use ecs_etl_spec::schedule::Schedule;
use ecs_etl_spec::schedule::Zone;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A point in time as `--from` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// With an offset, such as `2026-11-23T08:00:00Z`.
    Instant(Timestamp),
    /// Without one: local time of `--time-zone`.
    Local(DateTime),
}

/// A switch as an environment variable sets it.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

pub(super) fn endpoint(text: &str) -> Result<String, String> {
    Endpoint::parse(text).map(|_endpoint| text.to_owned()).map_err(|error| error.to_string())
}

pub(super) fn lease(text: &str) -> Result<LeaseTable, String> {
    LeaseTable::parse(text).map_err(|error| error.to_string())
}

pub(super) fn job_name(text: &str) -> Result<JobName, String> {
    JobName::new(text).map_err(|error| error.to_string())
}

pub(super) fn cluster(text: &str) -> Result<ClusterName, String> {
    ClusterName::new(text).map_err(|error| error.to_string())
}

pub(super) fn shard(text: &str) -> Result<LabelSelector, String> {
    text.parse().map_err(|error: ecs_etl_plan::labels::SelectorError| error.to_string())
}

pub(super) fn account(text: &str) -> Result<AccountId, String> {
    AccountId::new(text).map_err(|error| error.to_string())
}

pub(super) fn controller(text: &str) -> Result<ControllerName, String> {
    ControllerName::new(text).map_err(|error| error.to_string())
}

pub(super) fn region(text: &str) -> Result<Region, String> {
    Region::new(text).map_err(|error| error.to_string())
}

pub(super) fn schedule(text: &str) -> Result<String, String> {
    Schedule::parse(text).map(|_schedule| text.to_owned()).map_err(|error| error.to_string())
}

/// A directory to write to. The same variable is the form of results elsewhere, and no directory must come of that.
pub(super) fn output_dir(text: &str) -> Result<PathBuf, String> {
    match text {
        "text" | "json" | "yaml" | "aws" => {
            Err("expected a directory, this is a form of results; write `./NAME` if it is one, and -o for the form"
                .to_owned())
        }
        _ => Ok(PathBuf::from(text)),
    }
}

pub(super) fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("expected KEY=VALUE, such as team=analytics".to_owned()),
    }
}

pub(super) fn time_zone(text: &str) -> Result<Zone, String> {
    // Capitals matter to AWS and not to a person who only asks.
    let known = TimeZone::get(text).ok();
    let zone = known.as_ref().and_then(TimeZone::iana_name).and_then(Zone::new);
    zone.ok_or_else(|| "expected an IANA time zone, such as Asia/Tokyo".to_owned())
}

pub(super) fn from(text: &str) -> Result<From, String> {
    let local = || text.parse().map(From::Local);
    let instant = text.parse().map(From::Instant);
    instant.or_else(|_no_offset| local()).map_err(|_neither| "expected a time, such as 2026-11-23T08:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_set_by_the_usual_words_and_by_no_others() {
        for (words, expected) in [
            (&["1", "true", "TRUE", "yes", "on"][..], Some(true)),
            (&["0", "false", "No", "off"][..], Some(false)),
            (&["", "2", "ja", "tru", "y es"][..], None),
        ] {
            for word in words {
                assert_eq!(switch(word).ok(), expected, "{word}");
            }
        }
    }

    #[test]
    fn a_time_has_an_offset_or_is_local() {
        assert!(matches!(from("2026-11-23T08:00:00+09:00"), Ok(From::Instant(_))));
        assert!(matches!(from("2026-11-23T08:00"), Ok(From::Local(_))));
        assert!(matches!(from("2026-11-23"), Ok(From::Local(_))));
        assert!(from("tomorrow").is_err());
    }

    #[test]
    fn a_label_has_a_key() {
        assert_eq!(label("team=a=b"), Ok(("team".to_owned(), "a=b".to_owned())));
        assert!(label("=x").is_err() && label("team").is_err());
    }
}
