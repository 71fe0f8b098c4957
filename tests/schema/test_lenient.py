"""JSON in code fences and in prose: found, flagged, bounded."""

import json

import pytest
from pydantic import BaseModel

from ingather.errors import InvalidAnswer
from ingather.schema import Parsed, Schema
from ingather.schema.lenient import ABSENT, candidates, cut_json


class Person(BaseModel):
    name: str
    boss: "Person | None" = None


ANN = Person(name="Ann")
JSON = '{"name": "Ann"}'
MEGABYTE = 1 << 20


def find(text, model=Person):
    return Schema.of(model).parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + JSON,
        f"```json\n{JSON}\n```",
        f"```JSON\r\n{JSON}\r\n```",
        f"```\n{JSON}\n```",
        f"```json {JSON}```",
        f"```{JSON}```",
        f"Here it is:\n```json\n{JSON}\n```\nAnything else?",
        f"```json\n{JSON}",  # never closed
        f"```python\nprint('{{}}')\n```\nand\n```json\n{JSON}\n```",
        f"Sure! {JSON} Hope that helps.",
        f'He said "sure" {{as one does}} [1] [see below]: {JSON}',
        f'It looks like {{"name": …}}, that is {JSON}',
        f"A list [1, 2] and an object {JSON}",
        f"<think>Perhaps {{'name': 'Bob'}} or {JSON.replace('Ann', 'Bob')}?</think>\n{JSON}",
        f"Perhaps {JSON.replace('Ann', 'Bob')}?\n</think>\n\n{JSON}",
        'First { then "quote {"name": "Ann"}',
        '[the "docs] say {"name": "Ann"}',
    ],
)
def test_the_object_is_found_and_flagged(text):
    assert find(text) == Parsed(ANN, lenient=True)


def test_white_space_around_the_json_is_exact():
    assert find(f"\n {JSON}\r\n\t") == Parsed(ANN, lenient=False)


@pytest.mark.parametrize(
    "name", ['a } in "quotes"', "back\\slash\\", "```", "{[", "é\n日本", "</think>", "</think>\n"]
)
def test_brackets_fences_and_tags_inside_strings_are_text(name):
    person = Person(name=name)
    assert find(f"It is {person.model_dump_json()}, I think").value == person
    assert find(f"```json\n{person.model_dump_json()}\n```").value == person


def test_the_fence_goes_before_the_prose():
    assert find(f'For example {{"name": "Bob"}}.\n```json\n{JSON}\n```').value == ANN


def test_a_wrapped_list_goes_before_a_citation():
    assert find('As [1, 2] say, {"items": [3]}', list[int]).value == [3]


def test_a_bare_list_is_found_too():
    assert find("They are [1, 2].", list[int]) == Parsed([1, 2], lenient=True)


def test_a_bare_value_is_found_in_a_fence_only():
    assert find("```json\n42\n```", int).value == 42
    with pytest.raises(InvalidAnswer):
        find("It is 42, or 43.", int)


@pytest.mark.parametrize(
    "text",
    [
        '{"name": 1, "boss": {"name": "Ann"}}',  # does not fit
        '{"name": "Bob", "boss": {"name": "Ann"},, }',  # is broken
        '{"name": "Bob", "boss": {"name": "Ann"}',  # is cut
        'So: {"name": "Bob", "boss": {"name": "Ann"}, "tail": "cut here',
        '[{"name": "Bob"}, {"name": "Ann"}]',
        'A name. <think>That is {"name": "Ann"}, or'[8:],  # cut while it thinks
        '{"answer": {"name": "Ann"}}',
    ],
)
def test_a_part_never_passes_for_the_whole(text):
    with pytest.raises(InvalidAnswer):
        find(text)


@pytest.mark.parametrize(
    "text",
    [
        "{" * MEGABYTE,
        "[" * MEGABYTE,
        '{"a":' * (MEGABYTE // 5),
        "[]" * (MEGABYTE // 2),
        "[" + "[]," * (MEGABYTE // 3),
        '{"' * (MEGABYTE // 2),
        '["' + '\\"' * (MEGABYTE // 2),
        '["a' * (MEGABYTE // 3),
        "{ " * (MEGABYTE // 2),
        "{" + " " * MEGABYTE,
        "```" * (MEGABYTE // 3),
        "```" + " " * MEGABYTE,
        '"' * MEGABYTE,
        "</think>" * (MEGABYTE // 8),
        "<think>" + " " * MEGABYTE,
        "</think>" + " " * MEGABYTE,
        '{"name": "' + "a" * MEGABYTE,
        '{"name": ' + "1" * MEGABYTE,
    ],
    ids=lambda text: text[:12],
)
# and that in linear time: a quadratic search would never end
def test_a_megabyte_of_nonsense_is_refused(text):
    with pytest.raises(InvalidAnswer):
        find(text)


def test_what_is_offered_is_bounded():
    assert len(list(candidates("[1] " * 10_000))) <= 65
    assert len(list(candidates("```\n1\n```" * 10_000))) <= 65


@pytest.mark.parametrize(
    "deep", ["[" * 10_000, "[" * 10_000 + "]" * 10_000, '{"boss":' * 10_000 + "1" + "}" * 10_000]
)
def test_deep_nesting_is_refused(deep):
    with pytest.raises(InvalidAnswer):
        find(deep)
    with pytest.raises(InvalidAnswer):
        find(deep, dict[str, object])


def test_of_two_equal_keys_the_last_counts():
    assert find('{"name": "Bob", "name": "Ann"}').value == ANN


@pytest.mark.parametrize("indent", [None, 1])
def test_of_an_object_that_was_cut_anywhere_every_complete_member_is_read(indent):
    members = {
        "a": "x",
        "b": 12,
        "c": [1, {"q": 'w,"}'}],
        "d": 'he "said", \\',
        "e": {"k": [1.5, None]},
        "f": True,
        "g": -1.25,
    }
    text = json.dumps(members, indent=indent)
    begins = [text.index(f'"{name}":') for name in members]
    for end in range(1, len(text)):
        found = cut_json(text[:end])
        least = sum(begin < end for begin in begins) - 1  # the last that began may be complete too
        assert found is not ABSENT or least < 1
        if isinstance(found, dict):
            assert [*found.items()] == [*members.items()][: len(found)]
            assert len(found) >= least
    assert cut_json(text) == members
