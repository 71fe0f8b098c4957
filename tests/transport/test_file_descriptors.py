"""Too few file descriptors are said before the first call, with the command that helps."""

import asyncio
import subprocess
import sys

import pytest

from ingather.errors import SetupError
from ingather.transport import open_files
from ingather.transport.open_files import check_file_descriptors
from tests.servers.raw import RawServer, answer, completion


@pytest.fixture
def limits(monkeypatch):
    def set_to(soft, hard):
        monkeypatch.setattr(open_files, "_file_descriptors", lambda: (soft, hard))

    return set_to


def test_enough_is_enough(limits):
    limits(1024, 1024)
    check_file_descriptors(960)


def test_too_few_tells_how_many_and_what_to_run(limits):
    limits(1024, 524_288)
    with pytest.raises(
        SetupError,
        match=r"needs 1025 open files.*may have 1024.*ulimit -n "
        r"1025.*at most 960",
    ):
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
from ingather.transport import Endpoint
from ingather.transport.open_files import check_file_descriptors
from ingather.transport.aiohttp_transport import AiohttpTransport

resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
check_file_descriptors(50)
try:
    check_file_descriptors(51)
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


@pytest.mark.parametrize("soft", [16, 32, 48, 64, 127, 128, 200, 1024])
def test_what_the_message_advises_is_possible(limits, soft):
    limits(soft, soft)
    with pytest.raises(SetupError, match=r"hard limit of \d+ raised") as caught:
        check_file_descriptors(2000)
    most = int(str(caught.value).rpartition(" ")[2])
    assert most >= soft // 2 or most >= soft - 64
    check_file_descriptors(most)
    limits(soft, 10**6)
    with pytest.raises(SetupError, match="run `ulimit") as caught:
        check_file_descriptors(most + 1)
    needed = int(str(caught.value).partition("ulimit -n ")[2].partition("`")[0])
    limits(needed, needed)
    check_file_descriptors(most + 1)


FEW = """
import asyncio, resource, sys
from ingather import LLMTask, ParallelLLMExecutor, connect

url, limit, bound = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

async def main():
    providers = [connect("openai/m", base_url=f"{url}/v1", api_key=key, retry=None) for key in ("a", "b")]
    executors = [ParallelLLMExecutor(provider, bound, store=f"{key}.db") for key, provider in zip("ab", providers)]
    both = await asyncio.gather(*(executor.gather([LLMTask(str(i)) for i in range(60)]) for executor in executors))
    for executor in executors:
        await executor.aclose()
    print(sum(result.success for results in both for result in results), {str(r.error) for rs in both for r in rs})

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
@pytest.mark.parametrize("bound", ["None", "8"])
@pytest.mark.parametrize("limit", [32, 48, 64, 128])
async def test_process_with_few_files_runs_what_fits_at_a_time(tmp_path, limit, bound):
    async def serve(exchange):
        await asyncio.sleep(0.02)  # so that connections are held
        await exchange.send(answer(completion()))

    async with RawServer(serve) as server:
        command = [sys.executable, "-c", FEW, server.url, str(limit), bound]
        process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, stdout=-1, stderr=-1)
        said, told = await process.communicate()
    assert (said.decode(), told.decode()) == ("120 {'None'}\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_against_the_real_limit_of_a_process():
    done = subprocess.run(
        [sys.executable, "-c", REALLY], capture_output=True, text=True, check=True
    )
    told, failed = done.stdout.splitlines()
    assert "needs 102 open files, this process may have 100" in told
    assert "too many open files" in failed
