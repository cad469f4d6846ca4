-- Which messages have been counted. Its primary key is what "counted once" means: a transaction that would count
-- a message again fails as a whole.
CREATE TABLE ledger (
  gate   TEXT    NOT NULL, -- the gate's name
  number INTEGER NOT NULL, -- the gate's number for the message
  at_ms  INTEGER NOT NULL, -- when it was counted
  PRIMARY KEY (gate, number)
) WITHOUT ROWID;

-- What has been counted for each gate: the other side of /stats/integrity.
CREATE TABLE applied (
  gate       TEXT    NOT NULL PRIMARY KEY,
  messages   INTEGER NOT NULL,
  events     INTEGER NOT NULL, -- events in the sums
  dead       INTEGER NOT NULL, -- events that could not be read, and wait in dead_letters
  duplicates INTEGER NOT NULL  -- copies that the gate turned away
) WITHOUT ROWID;

-- Sums as transactions added them, not yet folded into pages.
CREATE TABLE segments (
  part   INTEGER NOT NULL, -- partition of the scopes in it
  origin TEXT    NOT NULL, -- first message of the transaction, and a running number
  body   TEXT    NOT NULL,
  PRIMARY KEY (part, origin)
) WITHOUT ROWID;

-- How often a partition was folded. Two workers that fold the same segments collide on its primary key, and one
-- of them starts over.
CREATE TABLE folds (
  part       INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  PRIMARY KEY (part, generation)
) WITHOUT ROWID;

-- Pages: the sums of one scope in one span of time.
CREATE TABLE sums (
  level    TEXT    NOT NULL, -- m(inute), h(our, by quarters), d(ay), c(ube by day)
  scope    TEXT    NOT NULL, -- * | c/campaign | l/link
  page     INTEGER NOT NULL, -- epoch ms of its start
  chunk    INTEGER NOT NULL, -- parts of a large page are added up
  totals   TEXT    NOT NULL,
  detail   TEXT    NOT NULL,
  visitors TEXT    NOT NULL,
  PRIMARY KEY (level, scope, page, chunk)
) WITHOUT ROWID;

-- What could not be counted, with the reason, until somebody replays or deletes it.
CREATE TABLE dead_letters (
  id     TEXT    NOT NULL PRIMARY KEY, -- gate/number of the message and the place in it, or the queue's message id
  reason TEXT    NOT NULL,
  body   TEXT    NOT NULL,             -- the message or frame, base64
  at_ms  INTEGER NOT NULL
) WITHOUT ROWID;
