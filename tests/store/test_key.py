"""The key: everything that decides the answer, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.limits.tokens import Tokens
from ingather.providers.base import QuotaKey, Request
from ingather.store.key import Key, parts
from tests.store.asking import key, request

_QUOTA = QuotaKey("p", "h", "k", "m")


def made(identity: bytes, body: bytes, sample: int = 0) -> Key:
    return Key(Request(body, identity, _QUOTA, Tokens(1)), sample)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "Ho"},
        {"sample": 1},
        {"model": "openai/n"},
        {"base_url": "http://127.0.0.1:10/v1"},
        {"temperature": 0},
        {"model": "anthropic/m", "base_url": "http://127.0.0.1:9"},
    ],
    ids=str,
)
def test_whatever_decides_the_answer_makes_another_key(other):
    assert key(**other).hash != key().hash


def test_the_providers_key_does_not():
    assert {key(api_key=one).hash for one in ("sk-a", "sk-b", None)} == {key().hash}


@given(st.binary(), st.binary(), st.integers(), st.binary(), st.binary(), st.integers())
def test_two_keys_are_one_only_for_the_same_three(
    identity, body, sample, identity_2, body_2, sample_2
):
    same = (identity, body, sample) == (identity_2, body_2, sample_2)
    assert (made(identity, body, sample).hash == made(identity_2, body_2, sample_2).hash) is same


def test_bytes_that_move_from_the_identity_to_the_body_make_another_key():
    assert made(b"ab", b"c").hash != made(b"a", b"bc").hash


def test_parts_name_what_it_was_made_from():
    asked = Key(request("Hi", temperature=0.5, response_format={"type": "json_object"}), 3).asked()
    told = parts(asked)
    assert told.pop("messages[0]").startswith("#")
    assert told == {
        "sample": "3",
        "dialect": '"openai"',
        "url": '"http://127.0.0.1:9/v1/chat/completions"',
        "model": '"m"',
        "temperature": "0.5",
        "response_format.type": '"json_object"',
    }


def test_a_long_request_is_kept_as_its_parts_and_tells_the_same():
    long = key("word " * 2000)
    assert len(long.asked()) < 500
    short = parts(key("word").asked())
    told = parts(long.asked())
    assert told.keys() == short.keys()
    assert told["messages[0]"] != short["messages[0]"]
    assert {name for name in told if told[name] != short[name]} == {"messages[0]"}


@given(st.binary(max_size=3000))
def test_a_body_that_is_no_json_has_parts_too(body):
    told = parts(made(b"any", body).asked())
    assert told.keys() in ({"provider", "body"}, {"request"}) or body.startswith(b"{")


def test_a_prompt_is_never_shown():
    told = parts(key("a secret").asked())
    assert "secret" not in str(told)
