"""JSON of a model's that is damaged within a string: the sign is lost, and not the answer."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ingather.errors import InvalidAnswer
from ingather.schema import Schema
from ingather.schema.damage import mended
from ingather.schema.lenient import sole_json


class Person(BaseModel):
    who: str
    n: int = 0


@pytest.mark.parametrize(
    ("text", "who"),
    [
        (r'{"who": "a\ud83d"}', "a\ufffd"),
        (r'{"who": "\ude00b"}', "\ufffdb"),
        (r'{"who": "\ud83d\ud83d\ude00"}', "\ufffd\U0001f600"),
        (r'{"who": "a", "unasked": "\ud83d"}', "a"),
        ('{"who": "a\nb\tc\x01"}', "a\nb\tc\x01"),
        ("```json\n" + r'{"who": "a\ud83d"}' + "\n```", "a\ufffd"),
        ("Draft:\n" + '{"who": "x"}' + "\n\nFinal:\n" + r'{"who": "a\ud83d"}', "a\ufffd"),
    ],
)
def test_damage_within_a_string_costs_that_sign_alone(text, who):
    parsed = Schema.of(Person).parse(text)
    assert (parsed.value, parsed.lenient) == (Person(who=who), True)


@pytest.mark.parametrize(
    "text",
    ['{"who": "a', '{"who": "a\nb', '{"who": "a" "n": 1}', "{\"who\": 'a\n'}", '{"n": "\n"}'],
)
def test_other_damage_is_no_answer(text):
    with pytest.raises(InvalidAnswer):
        Schema.of(Person).parse(text)


def test_an_escaped_backslash_before_a_u_stays_as_it_is():
    assert mended(r'{"who": "\\ud83d"}') == r'{"who": "\\ud83d"}'


def test_a_sole_value_is_found_in_spite_of_it():
    assert sole_json('It is {"who": "a\nb"}.') == {"who": "a\nb"}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())), st.booleans())
def test_what_is_sound_is_not_touched(value, ensure_ascii):
    text = json.dumps(value, ensure_ascii=ensure_ascii)
    assert mended(text) == text
