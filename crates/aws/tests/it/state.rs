//! The embedded AWS with its state in a folder.

use ecs_etl_aws::{Answer, Aws, ConnectError, Endpoint, Options, Urgency};
use ecs_etl_plan::observed::Look;

use crate::world::{place, put_rule, rule};

#[tokio::test]
async fn the_embedded_aws_remembers_from_one_command_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::Embedded { state: folder.path().join("state") };
    let place = place("eu-west-1", None);

    let first = Aws::connect(endpoint.clone(), Options::default()).await.unwrap();
    first.act(&place, &put_rule("etl-a"), None, Urgency::Edit).await.unwrap();
    first.close().await;

    let second = Aws::connect(endpoint, Options::default()).await.unwrap();
    let found = second.look(&place, &Look::Rule(rule("etl-a")), Urgency::Edit).await.unwrap();
    assert!(matches!(found, Answer::Rule(Some(_))), "{found:?}");
    second.close().await;
}

#[tokio::test]
async fn a_second_user_of_the_folder_is_told_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let endpoint = Endpoint::Embedded { state: folder.path().to_owned() };
    let first = Aws::connect(endpoint.clone(), Options::default()).await.unwrap();
    let error = Aws::connect(endpoint, Options::default()).await.unwrap_err();
    assert!(matches!(error, ConnectError::InUse { .. }));
    let message = error.to_string();
    assert!(message.starts_with("another ecs-etl uses the embedded AWS in "), "{message}");
    assert!(message.contains("ecs-etl emulator"), "{message}");
    first.close().await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_no_connection_and_has_no_effect() {
    // A port that was free a moment ago: nobody listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let aws = Aws::connect(endpoint, Options::default()).await.unwrap();
    assert_eq!(aws.describe(), format!("http://127.0.0.1:{port}"));
    let error = aws.act(&place("eu-west-1", None), &put_rule("etl-a"), None, Urgency::Edit).await.unwrap_err();
    let failure = error.failure();
    assert_eq!((failure.code.as_str(), failure.ambiguous), ("Connection", false), "{failure:?}");
}
