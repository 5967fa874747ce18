//! Ids that follow from what they are of, in the shape of AWS's own.

use sha2::{Digest, Sha256};

/// An id in the form of those of requests and events, eight, four, four, four and twelve hexadecimal digits, which follows from `seed`.
pub(crate) fn id_from(seed: &str) -> String {
    let bytes = Sha256::digest(seed);
    let id = bytes.iter().take(16).fold(0_u128, |id, byte| id << 8 | u128::from(*byte));
    let part = |shift: u32, digits: u32| (id >> shift) & ((1 << (4 * digits)) - 1);
    format!("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", part(96, 8), part(80, 4), part(64, 4), part(48, 4), part(0, 12))
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_id_is_the_beginning_of_its_seeds_digest() {
        // printf event | sha256sum
        let digest = "b8e1f80bd70ae0784c7855a451731b74";
        let id = super::id_from("event");
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(id.replace('-', ""), digest);
    }
}
