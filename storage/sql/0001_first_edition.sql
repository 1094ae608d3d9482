CREATE TABLE site (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, home TEXT NOT NULL, parser TEXT, timezone TEXT, first_seen TEXT NOT NULL
) STRICT;

CREATE TABLE run (
  id INTEGER PRIMARY KEY, command TEXT NOT NULL, version TEXT NOT NULL, settings TEXT NOT NULL, started TEXT NOT NULL, ended TEXT,
  state TEXT NOT NULL, counts TEXT NOT NULL DEFAULT '{}', errors INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE host (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_seen TEXT NOT NULL, last_request TEXT, requests INTEGER NOT NULL DEFAULT 0,
  held_until TEXT, held_for TEXT
) STRICT;

CREATE TABLE frontier (
  id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, host_id INTEGER NOT NULL REFERENCES host(id),
  site_id INTEGER NOT NULL REFERENCES site(id), kind TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'due', due TEXT, leased_by INTEGER REFERENCES run(id), leased_until TEXT,
  failures INTEGER NOT NULL DEFAULT 0, checks INTEGER NOT NULL DEFAULT 0, status INTEGER, outcome TEXT, etag TEXT,
  last_modified TEXT, found_on TEXT, first_seen TEXT NOT NULL, last_fetched TEXT
) STRICT;

CREATE INDEX frontier_due ON frontier (site_id, state, due);

CREATE INDEX frontier_host ON frontier (host_id, state, priority, due);

CREATE TABLE capture (
  id INTEGER PRIMARY KEY, site_id INTEGER REFERENCES site(id), run_id INTEGER REFERENCES run(id), kind TEXT NOT NULL,
  asked TEXT NOT NULL, url TEXT NOT NULL, at TEXT NOT NULL, status INTEGER NOT NULL, content_type TEXT, charset TEXT,
  charset_source TEXT, verdict TEXT, problem TEXT, withheld TEXT, title TEXT, size INTEGER NOT NULL, digest BLOB NOT NULL,
  payload_digest TEXT NOT NULL, file TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL
) STRICT;

CREATE INDEX capture_asked ON capture (asked, id);

CREATE INDEX capture_verdict ON capture (verdict, site_id);

CREATE TABLE visit (
  id INTEGER PRIMARY KEY, capture_id INTEGER NOT NULL REFERENCES capture(id), run_id INTEGER REFERENCES run(id), at TEXT NOT NULL,
  status INTEGER NOT NULL, file TEXT NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL
) STRICT;

CREATE INDEX visit_capture ON visit (capture_id);

CREATE INDEX visit_place ON visit (file, offset);

CREATE TABLE article (
  id INTEGER PRIMARY KEY, site_id INTEGER REFERENCES site(id), url TEXT NOT NULL UNIQUE, first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL
) STRICT;

CREATE INDEX article_site ON article (site_id, first_seen);

CREATE TABLE alias (
  url TEXT PRIMARY KEY, article_id INTEGER NOT NULL REFERENCES article(id), source TEXT NOT NULL, first_seen TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX alias_article ON alias (article_id);

CREATE TABLE revision (
  id INTEGER PRIMARY KEY, article_id INTEGER NOT NULL REFERENCES article(id), n INTEGER NOT NULL,
  capture_id INTEGER NOT NULL REFERENCES capture(id), at TEXT NOT NULL, digest BLOB NOT NULL, text_digest BLOB NOT NULL,
  title_changed INTEGER NOT NULL, body_changed INTEGER NOT NULL, UNIQUE (article_id, n)
) STRICT;

CREATE INDEX revision_text ON revision (text_digest);

CREATE TABLE reading (
  id INTEGER PRIMARY KEY, revision_id INTEGER NOT NULL REFERENCES revision(id), capture_id INTEGER NOT NULL REFERENCES capture(id),
  at TEXT NOT NULL, parser_version TEXT NOT NULL, layout TEXT, parser_site TEXT, latest INTEGER NOT NULL, title TEXT NOT NULL,
  teaser TEXT NOT NULL, description TEXT NOT NULL, body TEXT NOT NULL, blocks TEXT NOT NULL, captions TEXT NOT NULL,
  section TEXT, sections TEXT NOT NULL, language TEXT, paywall INTEGER, image TEXT, published_utc TEXT, published_raw TEXT,
  published_zone_source TEXT, published_precision TEXT, modified_utc TEXT, modified_raw TEXT, modified_zone_source TEXT,
  modified_precision TEXT, words INTEGER NOT NULL, provenance TEXT NOT NULL
) STRICT;

CREATE INDEX reading_revision ON reading (revision_id, latest);

CREATE INDEX reading_published ON reading (published_utc) WHERE latest = 1;

CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL, normalised TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE article_tag (
  reading_id INTEGER NOT NULL REFERENCES reading(id), tag_id INTEGER NOT NULL REFERENCES tag(id), position INTEGER NOT NULL,
  PRIMARY KEY (reading_id, tag_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX article_tag_tag ON article_tag (tag_id);

CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL, normalised TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE article_author (
  reading_id INTEGER NOT NULL REFERENCES reading(id), author_id INTEGER NOT NULL REFERENCES author(id), position INTEGER NOT NULL,
  PRIMARY KEY (reading_id, author_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX article_author_author ON article_author (author_id);

CREATE TABLE affiliation (id INTEGER PRIMARY KEY, name TEXT NOT NULL, normalised TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE person (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, normalised TEXT NOT NULL, honorific TEXT, type TEXT NOT NULL,
  affiliation_id INTEGER REFERENCES affiliation(id), first_seen TEXT NOT NULL, last_seen TEXT NOT NULL
) STRICT;

CREATE INDEX person_name ON person (normalised, type);

CREATE TABLE quote (
  id INTEGER PRIMARY KEY, reading_id INTEGER NOT NULL REFERENCES reading(id), person_id INTEGER NOT NULL REFERENCES person(id),
  n INTEGER NOT NULL, speaker TEXT NOT NULL, speaker_type TEXT NOT NULL, speaker_start INTEGER, speaker_end INTEGER, role TEXT,
  affiliation_id INTEGER REFERENCES affiliation(id), cue TEXT NOT NULL, text TEXT NOT NULL, kind TEXT NOT NULL,
  confidence REAL NOT NULL, UNIQUE (reading_id, n)
) STRICT;

CREATE INDEX quote_person ON quote (person_id);

CREATE TABLE quote_span (
  quote_id INTEGER NOT NULL REFERENCES quote(id), n INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
  PRIMARY KEY (quote_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE front (
  id INTEGER PRIMARY KEY, site_id INTEGER NOT NULL REFERENCES site(id), url TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  title TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL
) STRICT;

CREATE TABLE card (
  id INTEGER PRIMARY KEY, site_id INTEGER NOT NULL REFERENCES site(id), url TEXT NOT NULL, title TEXT NOT NULL,
  teaser TEXT NOT NULL, section TEXT NOT NULL, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL,
  UNIQUE (url, title, teaser, section)
) STRICT;

CREATE TABLE placement (
  front_id INTEGER NOT NULL REFERENCES front(id), card_id INTEGER NOT NULL REFERENCES card(id), position INTEGER NOT NULL,
  since INTEGER NOT NULL REFERENCES visit(id), until INTEGER NOT NULL REFERENCES visit(id),
  PRIMARY KEY (front_id, position, card_id, since)
) STRICT, WITHOUT ROWID;

CREATE INDEX placement_card ON placement (card_id);

CREATE INDEX placement_until ON placement (front_id, until);

CREATE TABLE story (id INTEGER PRIMARY KEY, first_seen TEXT NOT NULL) STRICT;

CREATE TABLE story_member (
  story_id INTEGER NOT NULL REFERENCES story(id), article_id INTEGER NOT NULL UNIQUE REFERENCES article(id), kind TEXT NOT NULL,
  shared REAL NOT NULL, PRIMARY KEY (story_id, article_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  site_id INTEGER NOT NULL REFERENCES site(id), day TEXT NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (site_id, day, stage, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE takedown (
  id INTEGER PRIMARY KEY, url_digest BLOB NOT NULL UNIQUE, at TEXT NOT NULL, reason TEXT NOT NULL, decided_by TEXT NOT NULL
) STRICT;

CREATE TABLE _dictionary (
  object TEXT NOT NULL, "column" TEXT NOT NULL, kind TEXT NOT NULL, type TEXT NOT NULL, unit TEXT NOT NULL, meaning TEXT NOT NULL,
  PRIMARY KEY (object, "column")
) STRICT;

CREATE VIEW _latest_text AS SELECT id, title, teaser, body FROM reading WHERE latest = 1;

CREATE VIRTUAL TABLE text_fts USING fts5 (
  title, teaser, body, content = '_latest_text', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
);

CREATE TRIGGER reading_added AFTER INSERT ON reading WHEN new.latest = 1 BEGIN
  INSERT INTO text_fts (rowid, title, teaser, body) VALUES (new.id, new.title, new.teaser, new.body);
END;

CREATE TRIGGER reading_removed AFTER DELETE ON reading WHEN old.latest = 1 BEGIN
  INSERT INTO text_fts (text_fts, rowid, title, teaser, body) VALUES ('delete', old.id, old.title, old.teaser, old.body);
END;

CREATE TRIGGER reading_changed AFTER UPDATE OF latest, title, teaser, body ON reading BEGIN
  INSERT INTO text_fts (text_fts, rowid, title, teaser, body)
    SELECT 'delete', old.id, old.title, old.teaser, old.body WHERE old.latest = 1;
  INSERT INTO text_fts (rowid, title, teaser, body) SELECT new.id, new.title, new.teaser, new.body WHERE new.latest = 1;
END;
