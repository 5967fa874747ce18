//! Whatever task definition is registered, neither Register's answer nor Describe's differs from it after normalising.

use ecs_etl_aws::{Answer, Done};
use ecs_etl_plan::normalise;
use ecs_etl_plan::observed::Look;
use ecs_etl_plan::step::Action;
use ecs_etl_spec::shapes::TaskDefinition;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::world::{World, family, tags, world};

type Values = BoxedStrategy<Value>;

fn one_of(values: Value) -> Values {
    select(values.as_array().unwrap().clone()).boxed()
}

/// Some of these entries, in this order or reversed: an empty list too.
fn some_of(values: Value) -> Values {
    let values = values.as_array().unwrap().clone();
    let count = values.len();
    (subsequence(values, 0..=count), any::<bool>())
        .prop_map(|(mut some, reversed)| {
            if reversed {
                some.reverse();
            }
            Value::Array(some)
        })
        .boxed()
}

/// A list of entries made by `entry`, at most two.
fn list_of(entry: impl Strategy<Value = Value> + 'static) -> Values {
    prop::collection::vec(entry, 0..3).prop_map(Value::Array).boxed()
}

/// An object with the members of `always`, and each of `maybe` or not.
fn object(always: Value, maybe: Vec<(&'static str, Values)>) -> Values {
    let members: Vec<_> = maybe
        .into_iter()
        .map(|(name, value)| prop::option::of(value).prop_map(move |value| Some((name.to_owned(), value?))))
        .collect();
    members
        .prop_map(move |members| {
            let mut object = always.as_object().unwrap().clone();
            object.extend(members.into_iter().flatten().collect::<Map<_, _>>());
            Value::Object(object)
        })
        .boxed()
}

fn truth() -> Values {
    one_of(json!([true, false]))
}

fn container(name: &'static str) -> Values {
    let variable = |name: &str| json!({ "name": name, "value": "" });
    let named = |name: &str| json!({ "name": name, "valueFrom": "parameter" });
    let port = |port: u16| json!({ "containerPort": port });
    let check = object(
        json!({ "command": ["CMD-SHELL", "true"] }),
        vec![
            ("interval", one_of(json!([30, 60]))),
            ("timeout", one_of(json!([5, 6]))),
            ("retries", one_of(json!([3, 4]))),
            ("startPeriod", one_of(json!([0, 10]))),
        ],
    );
    let log = object(
        json!({ "logDriver": "json-file" }),
        vec![
            ("options", one_of(json!([{}, {"max-size": "10m", "labels": "a"}]))),
            ("secretOptions", some_of(json!([named("A"), named("B")]))),
        ],
    );
    let mapping =
        object(port(80), vec![("hostPort", one_of(json!([0, 80]))), ("protocol", one_of(json!(["tcp", "udp"])))]);
    let mount = object(json!({"sourceVolume": "plain", "containerPath": "/a"}), vec![("readOnly", truth())]);
    let linux = object(
        json!({}),
        vec![
            ("initProcessEnabled", truth()),
            ("capabilities", one_of(json!([{}, {"add": []}, {"add": ["SYS_PTRACE"], "drop": []}]))),
        ],
    );
    let always = json!({ "name": name, "image": "repo/image:1.2", "memory": 128 });
    object(
        always,
        vec![
            ("cpu", one_of(json!([0, 10]))),
            ("essential", one_of(json!([true]))),
            ("environment", some_of(json!([variable("A"), variable("B"), variable("C")]))),
            ("secrets", some_of(json!([named("S"), named("T")]))),
            ("command", some_of(json!(["a", "b", ""]))),
            ("entryPoint", some_of(json!(["a"]))),
            (
                "portMappings",
                list_of(mapping).prop_filter("one mapping of a port", |l| l.as_array().unwrap().len() < 2).boxed(),
            ),
            (
                "mountPoints",
                list_of(mount).prop_filter("one mount at a path", |l| l.as_array().unwrap().len() < 2).boxed(),
            ),
            ("healthCheck", check),
            ("logConfiguration", log),
            ("linuxParameters", linux),
            (
                "ulimits",
                some_of(
                    json!([{"name": "core", "softLimit": 0, "hardLimit": 0}, {"name": "cpu", "softLimit": 1, "hardLimit": 1}]),
                ),
            ),
            ("dockerLabels", one_of(json!([{}, {"b": "", "a": "1"}]))),
            ("systemControls", some_of(json!([{"namespace": "net.core.somaxconn", "value": "1"}]))),
            ("readonlyRootFilesystem", truth()),
            ("versionConsistency", one_of(json!(["enabled", "disabled"]))),
            ("stopTimeout", one_of(json!([0, 30]))),
            ("user", one_of(json!(["", "app"]))),
        ],
    )
}

fn any_task_definition() -> Values {
    let efs = object(
        json!({ "fileSystemId": "fs-12345678" }),
        vec![
            ("rootDirectory", one_of(json!(["", "/", "/data"]))),
            ("transitEncryption", one_of(json!(["ENABLED", "DISABLED"]))),
            ("authorizationConfig", one_of(json!([{}, {"iam": "DISABLED"}]))),
        ],
    );
    let volumes = (object(json!({ "name": "plain" }), vec![("host", one_of(json!([{}])))]), prop::option::of(efs))
        .prop_map(|(plain, efs)| {
            let efs = efs.map(|efs| json!({ "name": "efs", "efsVolumeConfiguration": efs }));
            efs.into_iter().chain([plain]).collect::<Value>()
        });
    let containers = (container("main"), prop::option::of(container("side")))
        .prop_map(|(main, side)| [Some(main), side].into_iter().flatten().collect::<Value>());
    let rest = object(
        json!({ "executionRoleArn": "arn:aws:iam::123456789012:role/execution" }),
        vec![
            ("networkMode", one_of(json!(["bridge", "awsvpc", "host"]))),
            ("requiresCompatibilities", some_of(json!(["EC2", "EXTERNAL"]))),
            ("cpu", one_of(json!(["512", ".5 vCPU", "1vcpu"]))),
            ("memory", one_of(json!(["1024", "1 GB", ".5GB"]))),
            ("enableFaultInjection", truth()),
            ("runtimePlatform", one_of(json!([{}, {"cpuArchitecture": "X86_64"}, {"cpuArchitecture": "ARM64"}]))),
            ("placementConstraints", some_of(json!([{"type": "memberOf", "expression": "a"}]))),
            ("ephemeralStorage", one_of(json!([{"sizeInGiB": 21}]))),
        ],
    );
    (rest, containers, volumes)
        .prop_map(|(mut definition, containers, volumes)| {
            definition["containerDefinitions"] = containers;
            definition["volumes"] = volumes;
            definition
        })
        .boxed()
}

/// What differs between `shape` and each answer; none if AWS refuses it.
async fn differences(world: &World, shape: TaskDefinition) -> Option<Vec<normalise::FieldChange>> {
    let desired = normalise::task_definition(&shape);
    let tags = tags(&[("ecs-etl/controller", "default")]);
    let register = Action::RegisterTaskDefinition { family: family("etl-a"), task_definition: Box::new(shape), tags };
    let Done::Registered(registered) = world.try_act(register).await.ok()? else { unreachable!("it registers") };
    let answer = world.look(Look::Revision(registered.arn.clone())).await;
    let Answer::Revision(Some(described)) = answer else { unreachable!("{answer:?}") };
    let mut changes = normalise::diff(&registered.normal, &desired);
    changes.extend(normalise::diff(&described.normal, &desired));
    assert_eq!(described.normal.digest(), registered.normal.digest());
    Some(changes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_registered_is_what_comes_back(value in any_task_definition()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let shape: TaskDefinition = serde_json::from_value(value).unwrap();
        let differences = runtime.block_on(async { differences(&world().await, shape).await });
        // Too many that are refused end the test as well.
        prop_assume!(differences.is_some());
        prop_assert_eq!(differences, Some(vec![]));
    }
}
