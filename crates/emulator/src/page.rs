//! Pages of a listing, with tokens that hold the place in it rather than a count.
//!
//! A token names the last item given, so that a page after a change neither repeats nor skips what was there before.

use serde_json::Value;

/// One page and where the next begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub items: Vec<T>,
    /// To be given back for the next page, if there is one.
    pub next: Option<String>,
}

/// A token that no listing handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadToken;

/// Cuts the page after `token` out of `items`, whose keys come in the listing's order and differ from each other.
///
/// `seal` keeps the tokens of different listings apart.
pub(crate) fn cut<T>(
    items: impl Iterator<Item = (String, T)>,
    seal: &str,
    token: Option<&str>,
    limit: usize,
    descending: bool,
) -> Result<Page<T>, BadToken> {
    let after = token.map(|token| open(seal, token)).transpose()?;
    let beyond = |key: &str| match &after {
        None => true,
        Some(last) if descending => key < last.as_str(),
        Some(last) => key > last.as_str(),
    };
    let mut rest = items.filter(|(key, _)| beyond(key)).peekable();
    let (mut page, mut last) = (Vec::new(), None);
    while page.len() < limit {
        let Some((key, item)) = rest.next() else { break };
        page.push(item);
        last = Some(key);
    }
    let next = if rest.peek().is_some() { last.map(|key| close(seal, &key)) } else { None };
    Ok(Page { items: page, next })
}

/// Tokens are opaque to callers: hexadecimal over seal and key.
fn close(seal: &str, key: &str) -> String {
    format!("{seal}\n{key}").bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn open(seal: &str, token: &str) -> Result<String, BadToken> {
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| token.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(BadToken)?;
    let key = text.strip_prefix(seal).and_then(|rest| rest.strip_prefix('\n')).ok_or(BadToken)?;
    Ok(key.to_owned())
}

/// A number that sorts as text as it does as a number.
pub(crate) fn sortable(number: u32) -> String {
    format!("{number:010}")
}

/// Puts a page into an answer under the names that the service uses.
pub(crate) fn members(items: (&str, Value), token: (&str, Option<String>)) -> serde_json::Map<String, Value> {
    let mut members = serde_json::Map::new();
    members.insert(items.0.to_owned(), items.1);
    if let Some(next) = token.1 {
        members.insert(token.0.to_owned(), Value::String(next));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(keys: &[&str], token: Option<&str>, limit: usize, descending: bool) -> Result<Page<String>, BadToken> {
        let items = keys.iter().map(|key| ((*key).to_owned(), key.to_uppercase()));
        cut(items, "letters", token, limit, descending)
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let first = page(&["a", "b", "c"], None, 2, false).unwrap();
        assert_eq!(first.items, ["A", "B"]);
        // "b" is gone and "bb" is new by the time the next page is asked for.
        let second = page(&["a", "bb", "c"], first.next.as_deref(), 2, false).unwrap();
        assert_eq!((second.items, second.next), (vec!["BB".to_owned(), "C".to_owned()], None));
    }

    #[test]
    fn a_full_last_page_has_no_token() {
        assert_eq!(page(&["a", "b"], None, 2, false).unwrap().next, None);
        assert_eq!(page(&[], None, 2, false).unwrap(), Page { items: vec![], next: None });
    }

    #[test]
    fn a_descending_listing_pages_downwards() {
        let first = page(&["c", "b", "a"], None, 1, true).unwrap();
        let second = page(&["c", "b", "a"], first.next.as_deref(), 5, true).unwrap();
        assert_eq!(second.items, ["B", "A"]);
    }

    #[test]
    fn a_token_of_another_listing_is_refused() {
        let token = close("numbers", "a");
        for bad in [token.as_str(), "zz", "abc", "é", ""] {
            assert_eq!(page(&["a"], Some(bad), 1, false), Err(BadToken), "{bad}");
        }
    }
}
