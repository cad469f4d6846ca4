//! The hub of the live view: gathers what gates see, and tells everybody who watches at once.
//!
//! Counts take as long as the cheapest way to count: a gate ships once a second, and a consumer waits for a batch up to
//! five. Whoever watches wants to see a click within two seconds. So a gate shows the hub what it ships while somebody
//! watches: 25 ms until the commit, at most a second until the gate ships, [`TICK_MS`] until the hub tells.
//!
//! A gate learns that somebody watches from the hub, as a lease that is renewed: [`RENEW_MS`], [`LEASE_MS`]. While
//! nobody does, a shipment costs a look at one number. Only a gate that has just woken does not know, and asks with what it
//! ships first. Nothing here is kept: what the hub forgets is in the gates' logs, from which [`REPLAY_MS`] are read again.

use queues::Glance;

/// So many may watch through one hub. Each gets up to 20 KB a second, 20 MB/s together, and 1,000 sends a second are some
/// 5 ms of its time; others ask for what was recent, which is answered from one second's copy.
pub const WATCHERS_MAX: usize = 1_000;

/// From the first event until the watchers are told. A crowd is told more rarely: [`CROWD_TICK_MS`].
pub const TICK_MS: i64 = 250;

/// The same for more than [`CROWD`] watchers.
pub const CROWD_TICK_MS: i64 = 1_000;

/// More watchers than sit in one office.
pub const CROWD: usize = 50;

/// How long a gate goes on without hearing that somebody still watches: two renewals may fail.
pub const LEASE_MS: i64 = 50_000;

/// How often gates are told that somebody still watches. With 256 gates that is 13 calls a second.
pub const RENEW_MS: i64 = 20_000;

/// How long somebody may watch before they have to show their key again.
pub const SOCKET_MS: i64 = 3_600_000;

/// How far back the gates' logs are read: they keep what their window and late copies need, which is ten minutes.
pub const REPLAY_MS: i64 = 600_000;

/// How much of its log a gate reads for that: about 2,000 events, some 10 ms.
pub const REPLAY_BYTES: usize = 1 << 20;

/// How long a copy of what was recent is good.
pub const RECENT_MS: i64 = 1_000;

/// What the hub keeps until the next tick.
#[derive(Debug, Default)]
pub struct Live {
    pending: Option<Glance>,
}

impl Live {
    /// Takes what a gate saw. `Some`: the watchers are to be told in so many ms, and nobody has been asked to yet.
    pub fn peek(&mut self, glance: Glance, watchers: usize) -> Option<i64> {
        if let Some(pending) = &mut self.pending {
            pending.merge(glance);
            return None;
        }
        self.pending = Some(glance);
        Some(if watchers > CROWD { CROWD_TICK_MS } else { TICK_MS })
    }

    /// What the watchers are to be told.
    pub fn take(&mut self) -> Option<Glance> {
        self.pending.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_between_two_ticks_is_told_at_once() {
        let mut live = Live::default();
        let click = || Glance { clicks: 1, ..Glance::default() };
        assert_eq!(live.peek(click(), 1), Some(TICK_MS));
        assert_eq!(live.peek(click(), 1), None);
        assert_eq!(live.take().map(|glance| glance.clicks), Some(2));
        assert_eq!(live.take(), None);
        assert_eq!(live.peek(click(), CROWD + 1), Some(CROWD_TICK_MS));
    }

    #[test]
    fn a_lease_outlives_two_failed_renewals_and_a_click_is_seen_in_two_seconds() {
        const { assert!(LEASE_MS > 2 * RENEW_MS) }
        let gate = crate::Settings::default();
        assert!(gate.commit_interval_ms + gate.ship_interval_ms + TICK_MS < 2_000);
        assert!(REPLAY_MS <= gate.window_ms + crate::LATE_MAX_MS);
    }
}
