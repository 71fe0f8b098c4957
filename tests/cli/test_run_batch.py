"""OpenAI batch files in, OpenAI batch output files out: nothing lost, nothing doubled."""

import gzip
import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from tests.cli.conftest import answers, asking, write_tasks

OWN = "openai/*"


def batch_line(number: int, **body) -> dict:
    content = f"[id: req-{number}] Say {number}"
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 100,
        **body,
    }
    return {
        "custom_id": f"req-{number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": body,
    }


def write_lines(path: str, lines) -> str:
    Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_batch(path: str, count: int) -> str:
    return write_lines(path, map(batch_line, range(count)))


def at(sim, model: str = OWN) -> list[str]:
    return ["--model", model, "--base-url", sim.base_url]


def test_600_lines_with_faults_and_a_rate_limit_lose_and_double_nothing(ingather, simulator):
    chance = {"error_rate": 0.03, "faults": "500,503,drop,truncate,malformed,html", "seed": 3}
    sim = simulator(model="echo", rpm=30_000, burst=5, script={"Say 7": ["429"]}, **chance)
    done = ingather("run", write_batch("batch.jsonl", 600), "-o", "out.jsonl", *at(sim))
    assert done.code == 0, done.err
    lines = answers("out.jsonl")
    assert Counter(line["custom_id"] for line in lines) == Counter(f"req-{i}" for i in range(600))
    for line in lines:
        completion = ChatCompletion.model_validate(line["response"]["body"], strict=True)
        assert (
            completion.choices[0].message.content
            == f"[id: {line['custom_id']}] Say {line['custom_id'][4:]}"
        )
        assert (line["response"]["status_code"], line["error"]) == (200, None)

    ledger = sim.ledger
    faults_done = sum(bool(row.fault) and row.status != 429 for row in ledger)
    whole = [row for row in ledger if row.status == 200 and not row.fault and not row.disconnected]
    assert Counter(row.custom_id for row in whole) == Counter(f"req-{i}" for i in range(600))
    assert faults_done >= 9
    assert sim.stats()["rejected"] > 0
    assert len(ledger) == 600 + sim.stats()["rejected"] + faults_done


def test_each_line_s_own_model_is_asked(ingather, simulator):
    sim = simulator(model="echo")
    write_lines("batch.jsonl", [batch_line(i, model=f"model-{i % 3}") for i in range(9)])
    assert ingather("run", "batch.jsonl", "-o", "out.jsonl", *at(sim)).code == 0
    asked = {line["custom_id"]: line["response"]["body"]["model"] for line in answers("out.jsonl")}
    assert asked == {f"req-{i}": f"model-{i % 3}" for i in range(9)}


def test_a_model_that_is_given_is_asked_for_all(ingather, simulator):
    sim = simulator(model="echo")
    assert (
        ingather(
            "run", write_batch("batch.jsonl", 5), "-o", "out.jsonl", *at(sim, "openai/mine")
        ).code
        == 0
    )
    assert {line["response"]["body"]["model"] for line in answers("out.jsonl")} == {"mine"}


def test_a_model_that_is_not_there_fails_its_own_lines_only(ingather, simulator):
    sim = simulator(model="echo", script={"Say 1": ["404"], "Say 3": ["404"]})
    write_lines("batch.jsonl", [batch_line(i, model="gone" if i % 2 else "here") for i in range(4)])
    done = ingather("run", "batch.jsonl", "-o", "out.jsonl", *at(sim))
    assert done.code == 3
    by_id = {line["custom_id"]: line["response"]["status_code"] for line in answers("out.jsonl")}
    assert by_id == {"req-0": 200, "req-1": 404, "req-2": 200, "req-3": 404}


def test_a_request_that_is_refused_is_a_line_with_its_status(ingather, simulator):
    sim = simulator(model="echo", script={"Say 1": ["400"]})
    done = ingather("run", write_batch("batch.jsonl", 3), "-o", "out.jsonl", *at(sim))
    assert done.code == 3
    [refused] = [line for line in answers("out.jsonl") if line["response"]["status_code"] != 200]
    assert (refused["custom_id"], refused["response"]["status_code"]) == ("req-1", 400)
    assert refused["response"]["body"]["error"]["type"] == "invalid_request_error"
    assert refused["error"] is None


def test_an_answer_that_is_cut_is_there_and_counted_as_failed(ingather, simulator):
    sim = simulator(model="echo")
    write_lines("batch.jsonl", [batch_line(0, max_tokens=2)])
    assert ingather("run", "batch.jsonl", "-o", "out.jsonl", *at(sim)).code == 3
    [line] = answers("out.jsonl")
    assert line["response"]["body"]["choices"][0]["finish_reason"] == "length"
    assert line["error"]["code"] == "truncated"


def test_bad_lines_are_named_before_anything_is_sent(ingather, simulator):
    sim = simulator(model="echo")
    lines = [
        batch_line(0),
        batch_line(1, stream=True),
        {**batch_line(2), "url": "/v1/responses"},
        {"prompt": "x"},
    ]
    done = ingather(
        "run", write_lines("batch.jsonl", [*lines, batch_line(0)]), "-o", "out.jsonl", *at(sim)
    )
    assert done.code == 2
    for said in (
        "4 bad lines in batch.jsonl; nothing was sent",
        "line 2: the parameter 'stream' is not taken",
        "line 3: 'body' has no 'input'",
        "line 4: this is a line of our own form, but line 1 is an OpenAI batch line",
        "line 5: the id 'req-0' is already that of line 1",
    ):
        assert said in done.err
    assert sim.stats()["calls"] == 0


def test_a_line_without_a_model_is_named_where_each_has_to_have_one(ingather, simulator):
    done = ingather("run", write_tasks("t.jsonl", 1), "-o", "a.jsonl", *at(simulator(model="echo")))
    assert done.code == 2
    assert "line 1: has no 'model'; --model DIALECT/* asks for each line's own" in done.err


def test_on_standard_input_a_bad_line_is_a_batch_line_of_its_own(begin, simulator):
    process = begin("run", "-", "-o", "-", *at(simulator(model="echo")), stdin=-1)
    lines = [
        json.dumps(batch_line(0)),
        "oops",
        json.dumps({**batch_line(2), "method": "GET"}),
        json.dumps(batch_line(3)),
    ]
    out, _ = process.communicate("".join(line + "\n" for line in lines), timeout=30)
    assert process.returncode == 3
    by_id = {line["custom_id"]: line for line in map(json.loads, out.splitlines())}
    assert set(by_id) == {"req-0", "line-2", "req-2", "req-3"}
    assert by_id["line-2"]["response"] is None
    assert by_id["line-2"]["error"]["code"] == "bad_line"
    assert "'method' is" in by_id["req-2"]["error"]["message"]


def test_batch_lines_are_asked_by_the_api_of_their_url(ingather, monkeypatch):
    asked = {}

    def connect(model, **options):
        asked.update(options)
        raise SystemExit(0)

    monkeypatch.setattr("ingather.cli.plan.connect", connect)
    ingather("run", write_batch("batch.jsonl", 2), "-o", "out.jsonl", "--model", OWN)
    assert asked["api"] == "chat"
    ingather("run", write_tasks("t.jsonl", 2), "-o", "out.jsonl", "--model", "openai/x")
    assert asked["api"] is None
    ingather("run", "batch.jsonl", "-o", "out.jsonl", "--model", "openai/x", "--api", "responses")
    assert asked["api"] == "responses"


def responses_line(number: int, **body) -> dict:
    body = {"model": "gpt-5-mini", "input": f"Say {number}", "max_output_tokens": 100, **body}
    return {"custom_id": f"req-{number}", "method": "POST", "url": "/v1/responses", "body": body}


def test_lines_of_the_responses_api_are_answered_in_its_form(ingather, simulator):
    sim = simulator(model="echo")
    items = [{"role": "user", "content": [{"type": "input_text", "text": "Say 1"}]}]
    lines = [
        responses_line(0, instructions="Be brief"),
        responses_line(1, input=items),
        responses_line(2),
    ]
    assert ingather("run", write_lines("batch.jsonl", lines), "-o", "out.jsonl", *at(sim)).code == 0
    by_id = {
        line["custom_id"]: Response.model_validate(line["response"]["body"])
        for line in answers("out.jsonl")
    }
    assert {key: response.output_text for key, response in by_id.items()} == {
        f"req-{i}": f"Say {i}" for i in range(3)
    }
    assert by_id["req-0"].instructions == "Be brief"
    assert {row.model for row in sim.ledger} == {"gpt-5-mini"}


@pytest.mark.parametrize("options", [["--api", "chat"], ["--model", "ollama/x"]])
def test_they_are_refused_where_the_provider_is_asked_otherwise(ingather, simulator, options):
    sim = simulator(model="echo")
    done = ingather(
        "run", write_lines("batch.jsonl", [responses_line(0)]), "-o", "o.jsonl", *at(sim), *options
    )
    assert done.code == 2
    assert "line 1: 'url' is '/v1/responses', which is not how this provider is asked" in done.err


def test_what_the_responses_api_has_not_is_said_in_the_command_line_s_words(ingather, simulator):
    write_lines("batch.jsonl", [batch_line(0, stop=["x"])])
    done = ingather(
        "run", "batch.jsonl", "-o", "o.jsonl", *at(simulator(model="echo")), "--api", "responses"
    )
    assert done.code == 2
    assert "line 1: the Responses API has no 'stop': leave it out, or use --api chat" in done.err


def test_packed_in_and_packed_out(ingather, simulator):
    sim = simulator(model="echo")
    lines = "".join(json.dumps(batch_line(i)) + "\n" for i in range(50))
    Path("batch.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    assert ingather("run", "batch.jsonl.gz", "-o", "out.jsonl.gz", *at(sim)).code == 0
    out = [
        json.loads(line) for line in gzip.decompress(Path("out.jsonl.gz").read_bytes()).splitlines()
    ]
    assert {line["custom_id"] for line in out} == {f"req-{i}" for i in range(50)}


def test_killed_at_any_moment_a_packed_file_is_readable(begin, simulator):
    sim = simulator(model="echo", latency=0.01)
    process = begin(
        "run",
        write_batch("batch.jsonl", 2000),
        "-o",
        "out.jsonl.gz",
        "--max-concurrency",
        "4",
        *at(sim),
    )
    while sim.stats()["calls"] < 40:
        assert process.poll() is None
    process.kill()
    process.wait(timeout=30)
    lines = gzip.decompress(Path("out.jsonl.gz").read_bytes()).splitlines()
    assert len(lines) >= 20
    assert all(json.loads(line)["error"] is None for line in lines)


def test_damaged_packing_stops_the_run_before_anything_is_sent(ingather, simulator):
    sim = simulator(model="echo")
    Path("t.jsonl.gz").write_bytes(gzip.compress(b'{"prompt": "x"}\n' * 5000)[:-9])
    done = ingather("run", "t.jsonl.gz", "-o", "a.jsonl", *asking(sim))
    assert done.code == 2
    assert re.search(
        r"t\.jsonl\.gz, line \d+: cannot be read from here on: corrupt or truncated gzip data",
        done.err,
    )
    assert sim.stats()["calls"] == 0
    assert not Path("a.jsonl").exists()


@pytest.mark.parametrize(("name", "sign"), [("people.tsv", "\t"), ("people.csv", ",")])
def test_a_table_with_a_model_in_each_row(ingather, simulator, name, sign):
    rows = [("id", "model", "text"), ("a", "small", "hello"), ("b", "large", "bye")]
    Path(name).write_text("".join(sign.join(row) + "\n" for row in rows))
    sim = simulator(model="echo")
    assert ingather("run", name, "-o", "a.jsonl", "--prompt", "Say {text}", *at(sim)).code == 0
    assert {line["id"]: line["value"] for line in answers("a.jsonl")} == {
        "a": "Say hello",
        "b": "Say bye",
    }
    assert {row.model for row in sim.ledger} == {"small", "large"}


def test_a_table_on_standard_input(begin, simulator):
    options = ["--format", "csv", "--prompt", "Say {text}", *asking(simulator(model="echo"))]
    process = begin("run", "-", "-o", "-", "--quiet", *options, stdin=-1)
    out, _ = process.communicate("id,text\na,hello\nb\n", timeout=30)
    assert process.returncode == 3
    by_id = {line["id"]: line for line in map(json.loads, out.splitlines())}
    assert by_id["a"]["value"] == "Say hello"
    assert (
        "standard input, line 3: 1 cell where the header has 2"
        in by_id["line-3"]["error"]["message"]
    )


def test_a_named_pipe_may_be_packed(begin, simulator):
    os.mkfifo("pipe.jsonl.gz")
    process = begin("run", "pipe.jsonl.gz", "-o", "a.jsonl", *asking(simulator(model="echo")))
    with Path("pipe.jsonl.gz").open("wb") as pipe:
        pipe.write(gzip.compress(b'{"id": "a", "prompt": "x"}\n'))
    assert process.wait(timeout=30) == 0
    assert [line["id"] for line in answers("a.jsonl")] == ["a"]


def test_a_line_with_several_choices_has_them_all_in_its_answer_and_from_the_store(
    ingather, simulator
):
    sim = simulator(model="echo")
    write_lines("batch.jsonl", [batch_line(0, n=3), batch_line(1), batch_line(2, n=1)])
    for output in ("first.jsonl", "again.jsonl"):
        done = ingather("run", "batch.jsonl", "-o", output, "--store", "s.db", *at(sim))
        assert done.code == 0, done.err
        bodies = {line["custom_id"]: line["response"]["body"] for line in answers(output)}
        assert [len(bodies[f"req-{number}"]["choices"]) for number in range(3)] == [3, 1, 1]
        assert [choice["index"] for choice in bodies["req-0"]["choices"]] == [0, 1, 2]
        ChatCompletion.model_validate(bodies["req-0"], strict=True)
    assert len(sim.ledger) == 3


def test_several_choices_are_refused_before_the_first_call_where_there_can_be_one(
    ingather, simulator
):
    sim = simulator(model="echo")
    write_lines("batch.jsonl", [batch_line(0), batch_line(1, n=2)])
    Path("schema.json").write_text('{"type": "object", "properties": {"a": {"type": "string"}}}')
    done = ingather("run", "batch.jsonl", "-o", "out.jsonl", "--schema", "schema.json", *at(sim))
    assert done.code == 2
    assert "'n' is above 1, and --schema makes one value" in done.err
    write_lines("own.jsonl", [{"prompt": "Hi", "params": {"n": 2}}])
    done = ingather("run", "own.jsonl", "-o", "own.out", *at(sim, "openai/m"))
    assert done.code == 2
    assert "one answer a task" in done.err
    assert not sim.ledger


@pytest.mark.parametrize(
    "model", ["ollama/m", "anthropic/m", "gemini/m", "echo", "offline/extractive"]
)
def test_a_line_with_several_choices_never_has_fewer(ingather, model, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-12345678")
    monkeypatch.setenv("GEMINI_API_KEY", "sk-12345678")
    write_lines("batch.jsonl", [batch_line(0, n=2)])
    done = ingather("run", "batch.jsonl", "-o", "out.jsonl", "--model", model)
    assert done.code != 0
    assert "gives one answer to a request" in done.err
    assert not Path("out.jsonl").exists() or answers("out.jsonl")[0]["response"] is None


def test_several_choices_cost_several_answers_in_the_estimate_and_for_the_budget(
    ingather, simulator
):
    sim = simulator(model="echo")
    money = ["--price", "0:10000"]
    write_lines("batch.jsonl", [batch_line(0, n=4)])
    done = ingather("run", "batch.jsonl", "-o", "out.jsonl", "--dry-run", *money, *at(sim))
    assert "4.00" in done.out, done.out
    done = ingather("run", "batch.jsonl", "-o", "out.jsonl", "--max-cost", "3", *money, *at(sim))
    assert not sim.ledger, done.err
