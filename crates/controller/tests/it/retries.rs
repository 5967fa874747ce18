//! Runs that cannot be started at once: EventBridge tries again, or puts them into the job's dead-letter queue.

use std::time::Duration;

use ecs_etl_plan::condition::Reason;
use serde_json::{Value, json};

use crate::lab::{Lab, counts, job};

/// A job at nine, whose runs fare as `words` say; `lines` go under its spec.
fn troubled(image: &str, words: &str, lines: &str) -> String {
    let container = format!("{{image: \"{image}\", environment: [{{name: ECS_ETL_EMULATE, value: \"{words}\"}}]}}");
    job("a", image, "0 9 * * *")
        .replace(&format!("{{image: \"{image}\"}}"), &container)
        .replace("spec:\n", &format!("spec:\n{lines}"))
}

/// The tasks of a job that rules or schedules started: revision, and how many seconds after nine.
async fn runs(lab: &Lab, job: &str) -> Vec<(String, i64)> {
    let mut runs = Vec::new();
    for status in ["RUNNING", "STOPPED"] {
        let request = json!({"cluster": "main", "family": format!("etl-{job}"), "desiredStatus": status});
        let list = lab.ecs("ListTasks", request).await;
        if list["taskArns"] == json!([]) {
            continue;
        }
        let described = lab.ecs("DescribeTasks", json!({"cluster": "main", "tasks": list["taskArns"]})).await;
        for task in described["tasks"].as_array().unwrap() {
            let nine: jiff::Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
            let revision = task["taskDefinitionArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            runs.push((revision, task["createdAt"].as_f64().unwrap() as i64 - nine.as_second()));
        }
    }
    runs
}

async fn sleep(minutes: u64) {
    tokio::time::sleep(Duration::from_secs(60 * minutes)).await;
}

/// The attributes of what is in the queue `lost`.
async fn letters(lab: &Lab) -> Vec<Value> {
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/lost";
    let request = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]});
    let received = lab.call("AmazonSQS.ReceiveMessage", request).await;
    let letters = received["Messages"].as_array().cloned().unwrap_or_default();
    letters.iter().map(|letter| letter["MessageAttributes"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_throttled_starts_later_and_once_and_so_does_the_job_after_it() {
    let after = job("b", "img:1", "@daily").replace("schedule: \"@daily\"", "after: [{job: a}]");
    for lines in ["", "  timeZone: Africa/Abidjan\n"] {
        let lab = Lab::new(&[("a", troubled("img:1", "run=ThrottlingException,times=5", lines)), ("b", after.clone())]);
        assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
        sleep(75).await;
        let ran = runs(&lab, "a").await;
        let [(revision, late)] = ran.as_slice() else { panic!("{ran:?}") };
        assert_eq!(revision, "etl-a:1");
        assert!((15..110).contains(late), "1, 2, 4, 8 and 16 seconds on average after its minute, and {late} it was");
        assert_eq!(runs(&lab, "b").await.len(), 1);
        lab.writes();
        lab.apply().await;
        assert_eq!(lab.writes(), counts([]), "a run that is late is none of the controller's business");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_while_its_job_is_edited_finds_its_revision_in_the_end() {
    let lab = Lab::new(&[("a", troubled("img:1", "run=ServerException,for=20m", ""))]);
    lab.apply().await;
    sleep(62).await;
    lab.write("a.yaml", &troubled("img:2", "exit=0", ""));
    assert_eq!(lab.apply().await.reason("a"), Reason::Converged);
    assert_eq!(runs(&lab, "a").await, []);
    sleep(30).await;
    let ran = runs(&lab, "a").await;
    let [(revision, late)] = ran.as_slice() else { panic!("{ran:?}") };
    assert_eq!(revision, "etl-a:1");
    assert!((1200..1800).contains(late), "{late} seconds");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_started_at_all_or_in_time_is_in_the_dead_letter_queue_of_the_job() {
    let queue = "  deadLetterQueueArn: \"arn:aws:sqs:eu-central-1:123456789012:lost\"\n";
    for (words, lines, code) in [
        ("run=AccessDeniedException", String::new(), "NO_PERMISSIONS"),
        ("run=AccessDeniedException", "  timeZone: Africa/Abidjan\n".to_owned(), "AccessDeniedException"),
        ("run=ServerException", "  startingDeadlineSeconds: 600\n".to_owned(), "ERROR_FROM_TARGET"),
    ] {
        let lab = Lab::new(&[("a", troubled("img:1", words, &format!("{queue}{lines}")))]);
        lab.call("AmazonSQS.CreateQueue", json!({"QueueName": "lost"})).await;
        lab.apply().await;
        sleep(75).await;
        let letters = letters(&lab).await;
        let [letter] = letters.as_slice() else { panic!("{letters:?}") };
        assert_eq!(letter["ERROR_CODE"]["StringValue"], code);
    }
}
