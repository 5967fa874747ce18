//! Where the manifests come from: the default of `spec.source`, the value of the source tag.
//!
//! The same repository gives the same text on a laptop (ssh) and in CI (https with a token), and no text ever holds a user
//! or a secret. A repository on the local disk says nothing to another machine, so it counts as none.

use std::path::Path;

pub mod git;

/// What the source is without a git remote.
pub const NONE: &str = "none";

/// Longest value of an AWS tag, in characters.
const TAG_VALUE_MAX: usize = 256;

/// The remote `origin` of the checkout that holds `directory`, as `host/path`, else [`NONE`].
pub fn default_source(directory: &Path) -> String {
    git::Checkout::holding(directory)
        .and_then(|checkout| checkout.origin())
        .and_then(|url| host_and_path(&url))
        .unwrap_or_else(|| NONE.to_owned())
}

/// `host/path` of a remote's URL, without scheme, user, token, port and `.git`; none for a local path.
fn host_and_path(url: &str) -> Option<String> {
    let url = url.trim();
    // `codecommit::ap-northeast-1://repo`: a helper's name comes before the address.
    let helper = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let url = url.split_once("::").filter(|(name, _)| helper(name)).map_or(url, |(_, address)| address);
    let (authority, path) = match url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("file") => return None,
        Some((_, rest)) => rest.split_once('/').unwrap_or((rest, "")),
        None => scp_like(url)?,
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = without_port(host).to_ascii_lowercase();
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    if host.is_empty() {
        return None;
    }
    let source = if path.is_empty() { host } else { format!("{host}/{path}") };
    Some(as_tag_value(&source))
}

/// `user@host:path`. As git has it, a slash before the first colon makes it a local path.
fn scp_like(url: &str) -> Option<(&str, &str)> {
    let (authority, path) = match url.find(']') {
        Some(end) if url.contains('[') => (url.get(..=end)?, url.get(end + 1..)?.strip_prefix(':')?),
        Some(_) | None => url.split_once(':')?,
    };
    let drive_letter = authority.len() == 1;
    (!authority.contains('/') && !drive_letter).then_some((authority, path))
}

fn without_port(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    }
}

/// Only what a tag value may hold (docs/aws.md, Sizes and names): letters, digits, spaces and `_.:/=+-@`.
fn as_tag_value(text: &str) -> String {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@');
    text.chars().take(TAG_VALUE_MAX).map(|c| if allowed(c) { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests;
