//! What two listings of files do not have alike.

use std::cmp::Ordering;

use ecs_etl_spec::name::Digest;

/// Paths that are in one of two listings only, or with other content. Both must be in the order of their paths: they are gone
/// through side by side, as ten thousand look-ups would take most of the time that an edit takes to be seen.
pub fn differing<'a>(
    one: impl Iterator<Item = (&'a str, &'a Digest)>,
    other: impl Iterator<Item = (&'a str, &'a Digest)>,
) -> impl Iterator<Item = &'a str> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || {
        loop {
            let (left, right) = (one.peek().copied(), other.peek().copied());
            let order = match (left, right) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((left, _)), Some((right, _))) => left.cmp(right),
            };
            if order.is_le() {
                one.next();
            }
            if order.is_ge() {
                other.next();
            }
            if left != right {
                return if order.is_le() { left } else { right }.map(|(path, _)| path);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_went_or_changed_differs_and_nothing_else() {
        let digests: Vec<Digest> = ["1", "2"].iter().map(|text| Digest::of(text.as_bytes())).collect();
        // Each way to be there, or not: none, with the first content, with the second; of three files.
        let ways = |way: usize| (0..3).map(move |file| (way / 3_usize.pow(file)) % 3);
        let paths = ["a", "b", "b.yaml"];
        for (before, now) in (0..27).flat_map(|before| (0..27).map(move |now| (before, now))) {
            let listing = |way| {
                let files = paths.iter().zip(ways(way));
                files.filter_map(|(path, content)| Some((*path, digests.get(content.checked_sub(1)?)?)))
            };
            let expected: Vec<&str> = paths
                .iter()
                .zip(ways(before).zip(ways(now)))
                .filter(|(_, (a, b))| a != b)
                .map(|(path, _)| *path)
                .collect();
            assert_eq!(differing(listing(before), listing(now)).collect::<Vec<_>>(), expected);
        }
    }
}
