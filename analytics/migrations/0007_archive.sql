-- The archive: which lines there are, in the order in which they were counted. A row is written in the transaction that
-- counts its lines; an object of the bucket that no row names is the remains of a try that failed.
CREATE TABLE archive (
  seq      INTEGER PRIMARY KEY, -- one more than the newest; the newest row is never deleted
  at_ms    INTEGER NOT NULL,    -- when they were counted
  name     TEXT,                -- the object that holds them
  body     TEXT,                -- or the lines themselves, until they are gathered: as they are, or gzip in base64
  parts    TEXT,                -- [[seq, lines], ...] of the rows that were gathered into this one
  lines    INTEGER NOT NULL,
  events   INTEGER NOT NULL,    -- together they are `applied.events`, if the archive is whole
  copies   INTEGER NOT NULL,    -- likewise `applied.duplicates`
  bytes    INTEGER NOT NULL,    -- of the lines
  first_ms INTEGER NOT NULL,    -- the earliest effective time among them
  last_ms  INTEGER NOT NULL,    -- the latest
  CHECK ((name IS NULL) <> (body IS NULL))
);
CREATE UNIQUE INDEX archive_objects ON archive (name) WHERE name IS NOT NULL;

-- How far the archive's upkeep is. NULL as a name is refused: that is how a transaction fails that comes too late.
CREATE TABLE archive_marks (
  name  TEXT    NOT NULL PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO archive_marks (name, value) VALUES
  ('gathered', 0), -- up to this number no row waits
  ('swept', 0);    -- hours since the epoch up to which unnamed objects are gone

-- Sums that are added up anew from the archive, until they take the place of `sums`; then what they replaced.
CREATE TABLE sums_rebuilt (
  level    TEXT    NOT NULL,
  scope    TEXT    NOT NULL,
  page     INTEGER NOT NULL,
  chunk    INTEGER NOT NULL,
  totals   TEXT    NOT NULL,
  detail   TEXT    NOT NULL,
  visitors TEXT    NOT NULL,
  PRIMARY KEY (level, scope, page, chunk)
) WITHOUT ROWID;

-- How far that is: one row while it goes on, or none. Two workers that add the same lines collide on its primary key.
CREATE TABLE rebuild (
  step   INTEGER NOT NULL PRIMARY KEY,
  seq    INTEGER NOT NULL, -- the archive's rows up to this number are added
  events INTEGER NOT NULL,
  copies INTEGER NOT NULL
) WITHOUT ROWID;
