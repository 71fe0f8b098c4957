"""Clients of the user's own as providers with only `complete`: openai's here, the others in environments of their own.

`make test-slow` builds those environments, as `benchmarks/compare.py` does; they lie in
`.benchmarks/`.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openai import AsyncOpenAI

from ingather import LLMTask, ParallelLLMExecutor, Usage
from ingather.errors import AuthFailed, BadRequest
from ingather.testing import Simulator

ROOT = Path(__file__).resolve().parents[1]


def load(path):
    """The module in the file `path`, which belongs to no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def output_of(client, python=sys.executable):
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.endswith(("_API_KEY", "_BASE_URL"))
    }
    done = subprocess.run(
        [python, ROOT / "examples" / f"wrapped_{client}.py"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**environment, "PYTHONPATH": str(ROOT / "src")},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def assert_all_answered(output):
    counts = re.search(r"(\d+) of (\d+) answered; told to wait: (\d+) times", output)
    assert counts is not None, output
    answered, asked, told_to_wait = map(int, counts.groups())
    assert answered == asked > 0
    assert told_to_wait > 0


@pytest.fixture(scope="module")
def wrapped():
    return load(ROOT / "examples" / "wrapped_openai.py").Wrapped


async def test_a_429_of_a_wrapped_client_is_paced_like_ours(wrapped):
    async with (
        Simulator(rpm=6000, burst=2, script={"Question 7": ["429"]}) as server,
        AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client,
    ):
        executor = ParallelLLMExecutor(wrapped(client, "any"), max_concurrency=5)
        results = await executor.gather(LLMTask(f"Question {n}") for n in range(20))
        stats = server.stats()
    assert [result.success for result in results] == [True] * 20
    assert sum(result.rejected for result in results) == stats["rejected"] > 0
    assert sum(result.attempts for result in results) == stats["calls"]
    assert {result.attempts - result.rejected for result in results} == {1}


async def test_a_wrapped_client_gives_text_and_usage(wrapped):
    async with (
        Simulator(model="echo") as server,
        AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client,
    ):
        [result] = await ParallelLLMExecutor(wrapped(client, "any")).gather(
            [LLMTask("Hello there")]
        )
        stats = server.stats()
    assert "Hello there" in result.value.content
    assert result.usage == Usage(stats["prompt_tokens"], stats["completion_tokens"])


async def test_a_response_model_goes_along_as_response_format(wrapped):
    async with (
        Simulator() as server,
        AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client,
    ):
        task = LLMTask("Lars is 52 years old. How old is he?", response_model=int)
        [result] = await ParallelLLMExecutor(wrapped(client, "any")).gather([task])
    assert result.unwrap() == 52


async def test_a_wrong_key_of_a_wrapped_client_ends_the_run_after_one_answer(wrapped):
    async with (
        Simulator(api_key="sk-the-right-key") as server,
        AsyncOpenAI(base_url=server.base_url, api_key="sk-a-wrong-key", max_retries=0) as client,
    ):
        executor = ParallelLLMExecutor(wrapped(client, "any"), max_concurrency=1)
        results = await executor.gather(LLMTask(f"Question {n}") for n in range(10))
        stats = server.stats()
    assert {type(result.error) for result in results} == {AuthFailed}
    assert stats["calls"] == 1


async def test_a_refused_request_of_a_wrapped_client_is_not_tried_again(wrapped):
    async with (
        Simulator(script=["400"]) as server,
        AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client,
    ):
        [result] = await ParallelLLMExecutor(wrapped(client, "any")).gather([LLMTask("Hello")])
        stats = server.stats()
    assert isinstance(result.error, BadRequest)
    assert stats["calls"] == 1


def test_wrapped_openai():
    output = output_of("openai")
    assert_all_answered(output)
    assert "as a number: 52" in output


@pytest.mark.slow
@pytest.mark.parametrize("client", ["instructor", "litellm", "langchain"])
def test_in_an_environment_of_its_own(client):
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        from harness import NotInstalled  # type: ignore[import-not-found]
        from peers import PEERS  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    try:
        python = next(peer for peer in PEERS if peer.folder == client).environment()
    except NotInstalled as error:
        pytest.skip(str(error))
    assert_all_answered(output_of(client, python))
