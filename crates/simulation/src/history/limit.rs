//! An end for what would never end by itself: a history in which everybody waits for ever, or nobody ever does.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Does `work` on a thread of its own, and waits for it at most so long. What goes on after that is left to itself until the program ends.
///
/// # Errors
///
/// It takes longer (`TimedOut`), it fails, or no thread can be had.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    what: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (tell, hear) = channel();
    // Nobody listens any more to what comes too late.
    let worker = thread::Builder::new().spawn(move || drop(tell.send(work())))?;
    match hear.recv_timeout(limit) {
        Ok(done) => done,
        Err(RecvTimeoutError::Timeout) => {
            let seconds = limit.as_secs();
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("{what} has not ended within {seconds} s")))
        }
        // It panicked, and is to be seen to.
        Err(RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => Err(io::Error::other(format!("{what} ended without a word"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_told_and_what_does_not_is_given_up() {
        assert_eq!(within(Duration::from_secs(60), "it", || Ok(7)).unwrap(), 7);
        let failed = within(Duration::from_secs(60), "it", || Err::<(), _>(io::Error::other("no"))).unwrap_err();
        assert_eq!(failed.to_string(), "no");
        let (_held, never) = channel::<()>();
        let late =
            within(Duration::from_millis(20), "seed 3", move || never.recv().map_err(io::Error::other)).unwrap_err();
        assert_eq!(
            (late.kind(), late.to_string().as_str()),
            (io::ErrorKind::TimedOut, "seed 3 has not ended within 0 s")
        );
    }

    #[test]
    #[should_panic(expected = "as it is")]
    fn a_panic_is_passed_on() {
        let _never = within(Duration::from_secs(60), "it", || -> io::Result<()> { panic!("as it is") });
    }
}
