//! The same work for another tool: the manifests, a Terraform configuration, and the plain requests.
//!
//! All of it goes against `ecs-etl emulator --throttle`, or whatever else behaves as AWS does, so that tools can be
//! compared on the same jobs inside the same limits.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use ecs_etl_controller::manifests::Reader;
use ecs_etl_plan::desired::Desired;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::fleet::Fleet;
use crate::pure::lowered;
use crate::stage::START;

/// Which work, and where to write it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// An empty or new directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// How many jobs
    #[arg(long, default_value_t = 300)]
    jobs: usize,
    /// The tag of their images; write it again with another one to change every image
    #[arg(long, default_value_t = 1)]
    image: u32,
}

/// Writes the work out and says what to do with it.
///
/// # Errors
///
/// A file cannot be written.
pub fn write(args: &Args, out: &mut impl Write) -> anyhow::Result<()> {
    let fleet = Fleet { jobs: args.jobs, version: args.image };
    let now: Timestamp = START.parse()?;
    let desired = lowered(&Reader::default().read(&fleet.scan(), now), now)?;
    let directory = &args.directory;
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    fleet.write(&directory.join("manifests"))?;
    let terraform = serde_json::to_string_pretty(&terraform(&desired)?)?;
    fs::create_dir_all(directory.join("terraform"))?;
    fs::write(directory.join("terraform/main.tf.json"), terraform)?;
    let mut requests = fs::File::create(directory.join("requests.jsonl"))?;
    for job in &desired {
        for request in self::requests(job)? {
            writeln!(requests, "{request}")?;
        }
    }
    writeln!(out, "{} jobs with image tag {} in {}:", args.jobs, args.image, directory.display())?;
    writeln!(out, "  manifests/               for `ecs-etl apply`")?;
    writeln!(out, "  terraform/main.tf.json   for `terraform apply`, against http://127.0.0.1:4599")?;
    writeln!(out, "  requests.jsonl           one request a line, for any script")?;
    writeln!(out, "an AWS with real limits: ecs-etl emulator --throttle --rules-per-bus {}", args.jobs.max(300))?;
    Ok(())
}

/// RegisterTaskDefinition, PutRule and PutTargets of a job.
fn requests(job: &Desired) -> anyhow::Result<Vec<Value>> {
    let mut register = object(serde_json::to_value(&job.task_definition)?);
    register.insert("family".to_owned(), json!(job.family));
    let mut requests = vec![json!({"RegisterTaskDefinition": register})];
    for rule in &job.rules {
        requests
            .push(json!({"PutRule": {"Name": rule.name.as_str(), "ScheduleExpression": rule.trigger.expression()}}));
        requests.push(json!({"PutTargets": {"Rule": rule.name.as_str(), "Targets": [job.target]}}));
    }
    Ok(requests)
}

/// One configuration for all jobs, in Terraform's own JSON.
fn terraform(desired: &[Desired]) -> anyhow::Result<Value> {
    let (mut definitions, mut rules, mut targets) = (Map::new(), Map::new(), Map::new());
    for job in desired {
        let name = job.job.as_str();
        let content = object(serde_json::to_value(&job.task_definition)?);
        let mut definition = Map::from_iter([
            ("family".to_owned(), json!(job.family)),
            ("container_definitions".to_owned(), json!(content["containerDefinitions"].to_string())),
        ]);
        for (theirs, ours) in [
            ("cpu", "cpu"),
            ("memory", "memory"),
            ("network_mode", "networkMode"),
            ("requires_compatibilities", "requiresCompatibilities"),
            ("execution_role_arn", "executionRoleArn"),
            ("task_role_arn", "taskRoleArn"),
        ] {
            if let Some(value) = content.get(ours) {
                definition.insert(theirs.to_owned(), value.clone());
            }
        }
        definitions.insert(name.to_owned(), Value::Object(definition));
        for rule in &job.rules {
            let schedule = json!({"name": rule.name.as_str(), "schedule_expression": rule.trigger.expression()});
            rules.insert(name.to_owned(), schedule);
        }
        targets.insert(name.to_owned(), target(job, name)?);
    }
    Ok(json!({
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": {
            "region": "eu-central-1",
            "access_key": "test",
            "secret_key": "test",
            "skip_credentials_validation": true,
            "skip_metadata_api_check": true,
            "skip_requesting_account_id": true,
            "endpoints": [{"ecs": "http://127.0.0.1:4599", "events": "http://127.0.0.1:4599", "sts": "http://127.0.0.1:4599"}],
        }},
        "resource": {
            "aws_ecs_task_definition": definitions,
            "aws_cloudwatch_event_rule": rules,
            "aws_cloudwatch_event_target": targets,
        },
    }))
}

fn target(job: &Desired, name: &str) -> anyhow::Result<Value> {
    let target = object(serde_json::to_value(&job.target)?);
    let ecs = &target["EcsParameters"];
    let network = &ecs["NetworkConfiguration"]["awsvpcConfiguration"];
    Ok(json!({
        "rule": format!("${{aws_cloudwatch_event_rule.{name}.name}}"),
        "target_id": target["Id"],
        "arn": target["Arn"],
        "role_arn": target["RoleArn"],
        "ecs_target": {
            "task_definition_arn": format!("${{aws_ecs_task_definition.{name}.arn}}"),
            "launch_type": ecs["LaunchType"],
            "network_configuration": {"subnets": network["Subnets"], "security_groups": network["SecurityGroups"]},
        },
    }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
