//! Other people's hands in AWS: in our resources, and in their own beside ours.

use std::sync::Arc;

use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::InProcess;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::mirror::{Key, TARGET};
use crate::world::World;

/// What a hand does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hand {
    /// The controller whose job it is.
    pub controller: String,
    /// The job whose resources it reaches for, or after which it names its own.
    pub job: String,
    /// What it does.
    pub deed: Deed,
}

/// Deeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    /// Disables the job's rules.
    Disable,
    /// Enables them.
    Enable,
    /// Gives the first rule another schedule.
    Reschedule,
    /// Takes our target away.
    RemoveTarget,
    /// Lets our target start something else.
    Repin,
    /// Puts a second target that starts the job.
    AddStray,
    /// Puts a target of their own on our rule.
    AddTheirs,
    /// Removes targets and rule.
    DeleteRule,
    /// Deregisters what is pinned.
    Deregister,
    /// Adds a tag of their own to rule and revision.
    Tag,
    /// Takes our mark off the rule.
    Unmark,
    /// Tags the rule to be left alone.
    Pause,
    /// Takes that tag away.
    Resume,
    /// Registers a revision of their own in our family.
    RegisterInOurs,
    /// Makes a rule of their own with the name that the job's would have.
    ClashRule,
    /// Makes a rule and a family of their own beside ours.
    Beside,
    /// Uses up calls of the account.
    Burst,
}

impl Deed {
    /// Deeds that change resources of ours.
    pub const DRIFT: [Self; 13] = [
        Self::Disable,
        Self::Enable,
        Self::Reschedule,
        Self::RemoveTarget,
        Self::Repin,
        Self::AddStray,
        Self::AddTheirs,
        Self::DeleteRule,
        Self::Deregister,
        Self::Tag,
        Self::Unmark,
        Self::Pause,
        Self::RegisterInOurs,
    ];
}

/// Someone with the rights to do as they like.
#[derive(Debug)]
pub struct Stranger {
    door: InProcess,
    world: Arc<World>,
}

impl Stranger {
    /// A stranger at a door of their own.
    pub fn new(door: InProcess, world: Arc<World>) -> Self {
        Self { door, world }
    }

    /// Does it.
    pub async fn does(&self, hand: &Hand) {
        let rules: Vec<(Key, Vec<String>)> = {
            let state = self.world.state();
            let rules = state.mirror.rules_of(&hand.controller, &hand.job);
            rules.map(|(key, rule)| (key.clone(), rule.pins().collect())).collect()
        };
        let place =
            rules.first().map_or(("123456789012".to_owned(), "eu-central-1".to_owned()), |(key, _)| parts(&key.0));
        match hand.deed {
            Deed::Beside => self.beside(&place, hand).await,
            Deed::ClashRule => self.clash(&place, hand).await,
            Deed::Burst => {
                for _ in 0..20 {
                    self.ecs(&place, "ListTaskDefinitions", json!({"familyPrefix": "none"})).await;
                }
            }
            Deed::Disable
            | Deed::Enable
            | Deed::Reschedule
            | Deed::RemoveTarget
            | Deed::Repin
            | Deed::AddStray
            | Deed::AddTheirs
            | Deed::DeleteRule
            | Deed::Deregister
            | Deed::Tag
            | Deed::Unmark
            | Deed::Pause
            | Deed::Resume
            | Deed::RegisterInOurs => {
                if let Some((key, pins)) = rules.first() {
                    self.reaches(hand, &place, key, pins).await;
                }
            }
        }
    }

    async fn reaches(&self, hand: &Hand, place: &Place, key: &Key, pins: &[String]) {
        let rule = key.1.as_str();
        let arn = format!("arn:aws:events:{}:{}:rule/{rule}", place.1, place.0);
        let revision = |name: &str| format!("arn:aws:ecs:{}:{}:task-definition/{name}", place.1, place.0);
        let target = |id: &str, name: &str| {
            json!({
                "Id": id, "Arn": format!("arn:aws:ecs:{}:{}:cluster/main", place.1, place.0),
                "RoleArn": format!("arn:aws:iam::{}:role/theirs", place.0),
                "EcsParameters": {"TaskDefinitionArn": revision(name)},
            })
        };
        match hand.deed {
            Deed::Disable => self.events(place, "DisableRule", json!({"Name": rule})).await,
            Deed::Enable => self.events(place, "EnableRule", json!({"Name": rule})).await,
            Deed::Reschedule => {
                let put = json!({"Name": rule, "ScheduleExpression": "rate(1 day)", "State": "ENABLED"});
                self.events(place, "PutRule", put).await;
            }
            Deed::RemoveTarget => self.events(place, "RemoveTargets", json!({"Rule": rule, "Ids": [TARGET]})).await,
            Deed::Repin => {
                let put = json!({"Rule": rule, "Targets": [target(TARGET, "theirs:1")]});
                self.events(place, "PutTargets", put).await;
            }
            Deed::AddStray => {
                let name = pins.first().map_or("theirs:1", String::as_str);
                let put = json!({"Rule": rule, "Targets": [target("ecs-etl-2", name)]});
                self.events(place, "PutTargets", put).await;
            }
            Deed::AddTheirs => {
                let queue = format!("arn:aws:sqs:{}:{}:theirs", place.1, place.0);
                let put = json!({"Rule": rule, "Targets": [{"Id": "theirs", "Arn": queue}]});
                self.events(place, "PutTargets", put).await;
            }
            Deed::DeleteRule => {
                let ids: Vec<String> = {
                    let state = self.world.state();
                    let live = state.mirror.rules.get(key);
                    live.into_iter().flat_map(|rule| rule.targets.keys().cloned()).collect()
                };
                if !ids.is_empty() {
                    self.events(place, "RemoveTargets", json!({"Rule": rule, "Ids": ids})).await;
                }
                self.events(place, "DeleteRule", json!({"Name": rule})).await;
            }
            Deed::Deregister => {
                if let Some(name) = pins.first() {
                    self.ecs(place, "DeregisterTaskDefinition", json!({"taskDefinition": revision(name)})).await;
                }
            }
            Deed::Tag => {
                let tags = json!([{"Key": "cost-centre", "Value": "42"}]);
                self.events(place, "TagResource", json!({"ResourceARN": arn, "Tags": tags})).await;
                if let Some(name) = pins.first() {
                    let tags = json!([{"key": "cost-centre", "value": "42"}]);
                    self.ecs(place, "TagResource", json!({"resourceArn": revision(name), "tags": tags})).await;
                }
            }
            Deed::Unmark => {
                let keys = json!(["ecs-etl/controller"]);
                self.events(place, "UntagResource", json!({"ResourceARN": arn, "TagKeys": keys})).await;
            }
            Deed::Pause => {
                let tags = json!([{"Key": "ecs-etl/reconcile", "Value": "disabled"}]);
                self.events(place, "TagResource", json!({"ResourceARN": arn, "Tags": tags})).await;
            }
            Deed::Resume => {
                let keys = json!(["ecs-etl/reconcile"]);
                self.events(place, "UntagResource", json!({"ResourceARN": arn, "TagKeys": keys})).await;
            }
            Deed::RegisterInOurs => {
                let family = pins.first().and_then(|name| name.split(':').next()).unwrap_or("theirs");
                self.register(place, family).await;
            }
            Deed::ClashRule | Deed::Beside | Deed::Burst => {}
        }
    }

    async fn beside(&self, place: &Place, hand: &Hand) {
        let name = format!("theirs-{}", hand.job);
        self.register(place, &name).await;
        let put = json!({"Name": name, "ScheduleExpression": "cron(7 3 * * ? *)", "Tags": [{"Key": "team", "Value": "theirs"}]});
        self.events(place, "PutRule", put).await;
        let target = json!({
            "Id": "1", "Arn": format!("arn:aws:ecs:{}:{}:cluster/main", place.1, place.0),
            "RoleArn": format!("arn:aws:iam::{}:role/theirs", place.0),
            "EcsParameters": {"TaskDefinitionArn": format!("arn:aws:ecs:{}:{}:task-definition/{name}:1", place.1, place.0)},
        });
        self.events(place, "PutTargets", json!({"Rule": name, "Targets": [target]})).await;
    }

    async fn clash(&self, place: &Place, hand: &Hand) {
        let put = json!({"Name": format!("etl-{}", hand.job), "ScheduleExpression": "cron(9 4 * * ? *)"});
        let taken = self
            .world
            .state()
            .mirror
            .rules
            .contains_key(&(format!("{}/{}", place.0, place.1), format!("etl-{}", hand.job)));
        if !taken {
            self.events(place, "PutRule", put).await;
        }
    }

    async fn register(&self, place: &Place, family: &str) {
        let containers = json!([{"name": "theirs", "image": "theirs:1", "memory": 16}]);
        self.ecs(place, "RegisterTaskDefinition", json!({"family": family, "containerDefinitions": containers})).await;
    }

    async fn ecs(&self, place: &Place, operation: &str, body: Value) {
        self.call(place, &format!("AmazonEC2ContainerServiceV20141113.{operation}"), &body).await;
    }

    async fn events(&self, place: &Place, operation: &str, body: Value) {
        self.call(place, &format!("AWSEvents.{operation}"), &body).await;
    }

    async fn call(&self, place: &Place, target: &str, body: &Value) {
        // The emulator reads the account off an access key of its own making.
        let key = if place.0 == "123456789012" { "AKIDEXAMPLE".to_owned() } else { format!("ASIA{}EMUL", place.0) };
        let scope = format!("Credential={key}/20261123/{}/ecs/aws4_request", place.1);
        let headers = vec![
            ("x-amz-target".to_owned(), target.to_owned()),
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("authorization".to_owned(), format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")),
        ];
        let request = Request { method: "POST".into(), path: "/".into(), headers, body: body.to_string().into_bytes() };
        if let Err(lost) = self.door.call(request).await {
            self.world.note(format_args!("a stranger's call was lost: {lost}"));
        }
    }
}

/// Account and Region.
type Place = (String, String);

fn parts(place: &str) -> Place {
    let (account, region) = place.split_once('/').unwrap_or((place, "eu-central-1"));
    (account.to_owned(), region.to_owned())
}
