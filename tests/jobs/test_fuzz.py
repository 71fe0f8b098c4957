"""Whatever stands in a file: rows, tasks, or an error that names the line. Never a crash."""

import gzip
import io
import zlib
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingather import connect
from ingather.errors import Rejected, SetupError
from ingather.jobs import BadLine, Line, Recipe, Row, Source, Template, check
from ingather.jobs.check import lines_of
from ingather.jobs.rows import read_jsonl
from ingather.jobs.tables import read_csv, read_tsv

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ROLES = st.sampled_from(["user", "assistant", "system", "tool", "wizard"]) | JSON
MESSAGE = st.dictionaries(
    st.sampled_from(["content", "name", "tool_calls", "metadata", "refusal"]), JSON
).flatmap(lambda rest: ROLES.map(lambda role: {**rest, "role": role}))
PARAMS = st.dictionaries(
    st.sampled_from(["temperature", "stop", "model", "n", "stream", "metadata", "api_key"]), JSON
)
MESSAGES = st.lists(MESSAGE, max_size=3) | JSON
BODY = (
    PARAMS.flatmap(lambda params: MESSAGES.map(lambda messages: {**params, "messages": messages}))
    | JSON
)
ITEM = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["message", "function_call", "function_call_output", "reasoning"])
        | JSON
    },
    optional={
        "role": ROLES,
        "content": JSON,
        "call_id": JSON,
        "name": JSON,
        "arguments": JSON,
        "output": JSON,
    },
)
INPUT = PARAMS.flatmap(
    lambda params: (st.lists(ITEM, max_size=3) | JSON).map(lambda said: {**params, "input": said})
)
OURS = st.fixed_dictionaries(
    {},
    optional={
        "id": JSON,
        "prompt": JSON,
        "messages": MESSAGES,
        "params": PARAMS | JSON,
        "metadata": JSON,
        "x": JSON,
    },
)
BATCH = st.fixed_dictionaries(
    {"custom_id": st.text() | JSON, "body": BODY | INPUT},
    optional={
        "method": st.just("POST") | JSON,
        "url": st.sampled_from(["/v1/chat/completions", "/v1/responses"]) | JSON,
        "x": JSON,
    },
)
RECIPES = [
    Recipe(),
    Recipe(own_models=True, speaks_responses=True),
    Recipe(Template("{prompt} {body}")),
    Recipe(system="s", params={"seed": 1}, response_model=int),
]
PROVIDERS = [
    connect("openai/m", base_url="http://127.0.0.1:1/v1", api=api) for api in ("chat", "responses")
]


@pytest.mark.parametrize("read", [read_jsonl, read_csv, read_tsv])
@given(st.binary() | st.text().map(str.encode) | st.text('",\t\n\r{}[]a:1').map(str.encode))
def test_any_bytes_are_rows_or_bad_lines(read, raw):
    lines = list(io.BytesIO(raw))
    for item in read(lines, "f"):
        assert isinstance(item, Row | BadLine)
        assert 1 <= item.line <= len(lines)
        if isinstance(item, BadLine):
            assert str(item).startswith(f"f, line {item.line}: ")


@pytest.mark.parametrize("recipe", RECIPES, ids=["plain", "own_models", "template", "all"])
@settings(max_examples=300)
@given(OURS | BATCH | st.dictionaries(st.text(), JSON))
def test_any_object_is_a_task_or_a_typed_error(recipe, fields):
    try:
        line = recipe.line(Row(1, fields))
        PROVIDERS[recipe.speaks_responses].prepare(line.task.messages, line.task.config_overrides)
    except (SetupError, Rejected):
        pass


@given(st.lists(st.binary(max_size=80) | (OURS | BATCH).map(orjson.dumps), max_size=6))
def test_any_file_is_checked_or_refused_by_line(tmp_path_factory, lines):
    path: Path = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    path.write_bytes(b"\n".join(lines))
    source = Source(str(path))
    items = list(lines_of(source, Recipe()))
    bad = [item for item in items if isinstance(item, BadLine)]
    assert all(isinstance(item, Line | BadLine) for item in items)
    if items and not bad:
        assert check(source, Recipe()).tasks == len(items)
    else:
        with pytest.raises(
            SetupError, match=r"holds no tasks" if not items else rf"line {bad[0].line}: "
        ):
            check(source, Recipe())


@given(
    st.binary(max_size=400),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 255)), max_size=3),
)
def test_any_packed_file_is_rows_or_bad_lines(tmp_path_factory, raw, flips):
    packed = bytearray(gzip.compress(raw + b'\n{"prompt": "x"}\n' * 20) + raw[:40])
    for place, bits in flips:
        packed[place % len(packed)] ^= bits
    path: Path = tmp_path_factory.getbasetemp() / "fuzz.jsonl.gz"
    path.write_bytes(packed)
    assert all(isinstance(item, Row | BadLine) for item in Source(str(path)).rows())


@pytest.mark.parametrize("depth", [200, 300, 900])
def test_deep_nesting_is_a_task_or_a_typed_error(depth):
    deep: object = "x"
    for _ in range(depth):
        deep = [deep]
    for recipe in RECIPES:
        for prompt, metadata in (("x", {"deep": deep}), (deep, None)):
            try:
                recipe.line(Row(1, {"prompt": prompt, "body": "", "metadata": metadata}))
            except SetupError:
                continue


def test_what_packs_well_is_not_unpacked_at_once(tmp_path: Path):
    path = tmp_path / "big.csv.gz"
    packer = zlib.compressobj(wbits=31)
    block = b"id,prompt\n" + b"".join(b"%d,hello\n" % number for number in range(200_000))
    path.write_bytes(packer.compress(block) + packer.flush())
    rows = Source(str(path)).rows()
    assert next(rows) == Row(2, {"id": "0", "prompt": "hello"})
    rows.close()
