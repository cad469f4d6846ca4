-- Segments that pages in this database hold already. They lie in the first database, and are taken away there afterwards.
-- Empty in the first database itself, where a fold is one transaction.
CREATE TABLE folded (
  part   INTEGER NOT NULL,
  origin TEXT    NOT NULL,
  at_ms  INTEGER NOT NULL, -- when it was folded
  PRIMARY KEY (part, origin)
) WITHOUT ROWID;
