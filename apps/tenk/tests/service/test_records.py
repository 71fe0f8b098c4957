"""What the service remembers: analyses and filings beside the store's answers, in one file."""

import asyncio

import pytest

from ingather import Store
from tenk.service.records import Records
from tenk.service.state import AnalysisState

pytestmark = pytest.mark.blocking_ok  # a Store is opened on the test's own loop


def state(analysis, created=1.0, status="done"):
    return AnalysisState(id=analysis, name="f.txt", kind="file", model="m", created=created, status=status)


@pytest.fixture
async def records(tmp_path):
    with Store(tmp_path / "t.db"):
        found = Records(tmp_path / "t.db")
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
    for number, status in enumerate(["running", "done", "waiting", "cancelled", "reading", "failed", "partial"]):
        await records.save(state(status, -number, status), None)
    assert [kept.state.id for kept in await records.unfinished()] == ["reading", "waiting", "running"]


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
        records = Records(tmp_path / "t.db")
        for number in range(20):
            await asyncio.gather(
                records.save(state(f"{number}"), None), store.write(lambda c: c.execute("SELECT count(*) FROM answers"))
            )
        await records.close()
        assert store.stats().answers == 0
    with Store(tmp_path / "t.db"):
        again = Records(tmp_path / "t.db")
        assert len(await again.recent(100)) == 20
        await again.close()
