-- People who asked to be erased: what for a receipt, and how far it is. Nobody's id is here, only a keyed hash of it.
CREATE TABLE erasures (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject      TEXT    NOT NULL, -- user_id, anonymous_id
  hash         TEXT    NOT NULL, -- HMAC of the id
  actor        TEXT    NOT NULL,
  requested_ms INTEGER NOT NULL, -- what counts before this is erased, whenever it arrives
  state        TEXT    NOT NULL, -- waiting, running, watching for what was on its way, done
  started_ms   INTEGER,
  erased_ms    INTEGER,          -- when all that was there was erased
  finished_ms  INTEGER,          -- when nothing that was on its way can arrive any more
  counts       TEXT    NOT NULL DEFAULT '{}' -- JSON, by place
) STRICT, WITHOUT ROWID;
CREATE INDEX erasures_by_state ON erasures (state) WHERE state <> 'done';

-- What they are known by: hashes of names, as journeys have them. Gone with the last of the watch.
CREATE TABLE erasure_keys (
  key     TEXT NOT NULL,
  erasure TEXT NOT NULL,
  PRIMARY KEY (key, erasure)
) STRICT, WITHOUT ROWID;

-- How far a run over all places is: one row while one goes on, or none. Two workers that take the same step collide.
CREATE TABLE erasure_run (
  step  INTEGER NOT NULL PRIMARY KEY,
  phase INTEGER NOT NULL,
  place INTEGER NOT NULL, -- in the phase
  upto  INTEGER NOT NULL, -- of the archive, if that is the phase
  round INTEGER NOT NULL, -- names that were found late begin another one
  grown INTEGER NOT NULL, -- names that were found in this one
  salt  TEXT    NOT NULL  -- of the ids of erased events; gone with the run
) STRICT, WITHOUT ROWID;

-- Objects of the archive that are being written in another's place, or wait to be deleted.
CREATE TABLE erasure_objects (
  name  TEXT    NOT NULL PRIMARY KEY,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO archive_marks (name, value) VALUES ('erased', 0); -- up to this number nobody is looked for any more

-- What retention removed, by class of data.
CREATE TABLE retention (
  class      TEXT    NOT NULL PRIMARY KEY,
  run_ms     INTEGER NOT NULL, -- when it last removed something, or looked
  removed    INTEGER NOT NULL, -- then
  removed_all INTEGER NOT NULL -- ever
) STRICT, WITHOUT ROWID;
