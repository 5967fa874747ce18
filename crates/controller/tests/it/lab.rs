//! A directory of manifests, an AWS, and controllers that come and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecs_etl_aws::{Aws, Endpoint, Options};
use ecs_etl_controller::clock::Clock;
use ecs_etl_controller::context::Context;
use ecs_etl_controller::engine::{Engine, Mode};
use ecs_etl_controller::lease::Seat;
use ecs_etl_controller::manifests::{Manifests, Reader};
use ecs_etl_controller::once;
use ecs_etl_controller::report::Reporter;
use ecs_etl_controller::scan::{self, Limits};
use ecs_etl_controller::selector::Selector;
use ecs_etl_controller::shard::Shard;
use ecs_etl_emulator::door::{self, Call, Fault, Hook, InProcess, Observer};
use ecs_etl_emulator::{Emulator, Reply, Request, Settings};
use ecs_etl_plan::condition::Reason;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub const START: &str = "2026-11-23T08:00:30Z";

/// One EtlCluster and one EtlController, as most tests want them.
pub const BASE: &str = "
apiVersion: ecs-etl/v1
kind: EtlController
metadata: {name: lab}
spec: {source: lab/manifests, prune: {graceSeconds: 300}}
---
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: main}
spec:
  region: eu-central-1
  eventsRoleArn: events
  schedulerRoleArn: scheduler
  defaults: {taskDefinition: {networkMode: bridge}, container: {memory: 64}}
";

/// A small job.
pub fn job(name: &str, image: &str, schedule: &str) -> String {
    format!(
        "apiVersion: ecs-etl/v1\nkind: EtlJob\nmetadata: {{name: {name}}}\nspec:\n  cluster: main\n  \
         schedule: \"{schedule}\"\n  taskDefinition:\n    containerDefinitions: [{{image: \"{image}\"}}]\n"
    )
}

/// A second EtlCluster, in another Region.
pub const OTHER: &str = "
apiVersion: ecs-etl/v1
kind: EtlCluster
metadata: {name: other}
spec:
  region: us-east-1
  eventsRoleArn: events
  defaults: {taskDefinition: {networkMode: bridge}, container: {memory: 64}}
";

/// The same job, in the other Region.
pub fn there(job: &str) -> String {
    job.replace("cluster: main", "cluster: other")
}

/// Whether a request goes to the other Region.
pub fn goes_there(request: &Request) -> bool {
    request.headers.iter().any(|(_, value)| value.contains("/us-east-1/"))
}

/// What happens to requests, decided by each test.
type Conduct = dyn Fn(&Call, &Request) -> Fault + Send + Sync;

/// Counts what is asked, and does to it what the test says.
#[derive(Default)]
pub struct Line {
    conduct: Mutex<Option<Arc<Conduct>>>,
    counts: Mutex<BTreeMap<String, u64>>,
    sent: AtomicU64,
}

impl Observer for Line {
    fn decide(&self, call: &Call, request: &Request) -> Fault {
        self.sent.fetch_add(1, Ordering::SeqCst);
        *self.counts.lock().unwrap().entry(call.operation.clone()).or_default() += 1;
        let conduct = self.conduct.lock().unwrap().clone();
        conduct.map_or_else(Fault::none, |conduct| conduct(call, request))
    }

    fn saw(&self, _call: &Call, _request: &Request, _reply: Option<&Reply>) {}
}

/// Whether an operation changes AWS.
pub fn mutates(operation: &str) -> bool {
    let name = operation.split_once(':').map_or(operation, |(_, name)| name);
    !["Describe", "List", "Get", "AssumeRole"].iter().any(|read| name.starts_with(read))
}

/// A directory and an AWS.
pub struct Lab {
    pub dir: tempfile::TempDir,
    pub door: InProcess,
    pub line: Arc<Line>,
    clock: Clock,
}

/// How a pass ended.
pub struct Pass {
    pub engine: Engine,
    pub whole: bool,
}

impl Lab {
    /// An empty AWS, and a directory with [`BASE`] and these jobs.
    pub fn new(jobs: &[(&str, String)]) -> Self {
        Self::of(jobs, Settings::default())
    }

    /// The same with an AWS of these settings.
    pub fn of(jobs: &[(&str, String)], settings: Settings) -> Self {
        let start = START.parse().unwrap();
        let line = Arc::new(Line::default());
        let emulator = Emulator::new(settings);
        let hook = Hook::new(Arc::clone(&line) as Arc<dyn Observer>);
        let door = InProcess::spawn(emulator, None, door::Clock::starting_at(start), hook);
        let lab = Self { dir: tempfile::tempdir().unwrap(), door, line, clock: Clock::with_tokio(start) };
        lab.write("base.yaml", BASE);
        for (name, text) in jobs {
            lab.write(&format!("{name}.yaml"), text);
        }
        lab
    }

    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.path().join(file), text).unwrap();
    }

    pub fn remove(&self, file: &str) {
        std::fs::remove_file(self.dir.path().join(file)).unwrap();
    }

    /// Decides what happens to requests from now on.
    pub fn conduct(&self, conduct: impl Fn(&Call, &Request) -> Fault + Send + Sync + 'static) {
        *self.line.conduct.lock().unwrap() = Some(Arc::new(conduct));
    }

    /// Lets every request through again.
    pub fn calm(&self) {
        *self.line.conduct.lock().unwrap() = None;
    }

    pub fn manifests(&self) -> Manifests {
        let scan = scan::scan(self.dir.path(), None, &Limits::default());
        Reader::default().read(&scan, self.clock.now())
    }

    /// A new process: it remembers nothing.
    pub async fn engine(&self, mode: Mode) -> Engine {
        self.engine_for(mode, Selector::default()).await
    }

    pub async fn engine_for(&self, mode: Mode, selector: Selector) -> Engine {
        self.engine_with(mode, selector, self.clock.clone(), Reporter::default()).await
    }

    /// A new process that looks after a shard.
    pub async fn engine_of(&self, mode: Mode, shard: &Shard) -> Engine {
        let aws = Aws::connect(Endpoint::InProcess(self.door.clone()), Options::default()).await.unwrap();
        let manifests = self.manifests_of(shard);
        let cx = Arc::new(Context::new(aws, self.clock.clone(), manifests.settings("none")));
        let mut engine = Engine::new(cx, Reporter::default(), mode);
        engine.take_manifests(manifests, "none");
        engine
    }

    /// A new process that writes only while its seat allows it.
    pub async fn engine_with_lease(&self, mode: Mode, seat: &Arc<Seat>) -> Engine {
        let aws = Aws::connect(Endpoint::InProcess(self.door.clone()), Options::default()).await.unwrap();
        let manifests = self.manifests();
        let cx = Arc::new(Context::new(aws, self.clock.clone(), manifests.settings("none")));
        assert!(cx.write_only_with(Arc::clone(seat)));
        let mut engine = Engine::new(cx, Reporter::default(), mode);
        engine.take_manifests(manifests, "none");
        engine
    }

    pub fn manifests_of(&self, shard: &Shard) -> Manifests {
        Manifests { shard: shard.clone(), ..self.manifests() }
    }

    /// A new process that finds an earlier one's status files.
    pub async fn engine_resuming(&self, mode: Mode, earlier: Engine) -> Engine {
        let mut reporter = Reporter::default();
        reporter.resume(earlier.reporter.jobs().values().cloned());
        self.engine_with(mode, Selector::default(), self.clock.clone(), reporter).await
    }

    /// A new process whose workers panic whenever they look at the clock while this is set.
    pub async fn engine_that_panics(&self, mode: Mode, panics: Arc<AtomicBool>) -> Engine {
        let clock = self.clock.clone();
        let clock = Clock::from_fn(move || {
            let in_worker = tokio::task::try_id().is_some();
            assert!(!(in_worker && panics.load(Ordering::SeqCst)), "a defect");
            clock.now()
        });
        self.engine_with(mode, Selector::default(), clock, Reporter::default()).await
    }

    /// A new process whose clock is so many seconds off.
    pub async fn engine_whose_clock_is_off(&self, mode: Mode, seconds: Arc<AtomicI64>) -> Engine {
        let clock = self.clock.clone();
        let clock = Clock::from_fn(move || {
            let off = SignedDuration::from_secs(seconds.load(Ordering::SeqCst));
            clock.now().checked_add(off).expect("a time")
        });
        self.engine_with(mode, Selector::default(), clock, Reporter::default()).await
    }

    /// A new process that keeps its calls inside the budget.
    pub async fn engine_with_limits(&self, mode: Mode) -> Engine {
        let options = Options { limits: Some(true), ..Options::default() };
        self.engine_through(options, mode, Selector::default(), self.clock.clone(), Reporter::default()).await
    }

    async fn engine_with(&self, mode: Mode, selector: Selector, clock: Clock, reporter: Reporter) -> Engine {
        self.engine_through(Options::default(), mode, selector, clock, reporter).await
    }

    async fn engine_through(
        &self,
        options: Options,
        mode: Mode,
        selector: Selector,
        clock: Clock,
        reporter: Reporter,
    ) -> Engine {
        let aws = Aws::connect(Endpoint::InProcess(self.door.clone()), options).await.unwrap();
        let manifests = Manifests { selector, ..self.manifests() };
        let cx = Arc::new(Context::new(aws, clock, manifests.settings("none")));
        let mut engine = Engine::new(cx, reporter, mode);
        engine.take_manifests(manifests, "none");
        engine
    }

    /// `apply`, in a new process.
    pub async fn apply(&self) -> Pass {
        let mut engine = self.engine(Mode::OnePass).await;
        let whole = once::settle(&mut engine, &CancellationToken::new(), &mut |_| {}).await;
        Pass { engine, whole }
    }

    /// `apply --prune --yes`, in a new process.
    pub async fn prune(&self) -> Pass {
        let mut engine = self.engine(Mode::OnePass).await;
        engine.skip_grace(true);
        let stop = CancellationToken::new();
        let settled = once::settle(&mut engine, &stop, &mut |_| {}).await;
        let whole = settled && once::prune(&mut engine, &stop, &mut |_| {}, true).await;
        Pass { engine, whole }
    }

    /// Counts of the calls made since this was last asked.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut *self.line.counts.lock().unwrap())
    }

    /// The writes among the calls made since this was last asked.
    pub fn writes(&self) -> BTreeMap<String, u64> {
        self.calls().into_iter().filter(|(operation, _)| mutates(operation)).collect()
    }

    /// How many requests were sent in all.
    pub fn sent(&self) -> u64 {
        self.line.sent.load(Ordering::SeqCst)
    }

    /// Somebody else's hand in AWS.
    pub async fn call(&self, target: &str, body: Value) -> Value {
        self.send("POST", "/", Some(target), body).await
    }

    /// The same in EventBridge Scheduler, whose operations are methods and paths.
    pub async fn scheduler(&self, method: &str, path: &str, body: Value) -> Value {
        self.send(method, path, None, body).await
    }

    async fn send(&self, method: &str, path: &str, target: Option<&str>, body: Value) -> Value {
        let conduct = self.line.conduct.lock().unwrap().take();
        let service = if target.is_some() { "ecs" } else { "scheduler" };
        let scope = format!("Credential=AKIDEXAMPLE/20261123/eu-central-1/{service}/aws4_request");
        let mut headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("authorization".to_owned(), format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")),
        ];
        headers.extend(target.map(|target| ("x-amz-target".to_owned(), target.to_owned())));
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request { method: method.into(), path: path.into(), headers, body };
        let reply = self.door.call(request).await.unwrap();
        *self.line.conduct.lock().unwrap() = conduct;
        let answer = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        assert_eq!(reply.status, 200, "{method} {path} {target:?}: {answer}");
        answer
    }

    pub async fn ecs(&self, operation: &str, body: Value) -> Value {
        self.call(&format!("AmazonEC2ContainerServiceV20141113.{operation}"), body).await
    }

    pub async fn events(&self, operation: &str, body: Value) -> Value {
        self.call(&format!("AWSEvents.{operation}"), body).await
    }

    /// Tags of a rule, and of the revision that it starts, but for the mark of what was replaced.
    pub async fn tags(&self, rule: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let arn = self.events("DescribeRule", json!({"Name": rule})).await["Arn"].clone();
        let tags = self.events("ListTagsForResource", json!({"ResourceARN": arn})).await;
        let targets = self.events("ListTargetsByRule", json!({"Rule": rule})).await;
        let pinned = targets["Targets"][0]["EcsParameters"]["TaskDefinitionArn"].clone();
        let revision = self.ecs("DescribeTaskDefinition", json!({"taskDefinition": pinned, "include": ["TAGS"]})).await;
        let all = |tags: &Value| tags.as_array().unwrap().iter().map(Value::to_string).collect();
        (all(&tags["Tags"]), all(&revision["tags"]))
    }

    /// Expression and state of a rule.
    pub async fn rule(&self, name: &str) -> Value {
        let rule = self.events("DescribeRule", json!({"Name": name})).await;
        json!({"expression": rule["ScheduleExpression"], "state": rule["State"]})
    }

    /// What is scheduled: for each rule its expression, state, tags, and what its targets pin, with the revision's content.
    pub async fn schedules(&self) -> BTreeMap<String, Value> {
        let mut schedules = BTreeMap::new();
        let rules = self.events("ListRules", json!({})).await;
        for rule in rules["Rules"].as_array().unwrap() {
            let name = rule["Name"].as_str().unwrap();
            let targets = self.events("ListTargetsByRule", json!({"Rule": name})).await;
            let mut shown = Vec::new();
            for target in targets["Targets"].as_array().unwrap() {
                let arn = target["EcsParameters"]["TaskDefinitionArn"].as_str().unwrap_or_default();
                let pinned = self.ecs("DescribeTaskDefinition", json!({"taskDefinition": arn})).await;
                let pinned = &pinned["taskDefinition"];
                shown.push(json!({
                    "id": target["Id"],
                    "family": pinned["family"],
                    "status": pinned["status"],
                    "images": pinned["containerDefinitions"].as_array().unwrap().iter().map(|c| c["image"].clone()).collect::<Vec<_>>(),
                }));
            }
            let tags = self.events("ListTagsForResource", json!({"ResourceARN": rule["Arn"]})).await;
            schedules.insert(
                name.to_owned(),
                json!({"expression": rule["ScheduleExpression"], "state": rule["State"], "targets": shown, "tags": tags["Tags"]}),
            );
        }
        schedules
    }

    /// The same of every schedule in EventBridge Scheduler, without the moments at which it was written.
    pub async fn in_scheduler(&self) -> BTreeMap<String, Value> {
        let mut found = BTreeMap::new();
        let listed = self.scheduler("GET", "/schedules", Value::Null).await;
        for one in listed["Schedules"].as_array().unwrap() {
            let (group, name) = (one["GroupName"].as_str().unwrap(), one["Name"].as_str().unwrap());
            let path = format!("/schedules/{name}?groupName={group}");
            let mut schedule = self.scheduler("GET", &path, Value::Null).await;
            let arn = schedule["Target"]["EcsParameters"]["TaskDefinitionArn"].take();
            let pinned = self.ecs("DescribeTaskDefinition", json!({"taskDefinition": arn})).await;
            schedule["pins"] = pinned["taskDefinition"]["containerDefinitions"][0]["image"].clone();
            for moment in ["CreationDate", "LastModificationDate"] {
                schedule.as_object_mut().unwrap().remove(moment);
            }
            found.insert(format!("{group}/{name}"), schedule);
        }
        found
    }

    /// How many ACTIVE revisions there are.
    pub async fn revisions(&self) -> usize {
        let list = self.ecs("ListTaskDefinitions", json!({"status": "ACTIVE"})).await;
        list["taskDefinitionArns"].as_array().unwrap().len()
    }

    /// Lets a daemon work for this long.
    pub async fn run(&self, engine: &mut Engine, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        let mut tick = tokio::time::interval(Duration::from_secs(10));
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(end) => return,
                _ = tick.tick() => engine.tick(),
                () = engine.turn() => {}
            }
        }
    }
}

impl Pass {
    /// The reason of a job's Ready condition.
    #[track_caller]
    pub fn reason(&self, job: &str) -> Reason {
        reason(&self.engine, job)
    }
}

/// The reason of a job's Ready condition.
#[track_caller]
pub fn reason(engine: &Engine, job: &str) -> Reason {
    let jobs = engine.reporter.jobs();
    let status = jobs.get(job).unwrap_or_else(|| panic!("no status of {job}: {:?}", jobs.keys().collect::<Vec<_>>()));
    status.status.conditions[0].reason
}

/// Counts by operation.
pub fn counts<const N: usize>(expected: [(&str, u64); N]) -> BTreeMap<String, u64> {
    expected.into_iter().map(|(operation, count)| (operation.to_owned(), count)).collect()
}
