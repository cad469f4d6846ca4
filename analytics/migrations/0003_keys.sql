-- API keys, by hash.
CREATE TABLE keys (
  hash          TEXT    NOT NULL PRIMARY KEY, -- SHA-256, hex
  name          TEXT    NOT NULL,
  scopes        TEXT    NOT NULL, -- separated by spaces
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER
) WITHOUT ROWID;
