//! What `deploy/` promises: templates without a warning, one daemon at a time, and no right too many or too few.

use std::collections::BTreeSet;
use std::process::Command;

use ecs_etl_aws::{LEASE_KEY, LEASE_OPERATIONS, OPERATIONS, Operation};
use ecs_etl_tests::server::Kind;
use ecs_etl_tests::template::Template;
use ecs_etl_tests::tools;
use ecs_etl_tests::workspace::{Job, Workspace};

const ACCOUNT: &str = "deploy/cloudformation/account.yaml";
const CONTROLLER: &str = "deploy/cloudformation/controller.yaml";
const LEASE: &str = "deploy/cloudformation/lease.yaml";

#[test]
fn the_templates_pass_cfn_lint_without_a_warning() {
    let output = Command::new(tools::python_tool("cfn-lint"))
        .args(["--include-checks", "I", "--"])
        .args([ACCOUNT, CONTROLLER, LEASE])
        .current_dir(tools::root())
        .output()
        .expect("cfn-lint starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.trim().is_empty(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_deployment_stops_the_old_daemon_before_it_starts_the_new_one() {
    let service = Template::read(CONTROLLER).at("/Resources/Service/Properties");
    assert_eq!(service["DesiredCount"], 1);
    assert_eq!(service["DeploymentConfiguration"]["MinimumHealthyPercent"], 0);
    assert_eq!(service["DeploymentConfiguration"]["MaximumPercent"], 100);
    // Rebalancing starts the replacement first.
    assert_eq!(service["AvailabilityZoneRebalancing"], "DISABLED");
}

#[test]
fn the_daemon_gets_the_time_that_a_clean_end_takes() {
    let containers = Template::read(CONTROLLER).at("/Resources/TaskDefinition/Properties/ContainerDefinitions");
    let daemon = containers.as_array().into_iter().flatten().find(|container| container["Name"] == "ecs-etl");
    assert!(daemon.and_then(|daemon| daemon["StopTimeout"].as_u64()).is_some_and(|seconds| seconds > 20));
    let unit = read("deploy/systemd/ecs-etl.service");
    let seconds = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec="));
    assert!(seconds.and_then(|seconds| seconds.parse::<u64>().ok()).is_some_and(|seconds| seconds > 20));
}

#[test]
fn the_image_is_pinned_runs_as_nobody_and_builds_with_our_toolchain() {
    let dockerfile = read("deploy/Dockerfile");
    let bases: Vec<&str> = dockerfile.lines().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert_eq!(bases.len(), 2);
    let toolchain = read("rust-toolchain.toml");
    let channel = toolchain.split('"').nth(1).expect("a channel");
    assert!(bases[0].starts_with(&format!("rust:{channel}-")), "{} is not Rust {channel}", bases[0]);
    assert!(bases[1].contains("distroless") && bases[1].ends_with(":nonroot"), "{}", bases[1]);
    assert!(dockerfile.contains("\nUSER 65532:65532\n") && dockerfile.contains("\nHEALTHCHECK "));
    let shell_form = dockerfile.lines().find(|line| {
        ["CMD ", "ENTRYPOINT ", "    CMD "].iter().any(|word| line.starts_with(word)) && !line.contains('[')
    });
    assert_eq!(shell_form, None, "the image has no shell");
}

#[test]
fn the_controller_may_do_what_it_calls_and_nothing_else() {
    let mut expected = actions(|operation| operation.name != "AssumeRole");
    expected.insert("iam:PassRole".to_owned());
    // The group of schedules gets its tags when it is made.
    expected.insert("scheduler:TagResource".to_owned());
    assert_eq!(Template::read(ACCOUNT).allowed_by("ControllerPolicy"), expected);
    assert_eq!(Template::read(CONTROLLER).allowed_by("OtherAccountsPolicy"), ["sts:AssumeRole".to_owned()].into());
}

#[test]
fn a_lease_may_be_kept_in_its_table_and_nothing_else() {
    let template = Template::read(LEASE);
    let called: BTreeSet<String> = LEASE_OPERATIONS.iter().map(Operation::iam_action).collect();
    assert_eq!(template.allowed_by("LeasePolicy"), called);
    assert_eq!(template.allowed_everywhere("LeasePolicy"), BTreeSet::new());
    let keys = template.at("/Resources/Table/Properties/KeySchema");
    assert_eq!(keys, serde_json::json!([{"AttributeName": LEASE_KEY, "KeyType": "HASH"}]));
}

#[test]
fn what_is_adopted_may_be_changed_by_name_and_nothing_besides() {
    // Deregistering knows no resources, so the other policy has it for every family. Schedules are never adopted.
    let mut expected = actions(|operation| {
        operation.mutating
            && operation.service.prefix() != "scheduler"
            && !["AssumeRole", "DeregisterTaskDefinition"].contains(&operation.name)
    });
    expected.insert("iam:PassRole".to_owned());
    let template = Template::read(ACCOUNT);
    assert_eq!(template.allowed_by("AdoptionPolicy"), expected);
    assert_eq!(template.allowed_everywhere("AdoptionPolicy"), BTreeSet::new());
}

#[test]
fn a_plan_may_read_what_it_reads_and_nothing_else() {
    let allowed = Template::read(ACCOUNT).allowed_by("PlanPolicy");
    assert_eq!(allowed, actions(|operation| !operation.mutating && operation.name != "AssumeRole"));
}

#[test]
fn whatever_is_called_stands_in_the_list_of_operations() {
    let world = Workspace::new(Kind::Emulator);
    let mut called = BTreeSet::new();
    let mut job = Job::daily("daily");
    for step in ["create", "change", "suspend", "remove"] {
        match step {
            "change" => job.image = "example.com/daily:2".to_owned(),
            "suspend" => job.suspend = true,
            "remove" => {
                world.write("cluster.yaml", world.read("cluster.yaml").replace("spec:\n", "spec:\n  drain: true\n"))
            }
            _ => {}
        }
        world.write_job(&job);
        let (outcome, calls) = world.run(&["apply", "manifests", "--prune", "--yes"]);
        outcome.expect_code(0);
        called.extend(calls.by_operation().into_keys());
    }
    assert!(called.contains("events:DeleteRule") && called.contains("ecs:RegisterTaskDefinition"), "{called:?}");
    let listed = actions(|_| true);
    assert!(called.is_subset(&listed), "{:?} are called and not listed", called.difference(&listed));
}

#[test]
fn only_what_iam_cannot_narrow_is_allowed_on_every_resource() {
    let everywhere = Template::read(ACCOUNT).allowed_everywhere("ControllerPolicy");
    let mut expected = actions(|operation| !operation.mutating && operation.name != "AssumeRole");
    expected.insert("ecs:DeregisterTaskDefinition".to_owned());
    assert_eq!(everywhere, expected);
}

fn actions(wanted: impl Fn(&Operation) -> bool) -> BTreeSet<String> {
    OPERATIONS.iter().filter(|operation| wanted(operation)).map(Operation::iam_action).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(tools::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
