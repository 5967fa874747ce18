//! A failure in the words of a condition, with what a person can do about it.

use super::classify::{ACCESS, QUOTA};
use super::{CONNECTION, CREDENTIALS, Failure, RetryClass};
use crate::condition::Reason;

impl Failure {
    /// The condition reason it stands for.
    pub fn reason(&self) -> Reason {
        match self.class {
            RetryClass::Throttled => Reason::Throttled,
            RetryClass::Soon => match self.code.as_str() {
                // Somebody else writes the same resource, or our last write is not seen everywhere yet: ours waits its turn.
                "ConcurrentModificationException"
                | "ResourceNotFoundException"
                | "ClientException"
                | "ValidationException" => Reason::Progressing,
                _ => Reason::AwsUnavailable,
            },
            RetryClass::Slow if QUOTA.contains(&self.code.as_str()) => Reason::QuotaExceeded,
            RetryClass::Slow if ACCESS.contains(&self.code.as_str()) => Reason::AccessDenied,
            RetryClass::Slow | RetryClass::NotFound => Reason::DependencyNotReady,
            RetryClass::Terminal => Reason::RejectedByAws,
        }
    }

    /// Whether nobody was there to answer: what was asked for never happened.
    pub fn is_unanswered(&self) -> bool {
        self.code == CONNECTION
    }

    /// What a person can do about it, in one line.
    pub fn advice(&self) -> &'static str {
        match (self.class, self.code.as_str()) {
            (RetryClass::Throttled, _) => {
                "nothing: the controller slows down; if it lasts, something else uses up the account's call rate"
            }
            (
                RetryClass::Soon,
                "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "RequestTimeTooSkewed",
            ) => "nothing if it passes; if it lasts, renew the controller's credentials and check this machine's clock",
            (RetryClass::Soon, "InvalidSignatureException" | "SignatureDoesNotMatch") => {
                "set this machine's clock: AWS takes no request that was signed more than five minutes off its own"
            }
            (RetryClass::Soon, CONNECTION) => {
                "check the endpoint's address, that something answers there, and the network; the controller goes on trying"
            }
            (RetryClass::Soon, _) => "nothing if it passes; if it lasts, check the network and AWS's health page",
            (RetryClass::Slow, CREDENTIALS) => "give the controller AWS credentials, or check those it has",
            (RetryClass::Slow, "ClusterNotFoundException") => {
                "create the ECS cluster, or correct its name in the EtlCluster"
            }
            (RetryClass::Slow, code) if QUOTA.contains(&code) => {
                "raise the quota in Service Quotas, or remove what is not needed"
            }
            (RetryClass::Slow, code) if ACCESS.contains(&code) => {
                "give the controller's role the permission that the message names (deploy/README.md)"
            }
            (RetryClass::Slow, _) => {
                "check that what the message names exists, and that a role's trust policy names the service that assumes it"
            }
            (RetryClass::NotFound, _) => "check that what the message names exists in this account and Region",
            (RetryClass::Terminal, "ManagedRuleException") => {
                "rename the job: an AWS service manages a rule of this name"
            }
            (RetryClass::Terminal, _) => {
                "correct the manifest: AWS refuses it as it is, and trying again changes nothing"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(class: RetryClass, code: &str, expected: Reason) {
        let failure = Failure {
            operation: "PutRule",
            resource: "etl-a".to_owned(),
            code: code.to_owned(),
            message: "m".to_owned(),
            request_id: None,
            class,
            ambiguous: false,
        };
        assert_eq!(failure.reason(), expected, "{class:?} {code}");
        assert!(!failure.advice().is_empty() && !failure.advice().ends_with('.'), "{}", failure.advice());
    }

    #[test]
    fn every_class_has_its_reason() {
        check(RetryClass::Throttled, "ThrottlingException", Reason::Throttled);
        check(RetryClass::Soon, "InternalException", Reason::AwsUnavailable);
        check(RetryClass::Soon, "Timeout", Reason::AwsUnavailable);
        check(RetryClass::Soon, "Response", Reason::AwsUnavailable);
        check(RetryClass::Soon, "ConcurrentModificationException", Reason::Progressing);
        check(RetryClass::Slow, "AccessDeniedException", Reason::AccessDenied);
        check(RetryClass::Slow, "AccessDenied", Reason::AccessDenied);
        check(RetryClass::Slow, "UnrecognizedClientException", Reason::AccessDenied);
        check(RetryClass::Slow, "Credentials", Reason::AccessDenied);
        check(RetryClass::Slow, "LimitExceededException", Reason::QuotaExceeded);
        check(RetryClass::Slow, "ValidationException", Reason::DependencyNotReady);
        check(RetryClass::Slow, "ClusterNotFoundException", Reason::DependencyNotReady);
        check(RetryClass::Slow, "SomethingNew", Reason::DependencyNotReady);
        check(RetryClass::NotFound, "ResourceNotFoundException", Reason::DependencyNotReady);
        check(RetryClass::Terminal, "ClientException", Reason::RejectedByAws);
    }
}
