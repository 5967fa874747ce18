//! Who asks, and where: account and Region, read off a request's signature.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::request::Request;

/// The account of credentials that no AssumeRole handed out.
pub const DEFAULT_ACCOUNT: &str = "123456789012";

/// The Region of a request that is not signed for one.
pub const DEFAULT_REGION: &str = "us-east-1";

/// What the emulator puts before the account in an access key it hands out.
const ACCESS_KEY_PREFIX: &str = "ASIA";

/// What it puts after the account, to make up the 20 characters of an access key.
const ACCESS_KEY_SUFFIX: &str = "EMUL";

/// One account in one Region: nothing crosses its border.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    pub account: String,
    pub region: String,
}

impl Place {
    /// The place that a request is signed for.
    pub(crate) fn of(request: &Request) -> Self {
        let credential = credential(request).unwrap_or_default();
        let mut scope = credential.split('/');
        let account = scope.next().and_then(account_of_key).unwrap_or(DEFAULT_ACCOUNT);
        let region = scope.nth(1).filter(|region| is_region(region)).unwrap_or(DEFAULT_REGION);
        Self { account: account.to_owned(), region: region.to_owned() }
    }

    /// The partition of the Region, the second part of every ARN in it.
    pub(crate) fn partition(&self) -> &'static str {
        match self.region.split('-').next() {
            Some("cn") => "aws-cn",
            _ if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// The ARN of a resource of `service` here.
    pub(crate) fn arn(&self, service: &str, resource: impl fmt::Display) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account)
    }
}

/// `AKID/20260102/eu-west-1/ecs/aws4_request` of the Authorization header, or of a presigned query.
fn credential(request: &Request) -> Option<&str> {
    let header = request.header("authorization")?;
    // Signature Version 4 says so first.
    let rest = match header.strip_prefix("AWS4-HMAC-SHA256 Credential=") {
        Some(rest) => rest,
        None => header.split_once("Credential=")?.1,
    };
    rest.split([',', ' ']).next()
}

/// The account that an access key of the emulator's AssumeRole carries.
fn account_of_key(key: &str) -> Option<&str> {
    let account = key.strip_prefix(ACCESS_KEY_PREFIX)?.strip_suffix(ACCESS_KEY_SUFFIX)?;
    is_account(account).then_some(account)
}

/// The access key that AssumeRole hands out for a role of `account`.
pub(crate) fn key_of_account(account: &str) -> String {
    format!("{ACCESS_KEY_PREFIX}{account}{ACCESS_KEY_SUFFIX}")
}

/// Whether this is an AWS account number.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_region(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_and_region_come_from_the_signature() {
        let check = |authorization: Option<&str>, account: &str, region: &str| {
            let headers = authorization.map(|value| ("Authorization".to_owned(), value.to_owned()));
            let request = Request {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: headers.into_iter().collect(),
                body: Vec::new(),
            };
            let expected = Place { account: account.to_owned(), region: region.to_owned() };
            assert_eq!(Place::of(&request), expected, "{authorization:?}");
        };
        check(None, "123456789012", "us-east-1");
        check(Some("nonsense"), "123456789012", "us-east-1");
        check(
            Some("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/eu-west-1/ecs/aws4_request, SignedHeaders=host"),
            "123456789012",
            "eu-west-1",
        );
        let key = key_of_account("999988887777");
        check(
            Some(&format!("AWS4-HMAC-SHA256 Credential={key}/20260102/cn-north-1/ecs/aws4_request,SignedHeaders=host")),
            "999988887777",
            "cn-north-1",
        );
        check(Some("AWS4-HMAC-SHA256 Credential=ASIAshortEMUL/1//x"), "123456789012", "us-east-1");
    }

    #[test]
    fn an_arn_carries_the_partition_of_its_region() {
        let arn =
            |region: &str| Place { account: "1".to_owned(), region: region.to_owned() }.arn("ecs", "cluster/main");
        assert_eq!(arn("eu-west-1"), "arn:aws:ecs:eu-west-1:1:cluster/main");
        assert_eq!(arn("cn-north-1"), "arn:aws-cn:ecs:cn-north-1:1:cluster/main");
        assert_eq!(arn("us-gov-west-1"), "arn:aws-us-gov:ecs:us-gov-west-1:1:cluster/main");
    }
}
