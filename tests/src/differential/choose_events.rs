//! Which calls of EventBridge a sequence makes, and about what.

use serde_json::{Value, json};

use super::content::{TARGETED, cluster_arn};
use super::rules;
use super::sequence::{Call, Made, exists};
use crate::random::Random;
use crate::raw::{ACCOUNT, REGION};

/// Rules that are put with content AWS takes.
const RULES: &[&str] = &["job-a", "job-b", "job-a.long"];
fn rule(random: &mut Random) -> &'static str {
    if random.one_in(12) { "job-missing" } else { RULES[random.below(RULES.len())] }
}

/// A PutRule; one in four such as AWS refuses, of a name of its own.
pub fn put_rule(random: &mut Random) -> Made {
    if random.one_in(4) {
        return ("events", "PutRule", rules::refused_rule(random, "bad-job"), vec!["bad-job"]);
    }
    let name = RULES[random.below(RULES.len())];
    ("events", "PutRule", rules::rule(random, name), vec![name])
}

/// A call about rules that may be there.
pub fn rules(random: &mut Random) -> Made {
    let name = rule(random);
    match random.below(9) {
        0 | 1 => ("events", "DescribeRule", json!({"Name": name}), vec![name]),
        2 => ("events", "EnableRule", json!({"Name": name}), vec![name]),
        3 => ("events", "DisableRule", json!({"Name": name}), vec![name]),
        4 | 5 => {
            let mut body = json!({});
            if random.one_in(2) {
                body["NamePrefix"] = random.pick(&["job", "job-a", "job-a.", "j.b", "x"]).into();
            }
            if random.one_in(2) {
                body["Limit"] = random.between(1, 3).into();
            }
            ("events", "ListRules", body, vec![])
        }
        6 => ("events", "ListRuleNamesByTarget", json!({"TargetArn": cluster_arn(TARGETED)}), vec![]),
        _ => ("events", "DeleteRule", json!({"Name": name}), vec![name]),
    }
}

/// A call about targets.
pub fn targets(random: &mut Random, before: &[Call]) -> Made {
    let name = rule(random);
    match random.below(8) {
        0 | 1 => ("events", "ListTargetsByRule", json!({"Rule": name}), vec![name]),
        2 | 3 => {
            let ids: Vec<&str> =
                (0..random.between(1, 2)).map(|_| random.pick(&["1", "2", "three", "nowhere"])).collect();
            ("events", "RemoveTargets", json!({"Rule": name, "Ids": ids}), vec![name])
        }
        // Which of two faults AWS tells first is not known: the rule is there.
        4 if exists(before, name, "PutRule", "DeleteRule") => {
            ("events", "PutTargets", rules::refused_targets(random, name), vec![name])
        }
        _ => {
            let first = random.below(3);
            let ids = ["1", "2", "three", "1"];
            let targets: Vec<Value> =
                (0..random.between(1, 2)).map(|n| rules::target(random, ids[first + n])).collect();
            ("events", "PutTargets", json!({"Rule": name, "Targets": targets}), vec![name])
        }
    }
}

/// A call about the tags of a rule.
pub fn tags(random: &mut Random) -> Made {
    let (key, other) = (random.pick(&["team", "stage", "empty"]), random.pick(&["team", "stage", "never"]));
    let value = random.pick(&["sales", "ops", ""]);
    let name = rule(random);
    let arn = format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}");
    match random.below(4) {
        0 => {
            let body = json!({"ResourceARN": arn, "Tags": [{"Key": key, "Value": value}]});
            ("events", "TagResource", body, vec![name])
        }
        1 => ("events", "UntagResource", json!({"ResourceARN": arn, "TagKeys": [other]}), vec![name]),
        _ => ("events", "ListTagsForResource", json!({"ResourceARN": arn}), vec![name]),
    }
}
