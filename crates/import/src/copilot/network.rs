//! Where a job of Copilot runs: in the environment's network, unless its manifest names another.

use ecs_etl_spec::fill_in;
use ecs_etl_spec::yaml::Node;
use serde_json::{Value as Json, json};

use crate::object::{Object, scalar};

/// Reads `network` as RunTask takes it. Copilot starts in public subnets unless told otherwise.
pub fn read(object: &mut Object<'_>) -> Json {
    let mut public = true;
    let mut subnets = None;
    let mut groups = None;
    if let Some(node) = object.get("network") {
        let mut network = Object::new(node, "network");
        if let Some(node) = network.get("vpc") {
            let mut vpc = Object::new(node, "network.vpc");
            if let Some(placement) = vpc.get("placement") {
                let named = placement.get("subnets").and_then(Node::sequence);
                public = scalar(placement).as_deref() == Some("public");
                subnets = named.map(|list| list.iter().filter_map(scalar).collect::<Vec<_>>());
                if scalar(placement).is_none() && named.is_none() {
                    vpc.leave("placement", placement, "subnets that are chosen by tags");
                }
            }
            if let Some(node) = vpc.get("security_groups") {
                let list = node.sequence().or_else(|| node.get("groups").and_then(Node::sequence));
                groups = list.map(|list| list.iter().filter_map(scalar).collect::<Vec<_>>());
            }
            network.leave_all(vpc.finish());
        }
        object.leave_all(network.finish());
    }
    let kind = if public { "public" } else { "private" };
    let subnets =
        subnets.unwrap_or_else(|| vec![fill_in::marker(&format!("{kind} subnets of the Copilot environment"))]);
    // The environment's own comes beside those that are named.
    let mut groups = groups.unwrap_or_default();
    groups.push(fill_in::marker("security group of the Copilot environment"));
    json!({"awsvpcConfiguration": {
        "assignPublicIp": if public { "ENABLED" } else { "DISABLED" },
        "securityGroups": groups,
        "subnets": subnets,
    }})
}
