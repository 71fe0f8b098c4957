"""A store by itself: what it keeps is what it finds, until it is too old, too much, or not ours."""

import asyncio
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time

import pytest

from ingather import LLMResponse, Store
from ingather.errors import SetupError, StoreError, StoreUnusable
from tests.store.asking import answer, found, kept, key


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.db"


def sql(path, *statement):
    """One statement on the file itself, as anybody might."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(*statement).fetchall()
    connection.close()
    return rows


def test_an_answer_comes_back_whole(path):
    said = answer(
        "Grüße, 世界 \x00",
        finish_reason="stop",
        tool_calls=[{"id": "c", "function": {"name": "f", "arguments": "{}"}}],
        cost_usd=0.25,
        request_id="req_1",
    )
    with Store(path) as store:
        kept(store, (key(), said))
    with Store(path) as store:
        assert found(store, key()) == [said]


def test_what_is_not_there_is_none(path):
    with Store(path) as store:
        assert found(store, key()) == [None]


def test_thousands_at_once_are_each_their_own(path):
    keys = [key(f"Say {number}") for number in range(1000)]
    with Store(path) as store:
        kept(store, *((one, answer(str(number))) for number, one in enumerate(keys)))
        assert [one.content for one in found(store, *keys)] == [
            str(number) for number in range(1000)
        ]


def test_the_newer_answer_takes_the_place_of_the_older(path):
    with Store(path) as store:
        kept(store, (key(), answer("old")))
        kept(store, (key(), answer("new")))
        assert found(store, key())[0].content == "new"
        assert store.stats().answers == 1


def test_its_files_are_for_their_owner_alone(path):
    before = os.umask(0)
    try:
        with Store(path) as store:
            kept(store, (key(), answer()))
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(("run.db", "run.db-wal", "run.db-shm"), 0o600)


def test_it_holds_no_key_of_a_provider_and_no_header(path):
    with Store(path) as store:
        kept(store, (key(api_key="sk-canary-0123456789"), answer()))
        whole = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"canary" not in whole
    assert b"authorization" not in whole.lower()


def test_an_answer_that_is_too_old_does_not_count_and_is_replaced(path):
    with Store(path) as store:
        kept(store, (key(), answer("old")))
    sql(path, "UPDATE answers SET stored = stored - 100")
    with Store(path, max_age=50) as store:
        assert found(store, key()) == [None]
        kept(store, (key(), answer("new")))
        assert found(store, key())[0].content == "new"
    with Store(path, max_age=50) as store:
        assert found(store, key())[0].content == "new"


def test_with_refresh_only_what_is_stored_from_now_on_counts(path):
    with Store(path) as store:
        kept(store, (key(), answer("old")))
    with Store(path, refresh=True) as store:
        assert found(store, key()) == [None]
        kept(store, (key(), answer("new")))
        assert found(store, key())[0].content == "new"


def test_a_read_only_store_finds_and_writes_nothing(path):
    with Store(path) as store:
        kept(store, (key("a"), answer("first")))
    before = path.read_bytes()
    with Store(path, read_only=True) as store:
        assert found(store, key("a"))[0].content == "first"
        kept(store, (key("b"), answer()))
        assert found(store, key("b")) == [None]
    assert path.read_bytes() == before


def test_a_read_only_store_in_a_folder_without_sqlites_own_files_is_read(path):
    with Store(path) as store:
        kept(store, (key(), answer()))
    program = (
        f"from ingather import Store; print(Store({str(path)!r}, read_only=True).stats().answers)"
    )
    path.parent.chmod(0o500)
    try:
        said = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout
    finally:
        path.parent.chmod(0o700)
    assert said == "1\n"


class TestOverItsCap:
    def fill(self, store, count, size=10_000):
        for number in range(count):
            kept(store, (key(f"Say {number}"), answer("x" * size)))

    def test_the_file_stays_below_it_and_the_newest_stay(self, path):
        with Store(path, max_bytes=1_000_000) as store:
            self.fill(store, 150)
            there = [
                one is not None
                for one in found(store, *(key(f"Say {number}") for number in range(150)))
            ]
        assert path.stat().st_size < 1_100_000
        assert there == sorted(there), "what is gone was stored before all that is there"
        assert 60 < sum(there) < 100

    def test_what_was_of_use_stays_longer(self, path):
        with Store(path) as store:
            self.fill(store, 50)
        sql(path, "UPDATE answers SET used = used - 90000")
        with Store(path) as store:
            found(store, key("Say 0"))
        with Store(path, max_bytes=300_000) as store:
            kept(store, (key("one more"), answer()))
            assert found(store, key("Say 0"))[0] is not None
            assert found(store, key("Say 1")) == [None]

    def test_use_is_noted_at_most_daily(self, path):
        with Store(path) as store:
            kept(store, (key(), answer()))
        before = sql(path, "SELECT turn, used FROM answers")
        with Store(path) as store:
            found(store, key(), key())
        assert sql(path, "SELECT turn, used FROM answers") == before

    def test_the_oldest_attempts_go_too(self, path):
        with Store(path) as store:
            store.ask(
                lambda connection: connection.executemany(
                    "INSERT INTO attempts VALUES (1, ?, ?, 1, 0, '', 0, 0, 0, 'answered', 200, '', "
                    "1, 1, 0)",
                    [(number, "t" * 200) for number in range(5000)],
                ),
                writes=True,
            )
        with Store(path, max_bytes=500_000) as store:
            for number in range(5):
                kept(store, (key(f"{number}"), answer()))
            left = store.ask(
                lambda connection: connection.execute("SELECT min(task) FROM attempts").fetchone()
            )
        assert left[0] > 1000


class TestARowThatIsNotOurs:
    @pytest.mark.parametrize(
        "change",
        [
            "answer = CAST(replace(CAST(answer AS TEXT), 'Hello', 'Jello') AS BLOB)",
            "answer = CAST(CAST(answer AS TEXT) AS TEXT)",
            "answer = X'80049503'",
            "digest = zeroblob(16)",
            "answer = X''",
        ],
    )
    def test_counts_as_not_there_and_that_is_said_once(self, path, change, caplog):
        with Store(path) as store:
            kept(store, (key("a"), answer()), (key("b"), answer()))
        sql(path, f"UPDATE answers SET {change}")
        with caplog.at_level(logging.WARNING, "ingather"), Store(path) as store:
            assert found(store, key("a"), key("b")) == [None, None]
        assert len(caplog.records) == 1
        assert "which is unreadable" in caplog.text

    def test_an_answer_under_the_key_of_another_is_none(self, path):
        with Store(path) as store:
            kept(store, (key("a"), answer("of a")))
        sql(path, "UPDATE answers SET id = ?", (key("b").id,))
        with Store(path) as store:
            assert found(store, key("b"), key("a")) == [None, None]

    def test_is_replaced_when_the_answer_is_bought_again(self, path):
        with Store(path) as store:
            kept(store, (key(), answer()))
        sql(path, "UPDATE answers SET digest = zeroblob(16)")
        with Store(path) as store:
            kept(store, (key(), answer("again")))
            assert found(store, key())[0].content == "again"


class TestAFileThatIsNoStore:
    def test_another_database(self, path):
        sql(path, "CREATE TABLE mine (x)")
        with pytest.raises(StoreUnusable, match="a database of something else"):
            Store(path)
        assert sql(path, "SELECT name FROM sqlite_master") == [("mine",)]

    def test_no_database(self, path):
        path.write_text("hello " * 1000)
        with pytest.raises(StoreUnusable, match="file is not a database"):
            Store(path)
        assert path.read_text() == "hello " * 1000

    def test_a_store_of_a_newer_version(self, path):
        Store(path).close()
        sql(path, "PRAGMA user_version = 99")
        with pytest.raises(StoreUnusable, match="newer ingather"):
            Store(path)
        with pytest.raises(StoreUnusable, match="newer ingather"):
            Store(path, read_only=True)

    def test_a_folder(self, tmp_path):
        with pytest.raises(StoreUnusable, match="cannot open the store"):
            Store(tmp_path)

    def test_no_folder_to_be_in(self, tmp_path):
        with pytest.raises(StoreUnusable, match="there is no folder"):
            Store(tmp_path / "none" / "run.db")

    def test_nothing_to_be_read(self, path):
        with pytest.raises(StoreUnusable, match="unable to open"):
            Store(path, read_only=True)
        path.touch()
        with pytest.raises(StoreUnusable, match="is empty"):
            Store(path, read_only=True)

    def test_a_name_with_signs_of_a_url_is_a_name(self, tmp_path):
        path = tmp_path / "a?mode=ro#b%20c.db"
        with Store(path) as store:
            kept(store, (key(), answer()))
        assert path.stat().st_size > 0

    def test_is_wrong_set_up(self, tmp_path):
        with pytest.raises(SetupError):
            Store(tmp_path / "none" / "run.db")

    def test_a_bound_that_is_not_positive(self, path):
        with pytest.raises(ValueError, match="max_age"):
            Store(path, max_age=0)
        with pytest.raises(ValueError, match="max_bytes"):
            Store(path, max_bytes=-1)


def test_stats_count_what_is_there(path):
    before = time.time()
    with Store(path) as store:
        kept(store, (key("a"), answer()), (key("b"), answer()))
        stats = store.stats()
    assert (stats.answers, stats.runs, stats.attempts) == (2, 0, 0)
    assert stats.bytes == path.stat().st_size
    assert stats.oldest is not None
    assert stats.newest is not None
    assert before <= stats.oldest <= stats.newest <= time.time()


def test_clear_forgets_and_gives_the_room_back(path):
    with Store(path) as store:
        kept(store, *((key(f"{number}"), answer("x" * 5000)) for number in range(100)))
        full = store.stats().bytes
        assert store.clear() == 100
        assert store.stats().answers == 0
    assert path.stat().st_size < full / 5


def test_clear_of_what_is_old_leaves_the_rest(path):
    with Store(path) as store:
        kept(store, (key("old"), answer()))
        store.ask(
            lambda connection: connection.execute("UPDATE answers SET stored = stored - 100"),
            writes=True,
        )
        kept(store, (key("new"), answer()))
        assert store.clear(older_than=50) == 1
        assert found(store, key("old"), key("new"))[0] is None
        assert found(store, key("new"))[0] is not None


def test_a_closed_store_says_so(path):
    store = Store(path)
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        found(store, key())


def test_processes_share_a_store(path):
    program = f"""
from tests.store.asking import answer, kept, key
from ingather import Store
import sys
import threading
with Store({str(path)!r}) as store:
    for number in range(100):
        kept(store, (key(f"{{sys.argv[1]}} {{number}}"), answer(sys.argv[1])))
"""
    others = [subprocess.Popen([sys.executable, "-c", program, name]) for name in "abc"]
    assert [other.wait() for other in others] == [0, 0, 0]
    with Store(path) as store:
        assert store.stats().answers == 300
        assert found(store, key("b 99"))[0].content == "b"


def test_in_a_forked_child_it_is_to_be_opened_anew(path):
    program = f"""
import os
from ingather import Store
from ingather.errors import StoreError
store = Store({str(path)!r})
store.stats()
if not os.fork():
    try:
        store.stats()
    except StoreError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
print(store.stats().answers)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30
    ).stdout
    assert "opened before a fork" in said
    assert said.endswith("\n0\n")


def test_what_waits_when_the_process_ends_is_written(path):
    program = f"""
from ingather import Store
from ingather.store.answer_table import row_of
from ingather.store.writer import Job
from tests.store.asking import answer, key
store = Store({str(path)!r})
for number in range(500):
    store._writer.put(Job(None, table="answers", row=row_of(key(str(number)), answer())))
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
    with Store(path) as store:
        assert store.stats().answers == 500


def test_its_repr_shows_its_state(path):
    store = Store(path)
    assert "open" in repr(store)
    store.close()
    assert "closed" in repr(store)


def test_an_answer_without_usage_has_none_again(path):
    with Store(path) as store:
        kept(store, (key(), LLMResponse("x", usage=None, created_at=1.0)))
        assert found(store, key())[0].usage is None


def test_two_loops_in_two_threads_have_one_store(path):
    with Store(path) as store:

        def fill(name):
            for number in range(50):
                kept(store, (key(f"{name} {number}"), answer(name)))

        threads = [threading.Thread(target=fill, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert store.stats().answers == 100
        assert [one.content for one in found(store, key("a 49"), key("b 49"))] == ["a", "b"]


def test_a_loop_that_was_closed_with_a_look_up_in_the_air_hurts_nobody(path):
    async def leave(store):
        waiting = asyncio.ensure_future(store.find(key()))
        await asyncio.sleep(0)
        waiting.cancel()

    with Store(path) as store:
        for _ in range(20):
            asyncio.run(leave(store))
        kept(store, (key(), answer()))
        assert found(store, key()) == [answer()]


def test_a_file_that_is_damaged_is_said_to_be_and_nothing_hangs(path):
    with Store(path) as store:
        kept(store, *((key(f"{number}"), answer("x" * 3000)) for number in range(200)))
    whole = bytearray(path.read_bytes())
    whole[8192:] = os.urandom(len(whole) - 8192)
    path.write_bytes(whole)
    with Store(path) as store, pytest.raises(StoreError, match="cannot read the store"):
        found(store, *(key(f"{number}") for number in range(200)))
