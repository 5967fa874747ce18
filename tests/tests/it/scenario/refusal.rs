//! What the controller must not touch.

use ecs_etl_tests::raw::{ACCOUNT, Aws, REGION};
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::workspace::{Job, Workspace};
use serde_json::{Value, json};

use super::converge::converged;
use super::live;

/// Makes a rule with a target and a family of the same name, tagged with `tags`.
fn seed(aws: &Aws, name: &str, tags: &[(&str, &str)]) {
    let upper: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let lower: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    let mut task = json!({"family": name, "containerDefinitions": [{"name": "m", "image": "busybox:1", "memory": 64}]});
    let mut rule = json!({"Name": name, "ScheduleExpression": "rate(1 hour)", "Description": "not yours"});
    if !tags.is_empty() {
        task["tags"] = json!(lower);
        rule["Tags"] = json!(upper);
    }
    let registered = aws.call("ecs", "RegisterTaskDefinition", task);
    aws.call("events", "PutRule", rule);
    let target = json!({
        "Id": "theirs",
        "Arn": format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/theirs"),
        "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/theirs"),
        "EcsParameters": {"TaskDefinitionArn": registered["taskDefinition"]["taskDefinitionArn"], "TaskCount": 2},
    });
    aws.call("events", "PutTargets", json!({"Rule": name, "Targets": [target]}));
}

/// Everything that AWS tells about what `seed` made.
fn all(aws: &Aws, name: &str) -> Value {
    json!([
        aws.rule(name),
        aws.rule_tags(name),
        aws.targets(name),
        aws.active_revisions(name),
        aws.revision(&format!("{name}:1"))
    ])
}

pub fn what_strangers_own_stays_byte_for_byte(kind: Kind) {
    let world = Workspace::new(kind);
    let strangers = ["etl-taken", "etl-theirs", "etl-nobodys", "nightly"];
    seed(&world.aws, "etl-taken", &[]);
    seed(&world.aws, "etl-theirs", &[("ecs-etl/controller", "another"), ("ecs-etl/job", "theirs")]);
    seed(&world.aws, "etl-nobodys", &[("ecs-etl/job", "nobodys")]);
    seed(&world.aws, "nightly", &[]);
    let before = strangers.map(|name| all(&world.aws, name));

    for name in ["taken", "theirs", "daily"] {
        world.write_job(&Job::daily(name));
    }
    let (outcome, calls) = world.run(&["apply", "manifests"]);
    let outcome = outcome.expect_code(1);
    assert_eq!(calls.mutating().len(), 3, "{outcome}\n{calls}");
    for name in ["taken", "theirs"] {
        let stalled = world.condition(name, "Stalled");
        assert_eq!(stalled, Some(("True".to_owned(), "NotOwned".to_owned())), "{name}\n{outcome}");
        assert_eq!(world.condition(name, "Ready").map(|(status, _)| status), Some("False".to_owned()));
    }
    assert_eq!(live::job(&world.aws, "etl-daily")["state"], "ENABLED");
    assert_eq!(strangers.map(|name| all(&world.aws, name)), before);

    // Nor when the manifests go again.
    world.remove("taken.yaml");
    world.remove("theirs.yaml");
    let (outcome, calls) = world.run(&["apply", "manifests", "--prune", "--yes"]);
    assert!(calls.mutating().is_empty(), "{outcome}\n{calls}");
    assert_eq!(strangers.map(|name| all(&world.aws, name)), before);
}

pub fn what_another_source_owns_is_never_pruned(kind: Kind) {
    let world = Workspace::new(kind);
    let controller = |source: &str| {
        format!(
            "apiVersion: ecs-etl/v1\nkind: EtlController\nmetadata: {{name: e2e}}\nspec: {{source: {source}, prune: {{graceSeconds: 0}}}}\n"
        )
    };
    world.write("controller.yaml", controller("example.com/one"));
    world.write_job(&Job::daily("first"));
    world.apply();
    let before = live::job(&world.aws, "etl-first");

    // Another repository under the same name of a controller.
    world.remove("first.yaml");
    world.write("controller.yaml", controller("example.com/two"));
    world.write_job(&Job::daily("second"));
    let (outcome, calls) = world.run(&["apply", "manifests", "--prune", "--yes"]);
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutRule", "PutTargets"], "{outcome}\n{calls}");
    assert_eq!(live::job(&world.aws, "etl-first"), before);
    assert!(format!("{}{}", outcome.stdout, outcome.stderr).contains("OtherSource"), "{outcome}");
}

pub fn good_jobs_converge_beside_bad_ones(kind: Kind) {
    let world = converged(kind);
    let before = live::job(&world.aws, "etl-daily");
    world.write("daily.yaml", Job::daily("daily").to_string().replace("entryPoint", "entrypoint"));
    world.write("torn.yaml", "kind: [EtlJob");
    world.write("lost.yaml", Job::daily("lost").to_string().replace("cluster: analytics", "cluster: nowhere"));
    world.write("again.yaml", Job::daily("rate").to_string());
    world.write_job(&Job::daily("fresh"));
    let (outcome, calls) = world.run(&["apply", "manifests"]);
    let outcome = outcome.expect_code(1);
    assert_eq!(calls.changes(), ["RegisterTaskDefinition", "PutRule", "PutTargets"], "{outcome}\n{calls}");
    assert_eq!(live::job(&world.aws, "etl-fresh")["state"], "ENABLED");
    assert_eq!(live::job(&world.aws, "etl-daily"), before);
    for (job, reason) in [("daily", "InvalidSpec"), ("lost", "ClusterNotFound"), ("rate", "DuplicateName")] {
        assert_eq!(world.condition(job, "Stalled"), Some(("True".to_owned(), reason.to_owned())), "{job}\n{outcome}");
    }
    let said = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(said.contains("daily.yaml") && said.contains("entryPoint") && said.contains("torn.yaml"), "{said}");

    let (outcome, _) = world.run(&["validate", "manifests"]);
    let outcome = outcome.expect_code(1);
    assert!(outcome.stdout.contains("entryPoint") || outcome.stderr.contains("entryPoint"), "{outcome}");
}

pub fn an_annotation_or_a_tag_leaves_a_job_alone(kind: Kind) {
    let world = converged(kind);
    let aws = &world.aws;
    let annotated = Job::daily("daily")
        .to_string()
        .replace("metadata: {", "metadata: {annotations: {ecs-etl/reconcile: disabled}, ");
    world.write("daily.yaml", annotated.replace("daily:1", "daily:2"));
    let tag = json!([{"Key": "ecs-etl/reconcile", "Value": "disabled"}]);
    aws.call("events", "TagResource", json!({"ResourceARN": aws.rule_arn("etl-rate"), "Tags": tag}));
    for rule in ["etl-daily", "etl-rate"] {
        aws.call("events", "DisableRule", json!({"Name": rule}));
    }
    let (outcome, calls) = world.run(&["apply", "manifests"]);
    assert!(calls.mutating().is_empty(), "{outcome}\n{calls}");
    for job in ["daily", "rate"] {
        let ready = world.condition(job, "Ready");
        assert!(ready.as_ref().is_some_and(|(_, reason)| reason == "ReconcileDisabled"), "{job}: {ready:?}\n{outcome}");
    }

    world.write_job(&Job::daily("daily"));
    let untag = json!({"ResourceARN": aws.rule_arn("etl-rate"), "TagKeys": ["ecs-etl/reconcile"]});
    aws.call("events", "UntagResource", untag);
    assert_eq!(world.apply().changes(), ["EnableRule", "EnableRule"]);
}
