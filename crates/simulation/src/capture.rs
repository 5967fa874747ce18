//! What the controller writes to its log, caught as operators would see it at the most talkative level that a person turns on.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;
use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The lines that nobody has looked at yet, each with the moment it was written.
#[derive(Debug, Clone, Default)]
pub struct Capture(Arc<Mutex<Vec<(Instant, String)>>>);

impl Capture {
    /// A subscriber that writes here. The clock it would show is the machine's, so it shows none.
    pub fn dispatch(&self) -> Dispatch {
        let filter =
            EnvFilter::new("off,ecs_etl_controller=debug,ecs_etl_aws=debug,ecs_etl_plan=debug,ecs_etl_spec=debug");
        let subscriber =
            tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).without_time().with_writer(self.clone());
        Dispatch::new(subscriber.finish())
    }

    /// Takes the lines that came since the last look.
    pub fn take(&self) -> Vec<(Instant, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<'a> MakeWriter<'a> for Capture {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Capture {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), text));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
