//! Callers of an object who wait for the same commit.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use worker::Delay;

/// What has something to write.
pub(crate) trait Writes {
    /// Writes it; `false` if that failed.
    fn write(self: Rc<Self>) -> bool;
}

/// Those who wait for the commit that is due next. Each is told whether it went through.
#[derive(Default)]
pub(crate) struct GroupCommit {
    waiting: RefCell<Vec<oneshot::Sender<bool>>>,
    due: Cell<bool>,
}

impl GroupCommit {
    /// Whether a commit is due: whoever comes meanwhile joins its group.
    pub(crate) fn is_due(&self) -> bool {
        self.due.get()
    }

    /// Resolves when the group is written, to whether it is. The first of a group says in how many ms that is due,
    /// which may be at once.
    pub(crate) async fn join(self: &Rc<Self>, in_ms: i64, log: Rc<dyn Writes>) -> bool {
        if !self.due.get() {
            if in_ms <= 0 {
                return log.write();
            }
            self.due.set(true);
            let group = Rc::clone(self);
            // Not in the caller's own future: that is dropped when its client goes away, and the others wait on.
            wasm_bindgen_futures::spawn_local(async move {
                sleep(in_ms).await;
                group.due.set(false);
                let written = log.write();
                let waiting = std::mem::take(&mut *group.waiting.borrow_mut());
                // A caller that is gone does not mind.
                for caller in waiting {
                    let _ = caller.send(written);
                }
            });
        }
        let (caller, told) = oneshot::channel();
        self.waiting.borrow_mut().push(caller);
        told.await.unwrap_or(false)
    }
}

/// Resolves after so many ms; at once if there are none.
pub(crate) async fn sleep(ms: i64) {
    Delay::from(Duration::from_millis(ms.max(0).unsigned_abs())).await;
}
