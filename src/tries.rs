//! What an isolate remembers of tries that failed, for longer than the platform's limits do, or without asking.
//!
//! An isolate is one of several in its data centre, and forgets all when it ends: whoever comes often enough to matter
//! mostly meets the same one, but this is a brake and no wall.

use std::collections::HashMap;

/// Some 100 bytes each. Whoever fills it has as many networks as it has places, and no memory helps against those.
const MOST_KEPT: usize = 2_000;

/// How often each failed since when; the times are whole windows.
#[derive(Debug, Default)]
pub(crate) struct Tries(HashMap<String, (i64, u32)>);

impl Tries {
    /// Notes one that failed.
    pub(crate) fn note(&mut self, who: &str, now_ms: i64, window_ms: i64) {
        if self.0.len() >= MOST_KEPT {
            self.0.retain(|_, (since_ms, _)| now_ms - *since_ms < window_ms);
            if self.0.len() >= MOST_KEPT {
                self.0.clear();
            }
        }
        match self.0.get_mut(who) {
            Some((since_ms, times)) if now_ms - *since_ms < window_ms => *times = times.saturating_add(1),
            _ => drop(self.0.insert(who.to_owned(), (now_ms, 1))),
        }
    }

    /// In how many seconds it may be tried again, if it failed `most` times since the window began.
    pub(crate) fn wait(&self, who: &str, now_ms: i64, window_ms: i64, most: u32) -> Option<u32> {
        let (since_ms, times) = self.0.get(who)?;
        let left_ms = since_ms + window_ms - now_ms;
        (*times >= most && left_ms > 0).then(|| (left_ms.min(window_ms) as u32).div_ceil(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn so_many_may_fail_in_a_window_and_the_next_has_to_wait_for_its_end() {
        let mut tries = Tries::default();
        for n in 0..3 {
            assert_eq!(tries.wait("a", n, HOUR, 3), None);
            tries.note("a", n, HOUR);
        }
        assert_eq!(tries.wait("a", 1_000, HOUR, 3), Some(3_599));
        assert_eq!(tries.wait("b", 1_000, HOUR, 3), None, "each for itself");
        assert_eq!(tries.wait("a", HOUR - 1, HOUR, 3), Some(1));
        assert_eq!(tries.wait("a", HOUR, HOUR, 3), None);
        tries.note("a", HOUR, HOUR);
        assert_eq!(tries.wait("a", HOUR, HOUR, 3), None, "a new window");
        assert_eq!(tries.wait("a", HOUR - 5_000, HOUR, 1), Some(3_600), "a clock that goes back");
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let mut tries = Tries::default();
        for n in 0..10 * MOST_KEPT {
            tries.note(&n.to_string(), n as i64, HOUR);
            assert!(tries.0.len() <= MOST_KEPT);
        }
    }
}
