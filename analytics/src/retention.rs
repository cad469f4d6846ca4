//! How long sums are kept.

use crate::page::Level;
use crate::statement::Statement;

const HOUR_MS: i64 = 3_600_000;

/// Deletes pages whose time is over, at most `most` rows of each kind: minutes after two days, the cube after 90.
/// Hours and days are kept.
pub fn prune(now_ms: i64, most: i64) -> impl Iterator<Item = Statement> {
    [(Level::Minute, 49 * HOUR_MS), (Level::Cube, 91 * 24 * HOUR_MS)].into_iter().map(
        move |(level, kept_ms)| {
            Statement::new(
                "DELETE FROM sums WHERE level = ?1 AND (scope, page, chunk) IN \
             (SELECT scope, page, chunk FROM sums WHERE level = ?1 AND page < ?2 LIMIT ?3)",
                [level.code().into(), (now_ms - kept_ms).into(), most.into()],
            )
        },
    )
}
