//! An input as lines, so that a corpus can be read and written by hand.

use ecs_etl_emulator::{Request, Settings};
use jiff::SignedDuration;

/// What one line says.
#[derive(Debug)]
pub enum Line {
    /// `settings WORD…`, which only counts on the first line.
    Settings(Settings),
    /// `wait SECONDS`.
    Wait(u32),
    /// `ecs OPERATION BODY` and the like, or `raw METHOD|PATH|NAME=VALUE|…|BODY`.
    Request(Request),
}

/// Reads one line; what is none of these is a request with that body and nothing else.
pub fn line(bytes: &[u8]) -> Line {
    let (word, rest) = split(bytes, b' ');
    match word {
        b"settings" => Line::Settings(settings(rest)),
        b"wait" => Line::Wait(text(rest).trim().parse().unwrap_or(1)),
        b"ecs" => Line::Request(operation("AmazonEC2ContainerServiceV20141113", rest)),
        b"events" => Line::Request(operation("AWSEvents", rest)),
        b"tag" => Line::Request(operation("ResourceGroupsTaggingAPI_20170126", rest)),
        b"sts" => Line::Request(post("/", Vec::new(), rest)),
        b"reset" => Line::Request(post("/moto-api/reset", Vec::new(), rest)),
        b"raw" => Line::Request(raw(rest)),
        _ => Line::Request(post("/", Vec::new(), bytes)),
    }
}

fn settings(words: &[u8]) -> Settings {
    let words = text(words);
    let has = |word: &str| words.split(' ').any(|given| given == word);
    let when = |word: &str, seconds: i64| SignedDuration::from_secs(if has(word) { seconds } else { 0 });
    Settings {
        throttle: has("throttle"),
        tagging_lag: when("index-lag", 60),
        tagging_ghosts: when("ghosts", 600),
        list_lag: when("list-lag", 30),
        registration_takes: when("busy", 2),
        removed_targets_linger: when("linger", 5),
        reorder_containers: has("reorder"),
        ..Settings::default()
    }
}

fn operation(api: &str, rest: &[u8]) -> Request {
    let (name, body) = split(rest, b' ');
    // `PutRule@eu-west-1` is signed for that Region.
    let (name, region) = split(name, b'@');
    let mut headers = vec![("x-amz-target".to_owned(), format!("{api}.{}", text(name)))];
    if !region.is_empty() {
        let credential = format!("AWS4-HMAC-SHA256 Credential=AKID/20260102/{}/x/aws4_request", text(region));
        headers.push(("authorization".to_owned(), credential));
    }
    post("/", headers, body)
}

fn raw(rest: &[u8]) -> Request {
    let mut parts: Vec<&[u8]> = rest.split(|byte| *byte == b'|').collect();
    let body = parts.pop().unwrap_or_default().to_vec();
    let mut parts = parts.into_iter().map(text);
    let (method, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let headers = parts.map(|part| part.split_once('=').map_or((part.clone(), String::new()), owned)).collect();
    Request { method, path, headers, body }
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn post(path: &str, headers: Vec<(String, String)>, body: &[u8]) -> Request {
    Request { method: "POST".to_owned(), path: path.to_owned(), headers, body: body.to_vec() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What is before the first `at`, and what is after it.
fn split(bytes: &[u8], at: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == at) {
        Some(position) => (&bytes[..position], &bytes[position + 1..]),
        None => (bytes, &[]),
    }
}
