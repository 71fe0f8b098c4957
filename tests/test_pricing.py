import pytest

from ingather.pricing import FREE, price_of


def test_the_users_table_goes_first_by_the_most_exact_name():
    table = {"openai/gpt-4o": (1.0, 2.0), "gpt-4o": (3.0, 4.0), "*": (5.0, 6.0)}
    found = [price_of(*who, table) for who in (("openai", "gpt-4o"), ("azure", "gpt-4o"), ("any", "thing"))]
    assert [round(price.of(1_000_000, 0), 6) for price in found if price] == [1.0, 3.0, 5.0]


@pytest.mark.parametrize("who", [("echo", "echo-model"), ("offline", "extractive")])
def test_what_asks_nobody_is_free(who):
    assert price_of(*who) == FREE


@pytest.mark.parametrize("who", [("openai", "my-own-model"), ("ollama", "llama3"), ("", "")])
def test_an_unknown_price_is_none(who):
    assert price_of(*who) is None


@pytest.mark.parametrize(
    "who",
    [("openai", "gpt-4o-mini"), ("anthropic", "claude-sonnet-4-5"), ("gemini", "gemini-2.5-pro"), ("azure", "gpt-4o")],
)
def test_a_known_models_price_is_found(who):
    price = price_of(*who)
    assert price is not None
    assert 0 < price.of(1000, 0) < price.of(1000, 1000)
    assert price.of(1000, 0, 1000) < price.of(1000, 0)


def test_a_long_prompt_may_cost_more_for_each_token():
    price = price_of("gemini", "gemini-2.5-pro")
    assert price is not None
    assert price.of(400_000, 0) > 2.1 * price.of(199_999, 0)
