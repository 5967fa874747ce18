//! A request as it arrives at the wire, and what can be read off it before any operation runs.

use std::fmt;

/// One HTTP request, body and all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Header names and values in the order sent.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// The services that the emulator speaks, by the prefix that IAM gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Amazon ECS.
    Ecs,
    /// Amazon EventBridge.
    Events,
    /// The Resource Groups Tagging API.
    Tag,
    /// Amazon EventBridge Scheduler.
    Scheduler,
    /// Amazon SQS.
    Sqs,
    /// AWS Security Token Service.
    Sts,
    /// The emulator's own controls, such as its reset.
    Emulator,
}

impl Service {
    /// The prefix of this service's actions in IAM policies.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Events => "events",
            Self::Tag => "tag",
            Self::Scheduler => "scheduler",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
            Self::Emulator => "emulator",
        }
    }

    /// The service whose requests carry `target` before the dot of `X-Amz-Target`.
    fn of_target(target: &str) -> Option<Self> {
        match target {
            "AmazonEC2ContainerServiceV20141113" => Some(Self::Ecs),
            "AWSEvents" => Some(Self::Events),
            "ResourceGroupsTaggingAPI_20170126" => Some(Self::Tag),
            "AmazonSQS" => Some(Self::Sqs),
            _ => None,
        }
    }
}

/// Which operation of which service a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// The operation's name in AWS's service model.
    pub name: String,
}

impl fmt::Display for Operation {
    /// As IAM writes an action: `ecs:RegisterTaskDefinition`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service.prefix(), self.name)
    }
}

impl Request {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The operation asked for: from `X-Amz-Target`, from method and path, or from the form's `Action`.
    ///
    /// `None` when the request speaks to no service that the emulator knows.
    pub fn operation(&self) -> Option<Operation> {
        let path = self.path.split('?').next().unwrap_or_default();
        if self.method == "POST" && path == "/moto-api/reset" {
            return Some(Operation { service: Service::Emulator, name: "Reset".to_owned() });
        }
        if let Some(target) = self.header("x-amz-target") {
            let (service, name) = target.split_once('.')?;
            return Some(Operation { service: Service::of_target(service)?, name: name.to_owned() });
        }
        if let Some(route) = crate::scheduler::route(&self.method, &self.path) {
            return Some(Operation { service: Service::Scheduler, name: route.operation.to_owned() });
        }
        let action = self.form().into_iter().find(|(key, _)| key == "Action")?.1;
        Some(Operation { service: Service::Sts, name: action })
    }

    /// The body read as a form, or the query string when the body is empty (both are STS's query protocol).
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        let query = self.path.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let body = std::str::from_utf8(&self.body).unwrap_or_default();
        let text = if body.is_empty() { query } else { body };
        if text.starts_with(['{', '[']) {
            return Vec::new();
        }
        pairs(text)
    }

    /// The query string.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        pairs(self.path.split_once('?').map(|(_, query)| query).unwrap_or_default())
    }
}

/// Names and values of a form.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decoded(key), percent_decoded(value))
        })
        .collect()
}

/// Undoes form encoding; what is no valid escape stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (byte, escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 3;
                continue;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(path: &str, headers: &[(&str, &str)], body: &str) -> Request {
        Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_operation_is_read_off_target_form_or_path() {
        let check = |request: Request, expected: Option<&str>| {
            assert_eq!(request.operation().map(|o| o.to_string()).as_deref(), expected, "{request:?}");
        };
        check(post("/", &[("X-Amz-Target", "AWSEvents.PutRule")], "{}"), Some("events:PutRule"));
        check(
            post("/", &[("x-amz-target", "AmazonEC2ContainerServiceV20141113.ListClusters")], ""),
            Some("ecs:ListClusters"),
        );
        check(post("/", &[], "Action=GetCallerIdentity&Version=2011-06-15"), Some("sts:GetCallerIdentity"));
        check(post("/?Action=GetCallerIdentity", &[], ""), Some("sts:GetCallerIdentity"));
        check(post("/moto-api/reset", &[], ""), Some("emulator:Reset"));
        check(post("/schedules/s", &[], "{}"), Some("scheduler:CreateSchedule"));
        check(post("/tags/arn%3Aaws?x=y", &[], "{}"), Some("scheduler:TagResource"));
        check(post("/schedules", &[], "{}"), None);
        check(post("/", &[("x-amz-target", "DynamoDB_20120810.ListTables")], "{}"), None);
        check(post("/", &[], "{\"Action\":1}"), None);
        check(post("/", &[], ""), None);
    }

    #[test]
    fn a_form_is_percent_decoded() {
        let form = post("/", &[], "RoleArn=arn%3Aaws%3Aiam&Name=a+b&Odd=%zz&Flag").form();
        let expected = [("RoleArn", "arn:aws:iam"), ("Name", "a b"), ("Odd", "%zz"), ("Flag", "")];
        assert_eq!(form, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
