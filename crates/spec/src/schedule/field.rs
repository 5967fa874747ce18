//! The fields of a cron expression: their ranges and names, and the items both dialects share.

use super::error::{ScheduleError, quoted};

/// What one field of an expression may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// What messages call it.
    pub name: &'static str,
    /// Smallest value.
    pub min: u16,
    /// Greatest value.
    pub max: u16,
    /// How many digits a value has at most.
    pub digits: usize,
    /// How many distinct values there are; one less than numbers where Sunday has two.
    pub size: u16,
    /// The greatest step; AWS refuses `*/60` in the minutes.
    pub max_step: u16,
    /// Names of the values from `min` on; none for most fields.
    pub names: &'static [&'static str],
    /// Whether a range may run past the end and begin anew, such as the hours `20-2`.
    pub wraps: bool,
}

pub(super) const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
pub(super) const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Field {
    pub(super) const MINUTE: Self =
        Self { name: "minute", min: 0, max: 59, digits: 2, size: 60, max_step: 59, names: &[], wraps: true };
    pub(super) const HOUR: Self =
        Self { name: "hour", min: 0, max: 23, digits: 2, size: 24, max_step: 23, names: &[], wraps: true };
    pub(super) const DAY_OF_MONTH: Self =
        Self { name: "day of month", min: 1, max: 31, digits: 2, size: 31, max_step: 31, names: &[], wraps: true };
    pub(super) const MONTH: Self =
        Self { name: "month", min: 1, max: 12, digits: 2, size: 12, max_step: 12, names: &MONTHS, wraps: true };
    /// AWS counts from Sunday, which is 1.
    pub(super) const DAY_OF_WEEK: Self =
        Self { name: "day of week", min: 1, max: 7, digits: 1, size: 7, max_step: 7, names: &WEEKDAYS, wraps: true };
    /// Unix counts from Sunday, which is 0 and also 7.
    pub(super) const UNIX_DAY_OF_WEEK: Self =
        Self { name: "day of week", min: 0, max: 7, digits: 2, size: 7, max_step: 7, names: &WEEKDAYS, wraps: true };
    pub(super) const YEAR: Self =
        Self { name: "year", min: 1970, max: 2199, digits: 4, size: 230, max_step: 229, names: &[], wraps: false };

    /// The field as Unix cron reads it, where no range begins anew.
    pub(super) const fn without_wrapping(self) -> Self {
        Self { wraps: false, ..self }
    }

    /// A single value: a number, with or without leading zeros, or a name in any case.
    pub(super) fn value(&self, text: &str) -> Result<u16, ScheduleError> {
        let range = format!("{} to {}", self.min, self.max);
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return match text.parse() {
                // Leading zeros are widely taken, but not in a field whose values are single digits.
                Ok(value) if text.len() > self.digits && (self.min..=self.max).contains(&value) => {
                    Err(ScheduleError::new(format!("{} {} has leading zeros", self.name, quoted(text)))
                        .help(format!("write `{value}`")))
                }
                Ok(value) if (self.min..=self.max).contains(&value) => Ok(value),
                _ => Err(ScheduleError::new(format!("{} {} is out of range: {range}", self.name, quoted(text)))),
            };
        }
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        if let Some(offset) = named.and_then(|position| u16::try_from(position).ok()) {
            return Ok(self.min + offset);
        }
        let error = ScheduleError::new(format!("{} is not a valid {}", quoted(text), self.name));
        Err(match (self.names.first(), self.names.last()) {
            (Some(first), Some(last)) => error.help(format!("write {range}, or {first} to {last}")),
            _ => error.help(format!("write {range}")),
        })
    }

    /// A comma-separated list of values, ranges and steps.
    pub(super) fn items(&self, text: &str) -> Result<Vec<Item>, ScheduleError> {
        let items: Vec<&str> = text.split(',').collect();
        let alone = items.len() == 1;
        items.into_iter().map(|item| self.item(item, alone)).collect()
    }

    fn item(&self, text: &str, alone: bool) -> Result<Item, ScheduleError> {
        let (base, step) = match text.split_once('/') {
            Some((base, step)) => (base, Some(self.step(step, text)?)),
            None => (text, None),
        };
        if base == "*" {
            return match (step, alone) {
                (None, false) => Err(ScheduleError::new(format!("`*` in a list of {}s includes the rest", self.name))
                    .help("write `*` alone")),
                (step, _) => Ok(Item::All { step }),
            };
        }
        let Some((first, last)) = base.split_once('-') else {
            let start = self.value(base)?;
            return Ok(step.map_or(Item::Value(start), |step| Item::From { start, step }));
        };
        let (first, last) = (self.value(first)?, self.value(last)?);
        if first > last {
            self.check_wrapping(first, last)?;
        }
        Ok(Item::Range { first, last, step })
    }

    /// Whether a range may begin anew in this field.
    fn check_wrapping(&self, first: u16, last: u16) -> Result<(), ScheduleError> {
        if self.wraps {
            return Ok(());
        }
        let error = ScheduleError::new(format!("the {} range {first}-{last} runs backwards", self.name));
        Err(if self.min == Self::YEAR.min {
            error.help(format!("write {last}-{first}"))
        } else {
            error.help(format!("write {first}-{},{}-{last}", self.max, self.min))
        })
    }

    fn step(&self, text: &str, item: &str) -> Result<u16, ScheduleError> {
        let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
        let Some(step) = digits.then(|| text.parse::<u16>().ok()).flatten() else {
            return Err(ScheduleError::new(format!("the step in {} is not a number", quoted(item))));
        };
        if step == 0 {
            return Err(ScheduleError::new(format!("the step in {} is 0", quoted(item))));
        }
        if step > self.max_step {
            return Err(ScheduleError::new(format!(
                "the step in {} is greater than {}, the greatest for the {}",
                quoted(item),
                self.max_step,
                self.name
            ))
            .help("write the first value alone, since no other follows"));
        }
        Ok(step)
    }
}

/// One member of a field's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// `*` or `*/step`.
    All {
        /// Distance of the values.
        step: Option<u16>,
    },
    /// A single value.
    Value(u16),
    /// `start/step`: from `start` to the field's end.
    From {
        /// First value.
        start: u16,
        /// Distance of the values.
        step: u16,
    },
    /// `first-last` or `first-last/step`.
    Range {
        /// First value.
        first: u16,
        /// Last value; less than the first where the range begins anew.
        last: u16,
        /// Distance of the values.
        step: Option<u16>,
    },
}

impl Item {
    /// The values it stands for, in order.
    pub(super) fn values(&self, field: &Field) -> Vec<u16> {
        let (first, last, step) = match *self {
            Self::All { step } => (field.min, field.max, step.unwrap_or(1)),
            Self::Value(value) => (value, value, 1),
            Self::From { start, step } => (start, field.max, step),
            Self::Range { first, last, step } => (first, last, step.unwrap_or(1)),
        };
        let end = if first <= last { last } else { last + field.size };
        (first..=end)
            .step_by(usize::from(step))
            .map(|value| if value > field.max { value - field.size } else { value })
            .collect()
    }
}

/// A set of a field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Values([u64; 4]);

/// What the first bit of the set stands for in the one field whose values are greater than 255.
const FIRST_YEAR: u16 = Field::YEAR.min;

impl Values {
    pub(super) fn of(items: &[Item], field: &Field) -> Self {
        items.iter().flat_map(|item| item.values(field)).collect()
    }

    fn place(value: u16) -> (usize, u64) {
        let bit = if value >= FIRST_YEAR { value - FIRST_YEAR } else { value };
        (usize::from(bit / 64) % 4, 1 << (bit % 64))
    }

    pub(super) fn contains(&self, value: u16) -> bool {
        let (word, bit) = Self::place(value);
        self.0[word] & bit != 0
    }

    pub(super) fn and(self, other: Self) -> Self {
        let mut both = self;
        for (mine, theirs) in both.0.iter_mut().zip(other.0) {
            *mine &= theirs;
        }
        both
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The values from `first` to the field's end, in order.
    pub(super) fn from(&self, first: u16, field: &Field) -> impl Iterator<Item = u16> {
        let set = *self;
        (first.max(field.min)..=field.max).filter(move |value| set.contains(*value))
    }
}

impl FromIterator<u16> for Values {
    fn from_iter<I: IntoIterator<Item = u16>>(values: I) -> Self {
        let mut set = Self::default();
        for value in values {
            let (word, bit) = Self::place(value);
            set.0[word] |= bit;
        }
        set
    }
}
