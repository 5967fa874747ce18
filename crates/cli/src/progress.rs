//! The progress bar of `apply`: on a terminal only.

use std::time::Duration;

use ecs_etl_controller::once::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Terminal;

/// A bar on standard error.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar, invisible unless a person watches.
    pub fn new(terminal: &Terminal) -> Self {
        let target =
            if terminal.error_is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} jobs {msg}");
        let bar = ProgressBar::with_draw_target(Some(0), target);
        Self(match style {
            Ok(style) => bar.with_style(style),
            // The built-in style serves as well.
            Err(_) => bar,
        })
    }

    /// Shows how far the pass is.
    pub fn show(&self, progress: &Progress) {
        self.0.set_length(progress.jobs as u64);
        self.0.set_position(progress.done as u64);
        self.0.set_message(match progress.waiting {
            Some(wait) if wait > Duration::from_secs(1) => format!("waiting {} s for the next try", wait.as_secs()),
            Some(_) | None => String::new(),
        });
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
