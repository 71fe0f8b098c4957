import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Usage
from ingather.money.pricing import FREE, PerToken, Price, price_of

OPENAI = ("openai", "api.openai.com")
ANTHROPIC = ("anthropic", "api.anthropic.com")
GEMINI = ("gemini", "generativelanguage.googleapis.com")
KNOWN = [
    (*OPENAI, "gpt-4o-mini"),
    (*OPENAI, "gpt-5.5"),
    (*ANTHROPIC, "claude-haiku-4-5"),
    (*ANTHROPIC, "claude-sonnet-4-5"),
    (*GEMINI, "gemini-2.5-pro"),
    (*GEMINI, "models/gemini-2.5-flash"),
]


def known(*who) -> Price:
    price = price_of(*who)
    assert price is not None
    return price


def test_the_users_table_goes_first_by_the_most_exact_name():
    table = {"openai/gpt-4o": (1.0, 2.0), "gpt-4o": (3.0, 4.0), "*": (5.0, 6.0)}
    asked = ((*OPENAI, "gpt-4o"), ("azure", "me.openai.azure.com", "gpt-4o"), ("any", "", "thing"))
    found = [price_of(*who, table) for who in asked]
    assert [round(price.of(Usage(1_000_000, 0)), 6) for price in found if price] == [1.0, 3.0, 5.0]


@pytest.mark.parametrize("who", [("echo", "", "echo-model"), ("offline", "", "extractive")])
def test_what_asks_nobody_is_free(who):
    assert price_of(*who) == FREE


@pytest.mark.parametrize(
    "who",
    [
        (*OPENAI, "my-own-model"),
        ("openai", "localhost:8000", "gpt-4o-mini"),
        ("openai", "eu.api.openai.com", "gpt-4o-mini"),
        ("openai", "openrouter.ai", "gpt-4o-mini"),
        ("anthropic", "proxy.example", "claude-haiku-4-5"),
        ("azure", "me.openai.azure.com", "gpt-4o"),
        ("ollama", "localhost:11434", "llama3"),
        ("", "", ""),
    ],
)
def test_an_unknown_price_is_none_and_so_is_that_of_another_host(who):
    assert price_of(*who) is None


@pytest.mark.parametrize("who", KNOWN)
def test_a_known_models_price_is_found(who):
    price = known(*who)
    assert 0 < price.of(Usage(1000, 0)) < price.of(Usage(1000, 1000))
    assert price.of(Usage(1000, 0, 1000)) < price.of(Usage(1000, 0))


def test_a_long_prompt_may_cost_more_for_each_token():
    price = known(*GEMINI, "gemini-2.5-pro")
    assert price.of(Usage(400_000, 0)) > 2.1 * price.of(Usage(199_999, 0))


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-sonnet-4-5"])
def test_what_is_written_to_a_cache_costs_more_and_for_an_hour_even_more(model):
    price = known(*ANTHROPIC, model)
    plain, minutes, hour = (
        Usage(1000, 0),
        Usage(1000, 0, 0, 0, 1000),
        Usage(1000, 0, 0, 0, 1000, 1000),
    )
    assert price.of(minutes) == pytest.approx(1.25 * price.of(plain))
    assert price.of(hour) == pytest.approx(2.0 * price.of(plain))


@pytest.mark.parametrize("who", KNOWN)
@given(
    *[st.integers(0, 300_000)] * 2,
    st.tuples(*[st.integers(-5, 400_000)] * 3),
)
def test_nothing_costs_more_than_the_most(who, sent, got, kinds):
    price = known(*who)
    cached, written, kept = kinds
    most = price.at_most(sent, got, caches=True)
    assert 0.0 <= price.of(Usage(sent, got, cached, 0, written, kept)) <= most * (1 + 1e-9)
    assert price.of(Usage(sent, got, cached)) <= price.at_most(sent, got) * (1 + 1e-9)


def test_counts_that_make_no_sense_make_nothing_cheaper():
    price = PerToken(1.0, 1.0, cached=0.5)
    assert price.of(Usage(10, 0, cached_tokens=50)) == 5.0
    assert price.of(Usage(10, -5, cached_tokens=-50)) == 10.0
