//! ARNs and role names, as far as a manifest must have them right.

use crate::name::{AccountId, Region};

/// Checks a role's name or ARN. A name may have a path before it.
pub fn role(text: &str) -> Result<(), String> {
    if let Some(rest) = text.strip_prefix("arn:") {
        let parts: Vec<&str> = rest.splitn(5, ':').collect();
        let [partition, "iam", "", account, resource] = parts.as_slice() else {
            return Err("expected the ARN of an IAM role, `arn:aws:iam::ACCOUNT:role/NAME`".to_owned());
        };
        if !partition.starts_with("aws") || AccountId::new(*account).is_err() {
            return Err("expected the ARN of an IAM role, `arn:aws:iam::ACCOUNT:role/NAME`".to_owned());
        }
        return match resource.strip_prefix("role/") {
            Some(name) if name_ok(name) => Ok(()),
            Some(_) | None => {
                Err(format!("expected `role/NAME` at the end of the ARN, found `{}`", crate::yaml::shown(resource)))
            }
        };
    }
    if name_ok(text) {
        Ok(())
    } else {
        Err("expected the name or ARN of an IAM role; a name has letters, digits and `+=,.@_-`, at most 64".to_owned())
    }
}

/// The ARN of a role that may be written as a name.
pub fn role_arn(text: &str, region: &Region, account: &AccountId) -> String {
    if text.starts_with("arn:") {
        text.to_owned()
    } else {
        format!("arn:{}:iam::{account}:role/{}", region.partition(), text.trim_start_matches('/'))
    }
}

fn name_ok(text: &str) -> bool {
    let text = text.strip_prefix('/').unwrap_or(text);
    let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
    let in_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    (1..=64).contains(&name.len())
        && name.chars().all(in_name)
        && path.len() <= 510
        && path.chars().all(|c| c.is_ascii_graphic())
}

/// Checks the ARN of a standard SQS queue that a rule of `region` may send to.
pub fn queue(text: &str, region: Option<&Region>) -> Result<(), String> {
    let expected = || "expected the ARN of an SQS queue, `arn:aws:sqs:REGION:ACCOUNT:NAME`".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "sqs", in_region, account, name] = parts.as_slice() else { return Err(expected()) };
    if !partition.starts_with("aws") || AccountId::new(*account).is_err() {
        return Err(expected());
    }
    if name.ends_with(".fifo") {
        return Err("a FIFO queue cannot take what EventBridge could not deliver; use a standard queue".to_owned());
    }
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || name.len() > 80 || !name.bytes().all(in_name) {
        return Err(expected());
    }
    match region {
        Some(region) if region.as_str() != *in_region => Err(format!(
            "the queue is in {}; it must be in the cluster's Region, {region}",
            crate::yaml::shown(in_region)
        )),
        _ => Ok(()),
    }
}

/// Checks the ARN of what a rule of `region` may tell of a run's end (docs/aws.md, Rules and targets). Only an event bus
/// may be elsewhere, and then EventBridge needs a role for it.
pub fn notified(text: &str, region: Option<&Region>, with_role: bool) -> Result<(), String> {
    let expected = || {
        "expected the ARN of an SNS topic, an SQS queue, a Lambda function or an event bus, such as \
         `arn:aws:sns:REGION:ACCOUNT:NAME`"
            .to_owned()
    };
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, in_region, account, resource] = parts.as_slice() else { return Err(expected()) };
    let in_name = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let named = |name: &str| (1..=256).contains(&name.len()) && in_name(name);
    if !partition.starts_with("aws") || AccountId::new(*account).is_err() {
        return Err(expected());
    }
    let is_bus = *service == "events";
    match *service {
        "sqs" => queue(text, None).map_err(|why| why.replace("what EventBridge could not deliver", "notifications"))?,
        "sns" if resource.ends_with(".fifo") => {
            return Err("EventBridge cannot tell a FIFO topic; use a standard one".to_owned());
        }
        "sns" if named(resource) => {}
        "lambda" if resource.strip_prefix("function:").is_some_and(|name| name.split(':').all(named)) => {}
        "events" if resource.strip_prefix("event-bus/").is_some_and(|name| name.split(['/', '.']).all(named)) => {}
        _ => return Err(expected()),
    }
    match region {
        Some(region) if region.as_str() != *in_region && !is_bus => Err(format!(
            "it is in {}; only an event bus may be outside the cluster's Region, {region}",
            crate::yaml::shown(in_region)
        )),
        Some(region) if region.as_str() != *in_region && !with_role => Err(format!(
            "an event bus in {} needs a `roleArn` that EventBridge assumes to reach it",
            crate::yaml::shown(in_region)
        )),
        _ => Ok(()),
    }
}

/// Checks the name or ARN of an ECS cluster.
pub fn ecs_cluster(text: &str, region: Option<&Region>) -> Result<(), String> {
    let in_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let name_ok = |name: &str| (1..=255).contains(&name.len()) && name.bytes().all(in_name);
    if !text.starts_with("arn:") {
        return if name_ok(text) {
            Ok(())
        } else {
            Err("expected the name or ARN of an ECS cluster; a name has letters, digits, `-` and `_`, at most 255"
                .to_owned())
        };
    }
    let expected = || "expected the ARN of an ECS cluster, `arn:aws:ecs:REGION:ACCOUNT:cluster/NAME`".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "ecs", in_region, account, resource] = parts.as_slice() else { return Err(expected()) };
    let name = resource.strip_prefix("cluster/").ok_or_else(expected)?;
    if !partition.starts_with("aws") || AccountId::new(*account).is_err() || !name_ok(name) {
        return Err(expected());
    }
    match region {
        Some(region) if region.as_str() != *in_region => {
            Err(format!("the cluster is in {}, but `region` says {region}", crate::yaml::shown(in_region)))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_a_name_or_an_arn() {
        let cases = [
            ("myetl", true),
            ("service-role/ecsEventsRole", true),
            ("arn:aws:iam::123456789012:role/x", true),
            ("arn:aws-cn:iam::123456789012:role/path/x", true),
            ("arn:aws:iam::${account}:role/x", false),
            ("arn:aws:iam::1234:role/x", false),
            ("arn:aws:iam::123456789012:user/x", false),
            ("arn:aws:iam::123456789012:role/", false),
            ("", false),
            ("two words", false),
        ];
        for (text, expected) in cases {
            assert_eq!(role(text).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_told_is_in_the_region_or_a_bus_with_a_role() {
        let region = Region::new("ap-northeast-1").unwrap();
        let cases = [
            ("arn:aws:sns:ap-northeast-1:123456789012:alarms", false, true),
            ("arn:aws:sns:us-east-1:123456789012:alarms", true, false),
            ("arn:aws:sns:ap-northeast-1:123456789012:alarms.fifo", false, false),
            ("arn:aws:sqs:ap-northeast-1:123456789012:queue", false, true),
            ("arn:aws:sqs:ap-northeast-1:123456789012:queue.fifo", false, false),
            ("arn:aws:lambda:ap-northeast-1:123456789012:function:tell", false, true),
            ("arn:aws:lambda:ap-northeast-1:123456789012:function:tell:live", false, true),
            ("arn:aws:lambda:ap-northeast-1:123456789012:tell", false, false),
            ("arn:aws:events:ap-northeast-1:123456789012:event-bus/central", false, true),
            ("arn:aws:events:us-east-1:123456789012:event-bus/central", false, false),
            ("arn:aws:events:us-east-1:123456789012:event-bus/central", true, true),
            ("arn:aws:events:ap-northeast-1:123456789012:rule/x", false, false),
            ("arn:aws:s3:::bucket", false, false),
            ("alarms", false, false),
        ];
        for (text, role, expected) in cases {
            assert_eq!(notified(text, Some(&region), role).is_ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_dead_letter_queue_is_a_standard_queue_of_the_same_region() {
        let region = Region::new("ap-northeast-1").unwrap();
        let cases = [
            ("arn:aws:sqs:ap-northeast-1:123456789012:dead", true),
            ("arn:aws:sqs:us-east-1:123456789012:dead", false),
            ("arn:aws:sqs:ap-northeast-1:123456789012:dead.fifo", false),
            ("arn:aws:sns:ap-northeast-1:123456789012:dead", false),
            ("https://sqs.ap-northeast-1.amazonaws.com/123456789012/dead", false),
            ("", false),
        ];
        for (text, expected) in cases {
            assert_eq!(queue(text, Some(&region)).is_ok(), expected, "{text}");
        }
    }
}
