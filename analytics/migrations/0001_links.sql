-- The links: the store of record, of which KV holds copies for the redirect.
-- `record` is the whole link as JSON; the other columns repeat what statements look for.
-- Without rowid a link is one row written instead of two.
CREATE TABLE links (
  token TEXT PRIMARY KEY NOT NULL,
  record TEXT NOT NULL,
  campaign_id TEXT,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The list of links, newest first, page by page.
CREATE INDEX links_by_age ON links (created_at_ms, token);
