//! Following a list to its end: all of it, or a failure, never a part.

use std::collections::BTreeSet;

use crate::error::Refused;

/// More pages of a hundred entries than any list has: an account may hold a million revisions that nobody deregistered.
const MOST: usize = 20_000;

/// The pages of one list.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    seen: BTreeSet<String>,
}

impl Pages {
    /// The token of the next page, given what the last answer said; none at the end.
    ///
    /// # Errors
    ///
    /// The list leads back to a page already read, or has no end.
    pub(crate) fn next(&mut self, token: Option<String>) -> Result<Option<String>, Refused> {
        // Some of AWS's lists end with an empty token instead of none.
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        if self.seen.len() >= MOST {
            return Err(Refused::response(format!("the list has no end: still more after {MOST} pages")));
        }
        if !self.seen.insert(token.clone()) {
            return Err(Refused::response("the list leads back to a page that was read before"));
        }
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_ends_without_a_token_or_with_an_empty_one() {
        assert_eq!(Pages::default().next(None), Ok(None));
        assert_eq!(Pages::default().next(Some(String::new())), Ok(None));
    }

    #[test]
    fn a_list_that_goes_in_circles_is_refused() {
        let mut pages = Pages::default();
        let page = |n: &str| Some(n.to_owned());
        assert_eq!(pages.next(page("a")), Ok(page("a")));
        assert_eq!(pages.next(page("b")), Ok(page("b")));
        assert!(pages.next(page("a")).is_err());
    }

    #[test]
    fn a_list_without_end_is_refused() {
        let mut pages = Pages::default();
        let read = (0..2 * MOST).take_while(|n| pages.next(Some(n.to_string())).is_ok()).count();
        assert_eq!(read, MOST);
    }
}
