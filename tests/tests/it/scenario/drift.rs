//! Changes that somebody makes behind the controller's back.

use ecs_etl_tests::raw::{ACCOUNT, Aws, REGION};
use ecs_etl_tests::server::Kind;
use serde_json::{Value, json};

use super::converge::converged;
use super::live;

/// One kind of drift: how it comes about, and the calls that undo it.
struct Drift {
    what: &'static str,
    spoil: fn(&Aws),
    repair: &'static [&'static str],
}

const RULE: &str = "etl-daily";

const DRIFTS: &[Drift] = &[
    Drift {
        what: "the rule was disabled",
        spoil: |aws| drop(aws.call("events", "DisableRule", json!({"Name": RULE}))),
        repair: &["EnableRule"],
    },
    Drift {
        what: "the expression was changed",
        spoil: |aws| put_rule(aws, json!({"ScheduleExpression": "rate(5 minutes)"})),
        repair: &["PutRule"],
    },
    Drift {
        what: "the expression was changed and the rule disabled",
        spoil: |aws| put_rule(aws, json!({"ScheduleExpression": "rate(5 minutes)", "State": "DISABLED"})),
        repair: &["PutRule"],
    },
    Drift {
        what: "the rule was deleted",
        spoil: |aws| {
            aws.call("events", "RemoveTargets", json!({"Rule": RULE, "Ids": ["ecs-etl"]}));
            aws.call("events", "DeleteRule", json!({"Name": RULE}));
        },
        repair: &["PutRule", "PutTargets"],
    },
    Drift {
        what: "the target was deleted",
        spoil: |aws| drop(aws.call("events", "RemoveTargets", json!({"Rule": RULE, "Ids": ["ecs-etl"]}))),
        repair: &["PutTargets"],
    },
    Drift {
        what: "the target's role was changed",
        spoil: |aws| edit_target(aws, |target| target["RoleArn"] = json!(format!("arn:aws:iam::{ACCOUNT}:role/wrong"))),
        repair: &["PutTargets"],
    },
    Drift {
        what: "the target's subnets were changed",
        spoil: |aws| {
            edit_target(aws, |target| {
                target["EcsParameters"]["NetworkConfiguration"]["awsvpcConfiguration"]["Subnets"] = json!(["subnet-z"]);
            });
        },
        repair: &["PutTargets"],
    },
    Drift {
        what: "an override was put into the target",
        spoil: |aws| edit_target(aws, |target| target["Input"] = json!(r#"{"containerOverrides":[{"name":"daily"}]}"#)),
        repair: &["PutTargets"],
    },
    Drift {
        what: "a second target starts our family",
        spoil: |aws| {
            let mut stray = aws.targets(RULE)[0].clone();
            stray["Id"] = json!("deployed-by-hand");
            aws.call("events", "PutTargets", json!({"Rule": RULE, "Targets": [stray]}));
        },
        repair: &["RemoveTargets"],
    },
    Drift {
        what: "the revision was deregistered",
        spoil: |aws| {
            let pinned = live::pinned(aws, RULE);
            aws.call("ecs", "DeregisterTaskDefinition", json!({"taskDefinition": pinned}));
        },
        repair: &["RegisterTaskDefinition", "PutTargets"],
    },
    Drift {
        what: "the target pins another's revision",
        spoil: |aws| {
            let task = json!({"family": "by-hand", "containerDefinitions": [{"name": "m", "image": "busybox:1", "memory": 64}]});
            let registered = aws.call("ecs", "RegisterTaskDefinition", task);
            let arn = registered["taskDefinition"]["taskDefinitionArn"].clone();
            edit_target(aws, |target| target["EcsParameters"]["TaskDefinitionArn"] = arn);
        },
        repair: &["PutTargets"],
    },
    Drift {
        what: "a tag of the rule was changed",
        spoil: |aws| {
            let tags = json!([{"Key": "team", "Value": "nobody"}]);
            aws.call("events", "TagResource", json!({"ResourceARN": aws.rule_arn(RULE), "Tags": tags}));
        },
        repair: &["TagResource"],
    },
    Drift {
        what: "a tag of the rule was removed",
        spoil: |aws| {
            let body = json!({"ResourceARN": aws.rule_arn(RULE), "TagKeys": ["team"]});
            aws.call("events", "UntagResource", body);
        },
        repair: &["TagResource"],
    },
    Drift {
        what: "a tag of the revision was changed",
        spoil: |aws| {
            let tags = json!([{"key": "team", "value": "nobody"}]);
            aws.call("ecs", "TagResource", json!({"resourceArn": live::pinned(aws, RULE), "tags": tags}));
        },
        repair: &["TagResource"],
    },
];

pub fn every_kind_of_drift_is_repaired_with_the_fewest_calls(kind: Kind) {
    let world = converged(kind);
    let desired = live::job(&world.aws, RULE);
    let mut wrong = Vec::new();
    for Drift { what, spoil, repair } in DRIFTS {
        spoil(&world.aws);
        let calls = world.apply();
        let live = live::job(&world.aws, RULE);
        if calls.changes() != *repair {
            wrong.push(format!("{what}: expected {repair:?}\n{calls}"));
        }
        if live != desired {
            wrong.push(format!("{what}: left\n  {live}\ndesired is\n  {desired}"));
        }
        let calls = world.apply();
        if !calls.changes().is_empty() {
            wrong.push(format!("{what}: not at rest\n{calls}"));
        }
    }
    assert!(wrong.is_empty(), "{} faults\n{}", wrong.len(), wrong.join("\n"));
}

pub fn targets_and_tags_of_others_stay(kind: Kind) {
    let world = converged(kind);
    let aws = &world.aws;
    let queue = json!({"Id": "audit", "Arn": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:audit")});
    aws.call("events", "PutTargets", json!({"Rule": RULE, "Targets": [queue]}));
    let tags = json!([{"Key": "audited", "Value": "yes"}]);
    aws.call("events", "TagResource", json!({"ResourceARN": aws.rule_arn(RULE), "Tags": tags}));
    let calls = world.apply();
    assert!(calls.mutating().is_empty(), "{calls}");
    aws.call("events", "DisableRule", json!({"Name": RULE}));
    world.apply();
    assert!(aws.targets(RULE).contains(&queue));
    assert_eq!(aws.rule_tags(RULE)["audited"], "yes");
}

fn put_rule(aws: &Aws, mut body: Value) {
    body["Name"] = json!(RULE);
    if let Some(description) = aws.rule(RULE).unwrap_or_default().get("Description") {
        body["Description"] = description.clone();
    }
    aws.call("events", "PutRule", body);
}

fn edit_target(aws: &Aws, edit: impl FnOnce(&mut Value)) {
    let mut target = aws.targets(RULE)[0].clone();
    edit(&mut target);
    aws.call("events", "PutTargets", json!({"Rule": RULE, "Targets": [target]}));
}
