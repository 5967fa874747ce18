//! How much of AWS's rates this controller allows itself.

use std::fmt;
use std::str::FromStr;

/// Parts of a whole share.
const WHOLE: u32 = 1_000_000;

/// The smallest share: below it, a bucket of one call a second is asked for less than once in a quarter of an hour.
const SMALLEST: u32 = 1_000;

/// A part of AWS's documented rates, in millionths, so that nothing is rounded twice.
///
/// The rest is for people, pipelines and the services' own calls. Several controllers on one account each take a part of
/// what all of them may have: `1/6` for each of three is half for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// Why a text is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// It reads like none of the three forms.
    #[error("`{0}` is not a share; write a number such as `0.5`, a fraction such as `1/6`, or `25%`")]
    Form(String),
    /// It is more than there is, or next to nothing.
    #[error("`{0}` is not between 0.001 and 1: it is a part of what AWS allows the whole account")]
    Range(String),
}

impl Share {
    /// One half.
    pub const HALF: Self = Self(WHOLE / 2);
    /// All of it: nobody else calls AWS in this account and Region.
    pub const WHOLE: Self = Self(WHOLE);

    /// The part, between nothing and 1.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }

    /// What of `whole` is ours, rounded down.
    pub(super) fn of(self, whole: u32) -> u32 {
        let part = u64::from(whole) * u64::from(self.0) / u64::from(WHOLE);
        u32::try_from(part).unwrap_or(whole)
    }

    /// How long it takes to earn one call at `per_second` calls a second for everybody, in nanoseconds.
    pub(super) fn nanoseconds_a_call(self, per_second: u32) -> i128 {
        i128::from(1_000_000_000_u32) * i128::from(WHOLE) / (i128::from(per_second.max(1)) * i128::from(self.0))
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::HALF
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let form = || ShareError::Form(text.to_owned());
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let part = if let Some((part, whole)) = text.split_once('/') {
            let whole = number(whole).filter(|whole| *whole > 0.0).ok_or_else(form)?;
            number(part).ok_or_else(form)? / whole
        } else if let Some(percent) = text.trim().strip_suffix('%') {
            number(percent).ok_or_else(form)? / 100.0
        } else {
            number(text).ok_or_else(form)?
        };
        let range = f64::from(SMALLEST) / f64::from(WHOLE)..=1.0;
        if !range.contains(&part) {
            return Err(ShareError::Range(text.to_owned()));
        }
        // In range, so the cast neither cuts nor wraps.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between a thousand and a million")]
        Ok(Self((part * f64::from(WHOLE)).round() as u32))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_number_a_fraction_or_a_percentage() {
        for (text, parts) in [("0.5", 500_000), ("1/6", 166_667), (" 25% ", 250_000), ("1", WHOLE), ("0.001", SMALLEST)]
        {
            assert_eq!(text.parse(), Ok(Share(parts)), "{text}");
        }
        assert_eq!(Share::default().to_string(), "0.5");
    }

    #[test]
    fn what_is_no_share_is_refused_with_its_reason() {
        for text in ["", "half", "1/0", "1/", "/2", "%", "NaN", "inf"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError::Form(text.to_owned())), "{text}");
        }
        for text in ["0", "-0.5", "1.01", "3/2", "150%", "0.0009"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError::Range(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn shares_of_rates_are_exact() {
        assert_eq!(Share::HALF.nanoseconds_a_call(1), 2_000_000_000);
        assert_eq!(Share::HALF.nanoseconds_a_call(50), 40_000_000);
        assert_eq!(Share::HALF.of(20), 10);
        assert_eq!("1/6".parse::<Share>().map(|share| share.of(20)), Ok(3));
    }
}
