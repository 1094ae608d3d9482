CREATE VIEW quotes AS
SELECT q.id, q.speaker, p.honorific, q.speaker_type, q.role, f.name AS affiliation, q.cue, q.text, q.kind, q.confidence,
  s.name AS site, r.section, r.title, a.url, r.published_utc, r.published_flag, a.id AS article_id, q.person_id
FROM quote q JOIN reading r ON r.id = q.reading_id AND r.latest = 1 JOIN revision v ON v.id = r.revision_id
JOIN article a ON a.id = v.article_id JOIN person p ON p.id = q.person_id
LEFT JOIN affiliation f ON f.id = q.affiliation_id LEFT JOIN site s ON s.id = a.site_id;

CREATE VIEW articles AS
SELECT a.id, a.url, s.name AS site, r.title, r.teaser, coalesce(c.teaser, '') AS card_teaser, r.description,
  coalesce(nullif(r.teaser, ''), nullif(c.teaser, ''), r.description) AS summary, r.body, r.words,
  (SELECT group_concat(name, '; ') FROM (SELECT u.name FROM article_author x JOIN author u ON u.id = x.author_id
    WHERE x.reading_id = r.id ORDER BY x.position)) AS authors,
  (SELECT group_concat(name, '; ') FROM (SELECT t.name FROM article_tag x JOIN tag t ON t.id = x.tag_id
    WHERE x.reading_id = r.id ORDER BY x.position)) AS tags,
  r.section, r.language, r.paywall, r.image ->> 'url' AS image, r.published_utc, r.published_raw, r.published_zone_source,
  r.published_precision, r.published_flag, r.modified_utc, r.layout, r.parser_version, k.verdict, v.n AS revisions,
  (SELECT count(*) FROM quote q WHERE q.reading_id = r.id) AS quotes,
  (SELECT count(DISTINCT q.person_id) FROM quote q WHERE q.reading_id = r.id AND q.speaker_type = 'person'
    AND (q.role IS NOT NULL OR q.affiliation_id IS NOT NULL)) AS experts,
  a.first_seen, a.last_seen, a.withdrawn, r.capture_id, r.id AS reading_id
FROM reading r JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id
JOIN capture k ON k.id = r.capture_id LEFT JOIN site s ON s.id = a.site_id
LEFT JOIN card c ON c.id = (SELECT x.id FROM alias l JOIN card x ON x.url = l.url
  WHERE l.article_id = a.id AND x.teaser <> '' ORDER BY x.last_seen DESC, x.id DESC LIMIT 1)
WHERE r.latest = 1;

CREATE VIEW people AS
WITH said AS (
  SELECT q.person_id, q.article_id, q.role, q.affiliation,
    coalesce(iif(q.published_flag IS NULL, q.published_utc, NULL), a.first_seen) AS at
  FROM quotes q JOIN article a ON a.id = q.article_id
), roles AS (
  SELECT person_id, role, row_number() OVER (PARTITION BY person_id ORDER BY count(*) DESC, min(at)) AS place
  FROM said WHERE role IS NOT NULL GROUP BY person_id, role
), places AS (
  SELECT person_id, affiliation, row_number() OVER (PARTITION BY person_id ORDER BY count(*) DESC, min(at)) AS place
  FROM said WHERE affiliation IS NOT NULL GROUP BY person_id, affiliation
)
SELECT p.id, p.name AS person, p.honorific, p.type, o.role, f.affiliation, count(*) AS quotes,
  count(DISTINCT s.article_id) AS articles, min(s.at) AS first_seen, max(s.at) AS last_seen
FROM said s JOIN person p ON p.id = s.person_id LEFT JOIN roles o ON o.person_id = p.id AND o.place = 1
LEFT JOIN places f ON f.person_id = p.id AND f.place = 1
GROUP BY p.id;

CREATE VIEW experts AS
SELECT id, person, honorific, role, affiliation, quotes, articles, first_seen, last_seen
FROM people WHERE type = 'person' AND (role IS NOT NULL OR affiliation IS NOT NULL);

CREATE VIEW tags AS
SELECT t.name AS tag, count(DISTINCT a.id) AS articles,
  min(coalesce(iif(r.published_flag IS NULL, r.published_utc, NULL), a.first_seen)) AS first_seen,
  max(coalesce(iif(r.published_flag IS NULL, r.published_utc, NULL), a.first_seen)) AS last_seen
FROM article_tag x JOIN tag t ON t.id = x.tag_id JOIN reading r ON r.id = x.reading_id AND r.latest = 1
JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id
GROUP BY t.id;

CREATE VIEW article_tags AS
SELECT a.id AS article_id, a.url, s.name AS site, x.position, t.name AS tag
FROM article_tag x JOIN tag t ON t.id = x.tag_id JOIN reading r ON r.id = x.reading_id AND r.latest = 1
JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id LEFT JOIN site s ON s.id = a.site_id;

CREATE VIEW article_authors AS
SELECT a.id AS article_id, a.url, s.name AS site, x.position, u.name AS author
FROM article_author x JOIN author u ON u.id = x.author_id JOIN reading r ON r.id = x.reading_id AND r.latest = 1
JOIN revision v ON v.id = r.revision_id JOIN article a ON a.id = v.article_id LEFT JOIN site s ON s.id = a.site_id;

CREATE VIEW stories AS
SELECT m.story_id, count(*) AS articles, count(DISTINCT a.site_id) AS sites,
  max(CASE WHEN m.kind = 'first' THEN a.url END) AS first_url, max(CASE WHEN m.kind = 'first' THEN r.title END) AS title,
  s.first_seen
FROM story_member m JOIN story s ON s.id = m.story_id JOIN article a ON a.id = m.article_id
JOIN revision v ON v.article_id = a.id JOIN reading r ON r.revision_id = v.id AND r.latest = 1
GROUP BY m.story_id;

CREATE VIEW syndication AS
SELECT a.url, s.name AS site, r.title, b.url AS first_url, t.name AS first_site, q.title AS first_title,
  (julianday(a.first_seen) - julianday(b.first_seen)) * 24 AS hours_later
FROM story_member m JOIN story_member n ON n.story_id = m.story_id AND n.kind = 'first'
JOIN article a ON a.id = m.article_id JOIN article b ON b.id = n.article_id
JOIN revision v ON v.article_id = a.id JOIN reading r ON r.revision_id = v.id AND r.latest = 1
JOIN revision w ON w.article_id = b.id JOIN reading q ON q.revision_id = w.id AND q.latest = 1
LEFT JOIN site s ON s.id = a.site_id LEFT JOIN site t ON t.id = b.site_id
WHERE m.kind = 'copy';

CREATE VIEW captures AS
SELECT c.id, s.name AS site, c.kind, c.asked, c.url, c.at, c.status, c.verdict, c.problem, c.withheld, c.title, c.optouts,
  c.at_source, c.size,
  lower(hex(c.digest)) AS digest, c.file, c.offset, c.length,
  (SELECT l.reason FROM lost l WHERE l.file = c.file AND c.offset >= l.offset AND c.offset < l.offset + l.length) AS lost,
  (SELECT count(*) FROM visit v WHERE v.capture_id = c.id) AS visits,
  (SELECT max(v.at) FROM visit v WHERE v.capture_id = c.id) AS last_visit
FROM capture c LEFT JOIN site s ON s.id = c.site_id;

CREATE VIEW runs AS
SELECT r.id, r.command, r.version, r.started, r.ended, round((julianday(r.ended) - julianday(r.started)) * 86400, 3) AS seconds,
  r.state, (SELECT count(*) FROM capture c WHERE c.run_id = r.id) AS captures,
  (SELECT count(*) FROM visit v WHERE v.run_id = r.id) AS visits, r.errors, r.counts,
  (SELECT json_group_array(json_object('url', f.url, 'cause', f.outcome, 'status', f.status))
    FROM (SELECT * FROM failure WHERE run_id = r.id ORDER BY at, url LIMIT 20) f) AS problems, r.settings
FROM run r;

CREATE VIEW headline_changes AS
SELECT a.url, s.name AS site, o.title AS old_title, n.title AS new_title,
  coalesce((SELECT max(x.at) FROM alias l JOIN capture c ON c.asked = l.url JOIN visit x ON x.capture_id = c.id
    WHERE l.article_id = v.article_id AND c.verdict = 'article' AND x.at >= w.at AND x.at < v.at), w.at) AS seen_until,
  v.at AS seen_from, v.n AS revision
FROM revision v JOIN revision w ON w.article_id = v.article_id AND w.n = (SELECT max(x.n) FROM revision x
  WHERE x.article_id = v.article_id AND x.n < v.n AND x.changes <> '["withdrawn"]') JOIN article a ON a.id = v.article_id
JOIN reading n ON n.id = (SELECT max(id) FROM reading WHERE revision_id = v.id)
JOIN reading o ON o.id = (SELECT max(id) FROM reading WHERE revision_id = w.id)
LEFT JOIN site s ON s.id = a.site_id
WHERE v.title_changed = 1;

CREATE VIEW revisions AS
SELECT a.url, s.name AS site, v.n AS revision, v.at, v.changes, v.words_added, v.words_removed, r.title, r.modified_utc,
  v.capture_id, v.article_id, v.id
FROM revision v JOIN article a ON a.id = v.article_id LEFT JOIN site s ON s.id = a.site_id
LEFT JOIN reading r ON r.id = (SELECT max(id) FROM reading WHERE revision_id = v.id);

CREATE VIEW front_page_history AS
SELECT s.name AS site, f.url AS front, f.kind, p.position, c.title, c.teaser, c.section, c.url, v.at AS seen_from, w.at AS seen_until
FROM placement p JOIN front f ON f.id = p.front_id JOIN card c ON c.id = p.card_id JOIN visit v ON v.id = p.since
JOIN visit w ON w.id = p.until JOIN site s ON s.id = f.site_id;

CREATE VIEW coverage AS
WITH days AS (
  SELECT site_id, day FROM ledger UNION SELECT site_id, date(first_seen) FROM article WHERE site_id IS NOT NULL
), counted AS (
  SELECT site_id, day, sum(n) FILTER (WHERE stage = 'listed') AS listed, sum(n) FILTER (WHERE stage = 'tried') AS tried,
    sum(n) FILTER (WHERE stage = 'got') AS got, sum(n) FILTER (WHERE stage = 'failed') AS failed,
    sum(n) FILTER (WHERE stage = 'dropped') AS dropped
  FROM ledger GROUP BY site_id, day
), fresh AS (
  SELECT site_id, date(first_seen) AS day, count(*) AS n FROM article GROUP BY site_id, day
), dated AS (
  SELECT a.site_id, date(r.published_utc) AS day, count(*) AS n FROM reading r JOIN revision v ON v.id = r.revision_id
  JOIN article a ON a.id = v.article_id WHERE r.latest = 1 AND r.published_flag IS NULL
  GROUP BY a.site_id, date(r.published_utc)
)
SELECT s.name AS site, d.day, coalesce(c.listed, 0) AS listed, coalesce(c.tried, 0) AS tried, coalesce(c.got, 0) AS got,
  coalesce(c.failed, 0) AS failed, coalesce(c.dropped, 0) AS dropped, coalesce(f.n, 0) AS new_articles,
  coalesce(p.n, 0) AS published
FROM days d JOIN site s ON s.id = d.site_id LEFT JOIN counted c ON c.site_id = d.site_id AND c.day = d.day
LEFT JOIN fresh f ON f.site_id = d.site_id AND f.day = d.day LEFT JOIN dated p ON p.site_id = d.site_id AND p.day = d.day;
