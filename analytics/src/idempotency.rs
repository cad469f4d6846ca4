//! Requests that may be sent twice and count once: the answer is kept under the key that the client gave, in the
//! transaction of what it answers.

use sha2::{Digest, Sha256};

use crate::key::KeyHash;
use crate::{Reject, Statement};

/// How long an answer is kept. Clients give up retrying within hours.
const KEPT_MS: i64 = 86_400_000;
const KEY_MAX_BYTES: usize = 255;

/// What a request is known by: whoever sent it, the key that it carries, and what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    actor: String,
    key: String,
    fingerprint: String,
}

impl Request {
    /// A request that carries a key. `path` goes with its query.
    ///
    /// # Errors
    /// The key is none.
    pub fn new(actor: &str, key: &str, path: &str, body: &[u8]) -> Result<Self, Reject> {
        if key.is_empty() || key.len() > KEY_MAX_BYTES || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Reject::new("/Idempotency-Key", "has to have 1 to 255 visible ASCII characters"));
        }
        let digest = Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize();
        let fingerprint = KeyHash::from_digest(digest.into()).to_string();
        Ok(Self { actor: actor.to_owned(), key: key.to_owned(), fingerprint })
    }

    /// Whether this request is the one that was answered.
    pub fn is(&self, fingerprint: &str) -> bool {
        self.fingerprint == fingerprint
    }

    /// What was answered to the key: `request, status, answer`.
    pub fn find(&self, now_ms: i64) -> Statement {
        let sql = "SELECT request, status, answer FROM answered WHERE actor = ?1 AND key = ?2 AND at_ms > ?3";
        Statement::new(sql, [self.actor.as_str().into(), self.key.as_str().into(), (now_ms - KEPT_MS).into()])
    }

    /// Keeps the answer. If another request with the key was answered meanwhile, the transaction fails: of two that
    /// come at once one happens, and the other finds its answer.
    pub fn keep(&self, status: u16, answer: String, now_ms: i64) -> [Statement; 2] {
        // What is too old to be found and not yet swept would be in the way.
        let sweep = "DELETE FROM answered WHERE actor = ?1 AND key = ?2 AND at_ms <= ?3";
        let insert = "INSERT INTO answered (actor, key, request, status, answer, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (actor, key) = (self.actor.as_str(), self.key.as_str());
        [
            Statement::new(sweep, [actor.into(), key.into(), (now_ms - KEPT_MS).into()]),
            Statement::new(
                insert,
                [
                    actor.into(),
                    key.into(),
                    self.fingerprint.as_str().into(),
                    i64::from(status).into(),
                    answer.into(),
                    now_ms.into(),
                ],
            ),
        ]
    }
}

/// Forgets answers that are too old, at most so many. It reads a day's answers: hourly is often enough.
pub fn prune(now_ms: i64, most: i64) -> Statement {
    let sql = "DELETE FROM answered WHERE (actor, key) IN \
               (SELECT actor, key FROM answered WHERE at_ms <= ?1 LIMIT ?2)";
    Statement::new(sql, [(now_ms - KEPT_MS).into(), most.into()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_all_that_it_asks() {
        let request = |path, body: &str| Request::new("admin", "k", path, body.as_bytes()).unwrap();
        let first = request("/api/links", "{}");
        assert!(first.is(&request("/api/links", "{}").fingerprint));
        for other in
            [request("/api/links", "{ }"), request("/api/links/bulk", "{}"), request("/api/links\0{", "}")]
        {
            assert!(!first.is(&other.fingerprint));
        }
        assert_eq!(first.fingerprint.len(), 64);
    }

    #[test]
    fn a_key_is_short_and_visible() {
        for bad in ["", " ", "a b", "é", &"x".repeat(256)] {
            assert_eq!(Request::new("admin", bad, "/", b"").unwrap_err().pointer, "/Idempotency-Key");
        }
        Request::new("admin", &"~".repeat(255), "/", b"").unwrap();
    }
}
