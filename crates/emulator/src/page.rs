//! Pages of a listing, with tokens that hold the place in it rather than a count.
//!
//! A token names the last item given, so that a page after a change neither repeats nor skips what was there before. What
//! clients know of tokens is in docs/aws.md, On the wire.

use serde_json::{Map, Value};

/// Where an item stands in its listing: by name, then by number. Most listings have names only, and number 0.
pub(crate) type Position<'a> = (&'a str, u32);

/// Which page of which listing is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// Keeps the tokens of different listings apart.
    pub listing: &'a str,
    pub token: Option<&'a str>,
    pub limit: usize,
    pub descending: bool,
}

/// One page and where the next begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub items: Vec<T>,
    /// To be given back for the next page, if there is one.
    pub next: Option<String>,
}

/// A token that this listing never handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadToken;

/// Cuts the page asked for out of those `items` that are to be kept; they come in the listing's order.
///
/// What earlier pages showed is passed over before anything is asked of it.
pub(crate) fn cut<'a, T>(
    items: impl Iterator<Item = (Position<'a>, T)>,
    ask: Ask<'_>,
    keep: impl Fn(&T) -> bool,
) -> Result<Page<T>, BadToken> {
    let after = ask.token.map(|token| open(ask.listing, token)).transpose()?;
    let beyond = |position: &Position<'_>| match &after {
        None => true,
        Some((name, number)) if ask.descending => *position < (name.as_str(), *number),
        Some((name, number)) => *position > (name.as_str(), *number),
    };
    let mut rest = items.filter(|(position, item)| beyond(position) && keep(item)).peekable();
    let (mut page, mut last) = (Vec::new(), None);
    while page.len() < ask.limit {
        let Some((position, item)) = rest.next() else { break };
        page.push(item);
        last = Some(position);
    }
    let next = if rest.peek().is_some() { last.map(|position| close(ask.listing, position)) } else { None };
    Ok(Page { items: page, next })
}

/// Tokens are opaque to callers: hexadecimal over listing, name and number.
fn close(listing: &str, (name, number): Position<'_>) -> String {
    format!("{listing}\n{name}\n{number}").bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn open(listing: &str, token: &str) -> Result<(String, u32), BadToken> {
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| token.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(BadToken)?;
    let position = text.strip_prefix(listing).and_then(|rest| rest.strip_prefix('\n')).ok_or(BadToken)?;
    let (name, number) = position.split_once('\n').ok_or(BadToken)?;
    Ok((name.to_owned(), number.parse().map_err(|_| BadToken)?))
}

/// Puts a page into an answer under the names that the service uses.
pub(crate) fn members(items: (&str, Value), token: (&str, Option<String>)) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert(items.0.to_owned(), items.1);
    if let Some(next) = token.1 {
        members.insert(token.0.to_owned(), Value::String(next));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(names: &[&str], token: Option<&str>, limit: usize, descending: bool) -> Result<Page<String>, BadToken> {
        let items = names.iter().map(|name| ((*name, 0), name.to_uppercase()));
        cut(items, Ask { listing: "letters", token, limit, descending }, |_| true)
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
    fn numbers_are_paged_as_numbers() {
        let revisions = || [9, 10, 11].into_iter().map(|number| (("etl", number), number));
        let ask = Ask { listing: "revisions", token: None, limit: 1, descending: false };
        let first = cut(revisions(), ask, |number| number % 2 == 1).unwrap();
        let second = cut(revisions(), Ask { token: first.next.as_deref(), limit: 5, ..ask }, |_| true).unwrap();
        assert_eq!((first.items, second.items), (vec![9], vec![10, 11]));
    }

    #[test]
    fn a_token_of_another_listing_is_refused() {
        let token = close("numbers", ("a", 0));
        for bad in [token.as_str(), "zz", "abc", "é", ""] {
            assert_eq!(page(&["a"], Some(bad), 1, false), Err(BadToken), "{bad}");
        }
    }
}
