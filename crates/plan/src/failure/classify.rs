//! Error codes and messages of AWS, and what each says about trying again (docs/aws.md, Errors).
//!
//! One table, read from the top. It is ours and not the SDK's for three reasons: the SDK takes `LimitExceededException`, a
//! quota, for a throttle; it knows neither `ConcurrentModificationException` nor ECS's "Too many concurrent attempts"; and
//! `ThrottlingException` and EventBridge's `ValidationException` are in no service model, so only their code names them.

use super::{CONNECTION, CREDENTIALS, REQUEST, RESPONSE, RetryClass, TIMEOUT};
use RetryClass::{NotFound, Slow, Soon, Terminal, Throttled};

/// A service of AWS that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Amazon ECS.
    Ecs,
    /// Amazon EventBridge.
    Events,
    /// Amazon EventBridge Scheduler.
    Scheduler,
    /// AWS Security Token Service.
    Sts,
    /// Amazon DynamoDB.
    DynamoDb,
}

impl Service {
    /// The prefix of its actions in an IAM policy.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Events => "events",
            Self::Scheduler => "scheduler",
            Self::Sts => "sts",
            Self::DynamoDb => "dynamodb",
        }
    }
}

/// One line of the table: what must match, and the answer.
struct Row {
    service: Option<Service>,
    /// Operations it holds for; none for all.
    operations: &'static [&'static str],
    codes: &'static [&'static str],
    says: Says,
    class: RetryClass,
}

/// What the message must be for a row to match.
#[derive(Clone, Copy)]
enum Says {
    Anything,
    Exactly(&'static str),
    /// Any of these, in any case: AWS's sentences carry names in between, and their capitals vary.
    Contains(&'static [&'static str]),
}

const ANY_CODE: &[&str] = &[];
const ALL_OPERATIONS: &[&str] = &[];

const fn any(codes: &'static [&'static str], class: RetryClass) -> Row {
    Row { service: None, operations: ALL_OPERATIONS, codes, says: Says::Anything, class }
}

const fn of(service: Service, codes: &'static [&'static str], says: Says, class: RetryClass) -> Row {
    Row { service: Some(service), operations: ALL_OPERATIONS, codes, says, class }
}

/// Codes that say who may not do what, or that nobody knows the caller.
pub(super) const ACCESS: &[&str] = &[
    CREDENTIALS,
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "OptInRequired",
    "RegionDisabledException",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// Codes of quotas.
pub(super) const QUOTA: &[&str] = &["LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException"];

const TABLE: &[Row] = &[
    // A throttle is one whatever it is called; ECS has said it inside InvalidParameterException, too.
    Row {
        service: None,
        operations: ALL_OPERATIONS,
        codes: ANY_CODE,
        says: Says::Contains(&["rate exceeded"]),
        class: Throttled,
    },
    any(
        &[
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "RequestLimitExceeded",
            "TooManyRequestsException",
            "ProvisionedThroughputExceededException",
            "BandwidthLimitExceeded",
            "PriorRequestNotComplete",
            "EC2ThrottledException",
            "SlowDown",
        ],
        Throttled,
    ),
    // Nothing came back, or nothing that can be read.
    any(&[TIMEOUT, CONNECTION, RESPONSE], Soon),
    any(&["RequestTimeout", "RequestTimeoutException"], Soon),
    any(
        &[
            "InternalError",
            "InternalException",
            "InternalFailure",
            "InternalServerError",
            "InternalServerException",
            "InternalServiceException",
            "ServerException",
            "ServiceUnavailable",
            "ServiceUnavailableException",
        ],
        Soon,
    ),
    // Fresh credentials, or a clock that is set right by then, cure these.
    any(
        &["ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed", "IDPCommunicationError"],
        Soon,
    ),
    Row {
        service: None,
        operations: ALL_OPERATIONS,
        codes: &["InvalidSignatureException", "SignatureDoesNotMatch"],
        says: Says::Contains(&["signature expired", "signature not yet current"]),
        class: Soon,
    },
    // Somebody must grant something. IAM takes a while to spread, so these are tried again, slowly.
    any(ACCESS, Slow),
    // A quota, not a throttle: it stays until somebody raises it or tidies up.
    any(QUOTA, Slow),
    any(&[REQUEST, "SerializationException"], Terminal),
    // ECS.
    Row {
        service: Some(Service::Ecs),
        operations: &["DescribeTaskDefinition"],
        codes: &["ClientException"],
        says: Says::Exactly("Unable to describe task definition."),
        class: NotFound,
    },
    of(Service::Ecs, &["ClientException"], Says::Contains(&["too many concurrent attempts"]), Soon),
    of(
        Service::Ecs,
        &["ClientException", "InvalidParameterException"],
        Says::Contains(&[
            "unable to assume the role",
            "role is not valid",
            "task definition is inactive",
            "taskdefinition is inactive",
        ]),
        Slow,
    ),
    of(Service::Ecs, &["BlockedException", "ClusterNotFoundException"], Says::Anything, Slow),
    // Our picture was older than AWS: look again.
    of(Service::Ecs, &["ResourceNotFoundException"], Says::Anything, Soon),
    of(
        Service::Ecs,
        &[
            "ClientException",
            "InvalidParameterException",
            "PlatformTaskDefinitionIncompatibilityException",
            "PlatformUnknownException",
            "UnsupportedFeatureException",
        ],
        Says::Anything,
        Terminal,
    ),
    // EventBridge.
    of(Service::Events, &["ConcurrentModificationException"], Says::Anything, Soon),
    // RemoveTargets takes a moment to be seen by DeleteRule.
    of(
        Service::Events,
        &["ValidationException"],
        Says::Contains(&["rule can't be deleted since it has targets"]),
        Soon,
    ),
    of(Service::Events, &["ValidationException"], Says::Contains(&["cannot be assumed by principal"]), Slow),
    Row {
        service: Some(Service::Events),
        operations: &["DescribeRule", "ListTargetsByRule", "ListTagsForResource"],
        codes: &["ResourceNotFoundException"],
        says: Says::Anything,
        class: NotFound,
    },
    // A write on a rule that went away meanwhile: look again, and put the rule first.
    of(Service::Events, &["ResourceNotFoundException"], Says::Anything, Soon),
    of(
        Service::Events,
        &[
            "InvalidEventPatternException",
            "InvalidStateException",
            "ManagedRuleException",
            "OperationDisabledException",
            "PolicyLengthExceededException",
            "ValidationException",
        ],
        Says::Anything,
        Terminal,
    ),
    // EventBridge Scheduler.
    Row {
        service: Some(Service::Scheduler),
        operations: &["GetSchedule", "ListSchedules", "ListTagsForResource"],
        codes: &["ResourceNotFoundException"],
        says: Says::Anything,
        class: NotFound,
    },
    // The group or the schedule went away meanwhile, or came: look again. An update or a deletion may be under way.
    of(Service::Scheduler, &["ResourceNotFoundException", "ConflictException"], Says::Anything, Soon),
    of(
        Service::Scheduler,
        &["ValidationException"],
        Says::Contains(&["the execution role you provide must allow"]),
        Slow,
    ),
    of(Service::Scheduler, &["ValidationException"], Says::Anything, Terminal),
    // STS, which speaks of the role that an EtlCluster names.
    of(Service::Sts, &["MalformedPolicyDocument", "PackedPolicyTooLarge", "ValidationError"], Says::Anything, Terminal),
];

/// Says when a failed call is worth another try.
///
/// `status` is the HTTP status, where there was an answer; it decides for codes that the table does not know.
pub fn classify(service: Service, operation: &str, code: &str, message: &str, status: Option<u16>) -> RetryClass {
    TABLE
        .iter()
        .find(|row| row.matches(service, operation, code, message))
        .map_or_else(|| by_status(status), |row| row.class)
}

impl Row {
    fn matches(&self, service: Service, operation: &str, code: &str, message: &str) -> bool {
        self.service.is_none_or(|of| of == service)
            && (self.operations.is_empty() || self.operations.contains(&operation))
            && (self.codes.is_empty() || self.codes.contains(&code))
            && match self.says {
                Says::Anything => true,
                Says::Exactly(text) => message == text,
                Says::Contains(texts) => {
                    let message = message.to_ascii_lowercase();
                    texts.iter().any(|text| message.contains(text))
                }
            }
    }
}

/// A code that nobody here has met: never for ever, since no manifest may be to blame.
fn by_status(status: Option<u16>) -> RetryClass {
    match status {
        Some(429) => Throttled,
        Some(500..) | None => Soon,
        Some(_) => Slow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Service::{Ecs, Events, Sts};

    #[track_caller]
    fn check(service: Service, operation: &str, code: &str, message: &str, expected: RetryClass) {
        assert_eq!(classify(service, operation, code, message, Some(400)), expected, "{operation}: {code}: {message}");
    }

    #[test]
    fn a_throttle_is_known_by_its_code_although_no_model_has_it() {
        check(Ecs, "RegisterTaskDefinition", "ThrottlingException", "Rate exceeded", Throttled);
        check(Events, "PutRule", "ThrottlingException", "", Throttled);
        check(Sts, "AssumeRole", "Throttling", "", Throttled);
        check(Events, "ListRules", "TooManyRequestsException", "", Throttled);
    }

    #[test]
    fn a_throttle_inside_another_code_is_still_one() {
        check(
            Ecs,
            "RegisterTaskDefinition",
            "InvalidParameterException",
            "Error: Rate exceeded (Service: x)",
            Throttled,
        );
        check(Ecs, "DescribeTaskDefinition", "ClientException", "rate exceeded", Throttled);
    }

    #[test]
    fn a_quota_is_no_throttle() {
        let message = "The requested resource exceeds the maximum number allowed.";
        check(Events, "PutRule", "LimitExceededException", message, Slow);
        check(Events, "PutTargets", "LimitExceededException", message, Slow);
        check(Ecs, "TagResource", "LimitExceededException", "", Slow);
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_soon() {
        check(Ecs, "RegisterTaskDefinition", "ServerException", "Service Unavailable.", Soon);
        check(Events, "PutRule", "InternalException", "", Soon);
        check(Events, "PutRule", "ConcurrentModificationException", "Rule was modified", Soon);
        let concurrent = "Too many concurrent attempts to create a new revision of the specified family.";
        check(Ecs, "RegisterTaskDefinition", "ClientException", concurrent, Soon);
        check(Events, "DeleteRule", "ValidationException", "Rule can't be deleted since it has targets.", Soon);
        for code in [TIMEOUT, CONNECTION, RESPONSE, "RequestTimeout", "RequestTimeoutException"] {
            check(Ecs, "ListTaskDefinitions", code, "", Soon);
        }
    }

    #[test]
    fn an_unknown_code_is_judged_by_the_status() {
        let of = |status| classify(Ecs, "RegisterTaskDefinition", "SomethingNew", "", status);
        assert_eq!(of(Some(500)), Soon);
        assert_eq!(of(Some(503)), Soon);
        assert_eq!(of(Some(429)), Throttled);
        assert_eq!(of(Some(400)), Slow);
        assert_eq!(of(None), Soon);
    }

    #[test]
    fn what_waits_for_something_else_is_tried_again_slowly() {
        check(Ecs, "RegisterTaskDefinition", "AccessDeniedException", "User is not authorized", Slow);
        check(Events, "PutTargets", "AccessDeniedException", "not authorized to perform: iam:PassRole", Slow);
        check(Sts, "AssumeRole", "AccessDenied", "is not authorized to perform: sts:AssumeRole", Slow);
        check(Ecs, "RegisterTaskDefinition", "ClusterNotFoundException", "Cluster not found.", Slow);
        check(Ecs, "RegisterTaskDefinition", "BlockedException", "", Slow);
        check(Ecs, "RegisterTaskDefinition", "ClientException", "ECS was unable to assume the role 'x'", Slow);
        check(Ecs, "RegisterTaskDefinition", "InvalidParameterException", "Role is not valid", Slow);
        check(Ecs, "RunTask", "InvalidParameterException", "TaskDefinition is inactive", Slow);
        check(Ecs, "DeregisterTaskDefinition", "ClientException", "The specified task definition is inactive.", Slow);
        let principal = "Provided role 'arn:aws:iam::1:role/x' cannot be assumed by principal 'events.amazonaws.com'.";
        check(Events, "PutTargets", "ValidationException", principal, Slow);
        for code in ["UnrecognizedClientException", "InvalidClientTokenId", "SignatureDoesNotMatch", CREDENTIALS] {
            check(Events, "PutRule", code, "", Slow);
        }
    }

    #[test]
    fn expired_credentials_and_a_wrong_clock_pass() {
        for code in ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed"] {
            check(Ecs, "DescribeTaskDefinition", code, "", Soon);
        }
        let early = "Signature not yet current: 20260102T030405Z is still later than 20260102T025905Z";
        check(Ecs, "DescribeTaskDefinition", "InvalidSignatureException", early, Soon);
        let other = "The request signature we calculated does not match the signature you provided.";
        check(Ecs, "DescribeTaskDefinition", "InvalidSignatureException", other, Slow);
    }

    #[test]
    fn what_only_a_new_manifest_cures_is_terminal() {
        check(Ecs, "RegisterTaskDefinition", "InvalidParameterException", "Invalid family", Terminal);
        check(Ecs, "RegisterTaskDefinition", "ClientException", "Invalid 'cpu' setting for task.", Terminal);
        check(Ecs, "RegisterTaskDefinition", "PlatformUnknownException", "", Terminal);
        check(Ecs, "RegisterTaskDefinition", "PlatformTaskDefinitionIncompatibilityException", "", Terminal);
        check(Ecs, "RegisterTaskDefinition", "UnsupportedFeatureException", "", Terminal);
        check(Events, "PutRule", "ValidationException", "Parameter ScheduleExpression is not valid.", Terminal);
        check(Events, "PutRule", "InvalidEventPatternException", "", Terminal);
        check(Events, "PutRule", "ManagedRuleException", "", Terminal);
        check(Events, "PutTargets", "PolicyLengthExceededException", "", Terminal);
        check(Events, "PutRule", "OperationDisabledException", "", Terminal);
        check(Ecs, "RegisterTaskDefinition", "SerializationException", "", Terminal);
        check(Sts, "AssumeRole", "ValidationError", "is invalid", Terminal);
    }

    #[test]
    fn what_scheduler_refuses_is_told_apart() {
        use Service::Scheduler;
        let role = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.";
        check(Scheduler, "CreateSchedule", "ValidationException", role, Slow);
        check(Scheduler, "CreateSchedule", "ValidationException", "Invalid Schedule Expression x.", Terminal);
        check(Scheduler, "CreateSchedule", "ConflictException", "Schedule x already exists.", Soon);
        check(Scheduler, "CreateScheduleGroup", "ConflictException", "Schedule Group x already exists.", Soon);
        check(Scheduler, "CreateSchedule", "ResourceNotFoundException", "Schedule Group x does not exist.", Soon);
        check(Scheduler, "CreateSchedule", "ServiceQuotaExceededException", "The number of schedules", Slow);
        check(Scheduler, "UpdateSchedule", "ThrottlingException", "", Throttled);
        for operation in ["GetSchedule", "ListSchedules", "ListTagsForResource"] {
            check(Scheduler, operation, "ResourceNotFoundException", "x does not exist.", NotFound);
        }
    }

    #[test]
    fn absence_is_exactly_what_aws_says_about_the_missing() {
        let missing = "Unable to describe task definition.";
        check(Ecs, "DescribeTaskDefinition", "ClientException", missing, NotFound);
        check(Ecs, "DescribeTaskDefinition", "ClientException", "Unable to describe task definition: busy", Terminal);
        check(Ecs, "DeregisterTaskDefinition", "ClientException", missing, Terminal);
        for operation in ["DescribeRule", "ListTargetsByRule", "ListTagsForResource"] {
            check(
                Events,
                operation,
                "ResourceNotFoundException",
                "Rule x does not exist on EventBus default.",
                NotFound,
            );
        }
        check(Events, "PutTargets", "ResourceNotFoundException", "Rule x does not exist on EventBus default.", Soon);
        check(Ecs, "TagResource", "ResourceNotFoundException", "", Soon);
    }
}
