"""A store of an older version is brought to ours: whole or not at all, by one of those that open it."""

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ingather import LLMResponse, Store, Usage, run_sync
from ingather.errors import StoreUnusable
from ingather.store import file, migration
from ingather.store.answer_table import row_of
from ingather.store.inserts import insert
from ingather.store.schema import APPLICATION, STEPS, VERSION
from tests.store.asking import key
from tests.store.faulty_disk import failing

ROWS = 300


@pytest.fixture
def path(tmp_path):
    """A store of the first version, with answers in it."""
    path = tmp_path / "run.db"
    make(path, 1)
    return path


def make(path, version):
    """A store as that version made it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for step in STEPS[:version]:
            migration.take(step, connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {version}")
        rows = [row_of(key(f"{number}"), LLMResponse(f"answer {number}")) for number in range(ROWS)]
        insert(connection, "answers", rows)


def version_of(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def names_in(path):
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def assert_all_is_there(path):
    with Store(path) as store:
        assert store.stats().answers == ROWS
        found = run_sync(store.find(key("7")))
        assert found is not None
        assert found.content == "answer 7"
        run_sync(store.keep(key("new"), LLMResponse("new", usage=Usage(1, 1))))
    assert version_of(path) == VERSION


def beside(path):
    """All files but the store's own."""
    own = {path.name, f"{path.name}-wal", f"{path.name}-shm"}
    return sorted(found.name for found in path.parent.iterdir() if found.name not in own)


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_a_store_of_each_version_is_opened_with_all_that_is_in_it(tmp_path, version):
    path = tmp_path / "run.db"
    make(path, version)
    assert_all_is_there(path)
    assert beside(path) == []


def test_a_migrated_store_is_as_one_that_was_made_new(path, tmp_path):
    Store(path).close()
    Store(tmp_path / "new.db").close()

    def made(of):
        with closing(sqlite3.connect(of)) as connection:
            return set(connection.execute("SELECT type, name, sql FROM sqlite_master"))

    assert made(path) == made(tmp_path / "new.db")


def test_a_copy_is_kept_while_it_is_migrated(path, monkeypatch):
    seen = []

    def step(connection):
        backup = migration.backup_of(path, 1)
        seen.append((backup.stat().st_mode & 0o777, version_of(backup), names_in(backup)))
        with closing(sqlite3.connect(backup)) as copy:
            seen.append(copy.execute("SELECT count(*) FROM answers").fetchone())

    monkeypatch.setattr(file, "STEPS", (*STEPS, step))
    monkeypatch.setattr(file, "VERSION", VERSION + 1)
    before = names_in(path)
    Store(path).close()
    assert seen == [(0o600, 1, before), (ROWS,)]
    assert beside(path) == []


@pytest.mark.parametrize(
    "step",
    ["CREATE TABLE later (id INTEGER);\nDROP TABLE answers;\nNONSENSE;\n", lambda db: 1 / 0],
    ids=["SQL", "a function"],
)
def test_a_step_that_fails_leaves_the_file_as_it_was(path, monkeypatch, step):
    before = names_in(path)
    monkeypatch.setattr(file, "STEPS", (*STEPS, step))
    monkeypatch.setattr(file, "VERSION", VERSION + 1)
    with pytest.raises((StoreUnusable, ZeroDivisionError)) as raised:
        Store(path)
    if isinstance(step, str):
        assert "from version 1 to 3" in str(raised.value)
        assert "It is as it was" in str(raised.value)
    assert (names_in(path), version_of(path), beside(path)) == (before, 1, [])
    monkeypatch.undo()
    assert_all_is_there(path)


def test_one_of_several_that_open_it_at_once_migrates_it(path, monkeypatch):
    taken = []

    def step(connection):
        taken.append(threading.get_ident())

    monkeypatch.setattr(file, "STEPS", (*STEPS, step))
    monkeypatch.setattr(file, "VERSION", VERSION + 1)
    together, stores = threading.Barrier(6), []

    def begin():
        together.wait()
        stores.append(Store(path))

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.stats().answers for store in stores] == [ROWS] * 6
    assert len(taken) == 1
    for store in stores:
        store.close()
    assert beside(path) == []


MIGRATES = """
import os, signal, sqlite3, sys
from pathlib import Path
from ingather import Store
from ingather.store import file, migration

left = int(sys.argv[2])

def counted(does):
    def counting(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return does(*arguments, **options)
    return counting

class Connection(sqlite3.Connection):
    execute = counted(sqlite3.Connection.execute)
    backup = counted(sqlite3.Connection.backup)

connect = sqlite3.connect
sqlite3.connect = lambda *arguments, **options: connect(*arguments, factory=Connection, **options)
Path.replace, Path.unlink, os.open = counted(Path.replace), counted(Path.unlink), counted(os.open)
Store(sys.argv[1]).close()
"""


def test_killed_at_any_moment_of_it_the_file_is_whole(tmp_path):
    moment, killed = 0, True
    while killed:
        moment += 1
        path = tmp_path / str(moment) / "run.db"
        path.parent.mkdir()
        make(path, 1)
        command = [sys.executable, "-c", MIGRATES, str(path), str(moment)]
        ended = subprocess.run(command, capture_output=True, check=False)
        killed = ended.returncode == -signal.SIGKILL
        assert killed or ended.returncode == 0, ended.stderr
        assert version_of(path) in (1, VERSION)
        for backup in path.parent.glob("*.backup"):
            with closing(sqlite3.connect(backup)) as copy:
                assert copy.execute("SELECT count(*) FROM answers").fetchone() == (ROWS,)
        assert_all_is_there(path)
    assert moment > 15


def test_a_disk_that_fills_at_any_write_of_it(tmp_path):
    said: list[str] = []
    failed = True
    while failed:
        fails_at = len(said) + 1
        path = tmp_path / str(fails_at) / "run.db"
        path.parent.mkdir()
        make(path, 1)
        with failing(fails_at, errno.ENOSPC, lasts=10**9) as disk:
            said.append(refused(path))
        failed = disk.writes >= fails_at
        assert beside(path) == []
        assert_all_is_there(path)
    assert any("It is as it was. Its folder must be writable" in words for words in said)


def refused(path):
    """What is said where it cannot be opened; nothing where it can."""
    try:
        Store(path).close()
    except StoreUnusable as error:
        return str(error)
    return ""


def test_where_nothing_may_be_written_an_older_one_is_read_as_it_is(path):
    before = path.read_bytes()
    with Store(path, read_only=True) as store:
        assert run_sync(store.find(key("7"))) is not None
        assert store.stats().answers == ROWS
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", [VERSION + 1, 99])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_one_is_refused_by_its_version(path, version, read_only):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(StoreUnusable, match=f"made by a newer ingather: .* version {version}"):
        Store(path, read_only=read_only)
    assert version_of(path) == version
    assert beside(path) == []


def test_a_copy_that_an_earlier_attempt_left_is_in_nobodys_way(path):
    migration.backup_of(path, 1).write_bytes(b"half of it")
    Path(f"{migration.backup_of(path, 1)}.part").write_bytes(b"half of it")
    assert_all_is_there(path)
    assert beside(path) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_in_a_folder_where_no_copy_can_be_made(path):
    path.parent.chmod(0o500)
    try:
        with pytest.raises(StoreUnusable):
            Store(path)
    finally:
        path.parent.chmod(0o700)
    assert version_of(path) == 1
