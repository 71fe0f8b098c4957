import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMResponse, TaskResult, Usage

tokens = st.integers(0, 10**9)
usages = st.builds(Usage, tokens, tokens, tokens, tokens)


@given(st.lists(usages, min_size=1))
def test_usages_add_up_field_by_field(parts):
    total = sum(parts[1:], parts[0])
    for name in ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens"):
        assert getattr(total, name) == sum(getattr(part, name) for part in parts)
    assert total.total_tokens == sum(part.total_tokens for part in parts)


def test_adding_changes_neither_side():
    first, second = Usage(1, 2, 3, 4), Usage(10, 20, 30, 40)
    assert first + second == Usage(11, 22, 33, 44)
    assert (first, second) == (Usage(1, 2, 3, 4), Usage(10, 20, 30, 40))


def test_cached_and_reasoning_tokens_are_parts_not_more():
    assert Usage(100, 50, cached_tokens=80, reasoning_tokens=40).total_tokens == 150


def test_a_response_needs_no_more_than_a_text():
    response = LLMResponse("Paris")
    assert (response.content, response.finish_reason, response.usage, response.cost_usd) == (
        "Paris",
        "stop",
        None,
        None,
    )
    assert response.created_at > 0


def test_responses_do_not_share_their_metadata():
    first, second = LLMResponse("a"), LLMResponse("b")
    first.metadata["seen"] = True
    assert second.metadata == {}


def test_the_order_of_the_fields_is_the_seeds():
    result = TaskResult("tag", False, None, error := ValueError("x"), 12.5)
    assert (result.tag, result.success, result.value, result.error, result.duration_ms) == (
        "tag",
        False,
        None,
        error,
        12.5,
    )


def test_the_defaults():
    result = TaskResult("tag", True, "value")
    assert (result.error, result.duration_ms, result.index, result.response) == (None, 0.0, 0, None)
    assert result.task is None
    assert (result.usage, result.cost_usd, result.attempts, result.rejected) == (None, None, 0, 0)
    assert (result.queued_ms, result.backoff_ms, result.cached, result.parts, result.missing) == (
        0.0,
        0.0,
        False,
        None,
        (),
    )


@pytest.mark.parametrize("value", [None, 0, "", [], "text"])
def test_unwrap_gives_any_value(value):
    assert TaskResult("t", True, value).unwrap() is value


def test_unwrap_raises_the_error_itself():
    error = ValueError("x")
    with pytest.raises(ValueError, match="x") as caught:
        TaskResult("t", False, None, error).unwrap()
    assert caught.value is error


@given(st.text(), st.text())
def test_a_repr_is_one_short_line(tag, text):
    for result in (
        TaskResult(tag[:20], True, text),
        TaskResult(tag[:20], False, None, RuntimeError(text)),
    ):
        assert "\n" not in repr(result)
        assert len(repr(result)) < 500


def test_a_repr_says_how_it_ended():
    assert (
        repr(TaskResult("sum", True, 3, None, 12.34))
        == "TaskResult('sum', value=3, 12.3 ms, attempts=0)"
    )
    assert "error=ValueError('x')" in repr(TaskResult("sum", False, None, ValueError("x")))


# -- an answer as text


def test_str_of_an_answer_is_its_text():
    answer = LLMResponse("Paris")
    assert (str(answer), f"{answer}", answer.text) == ("Paris", "Paris", "Paris")


def test_an_answer_without_a_text_has_an_empty_one():
    answer = LLMResponse(None, tool_calls=[{"id": "1"}])  # type: ignore[arg-type]
    assert (str(answer), answer.text) == ("", "")
