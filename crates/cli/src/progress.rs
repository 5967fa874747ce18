//! The progress bar of `apply`: on a terminal only.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ecs_etl_controller::once::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Terminal;

/// The bar on the screen, so that log lines can step aside for it.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Runs `write`, which writes lines to standard error, above the bar if there is one.
pub fn aside<T>(write: impl FnOnce() -> T) -> T {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match shown {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A bar on standard error.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar, invisible unless a person watches.
    pub fn new(terminal: &Terminal) -> Self {
        if !terminal.error_is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} jobs {msg}");
        let bar = match style {
            Ok(style) => bar.with_style(style),
            // The built-in style serves as well.
            Err(_) => bar,
        };
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(bar)
    }

    /// Shows how far the pass is.
    pub fn show(&self, progress: &Progress) {
        self.0.set_length(progress.jobs as u64);
        self.0.set_position(progress.done as u64);
        self.0.set_message(message(progress));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.finish_and_clear();
    }
}

/// What is being waited for, and for how long.
///
/// While jobs have not been looked at, more may come to wait: the time is then the least it can be.
fn message(progress: &Progress) -> String {
    let unseen = progress.seen < progress.jobs;
    match (progress.left, progress.waiting) {
        (Some(left), _) if left > SHORT => {
            let about = if unseen { "at least" } else { "about" };
            format!("{about} {} left, {} wait for the call budget", rough(left), progress.in_line)
        }
        (_, Some(wait)) if wait > SHORT => format!("waiting {} s for the next try", wait.as_secs()),
        (Some(_) | None, Some(_) | None) => String::new(),
    }
}

/// Waits that are not worth a word.
const SHORT: Duration = Duration::from_secs(1);

/// A time in the largest units that matter: seconds below two minutes, then minutes, then hours and minutes.
fn rough(time: Duration) -> String {
    let seconds = time.as_secs().max(1);
    let minutes = seconds.div_ceil(60);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{minutes} min"),
        7200.. => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_left_is_told_in_the_units_that_matter() {
        for (seconds, expected) in
            [(0, "1 s"), (119, "119 s"), (120, "2 min"), (121, "3 min"), (7199, "120 min"), (20_000, "5 h 34 min")]
        {
            assert_eq!(rough(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn the_time_left_is_a_bound_until_every_job_was_looked_at() {
        let left = Some(Duration::from_secs(200));
        let early = Progress { done: 3, seen: 50, jobs: 100, waiting: None, left, in_line: 47 };
        assert_eq!(message(&early), "at least 4 min left, 47 wait for the call budget");
        let late = Progress { seen: 100, in_line: 97, ..early };
        assert_eq!(message(&late), "about 4 min left, 97 wait for the call budget");
        let retry = Progress { waiting: Some(Duration::from_secs(4)), left: None, in_line: 0, ..late.clone() };
        assert_eq!(message(&retry), "waiting 4 s for the next try");
        assert_eq!(message(&Progress { waiting: None, ..retry }), "");
    }
}
