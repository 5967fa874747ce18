//! Somebody else in the account, who takes half of what AWS allows and knows nothing of us.

use std::time::Duration;

use ecs_etl_emulator::Request;
use ecs_etl_emulator::door::{Hook, InProcess};
use tokio::task::JoinHandle;

use crate::stage::Stage;

/// The part of AWS's rate that it takes.
pub const PART: f64 = 0.5;

/// Deregistrations a second: half of one.
const DEREGISTER_EVERY: Duration = Duration::from_secs(2);

/// Looks at EventBridge: half of fifty a second.
const LIST_EVERY: Duration = Duration::from_millis(40);

/// It goes on until this is dropped.
pub struct Neighbour(Vec<JoinHandle<()>>);

impl Neighbour {
    /// Starts it.
    pub fn begin(stage: &Stage) -> Self {
        let door = stage.door.with_hook(Hook::none());
        let deregister = request(
            "ecs",
            "AmazonEC2ContainerServiceV20141113.DeregisterTaskDefinition",
            r#"{"taskDefinition":"theirs:1"}"#,
        );
        let list = request("events", "AWSEvents.ListRules", r#"{"NamePrefix":"theirs-"}"#);
        let go_on = |request, every| tokio::spawn(repeat(door.clone(), request, every));
        Self(vec![go_on(deregister, DEREGISTER_EVERY), go_on(list, LIST_EVERY)])
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Refused or not, whatever it is told.
async fn repeat(door: InProcess, request: Request, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    loop {
        ticks.tick().await;
        if door.call(request.clone()).await.is_err() {
            return;
        }
    }
}

fn request(service: &str, target: &str, body: &str) -> Request {
    let scope = format!("Credential=AKIDEXAMPLE/20261123/eu-central-1/{service}/aws4_request");
    Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("authorization".to_owned(), format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")),
            ("x-amz-target".to_owned(), target.to_owned()),
        ],
        body: body.as_bytes().to_vec(),
    }
}
