//! The shapes against AWS's own service model, as botocore reads it: no member is missing, mistyped or lost on the way.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and ends")]

use std::process::Command;

use ecs_etl_spec::shapes::strict::Strict;
use ecs_etl_spec::shapes::{RunTask, TaskDefinition, events};
use ecs_etl_tests::tools;
use schemars::{JsonSchema, schema_for};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One member of one structure with one value, alone in a document; see `service_model/cases.py`.
#[derive(Deserialize)]
struct Case {
    root: String,
    path: String,
    document: Value,
    valid: bool,
    schema: Option<String>,
}

#[test]
fn every_member_of_the_service_model_is_there_strictly_typed_and_comes_back() {
    let cases = cases();
    let mut valid_members = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    for Case { root, path, document, valid, schema } in &cases {
        let outcome = match root.as_str() {
            "TaskDefinition" => round_trip::<TaskDefinition>(document),
            "RunTask" => round_trip::<RunTask>(document),
            "Rule" => round_trip::<events::Rule>(document),
            "Target" => round_trip::<events::Target>(document),
            other => panic!("no shape `{other}`"),
        };
        let fault = match (outcome, valid) {
            (Ok(back), true) => (back != *document).then(|| format!("comes back as {back}")),
            (Err(error), true) => Some(format!("is refused: {error}")),
            (Ok(back), false) => Some(format!("is not refused but read as {back}")),
            (Err(_), false) => None,
        };
        if *valid {
            valid_members.insert((root, path));
        }
        wrong.extend(fault.map(|fault| format!("{root}.{path}: {document} {fault}")));
        wrong.extend(schema.iter().map(|fault| format!("{root}.{path}: {document}: our JSON Schema {fault}")));
    }
    assert!(wrong.is_empty(), "{} of {} cases\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    assert!(valid_members.len() > 300, "only {} members found", valid_members.len());
}

/// Reads a document as a manifest is read, from YAML values, and writes it again.
fn round_trip<T: for<'de> Strict<'de> + Serialize>(document: &Value) -> Result<Value, String> {
    let yaml = serde_yaml::to_value(document).map_err(|e| e.to_string())?;
    let shape = T::strict(yaml).map_err(|e| e.to_string())?;
    serde_json::to_value(shape).map_err(|e| e.to_string())
}

fn cases() -> Vec<Case> {
    let schemas = json!({
        "TaskDefinition": schema::<TaskDefinition>(),
        "RunTask": schema::<RunTask>(),
        "Rule": schema::<events::Rule>(),
        "Target": schema::<events::Target>(),
    });
    let folder = tempfile::tempdir().expect("a folder for the schemas");
    let path = folder.path().join("schemas.json");
    std::fs::write(&path, schemas.to_string()).expect("the schemas are written");

    let python = tools::python_tool("python");
    let models = python.ancestors().nth(2).expect("python lies in the environment").join("service-model");
    let output = Command::new(&python)
        .arg(tools::root().join("tests/service_model/cases.py"))
        .arg(&path)
        .env("PYTHONPATH", models)
        .output()
        .expect("python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("the cases are UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn schema<T: JsonSchema>() -> Value {
    serde_json::to_value(schema_for!(T)).expect("a schema is JSON")
}
