//! Queues, as targets of rules, and as the place for what could not be delivered (docs/aws.md, Queues and Dead letters).

use ecs_etl_emulator::firing::{Firing, Outcome};
use ecs_etl_emulator::{Journal, Settings};
use serde_json::{Value, json};

use crate::client::{Aws, with};
use crate::firing::{outcome, pass, punctual, put_target};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/q";

pub fn create(aws: &mut Aws, name: &str) -> String {
    aws.sqs("CreateQueue", json!({"QueueName": name})).unwrap()["QueueUrl"].as_str().unwrap().to_owned()
}

pub fn receive(aws: &mut Aws, over: Value) -> Vec<Value> {
    let input = with(json!({"QueueUrl": URL, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}), over);
    aws.sqs("ReceiveMessage", input).unwrap()["Messages"].as_array().cloned().unwrap_or_default()
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
}

fn send(aws: &mut Aws, body: &str) -> Value {
    aws.sqs("SendMessage", json!({"QueueUrl": URL, "MessageBody": body})).unwrap()
}

fn targets(aws: &mut Aws, target: Value) {
    aws.events("PutRule", json!({"Name": "a", "ScheduleExpression": "rate(1 minute)"})).unwrap();
    aws.events("PutTargets", json!({"Rule": "a", "Targets": [with(json!({"Id": "q"}), target)]})).unwrap();
}

#[test]
fn a_message_is_received_hidden_and_deleted() {
    let mut aws = Aws::new();
    assert_eq!(create(&mut aws, "q"), URL);
    assert_eq!(create(&mut aws, "q"), URL, "it is there already");
    let sent = send(&mut aws, "hello");
    assert_eq!(sent["MD5OfMessageBody"], json!("5d41402abc4b2a76b9719d911017c592"));
    aws.sleep(1);
    send(&mut aws, "again");
    let first = receive(&mut aws, json!({"MaxNumberOfMessages": 1}));
    assert_eq!(bodies(&first), ["hello"]);
    assert_eq!((&first[0]["MessageId"], &first[0]["MD5OfBody"]), (&sent["MessageId"], &sent["MD5OfMessageBody"]));
    assert_eq!(bodies(&receive(&mut aws, json!({}))), ["again"]);
    assert_eq!(receive(&mut aws, json!({})), <[Value; 0]>::default(), "both are hidden");
    aws.sleep(30);
    let input = json!({"QueueUrl": URL, "ReceiptHandle": first[0]["ReceiptHandle"]});
    aws.sqs("DeleteMessage", input.clone()).unwrap();
    aws.sqs("DeleteMessage", input).unwrap();
    let left = receive(&mut aws, json!({"AttributeNames": ["ApproximateReceiveCount"]}));
    assert_eq!(bodies(&left), ["again"]);
    assert_eq!(left[0]["Attributes"], json!({"ApproximateReceiveCount": "2"}));
}

#[test]
fn a_message_stays_for_four_days() {
    let mut aws = Aws::new();
    create(&mut aws, "q");
    send(&mut aws, "old");
    aws.sleep(345_600);
    assert_eq!(receive(&mut aws, json!({"VisibilityTimeout": 0})).len(), 1);
    aws.sleep(1);
    assert_eq!(receive(&mut aws, json!({})).len(), 0);
    send(&mut aws, "new");
    let messages = aws.emulator.snapshot()["123456789012"]["eu-west-1"]["messages"].as_object().unwrap().len();
    assert_eq!(messages, 1, "the old one is no longer kept");
}

#[test]
fn a_queue_tells_its_attributes() {
    let mut aws = Aws::new();
    create(&mut aws, "q");
    send(&mut aws, "a");
    send(&mut aws, "b");
    receive(&mut aws, json!({"MaxNumberOfMessages": 1}));
    let asked =
        json!(["QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "DelaySeconds"]);
    let answer = aws.sqs("GetQueueAttributes", json!({"QueueUrl": URL, "AttributeNames": asked})).unwrap();
    let expected = json!({
        "QueueArn": "arn:aws:sqs:eu-west-1:123456789012:q", "ApproximateNumberOfMessages": "1",
        "ApproximateNumberOfMessagesNotVisible": "1", "DelaySeconds": "0",
    });
    assert_eq!(answer["Attributes"], expected);
    let all = aws.sqs("GetQueueAttributes", json!({"QueueUrl": URL, "AttributeNames": ["All"]})).unwrap();
    assert_eq!(all["Attributes"]["VisibilityTimeout"], json!("30"));
}

#[test]
fn queues_are_listed_found_emptied_and_deleted() {
    let mut aws = Aws::new();
    for name in ["q", "qq", "other"] {
        create(&mut aws, name);
    }
    let listed = aws.sqs("ListQueues", json!({"QueueNamePrefix": "q"})).unwrap();
    assert_eq!(listed["QueueUrls"], json!([URL, format!("{URL}q")]));
    assert_eq!(aws.sqs("GetQueueUrl", json!({"QueueName": "q"})), Ok(json!({"QueueUrl": URL})));
    send(&mut aws, "a");
    aws.sqs("PurgeQueue", json!({"QueueUrl": URL})).unwrap();
    assert_eq!(receive(&mut aws, json!({})).len(), 0);
    aws.sqs("DeleteQueue", json!({"QueueUrl": URL})).unwrap();
    let gone = Err("QueueDoesNotExist: The specified queue does not exist.".to_owned());
    assert_eq!(aws.sqs("GetQueueUrl", json!({"QueueName": "q"})), gone);
    assert_eq!(aws.sqs("SendMessage", json!({"QueueUrl": URL, "MessageBody": "a"})), gone);
}

#[test]
fn a_request_that_makes_no_sense_is_refused() {
    let mut aws = Aws::new();
    create(&mut aws, "q");
    let check = |aws: &mut Aws, operation: &str, input: Value, code: &str| {
        let refusal = aws.sqs(operation, input.clone()).unwrap_err();
        assert!(refusal.starts_with(&format!("{code}: ")), "{operation} {input}: {refusal}");
    };
    check(&mut aws, "CreateQueue", json!({"QueueName": "a b"}), "InvalidParameterValue");
    check(&mut aws, "CreateQueue", json!({"QueueName": "a.fifo"}), "InvalidParameterValue");
    check(&mut aws, "CreateQueue", json!({"QueueName": "q", "Attributes": {"DelaySeconds": "5"}}), "QueueNameExists");
    check(&mut aws, "SendMessage", json!({"QueueUrl": URL, "MessageBody": ""}), "MissingParameter");
    check(&mut aws, "ReceiveMessage", json!({"QueueUrl": URL, "MaxNumberOfMessages": 11}), "InvalidParameterValue");
    check(&mut aws, "DeleteMessage", json!({"QueueUrl": URL, "ReceiptHandle": "x"}), "ReceiptHandleIsInvalid");
}

#[test]
fn an_answer_is_in_the_protocol_of_queues() {
    let mut aws = Aws::new();
    let request = aws.request("AmazonSQS.GetQueueUrl", &json!({"QueueName": "q"}));
    let reply = aws.send(&request);
    assert_eq!(reply.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(reply.header("x-amzn-query-error"), Some("AWS.SimpleQueueService.NonExistentQueue;Sender"));
}

#[test]
fn a_rule_sends_its_input_to_a_queue() {
    let mut aws = punctual().0;
    create(&mut aws, "q");
    let queue = aws.arn("sqs", "q");
    targets(&mut aws, json!({"Arn": queue, "InputPath": "$.detail-type"}));
    assert_eq!(pass(&mut aws, 120).iter().map(outcome).collect::<Vec<_>>(), ["queued in q", "queued in q"]);
    assert_eq!(bodies(&receive(&mut aws, json!({}))), ["\"Scheduled Event\""; 2]);
}

#[test]
fn a_queue_that_is_not_there_is_not_tried_again() {
    let mut aws = punctual().0;
    let queue = aws.arn("sqs", "q");
    targets(&mut aws, json!({"Arn": queue, "RetryPolicy": {"MaximumRetryAttempts": 5}}));
    let told: Vec<_> = pass(&mut aws, 119).iter().map(outcome).collect();
    assert_eq!(told, ["QueueDoesNotExist: The specified queue does not exist."]);
}

#[test]
fn what_a_target_refuses_goes_to_its_dead_letter_queue_with_the_reason() {
    let mut aws = punctual().0;
    create(&mut aws, "q");
    let nosuch = aws.arn("ecs", "task-definition/nosuch");
    let queue = aws.arn("sqs", "q");
    aws.events("PutRule", json!({"Name": "a", "ScheduleExpression": "rate(1 minute)"})).unwrap();
    let parameters = json!({"TaskDefinitionArn": nosuch});
    put_target(&mut aws, "a", "job", json!({"EcsParameters": parameters, "DeadLetterConfig": {"Arn": queue}}));
    let firings = pass(&mut aws, 60);
    let letters = receive(&mut aws, json!({}));
    assert_eq!(letters.len(), 1);
    let told = |firing: &Firing| match &firing.outcome {
        Outcome::Refused { dead_letter, .. } => dead_letter.clone(),
        Outcome::Started { .. } | Outcome::Queued { .. } | Outcome::NotEmulated { .. } => None,
        Outcome::Failed { .. } | Outcome::NotPlaced { .. } => None,
    };
    assert_eq!(told(&firings[0]).as_deref(), letters[0]["MessageId"].as_str());
    let attribute = |name: &str| letters[0]["MessageAttributes"][name]["StringValue"].as_str().unwrap().to_owned();
    for (name, expected) in [
        ("ERROR_CODE", "NO_RESOURCE".to_owned()),
        ("ERROR_MESSAGE", "TaskDefinition not found.".to_owned()),
        ("RULE_ARN", aws.arn("events", "rule/a")),
        ("TARGET_ARN", aws.arn("ecs", "cluster/main")),
    ] {
        assert_eq!(attribute(name), expected);
    }
    let event: Value = serde_json::from_str(letters[0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!((&event["source"], &event["resources"][0]), (&json!("aws.events"), &json!(aws.arn("events", "rule/a"))));
}

#[test]
fn messages_survive_a_restart() {
    let folder = tempfile::TempDir::new().unwrap();
    let (mut journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
    let mut aws = Aws::over(emulator);
    create(&mut aws, "q");
    let queue = aws.arn("sqs", "q");
    targets(&mut aws, json!({"Arn": queue, "InputPath": "$.time"}));
    pass(&mut aws, 300);
    send(&mut aws, "by hand");
    journal.append(&aws.emulator.take_changes()).unwrap();
    drop(journal);
    let before = aws.emulator.snapshot();
    let (_journal, emulator) = Journal::open(folder.path(), Settings::default()).unwrap();
    assert_eq!(emulator.snapshot(), before);
    aws.emulator = emulator;
    assert!(bodies(&receive(&mut aws, json!({}))).contains(&"by hand"));
}
