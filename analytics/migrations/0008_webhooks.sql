-- What has to be told to servers that are not ours: outbox, schedule and log in one. Written in the transaction of what
-- it tells of.
CREATE TABLE deliveries (
  number        INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE, -- what the receiver knows it by: telling it twice is telling it once
  owner         TEXT    NOT NULL,        -- a webhook's id, or what else calls
  event         TEXT    NOT NULL,
  target        TEXT,                    -- JSON [url, method, [[header, value]]]; null: the webhook's own
  body          TEXT    NOT NULL,        -- empty once it is delivered
  state         TEXT    NOT NULL,        -- waiting, delivered, dead
  attempts      INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  due_ms        INTEGER NOT NULL,        -- of the next try; of the last one once it is over
  expires_ms    INTEGER NOT NULL,        -- after this it is tried no more
  status        INTEGER,                 -- of the last answer
  error         TEXT                     -- why the last try failed
) STRICT;

CREATE INDEX deliveries_due ON deliveries (due_ms) WHERE state = 'waiting';
CREATE INDEX deliveries_over ON deliveries (due_ms) WHERE state <> 'waiting';
CREATE INDEX deliveries_by_owner ON deliveries (owner);

-- Receivers that fail, until they answer again.
CREATE TABLE failing (
  owner    TEXT    NOT NULL PRIMARY KEY,
  since_ms INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  held_ms  INTEGER NOT NULL -- before this it is not tried with anything
) STRICT, WITHOUT ROWID;

-- Up to where what stands elsewhere has been told: `audit`, a row's number; `expiry`, epoch ms.
CREATE TABLE told (
  source   TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Where each alert stands.
CREATE TABLE alert_states (
  rule   TEXT NOT NULL PRIMARY KEY,
  record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Links whose time comes to an end, in that order. The rest, at 2^53 - 1, take no row here.
CREATE INDEX links_by_expiry ON links (expires_at_ms) WHERE expires_at_ms < 9007199254740991;
