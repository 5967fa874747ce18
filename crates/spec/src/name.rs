//! Names, checked once: nothing downstream parses a string again. Whoever keeps one shares its text: of ten thousand jobs, each is
//! the key of a dozen maps.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Why a string is not a valid name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a valid {what}: {why}")]
pub struct NameError {
    /// What the name was meant to be, such as `job name`.
    pub what: &'static str,
    /// The value as written, cut to a length that can be shown.
    pub value: String,
    /// The rule it breaks.
    pub why: &'static str,
}

impl NameError {
    fn new(what: &'static str, value: &str, why: &'static str) -> Self {
        Self { what, value: value.chars().take(80).collect(), why }
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Checks `value` and wraps it.
            pub fn new(value: impl Into<String>) -> Result<Self, NameError> {
                let value = value.into();
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(&value) {
                    Ok(()) => Ok(Self(value.into())),
                    Err(why) => Err(NameError::new($what, &value, why)),
                }
            }

            /// Wraps a constant of this crate; a test holds that it is valid.
            #[allow(dead_code, reason = "most names have no constant")]
            pub(crate) fn constant(value: &'static str) -> Self {
                Self(value.into())
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

/// DNS label: RFC 1123, as Kubernetes uses it for names.
fn dns_label(value: &str) -> Result<(), &'static str> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    match value.as_bytes() {
        [] => Err("it is empty"),
        bytes if bytes.len() > 63 => Err("it has more than 63 characters"),
        bytes if !bytes.iter().copied().all(inner) => Err("only lower-case letters, digits and `-` are allowed"),
        [first, .., last] if !edge(*first) || !edge(*last) => Err("it must start and end with a letter or digit"),
        [only] if !edge(*only) => Err("it must start and end with a letter or digit"),
        _ => Ok(()),
    }
}

/// `^[A-Za-z0-9_-]{1,255}$`: what ECS allows for a family, a container and a volume (docs/aws.md, Sizes and names).
fn ecs_name(value: &str) -> Result<(), &'static str> {
    match value.len() {
        0 => Err("it is empty"),
        256.. => Err("it has more than 255 characters"),
        _ if value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') => Ok(()),
        _ => Err("only letters, digits, `_` and `-` are allowed"),
    }
}

/// `^[.\-_A-Za-z0-9]{1,64}$`: what EventBridge allows for a rule and a target Id (docs/aws.md, Sizes and names).
fn rule_name(value: &str) -> Result<(), &'static str> {
    match value.len() {
        0 => Err("it is empty"),
        65.. => Err("it has more than 64 characters"),
        _ if value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_')) => Ok(()),
        _ => Err("only letters, digits, `.`, `-` and `_` are allowed"),
    }
}

fn prefix(value: &str) -> Result<(), &'static str> {
    match value.len() {
        0 => Err("it is empty, which would claim every name in the account"),
        33.. => Err("it has more than 32 characters"),
        _ if value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') => Ok(()),
        _ => Err("only letters, digits, `_` and `-` are allowed"),
    }
}

fn account(value: &str) -> Result<(), &'static str> {
    if value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit()) {
        Ok(())
    } else {
        Err("it must be twelve digits")
    }
}

fn region(value: &str) -> Result<(), &'static str> {
    let parts: Vec<&str> = value.split('-').collect();
    let word = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let number = parts.last().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    if parts.len() >= 3 && parts.iter().all(word) && number && value.len() <= 32 {
        Ok(())
    } else {
        Err("it must look like `ap-northeast-1`")
    }
}

name!(
    /// Name of an EtlJob, unique in a directory.
    JobName, "job name", dns_label
);
name!(
    /// Name of an EtlCluster, unique in a directory.
    ClusterName, "cluster name", dns_label
);
name!(
    /// Identity of a controller: the value of the ownership tag.
    ControllerName, "controller name", dns_label
);
name!(
    /// What every family and rule name of a controller starts with.
    Prefix, "prefix", prefix
);
name!(
    /// Family of an ECS task definition.
    Family, "family", ecs_name
);
name!(
    /// Group of EventBridge Scheduler in which a controller keeps its schedules.
    ScheduleGroup, "schedule group", rule_name
);
name!(
    /// Twelve-digit AWS account id.
    AccountId, "account id", account
);
name!(
    /// AWS Region code.
    Region, "region", region
);

/// Name of something that fires: a rule of the default event bus, or a schedule of EventBridge Scheduler.
///
/// The two are named alike and live apart: both may bear the same text. Ordered by the text first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName {
    name: Arc<str>,
    group: Option<ScheduleGroup>,
}

impl RuleName {
    /// Name of a rule of the default event bus.
    ///
    /// # Errors
    ///
    /// One that EventBridge does not take.
    pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
        Self::in_home(None, name.into())
    }

    /// Name of a schedule in a group of EventBridge Scheduler.
    ///
    /// # Errors
    ///
    /// One that Scheduler does not take.
    pub fn in_group(group: &ScheduleGroup, name: impl Into<String>) -> Result<Self, NameError> {
        Self::in_home(Some(group.clone()), name.into())
    }

    fn in_home(group: Option<ScheduleGroup>, name: String) -> Result<Self, NameError> {
        match rule_name(&name) {
            Ok(()) => Ok(Self { name: name.into(), group }),
            Err(why) => Err(NameError::new("rule name", &name, why)),
        }
    }

    /// The name as text, without the group.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The group of a schedule; none for a rule.
    pub fn group(&self) -> Option<&ScheduleGroup> {
        self.group.as_ref()
    }

    /// What it is, for a sentence: `rule etl-sales`, `schedule etl-sales`.
    pub fn titled(&self) -> String {
        let kind = if self.group.is_some() { "schedule" } else { "rule" };
        format!("{kind} {}", self.name)
    }
}

impl Serialize for RuleName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Region {
    /// The ARN partition the Region belongs to.
    pub fn partition(&self) -> &'static str {
        match self.as_str() {
            r if r.starts_with("cn-") => "aws-cn",
            r if r.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }
}

/// `sha256:` and 64 hexadecimal digits of a canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Digest(Arc<str>);

impl Digest {
    /// Digest of bytes that are already canonical.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(format!("sha256:{}", hex::encode(sha2::Sha256::digest(bytes))).into())
    }

    /// Digest of a JSON value: object keys are sorted, so key order does not matter.
    pub fn of_json(value: &serde_json::Value) -> Self {
        Self::of(canonical_text(value).as_bytes())
    }

    /// Parses `sha256:<64 hex>`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix("sha256:") {
            Some(hex) if hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) => {
                Ok(Self(text.into()))
            }
            _ => Err(NameError::new("digest", text, "it must be `sha256:` and 64 lower-case hexadecimal digits")),
        }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first `n` hexadecimal digits, for names that must stay short.
    pub fn short(&self, n: usize) -> &str {
        let hex = self.0.strip_prefix("sha256:").unwrap_or(&self.0);
        hex.get(..n).unwrap_or(hex)
    }
}

/// A JSON value in one fixed form: keys sorted, no blanks. Not left to serde_json: whether its maps are sorted is a feature
/// that any crate of a build can switch.
pub fn canonical_text(value: &serde_json::Value) -> String {
    // A value is always JSON.
    serde_json::to_string(&Canonical(value)).unwrap_or_default()
}

struct Canonical<'a>(&'a serde_json::Value);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde_json::Value;
        match self.0 {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => self.0.serialize(serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Canonical)),
            Value::Object(map) if map.keys().is_sorted() => {
                serializer.collect_map(map.iter().map(|(key, item)| (key, Canonical(item))))
            }
            Value::Object(map) => {
                let sorted: std::collections::BTreeMap<&String, &Value> = map.iter().collect();
                serializer.collect_map(sorted.into_iter().map(|(key, item)| (key, Canonical(item))))
            }
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
