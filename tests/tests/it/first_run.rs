//! What a newcomer does first: the samples, the embedded AWS, no account, no flag.

use std::fs;
use std::path::Path;

use ecs_etl_tests::program::{self, Outcome};
use ecs_etl_tests::workspace::samples;
use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) -> Outcome {
    let mut command = program::command(folder);
    command.args(arguments).env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    program::run(command)
}

#[test]
fn the_samples_converge_on_the_embedded_aws_without_a_flag() {
    let folder = samples();
    let validated = run(folder.path(), &["validate"]).expect_code(0);
    assert!(!validated.stdout.contains("warning"), "{validated}");

    run(folder.path(), &["plan", "--detailed-exitcode"]).expect_code(2);
    let applied = run(folder.path(), &["apply"]).expect_code(0);
    assert!(
        format!("{}{}", applied.stdout, applied.stderr).contains("embedded"),
        "it did not say which AWS\n{applied}"
    );
    run(folder.path(), &["plan", "--detailed-exitcode"]).expect_code(0);

    let status = run(folder.path(), &["status", "--exit-code"]).expect_code(0);
    let jobs =
        ["clickstream-compact", "currency-rates", "customer-sync", "daily-sales", "sales-report", "warehouse-load"];
    for job in jobs {
        assert!(status.stdout.contains(job), "{job}\n{status}");
        let file = fs::read_to_string(folder.path().join("status").join(format!("{job}.json"))).expect("a status file");
        let file: Value = serde_json::from_str(&file).expect("JSON");
        assert_eq!(file["kind"], "EtlJobStatus");
        assert_eq!(file["status"]["conditions"][0]["status"], "True", "{file}");
    }
    run(folder.path(), &["status", "--live"]).expect_code(0);
    assert!(folder.path().join(".ecs-etl").is_dir());
}

#[test]
fn an_edit_and_a_removal_converge_on_the_embedded_aws() {
    let folder = samples();
    let status = |job: &str| {
        let text = fs::read_to_string(folder.path().join("status").join(format!("{job}.json"))).unwrap_or_default();
        serde_json::from_str::<Value>(&text).unwrap_or_default()["status"]["taskDefinition"]["arn"].clone()
    };
    run(folder.path(), &["apply"]).expect_code(0);
    let before = status("daily-sales");
    let path = folder.path().join("manifests/jobs/daily-sales.yaml");
    let text = fs::read_to_string(&path).expect("a sample");
    fs::write(&path, text.replace("myetl:1.4.2", "myetl:1.4.3")).expect("an edit");
    run(folder.path(), &["apply"]).expect_code(0);
    let after = status("daily-sales");
    assert!(after.as_str().is_some_and(|arn| arn.ends_with("task-definition/etl-daily-sales:2")), "{before} {after}");

    fs::remove_file(&path).expect("a removal");
    run(folder.path(), &["apply", "--prune", "--yes"]).expect_code(0);
    let status = run(folder.path(), &["status"]).expect_code(0);
    assert!(!status.stdout.contains("daily-sales"), "{status}");
}

#[test]
fn usage_errors_exit_64_and_nothing_is_printed_to_standard_output() {
    let folder = samples();
    for arguments in [&["aply"][..], &["apply", "--no-such-flag"], &["status", "Not A Name"], &["apply", "a", "b"]] {
        let outcome = run(folder.path(), arguments).expect_code(64);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.is_empty(), "{outcome}");
    }
}

#[test]
fn offline_commands_answer_without_an_aws() {
    let folder = samples();
    let next = run(folder.path(), &["next", "0 2 * * *", "-n", "2", "--from", "2026-11-23T00:00:00Z", "-o", "json"]);
    let next = next.expect_code(0);
    assert!(next.stdout.contains("2026-11-23T02:00:00Z") && next.stdout.contains("2026-11-24T02:00:00Z"), "{next}");
    assert!(next.stdout.contains("cron(0 2 * * ? *)"), "{next}");
    run(folder.path(), &["next", "61 * * * *"]).expect_code(1);

    let render = run(folder.path(), &["render", "daily-sales", "-o", "aws"]).expect_code(0);
    for word in ["etl-daily-sales", "containerDefinitions", "2018-01-01", "cron(0 2 * * ? *)"] {
        assert!(render.stdout.contains(word), "{word}\n{render}");
    }
    run(folder.path(), &["render", "nowhere"]).expect_code(1);

    let schema = run(folder.path(), &["schema"]).expect_code(0);
    let schema: Value = serde_json::from_str(&schema.stdout).expect("JSON");
    assert!(schema.to_string().contains("EtlJob"));
    assert!(!folder.path().join(".ecs-etl").exists(), "an offline command made state");
}
