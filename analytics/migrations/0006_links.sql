-- Links of one host, and the list of links: by age, by change, by external id, by label.
-- The record is the truth: every column but the key and the words is computed from it, so that none can say otherwise.
ALTER TABLE links RENAME TO links_before;
DROP INDEX links_by_age;

CREATE TABLE links (
  token  TEXT NOT NULL,
  domain TEXT NOT NULL, -- empty: every host
  record TEXT NOT NULL,
  words  TEXT NOT NULL, -- what a search looks through, in lower case; its first line is the title
  version       INTEGER NOT NULL AS (coalesce(record ->> '$.version', 1)) STORED,
  external_id   TEXT             AS (record ->> '$.external_id') STORED,
  folder        TEXT    NOT NULL AS (coalesce(record ->> '$.folder', '')) STORED,
  campaign_id   TEXT    NOT NULL AS (coalesce(record ->> '$.campaign_id', '')) STORED,
  archived      INTEGER NOT NULL AS (coalesce(record ->> '$.archived', 0)) STORED,
  starts_at_ms  INTEGER NOT NULL AS (coalesce(record ->> '$.starts_at_ms', 0)) STORED,
  expires_at_ms INTEGER NOT NULL AS (coalesce(record ->> '$.expires_at_ms', 9007199254740991)) STORED, -- or 2^53 - 1
  deleted_at_ms INTEGER          AS (record ->> '$.deleted_at_ms') STORED,
  created_at_ms INTEGER NOT NULL AS (coalesce(record ->> '$.created_at_ms', 0)) STORED,
  updated_at_ms INTEGER NOT NULL AS (coalesce(record ->> '$.updated_at_ms', 0)) STORED,
  title         TEXT    NOT NULL AS (substr(words, 1, min(64, instr(words, char(10)) - 1))) VIRTUAL, -- to sort by
  PRIMARY KEY (token, domain)
) STRICT, WITHOUT ROWID;

CREATE INDEX links_by_age ON links (created_at_ms, token, domain);
CREATE INDEX links_by_change ON links (updated_at_ms, token, domain);
CREATE UNIQUE INDEX links_by_external_id ON links (external_id) WHERE external_id IS NOT NULL;

-- The tags, the folder and the campaign of each link. A label's links stand in the order of the list, newest first.
CREATE TABLE link_labels (
  kind          TEXT    NOT NULL, -- tag, folder, campaign
  label         TEXT    NOT NULL,
  created_at_ms INTEGER NOT NULL, -- the link's
  token         TEXT    NOT NULL,
  domain        TEXT    NOT NULL,
  deleted       INTEGER NOT NULL, -- 1: its link is, and does not count
  PRIMARY KEY (kind, label, created_at_ms, token, domain)
) STRICT, WITHOUT ROWID;

-- Whoever writes a link writes its labels: no statement can forget them.
CREATE TRIGGER link_labelled AFTER INSERT ON links BEGIN
  INSERT OR IGNORE INTO link_labels (kind, label, created_at_ms, token, domain, deleted)
  SELECT kind, label, NEW.created_at_ms, NEW.token, NEW.domain, NEW.deleted_at_ms IS NOT NULL FROM (
    SELECT 'tag' AS kind, value AS label FROM json_each(NEW.record, '$.tags')
    UNION ALL SELECT 'folder', NEW.folder UNION ALL SELECT 'campaign', NEW.campaign_id
  ) WHERE label <> '';
END;

CREATE TRIGGER link_unlabelled AFTER DELETE ON links BEGIN
  DELETE FROM link_labels WHERE kind = 'tag' AND label IN (SELECT value FROM json_each(OLD.record, '$.tags'))
    AND created_at_ms = OLD.created_at_ms AND token = OLD.token AND domain = OLD.domain;
  DELETE FROM link_labels WHERE kind = 'folder' AND label = OLD.folder
    AND created_at_ms = OLD.created_at_ms AND token = OLD.token AND domain = OLD.domain;
  DELETE FROM link_labels WHERE kind = 'campaign' AND label = OLD.campaign_id
    AND created_at_ms = OLD.created_at_ms AND token = OLD.token AND domain = OLD.domain;
END;

CREATE TRIGGER link_relabelled AFTER UPDATE OF record ON links
WHEN (OLD.folder, OLD.campaign_id, OLD.created_at_ms, OLD.deleted_at_ms IS NULL, coalesce(OLD.record -> '$.tags', ''))
  <> (NEW.folder, NEW.campaign_id, NEW.created_at_ms, NEW.deleted_at_ms IS NULL, coalesce(NEW.record -> '$.tags', ''))
BEGIN
  DELETE FROM link_labels WHERE kind = 'tag' AND label IN (SELECT value FROM json_each(OLD.record, '$.tags'))
    AND created_at_ms = OLD.created_at_ms AND token = OLD.token AND domain = OLD.domain;
  DELETE FROM link_labels WHERE kind = 'folder' AND label = OLD.folder
    AND created_at_ms = OLD.created_at_ms AND token = OLD.token AND domain = OLD.domain;
  DELETE FROM link_labels WHERE kind = 'campaign' AND label = OLD.campaign_id
    AND created_at_ms = OLD.created_at_ms AND token = OLD.token AND domain = OLD.domain;
  INSERT OR IGNORE INTO link_labels (kind, label, created_at_ms, token, domain, deleted)
  SELECT kind, label, NEW.created_at_ms, NEW.token, NEW.domain, NEW.deleted_at_ms IS NOT NULL FROM (
    SELECT 'tag' AS kind, value AS label FROM json_each(NEW.record, '$.tags')
    UNION ALL SELECT 'folder', NEW.folder UNION ALL SELECT 'campaign', NEW.campaign_id
  ) WHERE label <> '';
END;

INSERT INTO links (token, domain, record, words)
SELECT record ->> '$.token', coalesce(record ->> '$.domain', ''), record, lower(
  coalesce(record ->> '$.title', '') || char(10) || token || char(10) || coalesce(record ->> '$.url', '')
) FROM links_before;
DROP TABLE links_before;

-- Answers to requests that carried an idempotency key, for a day: whoever sends one again gets the answer again.
CREATE TABLE answered (
  actor   TEXT    NOT NULL,
  key     TEXT    NOT NULL,
  request TEXT    NOT NULL, -- fingerprint of the method, the path and the body
  status  INTEGER NOT NULL,
  answer  TEXT    NOT NULL,
  at_ms   INTEGER NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
