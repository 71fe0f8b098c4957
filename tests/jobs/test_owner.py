"""One process at a time writes a file; one that died does not hold it up."""

import os
import socket
import subprocess
import sys
from dataclasses import replace

import pytest

from ingather.errors import SetupError
from ingather.jobs import owner as module
from ingather.jobs.owner import Owner, take


@pytest.fixture
def open_file(tmp_path):
    opened = []

    def again():
        opened.append(os.open(tmp_path / "a.jsonl", os.O_WRONLY | os.O_CREAT))
        return opened[-1]

    yield again
    for descriptor in opened:
        os.close(descriptor)


def test_the_second_one_is_told_who_has_it(open_file):
    take(open_file(), "a.jsonl", None)
    with pytest.raises(
        SetupError,
        match=rf"a.jsonl is being written by process {os.getpid()} on "
        rf".*, since 20",
    ):
        take(open_file(), "a.jsonl", Owner.this())
    with pytest.raises(SetupError, match="by another process"):
        take(open_file(), "a.jsonl", None)


def test_it_is_free_again_when_its_owner_is_killed(open_file, tmp_path):
    program = f"""
import os, sys
from ingather.jobs.owner import take
take(os.open({str(tmp_path / "a.jsonl")!r}, os.O_WRONLY | os.O_CREAT), "a.jsonl", None)
print("mine", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(SetupError):
            take(open_file(), "a.jsonl", None)
        other.kill()
        other.wait()
        take(open_file(), "a.jsonl", None)


class TestWhereTheFileSystemHasNoLocks:
    @pytest.fixture(autouse=True)
    def _none(self, monkeypatch):
        class Nothing:
            LOCK_EX = LOCK_NB = 0

            @staticmethod
            def flock(descriptor, how):
                raise OSError(95, "Operation not supported")

        monkeypatch.setattr(module, "fcntl", Nothing)

    def test_an_owner_that_lives_has_it(self, open_file):
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as other:
            there = replace(Owner.this(), pid=other.pid, born=0)
            with pytest.raises(SetupError, match=f"process {other.pid}"):
                take(open_file(), "a.jsonl", there)
            other.kill()
            other.wait()
            take(open_file(), "a.jsonl", there)

    def test_a_number_that_was_given_to_another_process_is_no_owner(self, open_file):
        take(open_file(), "a.jsonl", replace(Owner.this(), pid=os.getppid(), born=1))

    def test_an_owner_on_another_machine_is_taken_for_dead(self, open_file):
        take(
            open_file(), "a.jsonl", replace(Owner.this(), pid=1, host=f"not {socket.gethostname()}")
        )


def test_it_is_read_as_it_was_written():
    assert Owner.read(Owner.this().written()) == Owner.this()
    assert Owner.read("") is None
    assert Owner.read('{"pid": 1}') is None
    assert Owner.read("[]") is None
