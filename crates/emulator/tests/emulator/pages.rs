//! Pages of listings.

use serde_json::{Value, json};

use crate::client::Aws;

/// Follows a listing to its end; gives back the sizes of its pages and all items.
fn walk(mut page: impl FnMut(Option<&Value>) -> Value, items: &str, token: &str) -> (Vec<usize>, Vec<Value>) {
    let (mut sizes, mut all, mut next) = (Vec::new(), Vec::new(), None);
    loop {
        let answer = page(next.as_ref());
        let found = answer[items].as_array().unwrap();
        sizes.push(found.len());
        all.extend(found.iter().cloned());
        match answer.get(token) {
            Some(given) if given != "" => next = Some(given.clone()),
            Some(_) | None => return (sizes, all),
        }
    }
}

fn with_token(mut body: Value, name: &str, token: Option<&Value>) -> Value {
    if let Some(token) = token {
        body[name] = token.clone();
    }
    body
}

#[test]
fn listings_come_a_hundred_at_a_time_unless_fewer_are_asked_for() {
    let mut aws = Aws::new();
    for n in 0..205 {
        aws.register(&format!("etl-{n:03}"));
        aws.rule(&format!("etl-{n:03}"));
    }
    let check = |(sizes, all): (Vec<usize>, Vec<Value>), expected: &[usize]| {
        assert_eq!(sizes, expected);
        let mut sorted: Vec<String> = all.iter().map(Value::to_string).collect();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), all.len());
    };
    let page = |aws: &mut Aws, operation: &str, body: Value| aws.ecs(operation, body).unwrap();
    check(
        walk(
            |t| page(&mut aws, "ListTaskDefinitions", with_token(json!({}), "nextToken", t)),
            "taskDefinitionArns",
            "nextToken",
        ),
        &[100, 100, 5],
    );
    let body = json!({"maxResults": 82, "status": "ACTIVE"});
    check(
        walk(
            |t| page(&mut aws, "ListTaskDefinitionFamilies", with_token(body.clone(), "nextToken", t)),
            "families",
            "nextToken",
        ),
        &[82, 82, 41],
    );
    let page = |aws: &mut Aws, body: Value| aws.events("ListRules", body).unwrap();
    check(walk(|t| page(&mut aws, with_token(json!({}), "NextToken", t)), "Rules", "NextToken"), &[100, 100, 5]);
    let body = json!({"NamePrefix": "etl-1", "Limit": 50});
    check(walk(|t| page(&mut aws, with_token(body.clone(), "NextToken", t)), "Rules", "NextToken"), &[50, 50]);
}

#[test]
fn a_prefix_of_rules_is_no_pattern() {
    let mut aws = Aws::new();
    aws.rule("etl.a");
    aws.rule("etl-a");
    let listed = aws.events("ListRules", json!({"NamePrefix": "etl."})).unwrap();
    assert_eq!(listed["Rules"].as_array().unwrap().len(), 1);
}

#[test]
fn sizes_and_tokens_that_make_no_sense_are_refused() {
    let mut aws = Aws::new();
    for bad in [json!({"maxResults": 0}), json!({"maxResults": 101}), json!({"nextToken": "abc"})] {
        let refusal = aws.ecs("ListTaskDefinitions", bad).unwrap_err();
        assert!(refusal.starts_with("InvalidParameterException: "), "{refusal}");
    }
    for bad in [json!({"Limit": 0}), json!({"Limit": 101}), json!({"NextToken": "abc"})] {
        let refusal = aws.events("ListRules", bad).unwrap_err();
        assert!(refusal.starts_with("ValidationException: "), "{refusal}");
    }
}
