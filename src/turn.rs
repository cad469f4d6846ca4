//! Taking turns. An isolate has one thread, and where everything runs in one process the process has: who works on a
//! batch without a pause has every visitor wait. The clock stands still while code runs, so that work is measured in bytes.

use crate::group_commit::sleep;

/// So many bytes are worked on in one go: of messages some 250 events, 3 to 5 ms.
const TURN_BYTES: usize = 64 << 10;

/// Lets whatever waits have the thread: a timer fires when nothing else is to be done at once, and what has come in
/// meanwhile goes before.
pub(crate) async fn pause() {
    sleep(0).await;
}

/// A piece of work between two pauses.
#[derive(Default)]
pub(crate) struct Turn {
    done: usize,
}

impl Turn {
    /// Is called before so many bytes are worked on.
    pub(crate) async fn take(&mut self, bytes: usize) {
        if self.done > 0 && self.done + bytes > TURN_BYTES {
            pause().await;
            self.done = 0;
        }
        self.done += bytes;
    }
}
