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
        self.0.set_message(match progress.waiting {
            Some(wait) if wait > Duration::from_secs(1) => format!("waiting {} s for the next try", wait.as_secs()),
            Some(_) | None => String::new(),
        });
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.finish_and_clear();
    }
}
