//! Which calls of Scheduler a sequence makes, and about what.

use serde_json::{Value, json};

use super::content;
use super::schedules;
use super::sequence::{Call, Made, exists};
use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// Schedules, each with its group; names are not told from each other by their group alone.
const SCHEDULES: &[(&str, &str)] =
    &[("run-a", DEFAULT), ("run-b", DEFAULT), ("run-c", "batch"), ("run-c.long", "batch")];
/// The group that is always there.
const DEFAULT: &str = "default";
/// Groups that may be created; the first is the beginning of the second.
const GROUPS: &[&str] = &["batch", "batch-long"];

/// A call about a schedule; into a group only while it is there, since of several faults it is not known which is told first.
pub fn schedules(random: &mut Random, before: &[Call]) -> Made {
    let (name, group) = SCHEDULES[random.below(SCHEDULES.len())];
    if group != DEFAULT && !has_group(before, group) {
        return make_group(random, group);
    }
    let subjects = if group == DEFAULT { vec![name] } else { vec![name, group] };
    let named = |mut body: Value| {
        body["Name"] = name.into();
        if group != DEFAULT {
            body["GroupName"] = group.into();
        }
        body
    };
    match random.below(10) {
        // One that is refused is of a name of its own, so that it is nothing else that it is refused for.
        0 => {
            let mut body = schedules::refused(random);
            body["Name"] = "bad-run".into();
            ("scheduler", "CreateSchedule", body, vec!["bad-run"])
        }
        1..=3 => ("scheduler", "CreateSchedule", named(schedules::schedule(random)), subjects),
        4 | 5 => ("scheduler", "UpdateSchedule", named(schedules::schedule(random)), subjects),
        6 => ("scheduler", "DeleteSchedule", named(json!({})), subjects),
        7 => list(random, before),
        _ => ("scheduler", "GetSchedule", named(json!({})), subjects),
    }
}

fn list(random: &mut Random, before: &[Call]) -> Made {
    let mut body = json!({});
    let mut subjects = Vec::new();
    if random.one_in(3) {
        let group = GROUPS[0];
        if has_group(before, group) {
            body["GroupName"] = group.into();
            subjects.push(group);
        }
    }
    if random.one_in(3) {
        body["NamePrefix"] = random.pick(&["run", "run-c", "x"]).into();
    }
    if random.one_in(4) {
        body["State"] = random.pick(&["ENABLED", "DISABLED"]).into();
    }
    if random.one_in(3) {
        body["MaxResults"] = random.between(1, 3).into();
    }
    ("scheduler", "ListSchedules", body, subjects)
}

/// A call about a group.
pub fn groups(random: &mut Random, before: &[Call]) -> Made {
    let group = GROUPS[random.below(GROUPS.len())];
    let arn = format!("arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{group}");
    match random.below(8) {
        0 | 1 => make_group(random, group),
        2 => ("scheduler", "GetScheduleGroup", json!({"Name": group}), vec![group]),
        3 => ("scheduler", "DeleteScheduleGroup", json!({"Name": group}), vec![group]),
        4 => {
            let prefix = random.pick(&["batch", "batch-l", "x"]);
            ("scheduler", "ListScheduleGroups", json!({"NamePrefix": prefix}), vec![])
        }
        // What AWS says of the tags of a group that is not there is not known.
        _ if !has_group(before, group) => make_group(random, group),
        5 => {
            let body = json!({"ResourceArn": arn, "Tags": content::tags(random, "Key", "Value")});
            ("scheduler", "TagResource", body, vec![group])
        }
        6 => {
            let body = json!({"ResourceArn": arn, "TagKeys": [random.pick(&["team", "stage", "never"])]});
            ("scheduler", "UntagResource", body, vec![group])
        }
        _ => ("scheduler", "ListTagsForResource", json!({"ResourceArn": arn}), vec![group]),
    }
}

fn make_group(random: &mut Random, group: &'static str) -> Made {
    let mut body = json!({"Name": group});
    if random.one_in(2) {
        body["Tags"] = content::tags(random, "Key", "Value");
    }
    ("scheduler", "CreateScheduleGroup", body, vec![group])
}

fn has_group(before: &[Call], group: &str) -> bool {
    exists(before, group, "CreateScheduleGroup", "DeleteScheduleGroup")
}
