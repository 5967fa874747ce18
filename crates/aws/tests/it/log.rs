//! What the log says of a call.

use std::cell::RefCell;
use std::io;
use std::sync::Once;

use serde_json::Value;

use crate::world::{World, put_rule, world};

thread_local! {
    /// Lines of the test that runs on this thread.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One subscriber for the process, set once: those of single threads, coming and going beside one another, now and then leave a
/// log line switched off for everybody.
static LISTEN: Once = Once::new();

struct Lines;

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The events `aws call` that `calls` cause, down to DEBUG.
async fn events(calls: impl AsyncFnOnce(&World)) -> Vec<Value> {
    LISTEN.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(|| Lines)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
    let world = world().await;
    world.aws.account(&world.place).await.unwrap();
    LINES.take();
    calls(&world).await;
    let text = String::from_utf8(LINES.take()).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events.filter(|event| event["message"] == "aws call").collect()
}

#[tokio::test(start_paused = true)]
async fn a_write_is_one_info_line_with_all_that_an_auditor_asks_for() {
    let events = events(async |world| {
        world.put_rule("etl-a").await;
    })
    .await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event["level"], "INFO");
    assert_eq!(event["operation"], "PutRule");
    assert_eq!(event["resource"], "etl-a");
    assert_eq!(event["account"], "123456789012");
    assert_eq!(event["region"], "eu-west-1");
    assert_eq!(event["duration_ms"], 0);
    assert!(event["request_id"].as_str().is_some_and(|id| id.len() == 36), "{event}");
}

#[tokio::test(start_paused = true)]
async fn a_read_is_a_debug_line_and_so_is_the_absence_it_finds() {
    let events = events(async |world| {
        world.aws.list_rules(&world.place, "etl-").await.unwrap();
        world.look(ecs_etl_plan::observed::Look::Rule(crate::world::rule("etl-a"))).await;
    })
    .await;
    let levels: Vec<_> = events.iter().map(|event| (&event["level"], &event["operation"])).collect();
    assert_eq!(levels, [(&"DEBUG".into(), &"ListRules".into()), (&"DEBUG".into(), &"DescribeRule".into())]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_a_warning_with_code_and_class() {
    let events = events(async |world| {
        world.wire.refuse("events:PutRule", 400, "ThrottlingException", "Rate exceeded");
        world.try_act(put_rule("etl-a")).await.unwrap_err();
    })
    .await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    let fields = ["level", "operation", "code", "class", "error", "ambiguous"].map(|field| event[field].clone());
    let expected: [Value; 6] = [
        "WARN".into(),
        "PutRule".into(),
        "ThrottlingException".into(),
        "Throttled".into(),
        "Rate exceeded".into(),
        false.into(),
    ];
    assert_eq!(fields, expected);
}
