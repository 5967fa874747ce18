use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn a_variable_is_secret_by_its_name_or_by_its_looks() {
    let secret = [
        ("DB_PASSWORD", "hunter2"),
        ("slackToken", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("MYSQL_PWD", "x"),
        ("SERVICE_CREDENTIALS", "{}"),
        ("A", "AKIAIOSFODNN7EXAMPLE"),
        ("A", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("A", "postgres://etl:hunter2@db/sales"),
        ("A", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
        ("A", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmN"),
    ];
    for (name, value) in secret {
        assert!(is_secret(name, value), "{name}={value}");
    }
    let plain = [
        ("DB_PASSWORD", ""),
        ("PWD", "/srv"),
        ("DATABASE_URL", "postgres://etl@db/sales"),
        ("GIT_SHA", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        ("IMAGE", "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/myetl:1.4.2"),
    ];
    for (name, value) in plain {
        assert!(!is_secret(name, value), "{name}={value}");
    }
}

#[test]
fn a_command_line_loses_its_secrets_only() {
    let check = |text: &str, masked: &str| assert_eq!(mask_text(text), masked);
    check("--password=hunter2", "--password=******");
    check("psql --password hunter2 -c x", "psql --password ****** -c x");
    check("export API_TOKEN='a b' && run --date=2018-01-01", "export API_TOKEN='******' && run --date=2018-01-01");
    check("curl -H 'Authorization: Bearer abc' x", "curl -H 'Authorization: Bearer ****** x");
    check("curl -H X-Api-Key: abc x", "curl -H X-Api-Key: ****** x");
    check("authorization: basic abc", "authorization: basic ******");
    check("a basic token of trust", "a basic token of trust");
    check("jdbc:mysql://host/db?password=abc", "jdbc:mysql://host/db?password=******");
    check("https://u:p@host/x?token=abc&y=1", "https://u:******@host/x?token=******&y=1");
    check("-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----", "******");
    check("run AKIAIOSFODNN7EXAMPLE now", "run ****** now");
    check(
        r#"{"password": "x", "n": [{"name": "A_KEY", "value": "y"}]}"#,
        r#"{"n":[{"name":"A_KEY","value":"******"}],"password":"******"}"#,
    );
    check(r#"{"user": "x"}"#, r#"{"user": "x"}"#);
    check("curl https://u:p@host/x?y=1", "curl https://u:******@host/x?y=1");
    check("https://host/x?y=1&token=abc&z=2", "https://host/x?y=1&token=******&z=2");
    check(r#"a {"password":"x","user":"y"}"#, r#"a {"password":"******","user":"y"}"#);
    check("repo/key-service:1.2", "repo/key-service:1.2");
    check(
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db",
    );
    check("--date 2018-01-01  --verbose ", "--date 2018-01-01  --verbose ");
    check("", "");
}

#[test]
fn a_path_says_whose_value_it_is() {
    let check = |path: &str, value: Value, masked: Value| assert_eq!(mask(path, &value), masked, "{path}");
    check("containerDefinitions[main].environment[DB_PASSWORD].value", json!("x"), json!(MASK));
    check("containerDefinitions[main].environment[MODE].value", json!("x"), json!("x"));
    check("containerDefinitions[main].logConfiguration.options[splunk-token]", json!("x"), json!(MASK));
    check("containerDefinitions[main].dockerLabels[com.example.token]", json!("x"), json!(MASK));
    check("containerDefinitions[main].dockerLabels[com.example.team]", json!("x"), json!("x"));
    check("containerDefinitions[main].secrets[TOKEN].valueFrom", json!("arn:x?key=1"), json!("arn:x?key=1"));
    check("containerDefinitions[main].command", json!(["--token", "x", "y"]), json!(["--token", MASK, "y"]));
    check("containerDefinitions[key].image", json!("repo:1"), json!("repo:1"));
    check("containerDefinitions[main].stopTimeout", json!(5), json!(5));
}

#[test]
fn a_whole_container_or_override_loses_its_secrets_only() {
    let entry = |value: &str| json!({"name": "A_TOKEN", "value": value});
    let container = |value: &str| {
        json!({
            "name": "main",
            "environment": [entry(value), {"name": "MODE", "value": "fast"}],
            "secrets": [{"name": "A_TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:123456789012:parameter/token"}],
            "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": value, "splunk-url": "u"}},
            "entryPoint": ["run", "--api-key", value],
            "repositoryCredentials": {"credentialsParameter": "arn:key=1"},
        })
    };
    assert_eq!(mask("containerDefinitions[main]", &container("x")), container(MASK));
    let input = |value: &str| json!({"containerOverrides": [{"name": "main", "environment": [entry(value)]}]});
    assert_eq!(mask("Input", &input("x")), input(MASK));
    assert_eq!(mask("Input", &json!(input("x").to_string())), json!(input(MASK).to_string()));
}

proptest! {
    #[test]
    fn a_password_shows_in_no_command_line(password in "[a-zA-Z0-9!#%.:/@=+-]{8,20}", before in "\\PC{0,12}") {
        let hidden = format!("QZX{password}");
        for text in [
            format!("run --password={hidden} now"),
            format!("run --password {hidden} now"),
            format!("{before} DB_PASSWORD='{hidden}'"),
            format!("{{\"n\": [{{\"name\": \"A_TOKEN\", \"value\": \"{hidden}\"}}]}}"),
        ] {
            prop_assert!(!mask_text(&text).contains("QZX"), "{}", mask_text(&text));
        }
    }

    #[test]
    fn any_text_can_be_masked(text in "\\PC*|[ \"'=:&;,?{}\\[\\]<>\n-]{0,40}") {
        let masked = mask_text(&text);
        prop_assert_eq!(text.is_empty(), masked.is_empty());
    }
}
