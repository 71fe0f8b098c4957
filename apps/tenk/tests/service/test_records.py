"""What the service remembers: analyses and filings beside the store's answers, in one file."""

import asyncio
import contextlib
import sqlite3
import zlib

import pytest

from ingather import Store
from tenk.service.records import Records, RecordsClosed
from tenk.service.state import AnalysisState, summary_of

pytestmark = pytest.mark.blocking_ok  # a Store is opened on the test's own loop


def state(analysis, created=1.0, status="done"):
    return AnalysisState(
        id=analysis, name="f.txt", kind="file", model="m", created=created, status=status
    )


@pytest.fixture
async def records(tmp_path):
    with Store(tmp_path / "t.db") as store:
        found = Records(store)
        yield found
        await found.close()


async def test_what_is_kept_comes_back(records):
    digest = await records.keep(state("a"), b"a filing")
    assert await records.load("a") == (state("a"), digest)
    assert await records.filing(digest) == b"a filing"
    assert await records.load("b") is None


async def test_a_filing_is_kept_once_and_goes_with_the_last_analysis_of_it(records):
    digest = await records.keep(state("a"), b"a filing")
    assert await records.keep(state("b"), b"a filing") == digest
    await records.forget("a")
    assert await records.filing(digest) == b"a filing"
    await records.forget("b")
    with pytest.raises(LookupError):
        await records.filing(digest)


async def test_only_what_was_under_way_is_unfinished_the_oldest_first(records):
    for number, status in enumerate(
        ["running", "done", "waiting", "cancelled", "reading", "failed", "partial"]
    ):
        await records.save(state(status, -number, status), None)
    assert [kept.state.id for kept in await records.unfinished()] == [
        "reading",
        "waiting",
        "running",
    ]


async def test_the_oldest_that_have_ended_are_forgotten(records):
    for number in range(5):
        await records.save(state(f"{number}", number), None)
    await records.save(state("old", -1, "running"), None)
    await records.prune(2)
    assert [each.id for each in await records.recent(10)] == ["4", "3", "old"]


async def test_what_is_displayed_is_kept_beside_the_filing(records):
    digest = await records.keep(state("a"), b"a filing")
    assert await records.shown("a") is None
    await records.show(digest, b"packed")
    assert await records.shown("a") == b"packed"


async def test_the_store_and_the_records_share_a_file_and_do_not_block_each_other(tmp_path):
    with Store(tmp_path / "t.db") as store:
        records = Records(store)
        for number in range(20):
            await asyncio.gather(
                records.save(state(f"{number}"), None),
                store.write(lambda c: c.execute("SELECT count(*) FROM answers")),
            )
        await records.close()
        assert store.stats().answers == 0
    with Store(tmp_path / "t.db") as store:
        again = Records(store)
        assert len(await again.recent(100)) == 20
        await again.close()


async def test_a_save_that_failed_spoils_none_after_it(records, tmp_path):
    """As on a full disk: the transaction is taken back, or all that follows would stay invisible in it."""
    with sqlite3.connect(tmp_path / "t.db") as other:
        other.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON tenk_analyses WHEN NEW.id = 'bad' "
            "BEGIN SELECT RAISE(FAIL, 'disk full'); END"
        )
    with pytest.raises(sqlite3.Error, match="disk full"):
        await records.keep(state("bad"), b"a filing")
    with pytest.raises(sqlite3.Error, match="disk full"):
        await records.save(state("bad"), None)
    digest = await records.keep(state("good"), b"another filing")
    await records.save(state("later"), None)
    other.close()
    with sqlite3.connect(tmp_path / "t.db") as other:
        kept = other.execute("SELECT id FROM tenk_analyses ORDER BY id").fetchall()
        filings = other.execute("SELECT digest FROM tenk_filings").fetchall()
    other.close()
    assert kept == [("good",), ("later",)]
    assert filings == [(digest,)]  # and nothing of what was taken back


async def test_forgetting_is_done_whole_or_not_at_all(records, tmp_path):
    await records.keep(state("a"), b"a filing")
    with sqlite3.connect(tmp_path / "t.db") as other:
        other.execute(
            "CREATE TRIGGER refuse BEFORE DELETE ON tenk_filings BEGIN SELECT "
            "RAISE(FAIL, 'disk full'); END"
        )
    other.close()
    with pytest.raises(sqlite3.Error, match="disk full"):
        await records.forget("a")
    assert await records.load("a") is not None


async def test_closing_twice_or_at_once_is_closing(records):
    await asyncio.gather(records.save(state("a"), None), records.close(), records.close())
    await records.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda records: records.save(state("a"), None),
        lambda records: records.keep(state("a"), b"a filing"),
        lambda records: records.load("a"),
        lambda records: records.recent(1),
        lambda records: records.forget("a"),
    ],
    ids=["save", "keep", "load", "recent", "forget"],
)
async def test_what_is_asked_after_the_end_says_so(records, ask):
    await records.close()
    with pytest.raises(RecordsClosed, match="the records are closed, and nothing was written"):
        await ask(records)


async def test_what_waited_is_on_file_when_it_is_closed(tmp_path):
    with Store(tmp_path / "t.db") as store:
        records = Records(store)
        saves = [
            asyncio.ensure_future(records.save(state(f"{number}"), None)) for number in range(9)
        ]
        await asyncio.sleep(0)
        await records.close()
        await asyncio.gather(*saves)
        again = Records(store)
        assert len(await again.recent(100)) == 9
        await again.close()


BEFORE = """
DROP TABLE applications;
PRAGMA user_version = 1;
CREATE TABLE tenk_filings (digest TEXT PRIMARY KEY, content BLOB NOT NULL, shown BLOB);
CREATE TABLE tenk_analyses (
    id TEXT PRIMARY KEY, created REAL NOT NULL, status TEXT NOT NULL,
    digest TEXT REFERENCES tenk_filings (digest), summary BLOB NOT NULL, state BLOB NOT NULL
);
CREATE INDEX tenk_by_created ON tenk_analyses (created);
"""


async def test_what_was_kept_before_the_store_knew_of_it_is_taken_over(tmp_path):
    path = tmp_path / "t.db"
    Store(path).close()
    with contextlib.closing(sqlite3.connect(path)) as older:
        older.executescript(BEFORE)
        older.execute(
            "INSERT INTO tenk_filings VALUES ('d', ?, ?)", (zlib.compress(b"a filing"), b"packed")
        )
        row = ("a", 1.0, "running", "d", summary_of(state("a")).model_dump_json().encode())
        older.execute(
            "INSERT INTO tenk_analyses VALUES (?, ?, ?, ?, ?, ?)",
            (*row, state("a", status="running").model_dump_json().encode()),
        )
        older.commit()
    with Store(path) as store:
        records = Records(store)
        assert await records.load("a") == (state("a", status="running"), "d")
        assert [kept.digest for kept in await records.unfinished()] == ["d"]
        assert await records.filing("d") == b"a filing"
        assert await records.shown("a") == b"packed"
        await records.close()
    assert [found.name for found in tmp_path.iterdir()] == ["t.db"]
