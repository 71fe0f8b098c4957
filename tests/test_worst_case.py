import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Budget, EchoProvider, LLMTask, connect
from ingather.admission.permit import Slots
from ingather.admission.quotas import Quotas
from ingather.engine.context import Context
from ingather.errors import (
    AnswerTooLarge,
    AuthFailed,
    BadRequest,
    ConnectFailed,
    ConnectionLost,
    Overloaded,
    RateLimited,
    ServerFault,
    SetupError,
    TlsFailed,
    Truncated,
)
from ingather.money.budget import Spend
from ingather.money.pricing import PerToken
from ingather.money.upper_bound import was_free

TABLE = {"*": (1.0, 2.0)}
PICTURE = {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}}


def prepared(provider, messages, overrides=None, budget=None):
    context = Context(provider, Slots(1), Quotas(), budget=budget)
    return context.question(LLMTask(messages, overrides)).on(context.route)


def appraised(provider, messages, overrides=None, **budget):
    return prepared(provider, messages, overrides, Budget(**budget))


def local(**params):
    return connect("openai/llama", base_url="http://127.0.0.1:9/v1", **params)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200),
    st.integers(1, 500),
)
def test_a_text_has_no_more_tokens_than_bytes(text, cap):
    exchange = appraised(local(), text, {"max_tokens": cap}, max_tokens=10**9)
    assert exchange.request is not None
    assert exchange.worst == Spend(0.0, len(exchange.request.body) + cap)
    assert len(text.encode()) <= exchange.worst.tokens


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_limit_may_be_the_connections(name):
    exchange = appraised(local(**{name: 7}), "x", max_tokens=10**9)
    assert exchange.worst is not None
    assert exchange.request is not None
    assert exchange.worst.tokens == len(exchange.request.body) + 7


def test_of_two_limits_the_larger_one_counts():
    exchange = appraised(
        local(), "x", {"max_tokens": 5, "max_completion_tokens": 9}, max_tokens=10**9
    )
    assert exchange.estimate.max_output == 9


@pytest.mark.parametrize(
    ("model", "params"),
    [
        ("openai/gpt-4o-mini", {"max_output_tokens": 9}),
        ("openai/gpt-4o-mini", {"max_tokens": 9}),
        ("anthropic/claude-haiku-4-5", {"max_tokens": 9}),
        ("gemini/gemini-2.5-flash", {"max_tokens": 9}),
        ("gemini/gemini-2.5-flash", {"generationConfig": {"maxOutputTokens": 9}}),
        ("ollama/llama3", {"max_tokens": 9}),
    ],
)
def test_each_dialect_has_its_name_for_the_limit(model, params):
    exchange = appraised(
        connect(model, api_key="abcdefgh"), "x", params, max_cost_usd=1.0, prices=TABLE
    )
    assert exchange.worst is not None
    assert exchange.request is not None
    assert exchange.worst.tokens == len(exchange.request.body) + 9


def test_anthropic_always_has_a_limit():
    exchange = appraised(
        connect("anthropic/claude-haiku-4-5", api_key="abcdefgh"), "x", max_cost_usd=1.0
    )
    assert exchange.worst is not None
    assert exchange.worst.tokens > 8192


def test_anthropic_puts_a_prompt_of_its_own_before_tools_and_writes_caches_only_where_asked():
    def worst(**overrides):
        provider = connect("anthropic/claude-haiku-4-5", api_key="abcdefgh")
        exchange = appraised(provider, "x", {"max_tokens": 1, **overrides}, max_cost_usd=1.0)
        assert exchange.worst is not None
        assert exchange.request is not None
        return exchange.worst, len(exchange.request.body)

    plain, size = worst()
    assert plain.usd == pytest.approx((size + 5) * 1e-6)
    cached, size = worst(cache_control={"type": "ephemeral"})
    assert cached.usd == pytest.approx((2 * size + 5) * 1e-6)
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    tools, size = worst(tools=[tool])
    assert tools.tokens > size + 500


@pytest.mark.parametrize("bad", [0, -1, 2.5, "100", True])
def test_a_limit_that_is_no_count_is_refused(bad):
    with pytest.raises(SetupError, match="max_tokens"):
        appraised(local(), "x", {"max_tokens": bad}, max_tokens=1000)


@pytest.mark.parametrize(
    ("messages", "overrides"),
    [
        ([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, PICTURE]}], {}),
        ([{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}], {}),
        (
            [
                {
                    "role": "tool",
                    "content": [{"type": "tool_result", "content": [{"type": "image"}]}],
                }
            ],
            {},
        ),
        ("x", {"previous_response_id": "r"}),
        ("x", {"tools": [{"type": "web_search"}]}),
    ],
)
def test_what_bytes_do_not_tell_is_refused_unless_the_user_says_how_many_tokens_it_has(
    messages, overrides
):
    overrides = {"max_tokens": 5, **overrides}
    with pytest.raises(SetupError, match="max_input"):
        appraised(local(), messages, overrides, max_tokens=10**9)
    exchange = appraised(local(), messages, overrides, max_tokens=10**9, max_input=50_000)
    assert exchange.worst == Spend(0.0, 50_005)


def test_text_about_pictures_is_text():
    text = 'a "type":"image" and "previous_response_id":"r" and "tools":[{"type":"web_search"}]'
    assert appraised(local(), text, {"max_tokens": 5}, max_tokens=10**9).worst is not None


@pytest.mark.parametrize(
    "overrides",
    [
        {"service_tier": "priority"},
        {"service_tier": "flex"},
        {"tools": [{"type": "web_search"}]},
    ],
)
def test_a_price_by_the_token_is_unknown_where_tokens_are_not_all_or_the_tariff_is_another(
    overrides,
):
    provider = connect("openai/gpt-4o-mini", api_key="abcdefgh")
    assert prepared(provider, "x").price is not None
    assert prepared(provider, "x", overrides).price is None
    with pytest.raises(SetupError, match="price"):
        appraised(provider, "x", {"max_tokens": 5, **overrides}, max_cost_usd=1.0, max_input=1000)


@pytest.mark.parametrize(
    ("model", "overrides"),
    [
        ("openrouter/openai/gpt-4o-mini", {"plugins": [{"id": "web"}]}),
        ("xai/grok-4", {"search_parameters": {"mode": "on"}}),
        ("xai/grok-4", {"tools": [{"type": "x_search"}]}),
        ("groq/llama-3.3-70b-versatile", {"tools": [{"type": "browser_search"}]}),
    ],
)
def test_searches_of_a_service_are_not_in_its_price_by_the_token(model, overrides):
    provider = connect(model, api_key="abcdefgh")
    assert prepared(provider, "x").price is not None
    assert prepared(provider, "x", overrides).price is None


def test_who_gives_a_price_knows_the_tariff():
    provider = connect("openai/gpt-4o-mini", api_key="abcdefgh")
    exchange = appraised(
        provider, "x", {"max_tokens": 5, "service_tier": "priority"}, max_cost_usd=1.0, prices=TABLE
    )
    assert isinstance(exchange.price, PerToken)


class Bare:
    """A provider of the user's own."""

    model = "mine"

    async def complete(self, messages, config_overrides=None):
        raise AssertionError("nothing is sent")


def test_a_provider_of_ones_own_is_priced_by_the_model_that_is_asked():
    prices = {"mine": (1.0, 1.0), "other": (2.0, 2.0)}
    costs = [
        appraised(
            Bare(), "x" * 100, {"max_tokens": 5, **more}, max_cost_usd=1.0, prices=prices
        ).worst
        for more in ({}, {"model": "other"})
    ]
    assert costs[0] is not None
    assert costs[1] is not None
    assert costs[0].tokens > 105
    assert costs[1].usd > 1.9 * costs[0].usd
    with pytest.raises(SetupError, match="price"):
        appraised(Bare(), "x", {"max_tokens": 5, "model": "third"}, max_cost_usd=1.0, prices=prices)


@pytest.mark.parametrize("name", ["n", "best_of", "candidate_count"])
def test_several_choices_may_each_be_as_long(name):
    one, five = (
        appraised(EchoProvider(), "x", {"max_tokens": 100, name: n}, max_tokens=9999).worst
        for n in (1, 5)
    )
    assert one is not None
    assert five is not None
    assert five.tokens - one.tokens == 400


@pytest.mark.parametrize(
    ("error", "free"),
    [
        (RateLimited("", status=429), True),
        (RateLimited("", status=200), True),
        (AuthFailed("", status=401), True),
        (BadRequest("", status=400), True),
        (BadRequest("", status=504), False),
        (Overloaded("", status=529), True),
        (Overloaded("", status=524), False),
        (ServerFault("", status=500), True),
        (ServerFault("", status=200), False),
        (ServerFault(""), False),
        (ConnectFailed(""), True),
        (TlsFailed(""), True),
        (ConnectionLost(""), False),
        (AnswerTooLarge("", status=200), False),
        (Truncated(""), False),
        (SetupError(""), True),
        (ValueError(""), False),
        (KeyboardInterrupt(), False),
        (ConnectionRefusedError(), True),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'status', value)}",
)
def test_a_failure_was_free_only_where_that_is_sure(error, free):
    assert was_free(error) is free
