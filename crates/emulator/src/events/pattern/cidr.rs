//! Blocks of IP addresses: `10.0.0.0/24`, `2001:db8::/64` (docs/aws.md, Event patterns).

use std::net::IpAddr;

/// All addresses of one family that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    address: IpAddr,
    bits: u32,
}

impl Block {
    /// Reads `ADDRESS/BITS`.
    ///
    /// # Errors
    ///
    /// The reason, in EventBridge's words where they are known (docs/aws.md, Event patterns).
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut parts = text.split('/');
        let (Some(address), Some(bits), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err("Malformed CIDR, one '/' required".to_owned());
        };
        let bits: u32 = bits.parse().map_err(|_| "Malformed CIDR, mask bits must be an integer".to_owned())?;
        let address: IpAddr = address.parse().map_err(|_| format!("Nonstandard IP address: {address}"))?;
        let most = width(address);
        if bits > most {
            return Err(format!("IPv{} mask bits must not exceed {most}", if most == 32 { 4 } else { 6 }));
        }
        Ok(Self { address, bits })
    }

    /// Whether a text is an address of this block.
    pub(super) fn contains(&self, text: &str) -> bool {
        let Ok(address) = text.parse::<IpAddr>() else { return false };
        width(address) == width(self.address) && self.network(address) == self.network(self.address)
    }

    /// The bits that all addresses of the block share.
    fn network(&self, address: IpAddr) -> u128 {
        let number = match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        // A block of no bits at all shifts everything away.
        number.checked_shr(width(address) - self.bits).unwrap_or(0)
    }
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}
