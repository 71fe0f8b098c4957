"""The first pass finds what is wrong before anything is sent."""

from pathlib import Path

import pytest

from ingather.errors import BadRequest, SetupError
from ingather.jobs import Recipe, Source, check


@pytest.fixture
def tasks(tmp_path: Path):
    def write(*lines: str) -> Source:
        path = tmp_path / "tasks.jsonl"
        path.write_text("".join(line + "\n" for line in lines))
        return Source(str(path))

    return write


def test_a_good_file_is_counted(tasks):
    assert check(tasks('{"prompt": "a"}', "", '{"id": 2, "prompt": "b"}'), Recipe()).tasks == 2


def test_several_bad_lines_are_listed_at_once(tasks):
    source = tasks('{"prompt": "a"}', "oops", '{"id": 3}', '{"prompt": 4}')
    with pytest.raises(SetupError) as caught:
        check(source, Recipe())
    lines = str(caught.value).splitlines()
    assert lines[0] == f"3 bad lines in {source.name}; nothing was sent"
    assert [line.split(": ")[0].rsplit(", ")[-1] for line in lines[1:]] == [
        "line 2",
        "line 3",
        "line 4",
    ]


def test_one_mistake_is_told_once_however_many_lines_have_it(tasks):
    with pytest.raises(SetupError) as caught:
        check(tasks(*["oops"] * 1234), Recipe())
    first, shown, more = str(caught.value).splitlines()
    assert first.startswith("all 1,234 lines of ")
    assert first.endswith("are bad, in the same way; nothing was sent")
    assert "line 1: not JSON" in shown
    assert more == "    and 1,233 more like it: lines 2, 3, 4, 5, 6, 7, 8, 9, 10, …"


def test_mistakes_of_several_kinds_are_told_with_the_lines_of_each(tasks):
    with pytest.raises(SetupError) as caught:
        check(
            tasks('{"prompt": "x"}', "oops", '{"id": 1}', "ouch", '{"id": 2}', '{"id": 3}'),
            Recipe(),
        )
    told = str(caught.value).splitlines()
    assert told[0].startswith("5 bad lines in ")
    assert [line.strip() for line in told if "more like it" in line] == [
        "and 1 more like it: line 4",
        "and 2 more like it: lines 5, 6",
    ]


@pytest.mark.parametrize(
    "twice", ['{"id": "a", "prompt": "x"}', '{"custom_id": "a", "prompt": "x"}']
)
def test_an_id_that_comes_twice_names_both_lines(tasks, twice):
    with pytest.raises(SetupError, match="line 3: the id 'a' is already that of line 1"):
        check(tasks('{"id": "a", "prompt": "x"}', '{"id": "b", "prompt": "x"}', twice), Recipe())


def test_the_number_1_and_the_text_1_are_the_same_id(tasks):
    with pytest.raises(SetupError, match="line 2: the id '1' is already"):
        check(tasks('{"id": 1, "prompt": "x"}', '{"id": "1", "prompt": "x"}'), Recipe())


@pytest.mark.parametrize("lines", [[], ["", "  "]])
def test_an_empty_file_is_an_error(tasks, lines):
    with pytest.raises(SetupError, match="holds no tasks"):
        check(tasks(*lines), Recipe())


def test_what_the_provider_refuses_names_the_line_too(tasks):
    def prepare(task):
        if task.messages[0].content == "bad":
            raise BadRequest("image parts are not taken")

    with pytest.raises(SetupError, match="line 2: image parts are not taken"):
        check(tasks('{"prompt": "good"}', '{"prompt": "bad"}'), Recipe(), prepare)
