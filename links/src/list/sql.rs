//! The texts of lists, each made whole at compile time: an order or a direction that stood in a parameter could not be
//! read from an index. Twenty texts that differ by a few words are 1 KB of wasm (gzip).

use super::Sort;

/// What a link has to be, whatever leads to it: `?1` search, `?2` tags, `?3` folder, `?4` campaign, `?5` host, `?6` state
/// at `?7`. `?8` is the limit.
macro_rules! filters {
    () => {
        "(?1 = '' OR instr(l.words, ?1) > 0) AND (?2 = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(?2) wanted \
         WHERE NOT EXISTS (SELECT 1 FROM link_labels WHERE kind = 'tag' AND label = wanted.value \
         AND created_at_ms = l.created_at_ms AND token = l.token AND domain = l.domain))) \
         AND (?3 IS NULL OR l.folder = ?3) AND (?4 IS NULL OR l.campaign_id = ?4) \
         AND (?5 IS NULL OR l.domain = ?5) AND CASE ?6 WHEN 'all' THEN 1 WHEN '' THEN l.deleted_at_ms IS NULL \
         ELSE ?6 = CASE WHEN l.deleted_at_ms IS NOT NULL THEN 'deleted' WHEN l.archived THEN 'archived' \
         WHEN l.starts_at_ms > ?7 THEN 'scheduled' WHEN l.expires_at_ms <= ?7 THEN 'expired' ELSE 'active' END END"
    };
}

/// The one link that has the external id `?9`, if the filters let it through.
pub(super) const BY_EXTERNAL_ID: &str = concat!(
    "SELECT l.record, '' AS place FROM links l WHERE l.external_id = ?9 AND ",
    filters!(),
    " LIMIT ?8"
);

/// A list sorted by `$place`, which is a column of `$from`, in one direction, behind `?9`, `?10`, `?11`.
macro_rules! sorted {
    ($from:expr, $where:literal, $row:literal, $place:literal, $than:literal, $way:literal) => {
        concat!(
            "SELECT l.record, CAST(",
            $place,
            " AS TEXT) AS place FROM ",
            $from,
            " WHERE ",
            $where,
            "(",
            $place,
            ", ",
            $row,
            ".token, ",
            $row,
            ".domain) ",
            $than,
            " (?9, ?10, ?11) AND ",
            filters!(),
            " ORDER BY ",
            $place,
            " ",
            $way,
            ", ",
            $row,
            ".token ",
            $way,
            ", ",
            $row,
            ".domain ",
            $way,
            " LIMIT ?8"
        )
    };
}

macro_rules! everything {
    ($place:literal, $than:literal, $way:literal) => {
        sorted!("links l", "", "l", $place, $than, $way)
    };
}

/// The links of the label `?13` of kind `?12`.
macro_rules! labelled {
    ($row:literal, $place:literal, $than:literal, $way:literal) => {
        sorted!(
            "link_labels f CROSS JOIN links l ON l.token = f.token AND l.domain = f.domain",
            "f.kind = ?12 AND f.label = ?13 AND ",
            $row,
            $place,
            $than,
            $way
        )
    };
}

/// By token alone: its place is the token itself.
macro_rules! by_token {
    ($than:literal, $way:literal) => {
        concat!(
            "SELECT l.record, '' AS place FROM links l WHERE (l.token, l.domain) ",
            $than,
            " (?10, ?11) AND ",
            filters!(),
            " ORDER BY l.token ",
            $way,
            ", l.domain ",
            $way,
            " LIMIT ?8"
        )
    };
}

pub(super) fn sorted_by(sort: Sort, descending: bool, labelled: bool) -> &'static str {
    match (sort, descending, labelled) {
        (Sort::Created, true, false) => everything!("l.created_at_ms", "<", "DESC"),
        (Sort::Created, false, false) => everything!("l.created_at_ms", ">", "ASC"),
        (Sort::Updated, true, false) => everything!("l.updated_at_ms", "<", "DESC"),
        (Sort::Updated, false, false) => everything!("l.updated_at_ms", ">", "ASC"),
        (Sort::Title, true, false) => everything!("l.title", "<", "DESC"),
        (Sort::Title, false, false) => everything!("l.title", ">", "ASC"),
        (Sort::Expires, true, false) => everything!("l.expires_at_ms", "<", "DESC"),
        (Sort::Expires, false, false) => everything!("l.expires_at_ms", ">", "ASC"),
        (Sort::Token, true, false) => by_token!("<", "DESC"),
        (Sort::Token, false, false) => by_token!(">", "ASC"),
        (Sort::Created, true, true) => labelled!("f", "f.created_at_ms", "<", "DESC"),
        (Sort::Created, false, true) => labelled!("f", "f.created_at_ms", ">", "ASC"),
        (Sort::Updated, true, true) => labelled!("l", "l.updated_at_ms", "<", "DESC"),
        (Sort::Updated, false, true) => labelled!("l", "l.updated_at_ms", ">", "ASC"),
        (Sort::Title, true, true) => labelled!("l", "l.title", "<", "DESC"),
        (Sort::Title, false, true) => labelled!("l", "l.title", ">", "ASC"),
        (Sort::Expires, true, true) => labelled!("l", "l.expires_at_ms", "<", "DESC"),
        (Sort::Expires, false, true) => labelled!("l", "l.expires_at_ms", ">", "ASC"),
        (Sort::Token, true, true) => labelled!("l", "l.token", "<", "DESC"),
        (Sort::Token, false, true) => labelled!("l", "l.token", ">", "ASC"),
    }
}
