-- Hits that were not recorded because their visitors did not want them to be: how many in an hour, and why.
CREATE TABLE dropped (
  hour_ms INTEGER NOT NULL,
  reason  TEXT    NOT NULL,
  hits    INTEGER NOT NULL,
  PRIMARY KEY (hour_ms, reason)
) STRICT, WITHOUT ROWID;
