-- Who changed what. Written in the transaction of the change, and never changed.
CREATE TABLE audit (
  id        INTEGER PRIMARY KEY,
  at_ms     INTEGER NOT NULL,
  actor     TEXT    NOT NULL, -- admin, or key:NAME#first digits of its hash
  action    TEXT    NOT NULL,
  entity    TEXT    NOT NULL,
  entity_id TEXT    NOT NULL,
  changes   TEXT    NOT NULL  -- JSON: {"field": [before, after]}
) STRICT;

CREATE INDEX audit_by_entity ON audit (entity, entity_id);

-- To the hour: a key that has not been used for a year can be revoked.
ALTER TABLE keys ADD COLUMN last_used_at_ms INTEGER;
