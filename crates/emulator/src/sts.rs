//! STS, as far as a client needs it to know who it is and to become somebody else: GetCallerIdentity and AssumeRole
//! (docs/aws.md, On the wire).
//!
//! Credentials carry what they stand for: the access key the account, the session token the role. So they hold for
//! ever and need no memory.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Violation, broken, message};
use crate::place::{Place, is_account, key_of_account};
use crate::reply::Reply;
use crate::request::Request;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// What a session token of ours starts with; role and session follow.
const TOKEN_PREFIX: &str = "embedded-aws/";

/// Who signs, when no AssumeRole made the credentials.
const USER: &str = "embedded";

/// How long AWS's credentials last when nothing else is asked for.
const DEFAULT_DURATION_SECONDS: i64 = 3600;

/// Answers an operation of the query protocol.
pub(crate) fn handle(now: Timestamp, place: &Place, request: &Request, operation: &str, id: &str) -> Reply {
    match operation {
        "GetCallerIdentity" => success(operation, &caller_identity(place, request), id),
        "AssumeRole" => match assume_role(now, request) {
            Ok(result) => success(operation, &result, id),
            Err(message) => failure("ValidationError", &message, id),
        },
        _ => failure("InvalidAction", &format!("The embedded AWS does not have sts:{operation}."), id),
    }
}

/// The ARN of whoever signed the request.
pub(crate) fn caller_arn(request: &Request) -> String {
    let place = Place::of(request);
    let (partition, account) = (place.partition(), &place.account);
    match session(request) {
        Some((role, session)) => format!("arn:{partition}:sts::{account}:assumed-role/{role}/{session}"),
        None => format!("arn:{partition}:iam::{account}:user/{USER}"),
    }
}

/// Role and session name of a token that AssumeRole handed out.
fn session(request: &Request) -> Option<(&str, &str)> {
    request.header("x-amz-security-token")?.strip_prefix(TOKEN_PREFIX)?.split_once('/')
}

fn caller_identity(place: &Place, request: &Request) -> String {
    let user = match session(request) {
        Some((role, session)) => format!("{}:{session}", unique_id("AROA", &place.account, role)),
        None => unique_id("AIDA", &place.account, USER),
    };
    let arn = escaped(&caller_arn(request));
    format!("<Arn>{arn}</Arn><UserId>{}</UserId><Account>{}</Account>", escaped(&user), place.account)
}

/// The result's members, or the message of a `ValidationError`.
fn assume_role(now: Timestamp, request: &Request) -> Result<String, String> {
    let form = request.form();
    let given = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let (role_arn, session) = (given("RoleArn"), given("RoleSessionName"));
    let mut violations = Vec::new();
    if role_arn.chars().count() < 20 {
        violations.push(violation(role_arn, "roleArn", "Member must have length greater than or equal to 20"));
    }
    if !(2..=64).contains(&session.chars().count()) {
        let rule = "Member must have length between 2 and 64, inclusive";
        violations.push(violation(session, "roleSessionName", rule));
    } else if !session.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)) {
        let rule = r"Member must satisfy regular expression pattern: [\w+=,.@-]*";
        violations.push(violation(session, "roleSessionName", rule));
    }
    let duration = match given("DurationSeconds") {
        "" => Some(DEFAULT_DURATION_SECONDS),
        seconds => seconds.parse().ok().filter(|seconds| (900..=43_200).contains(seconds)),
    };
    if duration.is_none() {
        let rule = "Member must have value between 900 and 43200, inclusive";
        violations.push(violation(given("DurationSeconds"), "durationSeconds", rule));
    }
    let Some(duration) = duration.filter(|_| violations.is_empty()) else { return Err(message(&violations)) };
    let (partition, account, role) = parse_role(role_arn).ok_or_else(|| format!("{role_arn} is invalid"))?;
    let expires = now.checked_add(SignedDuration::from_secs(duration)).unwrap_or(now).strftime("%Y-%m-%dT%H:%M:%SZ");
    let (key, id) = (key_of_account(account), unique_id("AROA", account, role));
    Ok(format!(
        "<AssumedRoleUser><AssumedRoleId>{id}:{session}</AssumedRoleId>\
             <Arn>arn:{partition}:sts::{account}:assumed-role/{role}/{session}</Arn></AssumedRoleUser>\
             <Credentials><AccessKeyId>{key}</AccessKeyId>\
             <SecretAccessKey>embeddedEXAMPLEKEYembeddedEXAMPLEKEY0000</SecretAccessKey>\
             <SessionToken>{TOKEN_PREFIX}{role}/{session}</SessionToken><Expiration>{expires}</Expiration></Credentials>",
    ))
}

/// Partition, account and name of an IAM role; a path before the name is left out, as STS does.
fn parse_role(arn: &str) -> Option<(&str, &str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (Some("arn"), Some(partition), Some("iam"), Some("")) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let account = parts.next().filter(|account| is_account(account))?;
    let name = parts.next()?.strip_prefix("role/")?.rsplit('/').next()?;
    let sound = !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
        && partition.starts_with("aws")
        && partition.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    sound.then_some((partition, account, name))
}

fn violation(value: &str, member: &str, rule: &str) -> Violation {
    broken(&format!("'{value}'"), member, rule)
}

/// An IAM unique id: four letters for the kind, the rest made from what it stands for.
fn unique_id(kind: &str, account: &str, name: &str) -> String {
    use sha2::{Digest, Sha256};
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = Sha256::digest(format!("{account}/{name}"));
    let rest = digest.iter().take(17).filter_map(|byte| LETTERS.get(usize::from(byte % 32))).map(|&b| char::from(b));
    kind.chars().chain(rest).collect()
}

fn success(operation: &str, result: &str, id: &str) -> Reply {
    Reply::xml(
        200,
        format!(
            "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{result}</{operation}Result>\
             <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{operation}Response>"
        ),
    )
}

/// A refusal of the query protocol.
fn failure(code: &str, message: &str, id: &str) -> Reply {
    Reply::xml(
        400,
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
            escaped(message)
        ),
    )
}

/// Text within an element. XML has no way to say most control characters, so a mark stands for each.
fn escaped(text: &str) -> String {
    let unsayable = |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let text = text.replace(unsayable, "\u{FFFD}");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
