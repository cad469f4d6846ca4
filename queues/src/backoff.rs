//! How long to wait before the next try.

/// Twice as long as the last time, from `first_ms` up to `most_ms`; `attempts` is how many tries there were.
pub fn backoff_ms(first_ms: i64, attempts: u32, most_ms: i64) -> i64 {
    let doubled = first_ms.saturating_mul(1i64.checked_shl(attempts.min(40)).unwrap_or(i64::MAX));
    doubled.clamp(first_ms.min(most_ms), most_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most() {
        let waits: Vec<_> = (0..6).map(|attempts| backoff_ms(1_000, attempts, 10_000)).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        assert_eq!(backoff_ms(i64::MAX / 2, u32::MAX, i64::MAX), i64::MAX);
    }
}
