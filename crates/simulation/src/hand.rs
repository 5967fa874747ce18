//! Other people's hands in AWS: in our resources, and in their own beside ours.

mod seldom;

use std::sync::Arc;

use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::InProcess;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::mirror::Key;
use crate::sketch::set;
use crate::world::World;

pub use seldom::Seldom;

/// What a hand does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hand {
    /// The controller whose job it is.
    pub controller: String,
    /// The job whose resources it reaches for, or after which it names its own.
    pub job: String,
    /// What it does.
    pub deed: Deed,
    /// To which of the job's rules and schedules, modulo how many there are.
    #[serde(default)]
    pub rule: u8,
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
    /// What is reached for more seldom.
    #[serde(untagged)]
    Seldom(Seldom),
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
        let rules: Vec<(Key, Vec<String>, String)> = {
            let state = self.world.state();
            let rules = state.mirror.rules_of(&hand.controller, &hand.job);
            rules.map(|(key, rule)| (key.clone(), rule.pins().collect(), rule.target_id().to_owned())).collect()
        };
        let chosen = rules.get(usize::from(hand.rule).checked_rem(rules.len()).unwrap_or(0));
        let place = chosen.map_or(("123456789012".to_owned(), "eu-central-1".to_owned()), |(key, ..)| parts(&key.0));
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
            | Deed::RegisterInOurs => match chosen {
                Some((key, ..)) if key.1.contains('/') => self.reaches_schedule(hand, &place, key).await,
                Some((key, pins, id)) => self.reaches(hand, &place, key, (pins, id)).await,
                None => {}
            },
            Deed::Seldom(seldom) => {
                if let Some((key, ..)) = chosen {
                    self.reaches_seldom(seldom, &place, key).await;
                }
            }
        }
    }

    async fn reaches(&self, hand: &Hand, place: &Place, key: &Key, (pins, id): (&[String], &str)) {
        let rule = key.1.as_str();
        let arn = rule_arn(place, rule);
        match hand.deed {
            Deed::Disable => self.events(place, "DisableRule", json!({"Name": rule})).await,
            Deed::Enable => self.events(place, "EnableRule", json!({"Name": rule})).await,
            Deed::Reschedule => {
                let put = json!({"Name": rule, "ScheduleExpression": "rate(1 day)", "State": "ENABLED"});
                self.events(place, "PutRule", put).await;
            }
            Deed::RemoveTarget => self.events(place, "RemoveTargets", json!({"Rule": rule, "Ids": [id]})).await,
            Deed::Repin => {
                let put = json!({"Rule": rule, "Targets": [starting(place, id, "theirs:1")]});
                self.events(place, "PutTargets", put).await;
            }
            Deed::AddStray => {
                let name = pins.first().map_or("theirs:1", String::as_str);
                let put = json!({"Rule": rule, "Targets": [starting(place, "ecs-etl-2", name)]});
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
                    self.ecs(place, "DeregisterTaskDefinition", json!({"taskDefinition": revision_arn(place, name)}))
                        .await;
                }
            }
            Deed::Tag => {
                let tags = json!([{"Key": "cost-centre", "Value": "42"}]);
                self.events(place, "TagResource", json!({"ResourceARN": arn, "Tags": tags})).await;
                if let Some(name) = pins.first() {
                    let tags = json!([{"key": "cost-centre", "value": "42"}]);
                    self.ecs(place, "TagResource", json!({"resourceArn": revision_arn(place, name), "tags": tags}))
                        .await;
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
            Deed::ClashRule | Deed::Beside | Deed::Burst | Deed::Seldom(_) => {}
        }
    }

    /// The same with a schedule of EventBridge Scheduler, which has one target and no tags.
    async fn reaches_schedule(&self, hand: &Hand, place: &Place, key: &Key) {
        let Some((group, name)) = key.1.split_once('/') else { return };
        let live = self.world.state().mirror.rules.get(key).map(|rule| rule.row.clone()).unwrap_or_default();
        let mut members = live.get("members").cloned().unwrap_or_default();
        let mut put = |member: &str, value: Value| set(&mut members, member, Some(value));
        match hand.deed {
            Deed::Disable => put("State", json!("DISABLED")),
            Deed::Enable => put("State", json!("ENABLED")),
            Deed::Reschedule => put("ScheduleExpression", json!("rate(1 day)")),
            Deed::Repin | Deed::AddStray => {
                let mut target = live.pointer("/members/Target").cloned().unwrap_or_default();
                if let Some(parameters) = target.get_mut("EcsParameters") {
                    set(parameters, "TaskDefinitionArn", Some(json!(revision_arn(place, "theirs:1"))));
                }
                put("Target", target);
            }
            Deed::Tag | Deed::Unmark | Deed::AddTheirs => put("Description", json!("somebody was here")),
            Deed::DeleteRule | Deed::RemoveTarget => {
                let path = format!("/schedules/{name}?groupName={group}");
                return self.scheduler(place, "DELETE", &path, &Value::Null).await;
            }
            Deed::Pause => {
                let tags = json!({"Tags": [{"Key": "ecs-etl/reconcile", "Value": "disabled"}]});
                return self.scheduler(place, "POST", &group_path(place, group), &tags).await;
            }
            Deed::Resume => {
                let path = format!("{}?TagKeys=ecs-etl%2Freconcile", group_path(place, group));
                return self.scheduler(place, "DELETE", &path, &Value::Null).await;
            }
            Deed::Deregister | Deed::RegisterInOurs => {
                let pins = self.world.state().mirror.rules.get(key).and_then(|rule| rule.pins().next());
                let Some(pinned) = pins else { return };
                if hand.deed == Deed::RegisterInOurs {
                    return self.register(place, pinned.split(':').next().unwrap_or("theirs")).await;
                }
                let pinned = json!({"taskDefinition": revision_arn(place, &pinned)});
                return self.ecs(place, "DeregisterTaskDefinition", pinned).await;
            }
            Deed::ClashRule | Deed::Beside | Deed::Burst | Deed::Seldom(_) => return,
        }
        self.scheduler(place, "PUT", &format!("/schedules/{name}"), &members).await;
    }

    /// Tells the bus of a place, `account/region`, of an event.
    pub async fn tells(&self, place: &str, source: &str) {
        let millis = self.world.millis();
        self.world.state().judge.told(millis, place, source);
        let detail = json!({"key": "a \"quoted\" key"}).to_string();
        let entry = json!({"Source": source, "DetailType": "Something happened", "Detail": detail});
        self.events(&parts(place), "PutEvents", json!({"Entries": [entry]})).await;
    }

    /// Makes a family and a rule of one name, as somebody did who had no controller.
    pub async fn legacy(&self, place: &str, name: &str) {
        let place = parts(place);
        self.register(&place, name).await;
        let put = json!({"Name": name, "ScheduleExpression": "cron(7 3 * * ? *)", "Description": "every night"});
        self.events(&place, "PutRule", put).await;
        let target = starting(&place, "run", &format!("{name}:1"));
        let beside = json!({"Id": "log", "Arn": format!("arn:aws:sqs:{}:{}:theirs", place.1, place.0)});
        self.events(&place, "PutTargets", json!({"Rule": name, "Targets": [target, beside]})).await;
    }

    async fn beside(&self, place: &Place, hand: &Hand) {
        let name = format!("theirs-{}", hand.job);
        self.register(place, &name).await;
        let put = json!({"Name": name, "ScheduleExpression": "cron(7 3 * * ? *)", "Tags": [{"Key": "team", "Value": "theirs"}]});
        self.events(place, "PutRule", put).await;
        let target = starting(place, "1", &format!("{name}:1"));
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
        let headers = vec![
            ("x-amz-target".to_owned(), target.to_owned()),
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
        ];
        self.send(place, "ecs", Request { method: "POST".into(), path: "/".into(), headers, body: bytes(body) }).await;
    }

    async fn scheduler(&self, place: &Place, method: &str, path: &str, body: &Value) {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let request = Request { method: method.into(), path: path.into(), headers, body: bytes(body) };
        self.send(place, "scheduler", request).await;
    }

    async fn send(&self, place: &Place, service: &str, mut request: Request) {
        // The emulator reads the account off an access key of its own making.
        let key = if place.0 == "123456789012" { "AKIDEXAMPLE".to_owned() } else { format!("ASIA{}EMUL", place.0) };
        let scope = format!("Credential={key}/20261123/{}/{service}/aws4_request", place.1);
        let signature = format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0");
        request.headers.push(("authorization".to_owned(), signature));
        if let Err(lost) = self.door.call(request).await {
            self.world.note(format_args!("a stranger's call was lost: {lost}"));
        }
    }
}

/// Nothing for null.
fn bytes(body: &Value) -> Vec<u8> {
    if body.is_null() { Vec::new() } else { body.to_string().into_bytes() }
}

fn rule_arn((account, region): &Place, rule: &str) -> String {
    format!("arn:aws:events:{region}:{account}:rule/{rule}")
}

/// Of `family:number`.
fn revision_arn((account, region): &Place, name: &str) -> String {
    format!("arn:aws:ecs:{region}:{account}:task-definition/{name}")
}

/// A target that starts a revision, `family:number`, under a role of theirs.
fn starting(place: &Place, id: &str, name: &str) -> Value {
    json!({
        "Id": id, "Arn": format!("arn:aws:ecs:{}:{}:cluster/main", place.1, place.0),
        "RoleArn": role_of_theirs(place),
        "EcsParameters": {"TaskDefinitionArn": revision_arn(place, name)},
    })
}

fn role_of_theirs(place: &Place) -> String {
    format!("arn:aws:iam::{}:role/theirs", place.0)
}

/// Where the tags of a group of schedules are.
fn group_path(place: &Place, group: &str) -> String {
    format!("/tags/arn%3Aaws%3Ascheduler%3A{}%3A{}%3Aschedule-group%2F{group}", place.1, place.0)
}

/// Account and Region.
type Place = (String, String);

fn parts(place: &str) -> Place {
    let (account, region) = place.split_once('/').unwrap_or((place, "eu-central-1"));
    (account.to_owned(), region.to_owned())
}
