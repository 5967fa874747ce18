//! What looks secret is not shown: in environments, options, command lines and overrides.
//!
//! Masking errs on the side of hiding. A `valueFrom` names a secret without being one, and is shown.

use serde_json::{Map, Value};

use super::template;

/// What is shown in place of a secret.
pub const MASK: &str = "******";

/// Parts of a name, in lower case, that promise a secret.
const WORDS: &[&str] = &[
    "secret",
    "password",
    "passwd",
    "passphrase",
    "_pwd",
    "token",
    "key",
    "credential",
    "private",
    "connection_string",
];

/// Members that map names which users choose to values which users choose.
const MAPS: &[&str] = &["options", "driverOpts", "dockerLabels", "labels"];

/// Members that hold a command line.
const COMMANDS: &[&str] = &["command", "entryPoint"];

/// Members that point to a secret.
const POINTERS: &[&str] = &["valueFrom", "credentialsParameter"];

/// Whether the value of an environment variable or option should not be shown.
pub fn is_secret(name: &str, value: &str) -> bool {
    !value.is_empty() && (secret_name(name) || secret_text(value))
}

fn secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// Masks what looks secret in a value that stands at `path` of a task definition, a target or a run.
pub fn mask(path: &str, value: &Value) -> Value {
    let (parent, member) = path.rsplit_once('.').unwrap_or(("", path));
    let named = |entry: &str| entry.strip_suffix(']').and_then(|e| e.rsplit_once('[')).map(|(_, name)| name.to_owned());
    match value {
        Value::String(text) => {
            // `environment[NAME].value`, or an entry of a map such as `options[name]`: a name may hold dots itself.
            let name = if member.eq_ignore_ascii_case("value") { named(parent) } else { named(path) };
            match name {
                Some(name) if is_secret(&name, text) => MASK.into(),
                Some(_) | None if POINTERS.contains(&member) => value.clone(),
                Some(_) | None => mask_text(text).into(),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => inside(member, value),
    }
}

/// Masks within the value of `member`.
fn inside(member: &str, value: &Value) -> Value {
    match value {
        Value::Object(object) => structure(member, object),
        Value::Array(entries) if COMMANDS.contains(&member) => arguments(entries),
        Value::Array(entries) => entries.iter().map(|entry| inside(member, entry)).collect(),
        Value::String(text) if !POINTERS.contains(&member) => mask_text(text).into(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn structure(member: &str, object: &Map<String, Value>) -> Value {
    let named = ["name", "Key"].iter().find_map(|key| object.get(*key)?.as_str());
    let entry = |(key, value): (&String, &Value)| {
        let name = match (key.as_str(), named) {
            ("value" | "Value", Some(name)) => Some(name),
            _ if MAPS.contains(&member) => Some(key.as_str()),
            _ => None,
        };
        let secret = match (name, value.as_str()) {
            (Some(name), Some(text)) => is_secret(name, text),
            _ => false,
        };
        (key.clone(), if secret { MASK.into() } else { inside(key, value) })
    };
    Value::Object(object.iter().map(entry).collect())
}

/// A command line: `--password` hides the argument after it.
fn arguments(entries: &[Value]) -> Value {
    let mut after_flag = false;
    let argument = |entry: &Value| {
        let Some(text) = entry.as_str() else { return entry.clone() };
        let hidden = after_flag && !text.starts_with("--") && !text.is_empty();
        after_flag = is_secret_flag(text);
        if hidden { MASK.into() } else { mask_text(text).into() }
    };
    entries.iter().map(argument).collect()
}

fn is_secret_flag(text: &str) -> bool {
    text.starts_with("--") && !text.contains(['=', ' ']) && secret_name(text)
}

/// Masks what looks secret within a text: `--password=…`, `TOKEN=…`, `"secret": "…"`, keys, and passwords in URLs.
pub fn mask_text(text: &str) -> String {
    if let Some(masked) = mask_json(text) {
        return masked;
    }
    if secret_text(text) && !text.contains(char::is_whitespace) && !text.contains("://") {
        return MASK.to_owned();
    }
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    let mut after_flag = false;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            masked.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let end = word_end(rest);
        let (word, after) = rest.split_at(end);
        let hidden = after_flag && !word.starts_with("--");
        after_flag = is_secret_flag(word);
        if hidden {
            masked.push_str(MASK);
        } else {
            masked.push_str(&mask_word(word));
        }
        rest = after;
    }
    masked
}

/// JSON in a text, such as the input of a target; none if the text is something else or hides nothing.
fn mask_json(text: &str) -> Option<String> {
    let parsed = template::parse(text).filter(|parsed| parsed.is_object() || parsed.is_array())?;
    let masked = inside("", &parsed);
    (masked != parsed).then(|| masked.to_string())
}

/// Where the first word ends: at white space outside of quotes.
fn word_end(text: &str) -> usize {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, '"' | '\'') if at > 0 && text.get(..at).is_some_and(|before| before.ends_with(['=', ':'])) => {
                quote = Some(letter);
            }
            (Some(open), close) if open == close => quote = None,
            (None, space) if space.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

/// One word: `name=value` pairs between `&`, `;` and `,`, a URL, or a key.
fn mask_word(word: &str) -> String {
    if let Some(masked) = mask_url(word) {
        return masked;
    }
    if secret_text(word) {
        return MASK.to_owned();
    }
    word.split_inclusive(['&', ';', ',']).map(mask_pair).collect()
}

fn mask_pair(pair: &str) -> String {
    let Some((name, value)) = pair.split_once(['=', ':']) else { return pair.to_owned() };
    let separator = pair.get(name.len()..=name.len()).unwrap_or_default();
    // A colon assigns in JSON only, after a quoted name; elsewhere it is part of a path, an ARN or an image.
    let assigns = separator == "=" || name.ends_with('"');
    let bare = value.trim_end_matches(['&', ';', ',', '}', ']', ')']);
    if !assigns || !secret_name(name) || bare.is_empty() {
        return pair.to_owned();
    }
    let end = value.get(bare.len()..).unwrap_or_default();
    let quoted = |quote: char| bare.len() > 1 && bare.starts_with(quote) && bare.ends_with(quote);
    let (open, close) = match (quoted('"'), quoted('\'')) {
        (true, _) => ("\"", "\""),
        (false, true) => ("'", "'"),
        (false, false) => ("", ""),
    };
    format!("{name}{separator}{open}{MASK}{close}{end}")
}

/// The password of `scheme://user:password@host`, masked; none if there is none.
fn mask_url(word: &str) -> Option<String> {
    let (scheme, rest) = word.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user_info, _) = authority.rsplit_once('@')?;
    let (user, password) = user_info.split_once(':')?;
    let after = rest.get(user_info.len()..)?;
    (!password.is_empty()).then(|| format!("{scheme}://{user}:{MASK}{after}"))
}

/// Whether a text is a secret by its looks, whatever its name.
fn secret_text(text: &str) -> bool {
    let words = || text.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '+' | '_' | '-' | '.'));
    (text.contains("-----BEGIN") && text.contains("PRIVATE KEY"))
        || text.split_whitespace().any(|word| mask_url(word).is_some())
        || words().any(|word| access_key_id(word) || secret_access_key(word) || known_token(word))
}

/// An AWS access key id: `AKIA` or `ASIA` and sixteen capitals or digits.
fn access_key_id(word: &str) -> bool {
    word.len() == 20
        && (word.starts_with("AKIA") || word.starts_with("ASIA"))
        && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// Forty letters, digits, `/` and `+`, mixed as only a key is: no hash in hexadecimal, no path.
fn secret_access_key(word: &str) -> bool {
    let has = |what: fn(&u8) -> bool| word.as_bytes().iter().any(what);
    word.len() == 40
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+'))
        && !word.starts_with('/')
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit)
}

/// A JSON Web Token, or a token that says by its first letters whose it is.
fn known_token(word: &str) -> bool {
    let prefixes = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk_live_", "sk-ant-"];
    (word.starts_with("eyJ") && word.matches('.').count() == 2)
        || (word.len() >= 20 && prefixes.iter().any(|prefix| word.starts_with(prefix)))
}

#[cfg(test)]
mod tests {
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
}
