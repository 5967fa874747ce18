//! A client as small as can be: it speaks the wire format and reads replies back.

use ecs_etl_emulator::{Emulator, Reply, Request, Settings};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A refusal as `code: message`, or the answer.
pub type Outcome = Result<Value, String>;

pub const ACCOUNT: &str = "123456789012";

/// An emulator with a clock of its own and a caller's credentials.
pub struct Aws {
    pub emulator: Emulator,
    pub now: Timestamp,
    pub region: &'static str,
    pub access_key: String,
}

impl Aws {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        Self::over(Emulator::new(settings))
    }

    pub fn over(emulator: Emulator) -> Self {
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        Self { emulator, now, region: "eu-west-1", access_key: "AKIAEXAMPLE".to_owned() }
    }

    pub fn sleep(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    pub fn request(&self, target: &str, body: &Value) -> Request {
        signed(target, body.to_string().into_bytes(), &self.access_key, self.region)
    }

    pub fn send(&mut self, request: &Request) -> Reply {
        self.emulator.handle(self.now, request)
    }

    pub fn ecs(&mut self, operation: &str, body: Value) -> Outcome {
        self.call(&format!("AmazonEC2ContainerServiceV20141113.{operation}"), &body)
    }

    pub fn events(&mut self, operation: &str, body: Value) -> Outcome {
        self.call(&format!("AWSEvents.{operation}"), &body)
    }

    pub fn tag(&mut self, operation: &str, body: Value) -> Outcome {
        self.call(&format!("ResourceGroupsTaggingAPI_20170126.{operation}"), &body)
    }

    pub fn sqs(&mut self, operation: &str, body: Value) -> Outcome {
        self.call(&format!("AmazonSQS.{operation}"), &body)
    }

    /// Calls EventBridge Scheduler; a refusal is told with its HTTP status.
    pub fn scheduler(&mut self, method: &str, path: &str, body: Value) -> Outcome {
        let request = self.rest(method, path, &body);
        let reply = self.send(&request);
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let code = reply.header("x-amzn-errortype").unwrap_or_default();
        match reply.status {
            200 => Ok(body),
            status => Err(format!("{status} {code}: {}", body["Message"].as_str().unwrap())),
        }
    }

    /// A request of a service that goes by methods and paths.
    pub fn rest(&self, method: &str, path: &str, body: &Value) -> Request {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let mut request = signed("", body, &self.access_key, self.region);
        request.headers.retain(|(name, _)| name != "x-amz-target");
        Request { method: method.to_owned(), path: path.to_owned(), ..request }
    }

    fn call(&mut self, target: &str, body: &Value) -> Outcome {
        let request = self.request(target, body);
        read(&self.send(&request))
    }

    /// Registers one container of little account and gives back the revision's ARN.
    pub fn register(&mut self, family: &str) -> String {
        self.ecs("RegisterTaskDefinition", task(family)).unwrap()["taskDefinition"]["taskDefinitionArn"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Puts a rule that fires now and then.
    pub fn rule(&mut self, name: &str) {
        self.events("PutRule", json!({"Name": name, "ScheduleExpression": "rate(5 minutes)"})).unwrap();
    }

    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{ACCOUNT}:{resource}", self.region)
    }
}

/// A request of AWS's JSON protocol with a signature that nobody checks.
pub fn signed(target: &str, body: Vec<u8>, access_key: &str, region: &str) -> Request {
    let credential = format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/20260102/{region}/ecs/aws4_request, SignedHeaders=host, Signature=0"
    );
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![
            header("content-type", "application/x-amz-json-1.1"),
            header("x-amz-target", target),
            header("authorization", &credential),
        ],
        body,
    }
}

pub fn read(reply: &Reply) -> Outcome {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    match reply.status {
        200 => Ok(body),
        _ => Err(format!("{}: {}", body["__type"].as_str().unwrap(), body["message"].as_str().unwrap())),
    }
}

/// The least that ECS takes.
pub fn task(family: &str) -> Value {
    json!({"family": family, "containerDefinitions": [{"name": "main", "image": "busybox", "memory": 64}]})
}

/// A task definition that says in the environment of its container how its runs fare.
pub fn troubled(mut task: Value, words: &str) -> Value {
    task["containerDefinitions"][0]["environment"] = json!([{"name": "ECS_ETL_EMULATE", "value": words}]);
    task
}

/// The least that Fargate takes.
pub fn fargate_task(family: &str) -> Value {
    json!({
        "family": family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "main", "image": "busybox"}],
    })
}

/// `base` with members laid over it; objects merge, everything else is replaced, and null takes away.
pub fn with(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (name, value) in over {
                match (base.remove(&name), value) {
                    (_, Value::Null) => {}
                    (Some(old), value) => {
                        base.insert(name, with(old, value));
                    }
                    (None, value) => {
                        base.insert(name, value);
                    }
                }
            }
            Value::Object(base)
        }
        (_, over) => over,
    }
}
