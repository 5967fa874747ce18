//! STS: who one is, and who one becomes.

use ecs_etl_emulator::{Reply, Request};

use crate::client::Aws;

fn ask(aws: &mut Aws, form: &str, token: Option<&str>) -> (u16, String) {
    let mut request: Request = aws.request("", &serde_json::Value::Null);
    request.headers.retain(|(name, _)| name != "x-amz-target");
    if let Some(token) = token {
        request.headers.push(("x-amz-security-token".to_owned(), token.to_owned()));
    }
    request.body = form.as_bytes().to_vec();
    let Reply { status, body, .. } = aws.send(&request);
    (status, String::from_utf8(body).unwrap())
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split_once(&format!("</{name}>")).unwrap().0
}

const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[test]
fn a_caller_without_a_role_is_a_user_of_the_default_account() {
    let (status, xml) = ask(&mut Aws::new(), IDENTITY, None);
    assert_eq!(status, 200);
    assert_eq!(element(&xml, "Account"), "123456789012");
    assert_eq!(element(&xml, "Arn"), "arn:aws:iam::123456789012:user/embedded");
}

#[test]
fn credentials_of_a_role_carry_its_account() {
    let mut aws = Aws::new();
    let form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=ci&\
                RoleArn=arn%3Aaws%3Aiam%3A%3A999988887777%3Arole%2Fteams%2Fdeploy";
    let (status, xml) = ask(&mut aws, form, None);
    assert_eq!(status, 200, "{xml}");
    assert_eq!(element(&xml, "Arn"), "arn:aws:sts::999988887777:assumed-role/deploy/ci");
    assert_eq!(element(&xml, "Expiration"), "2026-01-02T04:04:05Z");
    aws.access_key = element(&xml, "AccessKeyId").to_owned();
    let token = element(&xml, "SessionToken").to_owned();
    let (_, identity) = ask(&mut aws, IDENTITY, Some(&token));
    assert_eq!(element(&identity, "Account"), "999988887777");
    assert_eq!(element(&identity, "Arn"), "arn:aws:sts::999988887777:assumed-role/deploy/ci");
    assert!(element(&identity, "UserId").ends_with(":ci"));
    assert!(aws.register("etl-a").contains(":999988887777:"));
}

#[test]
fn what_is_no_role_is_refused() {
    let check = |form: &str, code: &str| {
        let (status, xml) = ask(&mut Aws::new(), form, None);
        assert_eq!((status, element(&xml, "Code")), (400, code), "{form}");
    };
    check("Action=AssumeRole&RoleSessionName=ci&RoleArn=short", "ValidationError");
    check("Action=AssumeRole&RoleSessionName=ci&RoleArn=arn:aws:iam::123456789012:user/somebody", "ValidationError");
    check("Action=AssumeRole&RoleSessionName=a%20b&RoleArn=arn:aws:iam::123456789012:role/r", "ValidationError");
    check("Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/rrrrrrr", "ValidationError");
    check(
        "Action=AssumeRole&RoleSessionName=ci&DurationSeconds=5&RoleArn=arn:aws:iam::123456789012:role/r",
        "ValidationError",
    );
    check("Action=GetSessionToken", "InvalidAction");
}
