//! The same over a socket: the emulator behind its HTTP door, and servers that are none.

use std::time::Duration;

use ecs_etl_aws::{Answer, Aws, Endpoint, Options, Timeouts, Urgency};
use ecs_etl_emulator::door::{Clock, Hook, InProcess, http};
use ecs_etl_emulator::{Emulator, Settings};
use ecs_etl_plan::failure::Failure;
use ecs_etl_plan::observed::Look;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::world::{place, put_rule, rule};

/// What a PutRule becomes with a server that answers it like this, or never.
async fn put_to(answer: Option<&'static [u8]>, timeouts: Timeouts) -> Failure {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // The server ends with the runtime of the test.
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let read = stream.read(&mut [0; 65536]).await.unwrap();
        assert!(read > 0);
        match answer {
            Some(answer) => stream.write_all(answer).await.unwrap(),
            None => std::future::pending().await,
        }
    });
    let aws = Aws::connect(Endpoint::parse(&url).unwrap(), Options { timeouts, ..Options::default() }).await.unwrap();
    let error = aws.act(&place("eu-west-1", None), &put_rule("etl-a"), None, Urgency::Edit).await.unwrap_err();
    error.failure().clone()
}

#[tokio::test]
async fn the_emulator_over_http_is_the_same_aws() {
    let door = InProcess::spawn(Emulator::new(Settings::default()), None, Clock::system(), Hook::none());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    let server = tokio::spawn(http::serve(listener, door, stop.clone()));

    let aws = Aws::connect(Endpoint::parse(&url).unwrap(), Options::default()).await.unwrap();
    let away = place("eu-west-1", Some("arn:aws:iam::210987654321:role/etl"));
    assert_eq!(aws.account(&away).await.unwrap().as_str(), "210987654321");
    aws.act(&away, &put_rule("etl-a"), None, Urgency::Edit).await.unwrap();
    let found = aws.look(&away, &Look::Rule(rule("etl-a")), Urgency::Edit).await.unwrap();
    assert!(matches!(found, Answer::Rule(Some(_))), "{found:?}");
    let missing = aws.look(&place("eu-west-1", None), &Look::Rule(rule("etl-a")), Urgency::Edit).await.unwrap();
    assert_eq!(missing, Answer::Rule(None));

    stop.cancel();
    drop(aws);
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_cut_short_may_have_had_its_effect() {
    let cut =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 100\r\n\r\n{\"RuleArn\":";
    let failure = put_to(Some(cut), Timeouts::default()).await;
    assert!(failure.ambiguous && ["Response", "Connection"].contains(&failure.code.as_str()), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_apart() {
    let failure = put_to(Some(b"SSH-2.0-OpenSSH_9.9\r\n"), Timeouts::default()).await;
    assert!(failure.ambiguous && failure.code == "Connection", "{failure:?}");
    let login = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 18\r\nconnection: close\r\n\r\n<html>Login</html>";
    let failure = put_to(Some(login), Timeouts::default()).await;
    assert_eq!(failure.code, "Response", "{failure:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let timeouts = Timeouts { attempt: Duration::from_millis(200), ..Timeouts::default() };
    let failure = put_to(None, timeouts).await;
    assert!(failure.ambiguous && failure.code == "Timeout", "{failure:?}");
}
