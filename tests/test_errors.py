import copy
import inspect
import pickle
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingather import LLMResponse, errors
from ingather.errors import IngatherError, ProviderError, RateLimited, SetupError
from ingather.redact import redact

CLASSES = [
    thing
    for _, thing in inspect.getmembers(errors, inspect.isclass)
    if issubclass(thing, BaseException)
]


# -- the tree


def drawn_tree():
    """The tree in the module's docstring, as name → names of its bases."""
    bases: dict[str, list[str]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(
            r"    (?P<stem>[│ ]*(?:[├└]── )?)(?P<name>[A-Z]\w+)(?: \((?P<also>[\w, "
            r"]+)\))?(?:  |$)",
            line,
        )
        if found is None:
            continue
        depth = len(found["stem"]) // 4
        also = found["also"].split(", ") if found["also"] else []
        bases[found["name"]] = [above[depth - 1] if depth else "Exception", *also]
        above[depth:] = [found["name"]]
    return bases


def test_the_tree_that_is_drawn_is_the_tree_that_is():
    assert drawn_tree() == {
        kind.__name__: [base.__name__ for base in kind.__bases__] for kind in CLASSES
    }


def test_the_tree_is_drawn_in_the_order_of_the_classes():
    in_source = sorted(CLASSES, key=lambda kind: inspect.getsourcelines(kind)[1])
    assert list(drawn_tree()) == [kind.__name__ for kind in in_source]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_says_when_it_comes(kind):
    assert kind.__doc__ != kind.__bases__[0].__doc__


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_an_exception_that_can_be_caught(kind):
    with pytest.raises(IngatherError, match="what happened"):
        raise kind("what happened")
    assert issubclass(kind, Exception)


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (errors.SetupError, ValueError),
        (errors.AttemptTimeout, TimeoutError),
        (errors.DeadlineExceeded, TimeoutError),
        (errors.Cancelled, Exception),
        (errors.NotSent, Exception),
    ],
)
def test_errors_are_also_what_python_calls_them(kind, also):
    assert issubclass(kind, also)


@pytest.mark.parametrize(
    "other", [errors.TransientError, errors.PoolFailure, errors.Rejected, errors.AnswerError]
)
def test_a_429_is_none_of_the_failures(other):
    assert not issubclass(RateLimited, other)


# -- what they carry


def whole(kind=ProviderError):
    return kind(
        "429 from openai",
        status=429,
        code="rate_limit_exceeded",
        retry_after=1.5,
        request_id="req_1",
        body="the body",
        provider="openai",
        model="gpt",
        response=LLMResponse("half"),
    )


def test_a_provider_error_carries_what_is_known():
    error = whole()
    assert str(error) == "429 from openai"
    assert (error.status, error.code, error.retry_after, error.request_id) == (
        429,
        "rate_limit_exceeded",
        1.5,
        "req_1",
    )
    assert (error.body, error.provider, error.model) == ("the body", "openai", "gpt")
    assert error.response is not None
    assert error.response.content == "half"


def test_nothing_is_known_unless_it_is_said():
    error = ProviderError("no answer")
    assert (error.status, error.code, error.retry_after, error.request_id, error.response) == (
        None,
    ) * 5
    assert (error.body, error.provider, error.model) == ("", "", "")


def test_of_the_body_the_first_200_characters_are_kept():
    assert ProviderError("x", body="b" * 10_000).body == "b" * 200


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if issubclass(kind, ProviderError)])
def test_errors_can_be_copied_and_pickled_with_all_they_carry(kind):
    for again in (pickle.loads(pickle.dumps(whole(kind))), copy.copy(whole(kind))):
        assert type(again) is kind
        assert str(again) == "429 from openai"
        assert (again.status, again.retry_after, again.request_id, again.body) == (
            429,
            1.5,
            "req_1",
            "the body",
        )
        assert again.response.content == "half"


# -- secrets

letters = st.characters(categories=("Lu", "Ll", "Nd"), max_codepoint=127)
tails = st.text(letters, min_size=16, max_size=64)
prose = st.text(max_size=80)
FORMS = [
    "sk-{}",
    "sk-ant-api03-{}",
    "sk-proj-{}",
    "sk_live_{}",
    "gsk_{}",
    "xai-{}",
    "hf_{}",
    "r8_{}",
    "AIza{}",
]
SHOWN = [
    "Incorrect API key provided: {}.",
    "Authorization: Bearer {}",
    "authorization: bearer {}",
    "{{'Authorization': 'Bearer {}'}}",
    '{{"x-api-key": "{}"}}',
    "x-api-key: {}",
    "api-key={}",
    "OPENAI_API_KEY={}",
    "https://api.example.com/v1/models?key={}&alt=json",
    "key={}\nnext line",
    "({})",
]


@given(st.sampled_from(FORMS), st.sampled_from(SHOWN), tails, prose, prose)
def test_a_key_of_a_known_form_never_survives(form, shown, tail, before, after):
    assume(tail not in before + after)
    key = form.format(tail)
    assert tail not in redact(f"{before} {shown.format(key)} {after}")


@given(
    st.sampled_from(
        ["Bearer {}", "bearer {}", "Authorization: Basic {}", "api-key: {}", "X-Api-Key: {}"]
    ),
    tails,
)
def test_whatever_stands_where_a_key_stands_never_survives(shown, tail):
    assert tail not in redact(shown.format(tail))


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer  {}",
        "Authorization: Bearer\t{}",
        "x-api-key:{}",
        "api-key: '{}'",
        '{{"x-api-key": "{}"}}',
        "{{'api-key': '{}'}}",
        "x-goog-api-key: {}",
        "https://example.com/v1?api_key={}",
        "https://example.com/v1?api-key={}&x=1",
        "https://example.com/v1?key={}",
    ],
)
def test_a_key_of_no_known_form_is_known_by_where_it_stands(shown):
    assert "0123456789abcdef0123" not in redact(shown.format("0123456789abcdef0123"))


@given(tails, prose, prose)
def test_a_secret_that_is_named_never_survives(secret, before, after):
    redacted = redact(f"{before}{secret}{after}{secret}", secret)
    assert secret not in redacted
    assert "***" in redacted


@given(st.lists(tails, min_size=2, max_size=4, unique=True))
def test_of_secrets_that_contain_each_other_nothing_survives(parts):
    secrets = ["".join(parts[: i + 1]) for i in range(len(parts))]
    redacted = redact(f"<{secrets[-1]}>", *secrets)
    assert redacted == "<***>"


def test_a_password_in_a_url_never_survives():
    assert (
        redact("proxy http://ana:hunter2@proxy.local:3128/x")
        == "proxy http://***@proxy.local:3128/x"
    )
    assert redact("http://ana:p@ss:word@proxy/x") == "http://***@proxy/x"
    assert (
        redact("http://:hunter2@proxy and http://user@host/a:b@c")
        == "http://***@proxy and http://user@host/a:b@c"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Rate limit reached for gpt-4o-mini in organization org-abc123 on tokens per min",
        "the risk-free rate, a desk-bound task and key-value stores",
        "https://api.openai.com/v1/chat/completions",
        "at 12:30:45 he asked for 3:1 odds",
        "Keep the key facts: key, keys, key points",
        "pass api_key=, or set OPENAI_API_KEY: check api_key: it is wrong",
        "a basic idea",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


def test_empty_secrets_are_no_secrets():
    assert redact("plain text", "", "") == "plain text"


@given(st.sampled_from(FORMS), tails)
def test_no_error_shows_a_key_anywhere(form, tail):
    key = form.format(tail)
    error = ProviderError(f"refused: {key}", body=f'{{"error": "bad key {key}"}}')
    for text in (str(error), repr(error), error.body, repr(error.args), repr(vars(error))):
        assert tail not in text


@given(tails, st.integers(150, 210))
def test_a_key_is_cut_out_before_the_body_is_cut_off(tail, at):
    body = ProviderError("x", body="." * at + " sk-" + tail).body
    assert "sk-" not in body


def test_set_up_errors_say_what_to_do_in_their_own_words():
    with pytest.raises(ValueError, match="set OPENAI_API_KEY"):
        raise SetupError("set OPENAI_API_KEY")
