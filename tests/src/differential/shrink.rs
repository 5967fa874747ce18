//! The shortest sequence that still shows a difference.

use super::judge::{Bench, Unexplained};
use super::sequence::Call;

/// Leaves out calls, many at first and single ones at last, for as long as a difference like `wanted` shows.
pub fn shrink(bench: &Bench, calls: &[Call], wanted: &Unexplained) -> Vec<Call> {
    let last = calls.iter().position(|call| call.number == wanted.call.number).unwrap_or(calls.len() - 1);
    let mut calls = calls[..=last].to_vec();
    let mut size = calls.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at + size < calls.len() {
            let mut fewer = calls.clone();
            fewer.drain(at..at + size);
            if bench.judge(&fewer).unexplained.iter().any(|found| found.is_like(wanted)) {
                calls = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    calls
}
