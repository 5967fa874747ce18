//! What looks secret in a text: a command line, a header, a URL, a key.

use super::{MASK, mask_json, secret_name};

/// Masks what looks secret within a text: `--password=…`, `TOKEN=…`, `"secret": "…"`, keys, and passwords in URLs.
pub fn mask_text(text: &str) -> String {
    if let Some(masked) = mask_json(text) {
        return masked;
    }
    if private_key(text) {
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
        let scheme = is_scheme(word) && (after_flag || word.eq_ignore_ascii_case("bearer"));
        let hidden = after_flag && !scheme && !word.starts_with("--");
        after_flag = scheme || is_secret_flag(word);
        if hidden {
            masked.push_str(MASK);
        } else {
            masked.push_str(&mask_word(word));
        }
        rest = after;
    }
    masked
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

/// One word: `name=value` pairs between `&`, `;`, `,` and `?`, a URL, or a key.
fn mask_word(word: &str) -> String {
    if holds_key(word) {
        return MASK.to_owned();
    }
    let word = mask_url(word).unwrap_or_else(|| word.to_owned());
    word.split_inclusive(['&', ';', ',', '?']).map(mask_pair).collect()
}

/// `name=value`, or `"name":value` as in JSON; any other colon is part of a path, an ARN or an image.
fn mask_pair(pair: &str) -> String {
    let Some(at) = pair.char_indices().find_map(|(at, _)| assigns_secret(pair, at).then_some(at)) else {
        return pair.to_owned();
    };
    let (name, rest) = pair.split_at(at);
    let (separator, value) = rest.split_at(1);
    let bare = value.trim_end_matches(['&', ';', ',', '?', '}', ']', ')']);
    if bare.is_empty() {
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

/// Whether what stands at `at` gives a value to a name that promises a secret.
fn assigns_secret(pair: &str, at: usize) -> bool {
    let (before, after) = pair.split_at(at);
    let name = if after.starts_with('=') { Some(before) } else { None };
    let name = name.or_else(|| before.strip_suffix('"').filter(|_| after.starts_with(':')));
    let letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.and_then(|name| name.rsplit(|c| !letter(c)).next()).is_some_and(secret_name)
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

/// `--password`, `X-Api-Key:`, `Authorization:`: what follows is the secret.
pub(super) fn is_secret_flag(text: &str) -> bool {
    let name = text.trim_start_matches(['"', '\'']);
    let header = name.strip_suffix(':').is_some_and(|name| name.eq_ignore_ascii_case("authorization"));
    let flag = (name.starts_with("--") || name.ends_with(':')) && !name.contains(['=', ' ']);
    header || (flag && secret_name(name))
}

/// How an authorization may begin before its secret.
fn is_scheme(word: &str) -> bool {
    ["basic", "bearer", "token"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a text is a secret by its looks, whatever its name.
pub(super) fn secret_text(text: &str) -> bool {
    private_key(text) || text.split_whitespace().any(|word| mask_url(word).is_some() || holds_key(word))
}

/// A key in PEM form.
fn private_key(text: &str) -> bool {
    text.contains("-----BEGIN") && text.contains("PRIVATE KEY")
}

/// Whether a word is or holds a key or token of a well-known form.
fn holds_key(word: &str) -> bool {
    let mut parts = word.split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '+' | '_' | '-' | '.'));
    parts.any(|part| access_key_id(part) || secret_access_key(part) || known_token(part))
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
