//! An AWS with scripted faults, and the things that tests put into it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use ecs_etl_aws::{Answer, Aws, CallError, Done, Endpoint, Options, Urgency};
use ecs_etl_emulator::door::{Call, Clock, Fault, Hook, InProcess, Meter, Observer};
use ecs_etl_emulator::{Emulator, Reply, Request, Settings};
use ecs_etl_plan::desired::Trigger;
use ecs_etl_plan::observed::{LiveRevision, Look, RevisionArn, RuleState};
use ecs_etl_plan::step::{Action, RevisionRef};
use ecs_etl_plan::tags::Tags;
use ecs_etl_spec::job::Place;
use ecs_etl_spec::name::{Family, Region, RuleName};
use ecs_etl_spec::schedule::Schedule;
use ecs_etl_spec::shapes::TaskDefinition;
use ecs_etl_spec::shapes::events::Target;
use serde_json::{Value, json};

/// An emulator, a client of it, and what came over the wire.
pub struct World {
    pub aws: Aws,
    pub place: Place,
    pub wire: Wire,
    door: InProcess,
}

/// Counts requests and injects the faults that wait for an operation, in order.
#[derive(Clone, Default)]
pub struct Wire {
    pub meter: Meter,
    faults: Arc<Mutex<BTreeMap<String, VecDeque<Fault>>>>,
}

impl Wire {
    /// The next request for `operation` (as IAM names it) fares like this.
    pub fn next(&self, operation: &str, fault: Fault) {
        self.faults.lock().unwrap().entry(operation.to_owned()).or_default().push_back(fault);
    }

    /// The next request for `operation` takes effect and is answered with this instead.
    pub fn answer(&self, operation: &str, status: u16, body: &str) {
        let mut reply = Reply::json(status, &json!({}));
        reply.body = body.as_bytes().to_vec();
        self.next(operation, Fault { answer: ecs_etl_emulator::door::Conduct::Reply(reply), ..Fault::none() });
    }

    /// The next request for `operation` is refused.
    pub fn refuse(&self, operation: &str, status: u16, code: &str, message: &str) {
        self.next(operation, Fault::refused(Reply::error(status, code, message)));
    }
}

impl Observer for Wire {
    fn decide(&self, call: &Call, _request: &Request) -> Fault {
        let mut faults = self.faults.lock().unwrap();
        faults.get_mut(&call.operation).and_then(VecDeque::pop_front).unwrap_or_else(Fault::none)
    }

    fn saw(&self, call: &Call, request: &Request, reply: Option<&Reply>) {
        self.meter.saw(call, request, reply);
    }
}

/// A world in a quiet mood, without limits.
pub async fn world() -> World {
    world_with(Options::default()).await
}

pub async fn world_with(options: Options) -> World {
    let wire = Wire::default();
    let clock = Clock::starting_at("2026-01-02T03:04:05Z".parse().unwrap());
    let hook = Hook::new(Arc::new(wire.clone()));
    let door = InProcess::spawn(Emulator::new(Settings::default()), None, clock, hook);
    let aws = Aws::connect(Endpoint::InProcess(door.clone()), options).await.unwrap();
    World { aws, place: place("eu-west-1", None), wire, door }
}

impl World {
    pub async fn look(&self, look: Look) -> Answer {
        self.try_look(look).await.unwrap()
    }

    pub async fn try_look(&self, look: Look) -> Result<Answer, CallError> {
        self.aws.look(&self.place, &look, Urgency::Edit).await
    }

    pub async fn act(&self, action: Action) -> Done {
        self.try_act(action).await.unwrap()
    }

    pub async fn try_act(&self, action: Action) -> Result<Done, CallError> {
        self.aws.act(&self.place, &action, None, Urgency::Edit).await
    }

    /// Registers a revision and answers it.
    pub async fn register(&self, family: &str) -> LiveRevision {
        let answer = self.act(register(family)).await;
        let Done::Registered(revision) = answer else { panic!("{answer:?}") };
        revision
    }

    /// Makes a rule and answers its ARN.
    pub async fn put_rule(&self, name: &str) -> String {
        let answer = self.act(put_rule(name)).await;
        let Done::RulePut { arn } = answer else { panic!("{answer:?}") };
        arn
    }

    /// Somebody else's POST to EventBridge Scheduler.
    pub async fn scheduler(&self, path: &str, body: Value) {
        let scope = "Credential=AKIDEXAMPLE/20260102/eu-west-1/scheduler/aws4_request";
        let signature = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
        let headers = vec![("authorization".to_owned(), signature)];
        let body = body.to_string().into_bytes();
        let reply = self.door.call(Request { method: "POST".into(), path: path.into(), headers, body }).await.unwrap();
        assert_eq!(reply.status, 200, "{path}: {}", String::from_utf8_lossy(&reply.body));
    }

    pub async fn targets(&self, name: &str) -> Vec<Target> {
        let answer = self.look(Look::Targets(rule(name))).await;
        let Answer::Targets(targets) = answer else { panic!("{answer:?}") };
        targets
    }
}

pub fn place(region: &str, role: Option<&str>) -> Place {
    let assume_role_arn = role.map(str::to_owned);
    Place { region: Region::new(region).unwrap(), assume_role_arn, external_id: None }
}

pub fn family(name: &str) -> Family {
    Family::new(name).unwrap()
}

pub fn rule(name: &str) -> RuleName {
    RuleName::new(name).unwrap()
}

pub fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub fn task_definition() -> TaskDefinition {
    serde_json::from_value(json!({
        "containerDefinitions": [{
            "name": "main",
            "image": "example/etl:1",
            "memory": 512,
            "environment": [{"name": "DB_PASSWORD", "value": "hunter2-hunter2"}],
        }],
    }))
    .unwrap()
}

pub fn register(name: &str) -> Action {
    Action::RegisterTaskDefinition {
        family: family(name),
        task_definition: Box::new(task_definition()),
        tags: tags(&[("ecs-etl/controller", "default"), ("team", "x")]),
    }
}

pub fn put_rule(name: &str) -> Action {
    Action::PutRule {
        rule: rule(name),
        trigger: Trigger::Schedule(Schedule::parse("cron(0 2 * * ? *)").unwrap()),
        state: RuleState::Enabled,
        description: "made by a test".to_owned(),
        create: true,
        tags: tags(&[("ecs-etl/controller", "default")]),
    }
}

pub fn target() -> Target {
    serde_json::from_value(json!({
        "Id": "ecs-etl",
        "Arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/analytics",
        "RoleArn": "arn:aws:iam::123456789012:role/events",
        "EcsParameters": {"TaskCount": 1, "LaunchType": "EC2"},
    }))
    .unwrap()
}

pub fn put_targets(name: &str, revision: &RevisionArn) -> Action {
    let revision = Some(RevisionRef::Existing(revision.clone()));
    Action::PutTargets { rule: rule(name), target: Box::new(target()), revision }
}
