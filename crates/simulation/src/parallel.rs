//! Work that is shared out among threads.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Does `work` for each of `items`, on so many threads, and tells what came of each in their order. What takes longest comes last, and
/// is best begun first.
///
/// # Errors
///
/// The first that any of them met with.
pub fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> io::Result<R> + Sync,
) -> io::Result<Vec<R>> {
    let waiting = Mutex::new((0..items.len()).collect::<Vec<_>>());
    let share = || -> io::Result<Vec<(usize, R)>> {
        let mut done = Vec::new();
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some((index, item)) = next.and_then(|index| Some((index, items.get(index)?))) else {
                return Ok(done);
            };
            done.push((index, work(item)?));
        }
    };
    let mut outcomes = BTreeMap::new();
    std::thread::scope(|scope| -> io::Result<()> {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(share)).collect();
        for worker in workers {
            match worker.join() {
                Ok(done) => outcomes.extend(done?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(())
    })?;
    Ok(outcomes.into_values().collect())
}
