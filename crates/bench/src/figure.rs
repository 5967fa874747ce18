//! What was measured, what it may be at most, and the table that shows both.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number and what it counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What was done, such as `create 300`.
    pub scenario: String,
    /// What was measured of it.
    pub what: String,
    /// The number.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
    /// The most that it may be; none for a number that is only told.
    pub budget: Option<f64>,
}

/// Units of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Unit {
    /// Calls or things, counted.
    Count,
    /// Calls for each job.
    Calls,
    /// A time divided by the least time possible.
    Ratio,
    /// Seconds of the machine, or of AWS's simulated clock.
    Seconds,
    /// Millions of bytes.
    Megabytes,
}

impl Figure {
    /// Whether it is within its budget, if it has one.
    pub fn holds(&self) -> bool {
        self.budget.is_none_or(|budget| self.value <= budget)
    }
}

/// The figures of one scenario while it runs.
#[derive(Debug)]
pub struct Figures {
    scenario: String,
    figures: Vec<Figure>,
}

impl Figures {
    /// None yet.
    pub fn of(scenario: impl Into<String>) -> Self {
        Self { scenario: scenario.into(), figures: Vec::new() }
    }

    /// A number that is only told.
    pub fn tell(&mut self, what: impl Into<String>, value: f64, unit: Unit) {
        self.add(what.into(), value, unit, None);
    }

    /// A number that may be `budget` at most.
    pub fn hold(&mut self, what: impl Into<String>, value: f64, unit: Unit, budget: f64) {
        self.add(what.into(), value, unit, Some(budget));
    }

    fn add(&mut self, what: String, value: f64, unit: Unit, budget: Option<f64>) {
        self.figures.push(Figure { scenario: self.scenario.clone(), what, value, unit, budget });
    }

    /// All of them, in the order in which they were told.
    pub fn into_vec(self) -> Vec<Figure> {
        self.figures
    }
}

impl fmt::Display for Figure {
    /// A row of the table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let budget = self.budget.map_or_else(String::new, |budget| shown(budget, self.unit));
        let verdict = match self.budget {
            None => "",
            Some(_) if self.holds() => "ok",
            Some(_) => "OVER",
        };
        let Self { scenario, what, value, unit, .. } = self;
        let row = format!("{scenario:<22} {what:<44} {:>12} {budget:>12} {verdict}", shown(*value, *unit));
        f.write_str(row.trim_end())
    }
}

/// The head of the table.
pub fn head() -> String {
    format!("{:<22} {:<44} {:>12} {:>12}", "scenario", "figure", "measured", "at most")
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count => format!("{value:.0}"),
        Unit::Calls => format!("{value:.2}"),
        Unit::Ratio => format!("{value:.3} x"),
        Unit::Seconds if value >= 100.0 => format!("{value:.0} s"),
        Unit::Seconds => format!("{value:.3} s"),
        Unit::Megabytes => format!("{value:.1} MB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_over_its_budget_is_seen() {
        let mut figures = Figures::of("create 3");
        figures.hold("time to the floor", 1.04, Unit::Ratio, 1.05);
        figures.hold("throttled calls", 1.0, Unit::Count, 0.0);
        figures.tell("reads", 12.0, Unit::Count);
        let figures = figures.into_vec();
        assert_eq!(figures.iter().map(Figure::holds).collect::<Vec<_>>(), [true, false, true]);
        assert!(figures[0].to_string().ends_with("1.050 x ok"), "{}", figures[0]);
        assert!(figures[1].to_string().ends_with("0 OVER"), "{}", figures[1]);
        assert!(figures[2].to_string().ends_with("12"), "{}", figures[2]);
    }
}
