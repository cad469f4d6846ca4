-- What customers keep by name: campaigns and publishers. `record` is the whole of it as JSON; the other columns
-- repeat what statements look for.
CREATE TABLE catalog (
  sort          TEXT    NOT NULL, -- campaign, publisher
  id            TEXT    NOT NULL, -- the customer's
  record        TEXT    NOT NULL,
  version       INTEGER NOT NULL,
  state         TEXT    NOT NULL, -- deleted, archived, or its status
  words         TEXT    NOT NULL, -- what a search looks through, in lower case
  created_at_ms INTEGER NOT NULL,
  change        INTEGER NOT NULL, -- counts the changes of its sort: who knows up to one asks for what came after
  PRIMARY KEY (sort, id)
) STRICT, WITHOUT ROWID;

-- The list, newest first, page by page.
CREATE INDEX catalog_by_age ON catalog (sort, created_at_ms, id);

CREATE UNIQUE INDEX catalog_by_change ON catalog (sort, change);
