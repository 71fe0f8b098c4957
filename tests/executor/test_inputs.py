"""What may be given as tasks: strings are tasks everywhere, and a mistake as a whole says what to write."""

import io
from collections import namedtuple

import pytest

from ingather import (
    DeterministicTask,
    EchoProvider,
    ExtractTask,
    LLMMessage,
    LLMTask,
    ParallelLLMExecutor,
)

np = pytest.importorskip("numpy")

Row = namedtuple("Row", ["id", "question"])  # noqa: PYI024 - as DataFrame.itertuples gives them


@pytest.fixture
def provider():
    return EchoProvider()


@pytest.fixture
def executor(provider):
    return ParallelLLMExecutor(provider)


class Column:
    """As a Series of pandas or polars: one dimension, values of one type."""

    def __init__(self, values):
        self.values = values
        self.dtype = "whatever"

    def __iter__(self):
        return iter(self.values)

    def __len__(self):
        return len(self.values)


class ArrowColumn(Column):
    def to_pylist(self):
        return self.values


class Frame:
    """As a DataFrame: iterating it gives the names of its columns, which are strings."""

    columns = ("question", "year")

    def __iter__(self):
        return iter(self.columns)

    def __len__(self):
        return 2


class Table(Frame):
    """As a table of Arrow, or a data set."""

    columns = None  # type: ignore[assignment]
    column_names = ("question", "year")

    def to_pylist(self):
        return []


class LazyFrame(Frame):
    @property
    def columns(self):  # type: ignore[override]
        raise AssertionError("it would look at its source")

    def collect(self):
        return Frame()


class Interchange:
    """Anything else that says it is a table."""

    def __dataframe__(self):
        return self

    def __iter__(self):
        return iter("abc")


# -- strings


async def every_method(executor, tasks):
    return [
        await executor.gather(tasks),
        [result async for result in executor.as_completed(tasks)],
        [result async for result in executor.in_order(tasks)],
        await executor.execute_sequential(tasks),
        list((await executor.execute({str(i): task for i, task in enumerate(tasks)})).values()),
        list(
            (await executor.execute_mixed({str(i): task for i, task in enumerate(tasks)})).values()
        ),
    ]


async def test_a_string_is_a_task_of_one_user_message_in_every_method(executor):
    for results in await every_method(executor, ["one", "two"]):
        assert sorted(str(result.value) for result in results) == ["Echo: one", "Echo: two"]
        assert {type(result.task) for result in results} == {LLMTask}


async def test_strings_and_tasks_may_be_mixed(executor):
    results = await executor.gather(
        ["one", DeterministicTask(len, ("two",)), LLMTask("three", tag="t")]
    )
    assert [str(result.value) for result in results] == ["Echo: one", "3", "Echo: three"]
    assert [result.tag for result in results] == ["", "", "t"]


async def lazily():
    yield "one"
    yield "two"


@pytest.mark.parametrize(
    "source",
    [
        lambda: (text for text in ("one", "two")),
        lazily,
        lambda: Column(["one", "two"]),
        lambda: np.array(["one", "two"]),
        lambda: np.array(["one", "two"], dtype=object),
        lambda: dict.fromkeys(("one", "two")).keys(),
        lambda: map(str, ("one", "two")),
    ],
    ids=["generator", "async generator", "column", "array", "object array", "keys", "map"],
)
async def test_strings_may_come_from_anything_that_can_be_iterated(executor, source):
    assert [str(result.value) for result in await executor.gather(source())] == [
        "Echo: one",
        "Echo: two",
    ]


async def test_a_missing_value_in_a_column_fails_alone(executor):
    results = await executor.gather(Column(["one", float("nan"), None]))
    assert [result.success for result in results] == [True, False, False]


# -- what is a mistake as a whole

WRONG = [
    ("one prompt", r"not one string: write METHOD\(\[…\]\)"),
    (b"one prompt", r"not one bytes"),
    (LLMTask("a"), r"not one LLMTask: write METHOD\(\[…\]\)"),
    (ExtractTask("a", dict), r"not one ExtractTask"),
    (DeterministicTask(len), r"not one DeterministicTask"),
    (LLMMessage("user", "a"), r"not one LLMMessage"),
    (Frame(), r"not a Frame: .*LLMTask\(row\['question'\]\).*METHOD\(table\['question'\]\)"),
    (Table(), r"not a Table: .*METHOD\(table\['question'\]\.to_pylist\(\)\)"),
    (LazyFrame(), r"not a LazyFrame: .*LLMTask\(…\).* once it is collected"),
    (Interchange(), r"not a Interchange: .*LLMTask"),
    (np.array([["a", "b"]]), r"ndarray of 2 dimensions: .*LLMTask"),
    (np.array("a"), r"ndarray of 0 dimensions"),
    (np.array([1, 2]), r"this ndarray holds none: .*LLMTask"),
    (Column([1.5, 2.5]), r"this Column holds none"),
    (ArrowColumn([object()]), r"this ArrowColumn holds none: .*to_pylist"),
    (None, r"an iterable of tasks, or a dict, not None"),
    (3, r"an iterable of tasks, or a dict, not 3"),
    (lazily, r"iterable of tasks.*for a generator call it"),
]


@pytest.mark.parametrize(("tasks", "words"), WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("method", ["gather", "as_completed", "in_order", "execute_sequential"])
async def test_the_whole_of_it_is_a_type_error_before_anything_is_sent(
    executor, provider, method, tasks, words
):
    with pytest.raises(TypeError, match=words.replace("METHOD", method)):
        await getattr(executor, method)(tasks)
    assert provider.call_count == 0


METHODS = ["gather", "as_completed", "in_order", "execute_sequential", "execute", "execute_mixed"]


@pytest.mark.parametrize("method", [name for name in METHODS if name != "execute_sequential"])
async def test_a_message_is_no_dict_of_tasks(executor, provider, method):
    with pytest.raises(TypeError, match="not a message"):
        await getattr(executor, method)({"role": "user", "content": "Hello"})
    assert provider.call_count == 0


@pytest.mark.parametrize(
    "tasks", [None, 3, "one", LLMTask("a"), LLMMessage("user", "a"), Frame(), lazily]
)
@pytest.mark.parametrize("method", METHODS)
async def test_the_error_names_the_method_that_was_called(executor, method, tasks):
    with pytest.raises(TypeError, match=rf"^{method}\(\) takes"):
        await getattr(executor, method)(tasks)


@pytest.mark.parametrize("method", ["execute", "execute_mixed"])
@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        (["one"], r"not list: use gather\(\) for a list"),
        ("one", r"not str: write METHOD\({'tag': LLMTask\(text\)}\) or gather\("),
        (LLMTask("a"), r"not LLMTask: write METHOD\({'tag': task}\) or gather\("),
        (LLMMessage("user", "a"), r"write METHOD\({'tag': LLMTask\(\[message\]\)}\)"),
        (
            {"role": "user", "content": "a"},
            r"not a message: write METHOD\({'tag': LLMTask\(\[message\]\)}\)",
        ),
    ],
)
async def test_what_takes_a_dict_says_how_to_write_one(executor, method, tasks, words):
    with pytest.raises(TypeError, match=words.replace("METHOD", method)):
        await getattr(executor, method)(tasks)


async def test_a_sequence_is_no_dict_and_no_stream(executor):
    with pytest.raises(
        TypeError,
        match=r"execute_sequential.*not a dict: write "
        r"list\(tasks.values\(\)\)",
    ):
        await executor.execute_sequential({"a": "one"})
    with pytest.raises(
        TypeError,
        match=r"execute_sequential.*not async_generator: write \[task "
        r"async for",
    ):
        await executor.execute_sequential(lazily())


async def test_empty_columns_and_tables_with_tasks_in_a_column_are_fine(executor):
    assert await executor.gather(Column([])) == []
    assert [str(r.value) for r in await executor.gather(Column([LLMTask("a")]))] == ["Echo: a"]


# -- items


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"role": "user", "content": "a"}, r"LLMTask\(\[message\]\)"),
        ({"id": 3, "question": "a"}, r"LLMTask\(row\['question'\]\)"),
        ({"id": 3}, r"LLMTask\(row\[…\]\)"),
        ([{"role": "user", "content": "a"}], r"LLMTask\(messages\)"),
        ([LLMMessage("user", "a")], r"LLMTask\(messages\)"),
        (LLMMessage("user", "a"), r"LLMTask\(\[message\]\)"),
        (Row(1, "a"), r"LLMTask\(row\.question\)"),
        ((1, "a"), r"LLMTask\(row\[…\]\)"),
        ((0, {"question": "a"}), r"for _, row in …"),
        (b"a", "decode it"),
        (len, r"DeterministicTask\(function"),
        (float("nan"), r"not nan: for a prompt write LLMTask\(text\)"),
    ],
)
async def test_an_item_that_is_no_task_is_a_result_that_says_what_to_write(executor, item, words):
    good, bad = await executor.gather(iter(["good", item]))
    assert good.success
    assert isinstance(bad.error, TypeError)
    with pytest.raises(TypeError, match=words):
        bad.unwrap()


async def test_the_lines_of_a_file_are_prompts(executor):
    results = await executor.gather(io.StringIO("one\ntwo\n"))
    assert [str(result.value) for result in results] == ["Echo: one\n", "Echo: two\n"]
