"""`ingather run` with the embedded model: no key, no server."""

import json
from pathlib import Path

SCHEMA = {
    "type": "object",
    "properties": {"headquarters": {"type": "string"}, "revenue": {"type": "number"}},
    "required": ["headquarters", "revenue"],
}
ROWS = [
    {"id": "told", "text": "Our headquarters are in Oslo. Revenue was $5 million."},
    {"id": "silent", "text": "Our headquarters are in Oslo."},
]


def run(ingather, *options):
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    Path("facts.json").write_text(json.dumps(SCHEMA))
    done = ingather("run", "rows.jsonl", "-o", "a.jsonl", "--model", "offline/extractive", *options)
    lines = Path("a.jsonl").read_text().splitlines() if Path("a.jsonl").exists() else []
    return done, {line["id"]: line for line in map(json.loads, lines)}


def test_rows_are_filled_and_what_the_text_does_not_say_is_refused(ingather):
    done, answers = run(ingather, "--prompt", "{text}", "--schema", "facts.json")
    assert done.code == 3
    assert answers["told"]["value"] == {"headquarters": "Oslo", "revenue": 5e6}
    assert answers["told"]["cost_usd"] == 0
    assert answers["silent"]["error"]["type"] == "Refused"
    assert "revenue" in answers["silent"]["error"]["message"]


def test_a_server_for_it_is_wrong_use(ingather):
    done, answers = run(ingather, "--prompt", "{text}", "--base-url", "http://127.0.0.1:1/v1")
    assert done.code == 2
    assert "has no server: leave out --base-url, --api-key-env VAR, --header and --ca" in done.err
    assert answers == {}


def test_another_offline_model_is_wrong_use(ingather):
    Path("rows.jsonl").write_text('{"prompt": "Hi"}\n')
    done = ingather("run", "rows.jsonl", "-o", "a.jsonl", "--model", "offline/poet")
    assert done.code == 2
    assert 'write "offline/extractive"' in done.err
