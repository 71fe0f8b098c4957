"""An application keeps tables of its own in a store's file, with versions of their own."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import pytest

from ingather import LLMResponse, Store
from ingather.errors import StoreError, StoreUnusable
from tests.store.asking import key

pytestmark = pytest.mark.blocking_ok  # a Store is opened on the test's own loop

FIRST = "CREATE TABLE notes_pages (title TEXT PRIMARY KEY, text TEXT NOT NULL);"
SECOND = "ALTER TABLE notes_pages ADD COLUMN stars INTEGER NOT NULL DEFAULT 0"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.db"


@pytest.fixture
def store(path):
    with Store(path) as store:
        yield store


@pytest.fixture
def notes(store):
    return store.tables("notes", [FIRST])


def add(title, text="…"):
    return lambda db: db.execute(
        "INSERT INTO notes_pages (title, text) VALUES (?, ?)", (title, text)
    )


def titles(db):
    return [title for (title,) in db.execute("SELECT title FROM notes_pages ORDER BY title")]


def columns(db):
    return [row[1] for row in db.execute("PRAGMA table_info(notes_pages)")]


def beside(path):
    own = {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    return [found.name for found in path.parent.iterdir() if found.name not in own]


# -- reading and writing


def test_what_was_written_is_there_when_the_file_is_opened_again(path):
    with Store(path) as store:
        store.tables("notes", [FIRST]).write(add("a"))
    with Store(path) as store:
        assert store.tables("notes", [FIRST]).read(titles) == ["a"]


async def test_from_a_loop(notes):
    await asyncio.gather(*(notes.awrite(add(f"{number}")) for number in range(5)))
    assert await notes.aread(titles) == ["0", "1", "2", "3", "4"]


def test_from_many_threads(notes):
    threads = [threading.Thread(target=notes.write, args=[add(f"{n}")]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes.read(titles)) == 8


async def test_no_answer_waits_for_what_an_application_does(store, notes):
    held = threading.Event()
    holding = asyncio.ensure_future(notes.aread(lambda _: held.wait(30)))
    await asyncio.sleep(0)
    await store.keep(key("x"), LLMResponse("an answer"))
    assert not holding.done()
    held.set()
    assert await holding


async def test_what_fails_is_taken_back_alone_and_raised_as_it_is(store, notes):

    def fails(db):
        add("half")(db)
        raise KeyError("mine")

    held = threading.Event()
    holding = asyncio.ensure_future(notes.aread(lambda _: held.wait(30)))
    await asyncio.sleep(0)
    ends = asyncio.gather(
        store.keep(key("x"), LLMResponse("an answer")),
        notes.awrite(fails),
        notes.awrite(add("whole")),
        notes.awrite(lambda db: db.execute("NONSENSE")),
        return_exceptions=True,
    )
    await asyncio.sleep(0)
    held.set()
    await holding
    kept, own, _, nonsense = await ends
    assert kept is None
    assert isinstance(own, KeyError)
    assert isinstance(nonsense, sqlite3.OperationalError)
    assert notes.read(titles) == ["whole"]
    assert (await store.find(key("x"))).content == "an answer"
    assert store.failure is None


def test_what_fails_in_reading_is_raised_as_it_is(notes, store):
    with pytest.raises(ZeroDivisionError):
        notes.read(lambda _: 1 / 0)
    assert store.failure is None


async def test_who_no_longer_waits_is_in_nobodys_way(notes):
    held = threading.Event()
    holding = asyncio.ensure_future(notes.aread(lambda _: held.wait(30)))
    await asyncio.sleep(0)
    leaving = asyncio.ensure_future(notes.awrite(add("left")))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    held.set()
    await holding
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await notes.aread(titles) == ["left"]  # it was begun, and so it is done


def test_after_the_store_was_closed(path):
    store = Store(path)
    notes = store.tables("notes", [FIRST])
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        notes.read(titles)


# -- versions


def test_the_steps_that_a_file_lacks_are_taken(path):
    with Store(path) as store:
        store.tables("notes", [FIRST]).write(add("a"))
    for _ in range(2):
        with Store(path) as store:
            notes = store.tables("notes", [FIRST, SECOND])
            assert notes.read(columns) == ["title", "text", "stars"]
            assert notes.read(titles) == ["a"]
    assert beside(path) == []


def test_a_copy_is_kept_while_steps_are_taken_over_what_is_there(path):
    seen: list[list[str]] = []

    def step(db):
        seen.append(beside(path))

    with Store(path) as store:
        store.tables("notes", [step])
        store.tables("notes", [step, step])
    assert seen == [[], ["run.db.version-1.backup"]]
    assert beside(path) == []


@pytest.mark.parametrize("step", ["DROP TABLE notes_pages;\nNONSENSE", lambda _: 1 / 0])
def test_a_step_that_fails_leaves_all_as_it_was(path, step):
    with Store(path) as store:
        store.tables("notes", [FIRST]).write(add("a"))
        with pytest.raises((sqlite3.Error, ZeroDivisionError)):
            store.tables("notes", [FIRST, SECOND, step])
        notes = store.tables("notes", [FIRST])
        assert notes.read(columns) == ["title", "text"]
        assert notes.read(titles) == ["a"]
    assert beside(path) == []


def test_tables_of_a_newer_application_are_refused_by_name(path):
    with Store(path) as store:
        store.tables("notes", [FIRST, SECOND])
        with pytest.raises(StoreUnusable, match="made by a newer notes: they have version 2"):
            store.tables("notes", [FIRST])


def test_several_that_open_them_at_once(path):
    Store(path).close()
    taken, together, found = [], threading.Barrier(4), []

    def step(db):
        taken.append(1)
        db.execute(FIRST)

    def begin():
        with Store(path) as store:
            together.wait()
            found.append(store.tables("notes", [step]).read(titles))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (taken, found) == ([1], [[]] * 4)


@pytest.mark.parametrize(
    "step",
    ["CREATE TABLE pages (x)", "DROP TABLE answers", "CREATE TABLE other_pages (x)",
     "CREATE INDEX notes_i ON pages_of_others (x)", "ALTER TABLE answers ADD COLUMN notes_x"],
)  # fmt: skip
def test_what_is_not_its_own_is_not_touched(store, step):
    store.tables("pages", ["CREATE TABLE pages_of_others (x)"])
    with pytest.raises(ValueError, match="is to be named notes_…"):
        store.tables("notes", [step])
    assert store.stats().answers == 0


@pytest.mark.parametrize("name", ["", "Notes", "my_notes", "1a", "answers", "sqlite", "a; b"])
def test_a_name_that_cannot_be(store, name):
    with pytest.raises(ValueError, match="lower-case letters and digits"):
        store.tables(name, [FIRST])


def test_in_a_store_that_is_only_read(path):
    with Store(path) as store:
        store.tables("notes", [FIRST]).write(add("a"))
    with Store(path, read_only=True) as store:
        assert store.tables("notes", [FIRST]).read(titles) == ["a"]
        with pytest.raises(StoreUnusable, match="open the store once where it may be written"):
            store.tables("notes", [FIRST, SECOND])


def test_a_forked_child_is_told(notes, monkeypatch):
    monkeypatch.setattr(notes._writer, "_pid", -1)
    with pytest.raises(StoreError, match="before a fork"):
        notes.read(titles)


def test_tables_that_were_made_before_there_were_versions_are_taken_over(path):
    Store(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute(FIRST)
        add("old")(other)
        other.commit()
    with Store(path) as store:
        notes = store.tables("notes", [FIRST.replace("TABLE", "TABLE IF NOT EXISTS"), SECOND])
        assert notes.read(titles) == ["old"]
    assert beside(path) == []
