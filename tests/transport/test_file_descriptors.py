"""Too few file descriptors are said before the first call, with the command that helps."""

import subprocess
import sys

import pytest

from ingather import transport
from ingather.errors import SetupError
from ingather.transport import check_file_descriptors


@pytest.fixture
def limits(monkeypatch):
    def set_to(soft, hard):
        monkeypatch.setattr(transport, "_file_descriptors", lambda: (soft, hard))

    return set_to


def test_enough_is_enough(limits):
    limits(1024, 1024)
    check_file_descriptors(960)


def test_too_few_tells_how_many_and_what_to_run(limits):
    limits(1024, 524_288)
    with pytest.raises(SetupError, match=r"needs 1025 open files.*may have 1024.*ulimit -n 1025.*at most 960"):
        check_file_descriptors(961)


def test_hard_limit_is_another_matter(limits):
    limits(1024, 4096)
    with pytest.raises(SetupError, match=r"hard limit of 4096.*ulimit -Hn"):
        check_file_descriptors(5000)


def test_no_limit_is_enough(limits):
    limits(float("inf"), float("inf"))
    check_file_descriptors(10**6)


REALLY = """
import asyncio, resource, socket, sys
from ingather.errors import ConnectFailed, SetupError
from ingather.transport import Endpoint, check_file_descriptors
from ingather.transport.http1 import AiohttpTransport

resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
check_file_descriptors(36)
try:
    check_file_descriptors(37)
except SetupError as error:
    print(error)

async def main():
    transport = AiohttpTransport()
    endpoint = Endpoint("http://127.0.0.1:9", {})
    await asyncio.gather(transport.post(endpoint, b""), return_exceptions=True)  # so that nothing is imported later
    held = []
    try:
        while True:
            held.append(socket.socket())
    except OSError:
        pass
    try:
        await transport.post(endpoint, b"")
    except ConnectFailed as error:
        print(error)
    for sock in held:
        sock.close()
    await transport.aclose()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_against_the_real_limit_of_a_process():
    done = subprocess.run([sys.executable, "-c", REALLY], capture_output=True, text=True, check=True)
    told, failed = done.stdout.splitlines()
    assert "needs 101 open files, this process may have 100" in told
    assert "too many open files" in failed
