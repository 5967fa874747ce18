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
