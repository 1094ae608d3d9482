"""The queue: what is due, who takes it, when it comes back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.archive import Archive
from storage.frontier import KINDS, Entry, Frontier, Kind, Shard

NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=10)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An archive with two sites (1 and 2) and a run (1)."""
    with Archive.create(tmp_path / "archive") as archive:
        archive.start_run(now=NOW, version="1", command="crawl", settings="{}")
        for name in ("example", "other"):
            archive.site_id(name, home=f"https://{name}.example/", parser=None, timezone=None, now=NOW)
        yield archive


@pytest.fixture
def queue(archive: Archive) -> Frontier:
    return archive.frontier


def add(
    queue: Frontier, *urls: str, site: int = 1, kind: Kind = "story", priority: int = 0, now: datetime = NOW
) -> None:
    for url in urls:
        assert queue.add(url, site=site, kind=kind, now=now, priority=priority)


def entry(
    queue: Frontier, now: datetime = NOW, *, sites: tuple[int, ...] = (1, 2), kinds: tuple[Kind, ...] = KINDS
) -> Entry | None:
    """What the first shard that has something due gives."""
    taken = (queue.take(shard, now, kinds=kinds) for shard in sorted(queue.shards(sites)))
    found = next((one for one in taken if one is not None), None)
    if found is not None:
        queue.lease([found], run=1, until=now + LEASE)
        queue.asked([found], now=now)
    return found


def take(queue: Frontier, now: datetime = NOW, *, sites: tuple[int, ...] = (1, 2)) -> str | None:
    found = entry(queue, now, sites=sites)
    return found.url if found else None


def taken(queue: Frontier, now: datetime = NOW) -> Entry:
    found = entry(queue, now)
    assert found is not None
    return found


def done(
    queue: Frontier, entry: Entry, again: datetime | None, *, now: datetime = NOW, etag: str | None = None
) -> None:
    queue.done(entry, now=now, status=200, outcome="got", etag=etag, last_modified=None, again=again)


def state(archive: Archive, url: str) -> dict[str, object]:
    return next(iter(archive.db.query("SELECT * FROM frontier WHERE url = ?", [url])))


# -- adding --------------------------------------------------------------------------------------------------------


def test_an_address_is_queued_once(queue: Frontier, archive: Archive) -> None:
    url = "https://example.org/a"
    assert queue.add(url, site=1, kind="story", now=NOW, found_on="https://example.org/")
    assert not queue.add(url, site=2, kind="front", now=NOW + HOUR, priority=2)
    row = state(archive, url)
    expected = {"site_id": 1, "kind": "story", "priority": 0, "state": "due", "found_on": "https://example.org/"}
    assert {name: row[name] for name in expected} == expected
    assert row["due"] == row["first_seen"] == "2026-03-01T06:00:00.000Z"


def test_hosts_are_told_apart_by_name_and_port(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://example.org/a", "https://example.org/b", "http://example.org:8080/", "https://www.example.org/")
    names = [row["name"] for row in archive.db.query("SELECT name FROM host ORDER BY id")]
    assert names == ["example.org", "example.org:8080", "www.example.org"]


def test_queueing_belongs_to_the_callers_transaction(archive: Archive) -> None:
    class Stop(Exception):
        """Leave the transaction."""

    def queue_and_stop() -> None:
        with archive.transaction():
            add(archive.frontier, "https://example.org/a")
            raise Stop

    with pytest.raises(Stop):
        queue_and_stop()
    assert archive.db["frontier"].count == archive.db["host"].count == 0


# -- taking --------------------------------------------------------------------------------------------------------


def test_an_entry_carries_what_a_fetch_needs(queue: Frontier) -> None:
    add(queue, "https://example.org/a")
    one = taken(queue)
    assert (one.url, one.host, one.site, one.kind) == ("https://example.org/a", 1, 1, "story")
    assert (one.etag, one.last_modified, one.failures, one.checks) == (None, None, 0, 0)
    assert one.first_seen == NOW


def test_taking_is_a_lease(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://example.org/a")
    taken(queue)
    assert take(queue) is None
    row = state(archive, "https://example.org/a")
    assert (row["state"], row["leased_by"], row["leased_until"]) == ("leased", 1, "2026-03-01T06:10:00.000Z")
    host = next(iter(archive.db.query("SELECT last_request, requests FROM host")))
    assert host == {"last_request": "2026-03-01T06:00:00.000Z", "requests": 1}


def test_the_most_urgent_goes_first_then_what_became_due_last(queue: Frontier) -> None:
    add(queue, "https://example.org/early", now=NOW - HOUR)
    add(queue, "https://example.org/late", "https://example.org/late-too", now=NOW)
    add(queue, "https://example.org/page/2", kind="front", priority=1)
    add(queue, "https://example.org/", kind="front", priority=2)
    add(queue, "https://example.org/perhaps", priority=-1)
    order = [take(queue) for _ in range(7)]
    assert order == [
        "https://example.org/",
        "https://example.org/page/2",
        "https://example.org/late",
        "https://example.org/late-too",
        "https://example.org/early",
        "https://example.org/perhaps",
        None,
    ]


def test_fresh_stories_go_before_old_ones(queue: Frontier, archive: Archive) -> None:
    dates = {"https://example.org/old": NOW - 99 * HOUR, "https://example.org/new": NOW - HOUR}
    for url, since in dates.items():
        assert queue.add(url, site=1, kind="story", now=NOW, since=since)
    assert queue.add("https://example.org/dated-tomorrow", site=1, kind="story", now=NOW, since=NOW + 24 * HOUR)
    assert state(archive, "https://example.org/old")["first_seen"] == "2026-03-01T06:00:00.000Z"
    assert [take(queue) for _ in range(3)] == [
        "https://example.org/dated-tomorrow",
        "https://example.org/new",
        "https://example.org/old",
    ]


def test_what_waits_for_its_time_hides_nothing_less_urgent(queue: Frontier) -> None:
    add(queue, "https://example.org/", kind="front", priority=2, now=NOW + HOUR)
    add(queue, "https://example.org/a", now=NOW + HOUR)
    add(queue, "https://example.org/b", priority=-1)
    assert [take(queue), take(queue)] == ["https://example.org/b", None]
    assert [take(queue, NOW + HOUR), take(queue, NOW + HOUR)] == ["https://example.org/", "https://example.org/a"]


def test_the_queue_is_sharded_by_host_and_site(queue: Frontier) -> None:
    add(queue, "https://a.example/1", "https://a.example/2", "https://b.example/1")
    add(queue, "https://b.example/2", site=2)
    shards = [Shard(1, 1, "a.example"), Shard(2, 1, "b.example"), Shard(2, 2, "b.example")]
    assert sorted(queue.shards((1, 2))) == shards
    assert queue.shards((2,)) == shards[2:]
    assert queue.stirred == set(shards)
    found = [queue.take(shard, NOW) for shard in shards[::-1]]
    assert [one.url for one in found if one] == ["https://b.example/2", "https://b.example/1", "https://a.example/1"]
    assert queue.take(shards[1], NOW, beside=[one.id for one in found if one]) is None


def test_neither_taking_nor_planning_goes_through_the_queue(queue: Frontier, archive: Archive) -> None:
    """SQLite's virtual machine counts its steps: as many for 3,000 addresses as for 30."""
    steps = []
    for size in (30, 3000):
        with archive.transaction():
            for n in range(size):
                queue.add(f"https://example.org/{size}/{n}", site=1, kind="story", now=NOW - n * HOUR / 60)
                queue.add(f"https://example.org/{size}/later/{n}", site=1, kind="story", now=NOW + n * HOUR, priority=1)
        (shard,) = queue.shards((1,))
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        archive.db.conn.set_progress_handler(step, 10)
        queue.take(shard, NOW)
        queue.next_due(shard)
        archive.db.conn.set_progress_handler(None, 0)
        steps.append(count)
    assert 0 < steps[1] <= steps[0] + 10


def test_only_the_sites_and_kinds_that_are_wanted(queue: Frontier) -> None:
    add(queue, "https://a.example/", kind="front", priority=2)
    add(queue, "https://b.example/1", site=2)
    assert take(queue, sites=()) is None
    assert take(queue, sites=(2,)) == "https://b.example/1"
    assert entry(queue, kinds=("story",)) is None
    assert entry(queue, kinds=("front",)) is not None


def test_nothing_is_taken_before_it_is_due(queue: Frontier) -> None:
    add(queue, "https://example.org/a", now=NOW + HOUR)
    assert take(queue, NOW + HOUR - timedelta(milliseconds=1)) is None
    assert take(queue, NOW + HOUR) == "https://example.org/a"


# -- afterwards ----------------------------------------------------------------------------------------------------


def test_done_with_a_next_time(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://example.org/a")
    queue.done(
        taken(queue), now=NOW, status=200, outcome="got", etag='"x"', last_modified="Sun, 01 Mar 2026", again=NOW + HOUR
    )
    assert take(queue) is None
    again = taken(queue, NOW + HOUR)
    assert (again.etag, again.last_modified, again.checks) == ('"x"', "Sun, 01 Mar 2026", 1)
    done(queue, again, None, now=NOW + HOUR)
    row = state(archive, again.url)
    assert (row["state"], row["due"], row["leased_by"], row["leased_until"]) == ("done", None, None, None)
    assert (row["status"], row["outcome"], row["checks"], row["etag"]) == (200, "got", 2, None)
    assert row["last_fetched"] == "2026-03-01T07:00:00.000Z"
    assert take(queue, NOW + 99 * HOUR) is None


def test_failures_in_a_row_are_counted_and_forgotten_by_success(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://example.org/a")
    for n in range(3):
        one = taken(queue, NOW + n * HOUR)
        assert one.failures == n
        queue.failed(one, outcome="http_500", status=500 if n == 0 else None, retry=NOW + (n + 1) * HOUR)
    assert (state(archive, one.url)["status"], state(archive, one.url)["outcome"]) == (500, "http_500")
    done(queue, taken(queue, NOW + 3 * HOUR), NOW + 4 * HOUR)
    assert taken(queue, NOW + 4 * HOUR).failures == 0


def test_failed_for_good(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://example.org/a")
    queue.failed(taken(queue), outcome="robots_denied", status=None, retry=None)
    row = state(archive, "https://example.org/a")
    assert (row["state"], row["due"], row["failures"], row["outcome"]) == ("done", None, 1, "robots_denied")


def test_a_held_host_is_left_alone(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://a.example/1", "https://a.example/2", "https://b.example/1")
    queue.hold("https://a.example/", until=NOW + HOUR, reason="429", now=NOW)
    assert take(queue) == "https://b.example/1"
    assert take(queue) is None
    assert take(queue, NOW + HOUR) == "https://a.example/1"
    row = next(iter(archive.db.query("SELECT held_until, held_for FROM host WHERE name = 'a.example'")))
    assert row == {"held_until": "2026-03-01T07:00:00.000Z", "held_for": "429"}


def test_when_something_of_a_shard_is_due_next(queue: Frontier) -> None:
    add(queue, "https://a.example/1", now=NOW + HOUR)
    add(queue, "https://a.example/", kind="front", now=NOW + 2 * HOUR, priority=2)
    (shard,) = queue.shards((1,))
    assert queue.next_due(shard) == NOW + HOUR
    assert queue.next_due(shard, kinds=("front",)) == NOW + 2 * HOUR
    queue.hold("https://a.example/", until=NOW + 3 * HOUR, reason="503", now=NOW)
    assert queue.next_due(shard) == NOW + 3 * HOUR
    done(queue, taken(queue, NOW + 3 * HOUR), None)
    done(queue, taken(queue, NOW + 3 * HOUR), None)
    assert queue.next_due(shard) is None


def test_leases_of_a_dead_run_are_given_back(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://example.org/a", "https://example.org/b", "https://example.org/c")
    done(queue, taken(queue), None)
    assert (take(queue), take(queue), take(queue)) == ("https://example.org/b", "https://example.org/c", None)
    assert queue.release_leases() == 2
    assert queue.release_leases() == 0
    assert (take(queue), take(queue), take(queue)) == ("https://example.org/b", "https://example.org/c", None)
    assert state(archive, "https://example.org/a")["state"] == "done"


def test_a_crawl_asks_every_front_and_on_demand_every_story(queue: Frontier, archive: Archive) -> None:
    add(queue, "https://a.example/", kind="front", priority=2)
    add(queue, "https://a.example/feed", kind="feed", priority=2)
    add(queue, "https://a.example/1", "https://a.example/2")
    add(queue, "https://b.example/", site=2, kind="front", priority=2)
    while one := entry(queue):
        done(queue, one, None if one.kind == "story" else NOW + HOUR)
    assert sum(queue.due_counts((1, 2), NOW).values()) == 0
    queue.due_now(site=1, now=NOW)
    assert sum(queue.due_counts((1, 2), NOW).values()) == 2
    queue.due_now(site=1, now=NOW, stories=True)
    assert sum(queue.due_counts((1, 2), NOW).values()) == 4
    assert take(queue) == "https://a.example/"
    queue.due_now(site=1, now=NOW)
    assert state(archive, "https://a.example/")["state"] == "leased"


def test_counts_and_what_waits(queue: Frontier) -> None:
    add(queue, "https://a.example/", kind="front", priority=2)
    add(queue, "https://a.example/page/2", kind="front", priority=1)
    add(queue, "https://a.example/feed", kind="feed", priority=2)
    add(queue, "https://a.example/1")
    add(queue, "https://a.example/2", now=NOW + HOUR)
    assert (queue.known(1, "front"), queue.known(2, "front")) == (2, 0)
    assert sum(queue.due_counts((1, 2), NOW).values()) == 4
    assert [row["url"][len("https://a.example/") :] for row in queue.waiting(NOW)] == ["", "feed", "page/2", "1"]
    assert len(queue.waiting(NOW, stories=True)) == 5
    assert queue.waiting(NOW)[0] == {"site": "example", "kind": "front", "url": "https://a.example/"}


def test_the_queue_outlives_its_process(archive: Archive, queue: Frontier) -> None:
    add(queue, "https://example.org/a")
    taken(queue)
    archive.close()
    with Archive.open(archive.path, write=True) as again:
        assert take(again.frontier) is None
        assert again.frontier.release_leases() == 1
        assert taken(again.frontier).url == "https://example.org/a"
