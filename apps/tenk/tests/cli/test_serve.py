"""``tenk serve``, run as a user runs it: where it is, what stops it, what it says of wrong use."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from apps.tenk.tests.service import process


def tenk_serve(*options, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tenk.cli", "serve", *map(str, options)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_when_it_is_told_to(tmp_path, how):
    with process.serving(tmp_path / "t.db") as service:
        assert service.http.get("/api/setup").status_code == 200
        assert service.url.startswith("http://127.0.0.1:")
        service.process.send_signal(how)
        service.process.wait(30)
        service.close()
    assert service.errors == []


def test_its_file_is_for_this_user_alone(tmp_path):
    with process.serving(tmp_path / "t.db"):
        assert (tmp_path / "t.db").stat().st_mode & 0o077 == 0


def test_without_a_file_named_it_keeps_its_own(tmp_path):
    command = [sys.executable, "-m", "tenk.cli", "serve", "--port", "0"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
        text=True,
    ) as running:
        assert running.stdout is not None
        assert "/?token=" in running.stdout.readline()
        running.terminate()
    assert (tmp_path / "tenk" / "tenk.db").is_file()
    assert (tmp_path / "tenk").stat().st_mode & 0o077 == 0


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = tenk_serve("--state", tmp_path / "t.db", "--port", taken.getsockname()[1])
    assert (done.returncode, done.stdout) == (2, "")
    assert "--port names another" in done.stderr


def test_a_file_of_something_else_is_left_alone_and_told(tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("not a database, and longer than the header of one is" * 20)
    done = tenk_serve("--state", other, "--port", 0)
    assert (done.returncode, done.stdout) == (2, "")
    assert "notes.txt" in done.stderr
    assert "Traceback" not in done.stderr
    assert other.read_text().startswith("not a database")


def test_a_model_that_is_none_is_told(tmp_path):
    done = tenk_serve("--state", tmp_path / "t.db", "--model", "gpt-5")
    assert done.returncode == 2
    assert "openai/gpt-5" in done.stderr


def test_without_its_parts_it_says_what_to_install(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['fastapi'] = None\n")
    done = tenk_serve("--state", tmp_path / "t.db", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "pip install 'tenk[serve]'" in done.stderr
