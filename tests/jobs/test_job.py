"""A job between a file and an executor."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from ingather import EchoProvider, ParallelLLMExecutor
from ingather.jobs import Job, Recipe, Source, Template


@pytest.fixture
def source(tmp_path: Path):
    async def write(*lines: str) -> Source:
        path = tmp_path / "tasks.jsonl"
        path.write_text("".join(line + "\n" for line in lines))
        return await asyncio.to_thread(Source, str(path))  # it looks at the disk

    return write


async def answers(job: Job, provider=None, **options) -> list[dict]:
    executor = ParallelLLMExecutor(provider or EchoProvider(), **options)
    async with executor.as_completed(job.tasks()) as results:
        return [json.loads(job.answer(result)) async for result in results]


async def test_each_line_has_one_answer_under_its_id(source):
    job = Job(
        await source(
            *[f'{{"id": "t{i}", "prompt": "{i}", "metadata": {{"n": {i}}}}}' for i in range(200)]
        ),
        Recipe(),
    )
    lines = await answers(job)
    assert {(line["id"], line["value"], line["metadata"]["n"]) for line in lines} == {
        (f"t{i}", f"Echo: {i}", i) for i in range(200)
    }
    assert sorted(line["index"] for line in lines) == list(range(200))
    assert repr(job).endswith("200 pulled, 0 under way)")


async def test_a_bad_line_is_a_failed_answer_of_its_own(source):
    job = Job(
        await source('{"id": "a", "prompt": "x"}', "oops", '{"id": "c", "promt": "x"}'), Recipe()
    )
    bad = {line["id"]: line["error"] for line in await answers(job) if not line["success"]}
    assert set(bad) == {"line-2", "c"}
    assert bad["line-2"]["type"] == "BadLine"
    assert "line 2: not JSON" in bad["line-2"]["message"]
    assert "line 3: has neither 'prompt'" in bad["c"]["message"]


async def test_a_bad_line_makes_no_attempt(source):
    [line] = await answers(Job(await source("oops"), Recipe()))
    assert line["attempts"] == 0


async def test_lines_are_read_as_they_are_pulled(source):
    job = Job(await source(*[f'{{"prompt": "{i}"}}' for i in range(5000)]), Recipe())
    async with ParallelLLMExecutor(EchoProvider(), max_concurrency=2).as_completed(
        job.tasks()
    ) as results:
        await anext(results)
        assert job.pulled <= 2 * 2 + 16 + 1


async def test_stop_takes_no_more_lines_and_ends_what_was_begun(source):
    job = Job(await source(*[f'{{"prompt": "{i}"}}' for i in range(1000)]), Recipe())
    seen = []
    async with ParallelLLMExecutor(EchoProvider(), max_concurrency=3).as_completed(
        job.tasks()
    ) as results:
        async for result in results:
            seen.append(json.loads(job.answer(result)))
            job.stop()
    assert len(seen) == job.pulled < 30


async def test_stop_does_not_wait_for_a_pipe_that_says_nothing(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    os.write(writer, b'{"id": "a", "prompt": "x"}\n')
    job = Job(await asyncio.to_thread(Source, str(pipe)), Recipe())
    try:
        async with ParallelLLMExecutor(EchoProvider()).as_completed(job.tasks()) as results:
            assert json.loads(job.answer(await anext(results)))["id"] == "a"
            asyncio.get_running_loop().call_soon(job.stop)
            assert [result async for result in results] == []
    finally:
        os.write(writer, b"\n")
        os.close(writer)


async def test_answers_of_a_form_are_dumped(source):
    job = Job(
        await source('{"text": "5"}'),
        Recipe(Template("Say {text}"), response_model=int),
        dump=lambda value: {"is": value},
    )
    provider = EchoProvider()
    provider.set_responses(['{"value": 5}'])
    [line] = await answers(job, provider)
    assert line["value"] == {"is": 5}
