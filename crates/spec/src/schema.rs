//! JSON Schema of the manifests, for editors.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value as Json, json};

use crate::manifest::{API_VERSION, ClusterSpec, ControllerSpec, JobSpec, Kind, Metadata};

/// One schema for all three kinds: a document is valid for exactly one of them.
///
/// It is as strict about fields and types as loading is, and knows less: what two fields mean together, and every name
/// of another document, only loading checks.
pub fn manifests() -> Json {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut documents = [
        document::<JobSpec>(&mut generator, Kind::Job, &["cluster"]),
        document::<ClusterSpec>(&mut generator, Kind::Cluster, &["region"]),
        document::<ControllerSpec>(&mut generator, Kind::Controller, &[]),
    ];
    if let Some(spec) = documents[0].pointer_mut("/properties/spec").and_then(Json::as_object_mut) {
        let starts = ["schedule", "after", "events"].map(|field| json!({"required": [field]}));
        spec.insert("anyOf".to_owned(), json!(starts));
    }
    let mut definitions = generator.take_definitions(true);
    for (name, definition) in &mut definitions {
        match name.as_str() {
            // A label may remove a default tag.
            "Metadata" => definition.pointer_mut("/properties/labels").into_iter().for_each(nullable_values),
            name if OURS.contains(&name) => {}
            _ => nullable(definition),
        }
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Manifests of {API_VERSION}"),
        "oneOf": documents,
        "$defs": definitions,
    })
}

/// Definitions that are not AWS's shapes. In those `null` means nothing; in the shapes it removes a default.
const OURS: [&str; 12] = [
    "Metadata",
    "JobSpec",
    "ClusterSpec",
    "ControllerSpec",
    "PruneSpec",
    "ScheduleSpec",
    "Adopt",
    "DeletionPolicy",
    "AfterSpec",
    "EventSpec",
    "NotifySpec",
    "Outcome",
];

fn document<T: JsonSchema>(generator: &mut SchemaGenerator, kind: Kind, required: &[&str]) -> Json {
    let metadata = generator.subschema_for::<Metadata>();
    let spec = generator.subschema_for::<T>();
    let mut needs = vec!["apiVersion", "kind", "metadata"];
    if !required.is_empty() {
        needs.push("spec");
    }
    json!({
        "title": kind.name(),
        "type": "object",
        "additionalProperties": false,
        "required": needs,
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": kind.name()},
            "metadata": {"allOf": [metadata], "required": ["name"]},
            "spec": {"allOf": [spec], "required": required},
        },
    })
}

/// Lets every property of a definition be null, and every value of its maps.
fn nullable(definition: &mut Json) {
    let properties: Option<&mut Map<String, Json>> = definition.get_mut("properties").and_then(Json::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        nullable_values(property);
        or_null(property);
    }
}

fn nullable_values(map: &mut Json) {
    if let Some(values) = map.get_mut("additionalProperties").filter(|values| values.is_object()) {
        or_null(values);
    }
}

fn or_null(schema: &mut Json) {
    let given = schema.take();
    *schema = json!({"anyOf": [given, {"type": "null"}]});
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references(value: &Json, found: &mut Vec<String>) {
        match value {
            Json::Object(map) => {
                found.extend(map.get("$ref").and_then(Json::as_str).map(str::to_owned));
                map.values().for_each(|value| references(value, found));
            }
            Json::Array(items) => items.iter().for_each(|item| references(item, found)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let schema = manifests();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > 50, "{}", found.len());
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(schema.pointer(pointer).is_some(), "{reference}");
        }
    }

    #[test]
    fn the_schema_has_a_branch_for_every_kind_and_no_unknown_definition_of_ours() {
        let schema = manifests();
        let titles: Vec<&str> =
            schema["oneOf"].as_array().unwrap().iter().map(|branch| branch["title"].as_str().unwrap()).collect();
        assert_eq!(titles, ["EtlJob", "EtlCluster", "EtlController"]);
        for name in OURS {
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
        let job = schema["$defs"]["JobSpec"]["properties"].as_object().unwrap();
        assert!(job.contains_key("taskDefinition") && job.contains_key("startingDeadlineSeconds"));
        assert_eq!(schema["$defs"]["JobSpec"]["additionalProperties"], json!(false));
    }

    #[test]
    fn a_default_can_be_removed_by_null_and_a_schedule_cannot() {
        let schema = manifests();
        let memory = &schema["$defs"]["ContainerDefinition"]["properties"]["memory"];
        assert_eq!(memory["anyOf"][1], json!({"type": "null"}));
        let label = &schema["$defs"]["Metadata"]["properties"]["labels"]["additionalProperties"];
        assert_eq!(label["anyOf"][1], json!({"type": "null"}));
        assert!(schema["$defs"]["JobSpec"]["properties"]["schedule"].get("anyOf").is_none());
    }
}
