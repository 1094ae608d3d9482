ALTER TABLE capture ADD COLUMN at_source TEXT NOT NULL DEFAULT 'response';

ALTER TABLE capture ADD COLUMN optouts TEXT NOT NULL DEFAULT '[]';

ALTER TABLE capture ADD COLUMN kept_because TEXT;

ALTER TABLE host ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;

ALTER TABLE article ADD COLUMN withdrawn TEXT;

ALTER TABLE revision ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';

ALTER TABLE revision ADD COLUMN words_added INTEGER NOT NULL DEFAULT 0;

ALTER TABLE revision ADD COLUMN words_removed INTEGER NOT NULL DEFAULT 0;

ALTER TABLE reading ADD COLUMN published_flag TEXT;

ALTER TABLE reading ADD COLUMN modified_flag TEXT;

ALTER TABLE frontier ADD COLUMN dated TEXT;

ALTER TABLE frontier ADD COLUMN listed_in INTEGER REFERENCES frontier(id);

CREATE INDEX frontier_listed_in ON frontier (listed_in) WHERE listed_in IS NOT NULL;

CREATE INDEX frontier_found_on ON frontier (found_on) WHERE kind = 'sitemap';

DROP INDEX frontier_host;

CREATE INDEX frontier_host ON frontier (host_id, site_id, state, priority DESC, due DESC);

DROP INDEX capture_verdict;

CREATE INDEX capture_verdict ON capture (verdict, site_id, at, kind);

DROP INDEX capture_asked;

CREATE INDEX capture_asked ON capture (asked, at);

DROP TABLE takedown;

CREATE TABLE takedown (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, digest BLOB NOT NULL UNIQUE, at TEXT NOT NULL, reason TEXT NOT NULL,
  decided_by TEXT NOT NULL
) STRICT;

CREATE TABLE warc (file TEXT PRIMARY KEY, indexed INTEGER NOT NULL) STRICT, WITHOUT ROWID;

INSERT INTO warc SELECT file, max("offset" + length) FROM visit GROUP BY file;

CREATE TABLE failure (
  run_id INTEGER NOT NULL REFERENCES run(id), url TEXT NOT NULL, site_id INTEGER NOT NULL REFERENCES site(id), at TEXT NOT NULL,
  outcome TEXT NOT NULL, status INTEGER, PRIMARY KEY (run_id, url)
) STRICT, WITHOUT ROWID;

CREATE TABLE lost (
  file TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (file, offset)
) STRICT, WITHOUT ROWID;

ALTER TABLE frontier ADD COLUMN pause REAL;

CREATE TABLE host_pattern (
  host TEXT NOT NULL, kind TEXT NOT NULL, shape TEXT NOT NULL, fruitful INTEGER NOT NULL, barren INTEGER NOT NULL, since TEXT NOT NULL,
  PRIMARY KEY (host, kind, shape)
) STRICT, WITHOUT ROWID;
