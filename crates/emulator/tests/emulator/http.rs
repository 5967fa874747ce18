//! The HTTP door, with a client that speaks HTTP by hand.

use ecs_etl_emulator::door::{Clock, Hook, InProcess, http};
use ecs_etl_emulator::{Emulator, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

async fn send(address: std::net::SocketAddr, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let text = format!("{head}\r\nhost: localhost\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn requests_come_in_and_replies_go_out_until_the_door_is_told_to_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = InProcess::spawn(Emulator::new(Settings::default()), None, Clock::system(), Hook::none());
    let stop = CancellationToken::new();
    let server = tokio::spawn(http::serve(listener, door.clone(), stop.clone()));

    let target = "POST / HTTP/1.1\r\nx-amz-target: AmazonEC2ContainerServiceV20141113";
    let body = r#"{"family":"etl-a","containerDefinitions":[{"name":"m","image":"i","memory":8}]}"#;
    let registered = send(address, &format!("{target}.RegisterTaskDefinition"), body).await;
    assert!(registered.starts_with("HTTP/1.1 200 OK\r\n"), "{registered}");
    assert!(registered.contains("content-type: application/x-amz-json-1.1"), "{registered}");
    assert!(registered.contains("x-amzn-requestid: "), "{registered}");
    let missing = send(address, &format!("{target}.DescribeTaskDefinition"), r#"{"taskDefinition":"x"}"#).await;
    assert!(missing.starts_with("HTTP/1.1 400"), "{missing}");
    assert!(
        missing.contains(r#"{"__type":"ClientException","message":"Unable to describe task definition."}"#),
        "{missing}"
    );
    let identity = send(address, "POST / HTTP/1.1", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(identity.contains("<Account>123456789012</Account>"), "{identity}");
    let reset = send(address, "POST /moto-api/reset HTTP/1.1", "").await;
    assert!(reset.starts_with("HTTP/1.1 200 OK"), "{reset}");
    let nothing = send(address, "GET / HTTP/1.1", "").await;
    assert!(nothing.contains("UnknownOperationException"), "{nothing}");

    stop.cancel();
    server.await.unwrap().unwrap();
    door.close().await.unwrap();
}
