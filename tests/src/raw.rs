//! A client of AWS's JSON protocols with no SDK in it: seeds what others own, spoils what the program built, and reads
//! what is really there.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::rest;
use crate::wire::{self, Message};

/// Account of every test.
pub const ACCOUNT: &str = "123456789012";
/// Region of every test, unless a test is about Regions.
pub const REGION: &str = "ap-northeast-1";

/// When every request was signed, as it says.
const DATE: &str = "20260101T000000Z";

/// An error that AWS answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Code without its namespace.
    pub code: String,
    /// Text for a person.
    pub message: String,
}

/// Talks to one server as one account in one Region.
#[derive(Debug, Clone)]
pub struct Aws {
    server: SocketAddr,
    region: String,
    access_key: String,
    session_token: String,
}

impl Aws {
    /// A client of `server` in the tests' Region.
    pub fn new(server: SocketAddr) -> Self {
        Self { server, region: REGION.to_owned(), access_key: ACCOUNT.to_owned(), session_token: String::new() }
    }

    /// The same in another Region.
    pub fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    /// The same as `role`, in the role's account.
    pub fn assume(&self, role: &str) -> Self {
        let role = role.replace(':', "%3A");
        let text = self.sts(&format!("Action=AssumeRole&RoleSessionName=tests&RoleArn={role}"));
        Self {
            access_key: element(&text, "AccessKeyId"),
            session_token: element(&text, "SessionToken"),
            ..self.clone()
        }
    }

    /// The account that the server says we are in.
    pub fn identity(&self) -> Value {
        json!({"Account": element(&self.sts("Action=GetCallerIdentity"), "Account")})
    }

    /// Calls STS, which takes forms and answers XML.
    fn sts(&self, form: &str) -> String {
        let authorization = self.authorization("sts");
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("authorization", authorization.as_str())];
        let form = format!("{form}&Version=2011-06-15");
        let answer = wire::exchange(self.server, &Message::request("POST", "/", &headers, form))
            .unwrap_or_else(|error| panic!("STS gave no answer: {error}"));
        String::from_utf8_lossy(&answer.body).into_owned()
    }

    /// A signature that nobody checks; its scope says who calls, where, and which service.
    fn authorization(&self, service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{}/{service}/aws4_request, SignedHeaders=host, Signature=0",
            self.access_key, self.region
        )
    }

    /// Calls `service` (`ecs`, `events`, `scheduler`, `tagging`, `dynamodb`, and `sts` for GetCallerIdentity), giving AWS's refusal back.
    pub fn try_call(&self, service: &str, operation: &str, body: &Value) -> Result<Value, ApiError> {
        if (service, operation) == ("sts", "GetCallerIdentity") {
            return Ok(self.identity());
        }
        if service == "scheduler" {
            let mut request = rest::request(operation, body);
            request.headers.push(("x-amz-date".to_owned(), DATE.to_owned()));
            request.headers.push(("authorization".to_owned(), self.authorization(service)));
            if !self.session_token.is_empty() {
                request.headers.push(("x-amz-security-token".to_owned(), self.session_token.clone()));
            }
            return self.answer_of(service, operation, &request);
        }
        let api = match service {
            "ecs" => "AmazonEC2ContainerServiceV20141113",
            "events" => "AWSEvents",
            "tagging" => "ResourceGroupsTaggingAPI_20170126",
            "dynamodb" => "DynamoDB_20120810",
            other => panic!("the raw client does not know the service {other}"),
        };
        let authorization = self.authorization(service);
        let target = format!("{api}.{operation}");
        let headers = [
            (
                "content-type",
                if service == "dynamodb" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" },
            ),
            ("x-amz-target", target.as_str()),
            ("x-amz-date", DATE),
            ("authorization", authorization.as_str()),
            ("x-amz-security-token", self.session_token.as_str()),
        ];
        let headers = if self.session_token.is_empty() { &headers[..4] } else { &headers[..] };
        self.answer_of(service, operation, &Message::request("POST", "/", headers, body.to_string()))
    }

    /// Sends a request and reads what JSON answers it, or the refusal.
    fn answer_of(&self, service: &str, operation: &str, request: &Message) -> Result<Value, ApiError> {
        let answer = wire::exchange(self.server, request)
            .unwrap_or_else(|error| panic!("{service}:{operation} got no answer: {error}"));
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let value: Value = if text.is_empty() { json!({}) } else { serde_json::from_str(&text).unwrap_or(Value::Null) };
        if answer.status() == 200 {
            return Ok(value);
        }
        let code = value["__type"].as_str().or_else(|| answer.header("x-amzn-errortype")).unwrap_or("").to_owned();
        let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
        // Stand-ins answer what they cannot do with a page in place of an error.
        let code = if code.is_empty() { format!("HTTP {}", answer.status()) } else { code };
        let message = value["message"].as_str().or_else(|| value["Message"].as_str()).unwrap_or(&text).to_owned();
        Err(ApiError { code, message })
    }

    /// Calls `service` and ends the test on a refusal.
    pub fn call(&self, service: &str, operation: &str, body: Value) -> Value {
        self.try_call(service, operation, &body)
            .unwrap_or_else(|error| panic!("{service}:{operation} {body} was refused: {error:?}"))
    }

    /// The ARN of a rule on the default bus.
    pub fn rule_arn(&self, name: &str) -> String {
        format!("arn:aws:events:{}:{ACCOUNT}:rule/{name}", self.region)
    }

    /// The rule as DescribeRule shows it; `None` when there is none.
    pub fn rule(&self, name: &str) -> Option<Value> {
        match self.try_call("events", "DescribeRule", &json!({"Name": name})) {
            Ok(rule) => Some(rule),
            Err(error) if error.code == "ResourceNotFoundException" => None,
            Err(error) => panic!("DescribeRule {name} was refused: {error:?}"),
        }
    }

    /// Names of all rules that begin with `prefix`.
    pub fn rule_names(&self, prefix: &str) -> Vec<String> {
        let mut names = Vec::new();
        let mut token = Value::Null;
        loop {
            let mut body = json!({"NamePrefix": prefix});
            if !token.is_null() {
                body["NextToken"] = token;
            }
            let page = self.call("events", "ListRules", body);
            names.extend(strings(&page["Rules"], "Name"));
            token = page["NextToken"].clone();
            if token.is_null() {
                names.sort();
                return names;
            }
        }
    }

    /// The targets of a rule, sorted by Id.
    pub fn targets(&self, rule: &str) -> Vec<Value> {
        let answer = self.call("events", "ListTargetsByRule", json!({"Rule": rule}));
        let mut targets = answer["Targets"].as_array().cloned().unwrap_or_default();
        targets.sort_by_key(|target| target["Id"].as_str().unwrap_or_default().to_owned());
        targets
    }

    /// The tags of a rule as an object.
    pub fn rule_tags(&self, name: &str) -> Value {
        let answer = self.call("events", "ListTagsForResource", json!({"ResourceARN": self.rule_arn(name)}));
        object(&answer["Tags"], "Key", "Value")
    }

    /// A revision with its tags as an object; `None` when AWS cannot describe it.
    pub fn revision(&self, name: &str) -> Option<Value> {
        let body = json!({"taskDefinition": name, "include": ["TAGS"]});
        let mut answer = match self.try_call("ecs", "DescribeTaskDefinition", &body) {
            Ok(answer) => answer,
            Err(error) if error.message.starts_with("Unable to describe task definition") => return None,
            Err(error) => panic!("DescribeTaskDefinition {name} was refused: {error:?}"),
        };
        answer["tags"] = object(&answer["tags"], "key", "value");
        Some(answer)
    }

    /// ARNs of a family's ACTIVE revisions, oldest first.
    pub fn active_revisions(&self, family: &str) -> Vec<String> {
        let answer = self.call("ecs", "ListTaskDefinitions", json!({"familyPrefix": family, "status": "ACTIVE"}));
        let mut arns: Vec<String> = answer["taskDefinitionArns"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|arn| arn.rsplit('/').next().and_then(|name| name.split(':').next()) == Some(family))
            .map(str::to_owned)
            .collect();
        arns.sort_by_key(|arn| revision_number(arn));
        arns
    }
}

/// The number at the end of a revision's ARN.
pub fn revision_number(arn: &str) -> u64 {
    arn.rsplit(':').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The text of an element of XML.
fn element(text: &str, name: &str) -> String {
    let found = text.split_once(&format!("<{name}>")).and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    found.unwrap_or_else(|| panic!("STS gave no {name}: {text}")).0.to_owned()
}

fn strings(list: &Value, member: &str) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(|item| item[member].as_str()).map(str::to_owned).collect()
}

fn object(list: &Value, key: &str, value: &str) -> Value {
    let pairs = list.as_array().into_iter().flatten();
    Value::Object(pairs.filter_map(|tag| Some((tag[key].as_str()?.to_owned(), tag[value].clone()))).collect())
}
