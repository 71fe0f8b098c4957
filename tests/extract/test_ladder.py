"""When a part fails: that part again, then one prompt for what is missing, then what there is."""

import itertools

import pytest
from pydantic import BaseModel, Field

from ingather import LLMResponse, ParallelLLMExecutor, RetryConfig, errors
from ingather.errors import (
    AuthFailed,
    BadRequest,
    Filtered,
    InvalidAnswer,
    MissingFields,
    NotSent,
    Refused,
    ServerFault,
    TooBig,
    TooLong,
    Truncated,
)
from tests.extract.stand_ins import Raw, Reader, by_origin, extracted, says


class Firm(BaseModel):
    products: list[str] = Field(description="What it sells.")
    seat: str
    founded: int
    motto: str = "none"


SAID = {"products": ["boats"], "seat": "Oslo", "founded": 1990, "motto": "Float."}
FIRM = Firm(products=["boats"], seat="Oslo", founded=1990, motto="Float.")


def extraction(fallback=("retry", "single", "partial"), *, retry=None, **scripts):
    provider = Reader({**SAID, **scripts})
    executor = ParallelLLMExecutor(provider, 10, default_retry=retry)
    return provider, extracted(provider, Firm, split="fields", fallback=fallback, executor=executor)


def asked(provider, *, beyond=4):
    """The calls after the first round."""
    return [call.fields for call in provider.calls[beyond:]]


def test_nothing_fails_nothing_is_asked_again():
    provider, result = extraction()
    assert result.value == FIRM
    assert by_origin(result) == {"part": set(SAID)}
    assert asked(provider) == []


# -- each rung


def test_a_part_that_does_not_fit_is_asked_again():
    provider, result = extraction(founded=says("long ago", 1990))
    assert result.value == FIRM
    assert by_origin(result) == {"part": {"products", "seat", "motto"}, "retry": {"founded"}}
    assert asked(provider) == [("founded",)]


def test_the_others_do_not_wait_for_it_nor_are_they_asked_again():
    provider, result = extraction(founded=says(Raw(""), Raw(""), 1990), seat=says(7, "Oslo"))
    assert result.value == FIRM
    assert by_origin(result) == {
        "part": {"products", "motto"},
        "retry": {"seat"},
        "single": {"founded"},
    }
    assert sorted(asked(provider)) == [("founded",), ("founded",), ("seat",)]


def test_one_prompt_asks_for_all_that_is_missing_then_and_for_nothing_else():
    twice_wrong = {
        name: says(Raw("?"), Raw("?"), SAID[name]) for name in ("seat", "founded", "motto")
    }
    provider, result = extraction(**twice_wrong)
    assert result.value == FIRM
    assert provider.calls[-1].fields == ("seat", "founded", "motto")
    assert by_origin(result) == {"part": {"products"}, "single": {"seat", "founded", "motto"}}
    assert len(provider.calls) == 4 + 3 + 1


def test_each_rung_is_there_only_once():
    provider, result = extraction(seat=Raw("?"), founded=Raw("?"))
    assert isinstance(result.error, MissingFields)
    assert sorted(asked(provider)) == [("founded",), ("seat",), ("seat", "founded")]


RUNGS = [
    rungs
    for size in range(4)
    for rungs in itertools.combinations(("retry", "single", "partial"), size)
]  # each subset


@pytest.mark.parametrize("fallback", RUNGS, ids=["+".join(rungs) or "none" for rungs in RUNGS])
@pytest.mark.parametrize("name", ["founded", "motto"])
def test_only_the_rungs_that_were_named_are_climbed(fallback, name):
    provider, result = extraction(fallback, **{name: Raw("?")})
    assert len(asked(provider)) == ("retry" in fallback) + ("single" in fallback)
    if name == "motto" and "partial" in fallback:
        assert result.value == FIRM.model_copy(update={"motto": "none"})
    else:
        assert isinstance(result.error, MissingFields)
        assert result.error.fields == (name,)
        assert isinstance(result.error.__cause__, InvalidAnswer)
    assert result.missing == (name,)
    assert {each for each, part in result.parts.items() if part.success} == SAID.keys() - {name}


@pytest.mark.parametrize("fallback", RUNGS, ids=["+".join(rungs) or "none" for rungs in RUNGS])
@pytest.mark.parametrize("fails", [1, 2])
def test_a_rung_that_succeeds_is_the_last(fallback, fails):
    provider, result = extraction(fallback, founded=says(*[Raw("?")] * fails, 1990))
    enough = ("retry" in fallback) + ("single" in fallback) >= fails
    assert result.success == enough
    assert len(asked(provider)) == min(fails, ("retry" in fallback) + ("single" in fallback))


def test_the_order_in_which_rungs_are_named_does_not_matter():
    provider, result = extraction(
        ["partial", "single", "retry"], founded=says(Raw("?"), Raw("?"), 1990)
    )
    assert by_origin(result)["single"] == {"founded"}
    assert result.attempts == len(provider.calls) == 6


# -- what kind of failure it was

AGAIN = [
    ValueError("odd"), ServerFault("500"), errors.Overloaded("503"), errors.ConnectionLost("lost"),
    errors.ConnectFailed("none"), errors.AttemptTimeout("slow"), errors.BadBody("html"),
    Truncated("cut"), Refused("no"), Filtered("hm"), InvalidAnswer("not it"), errors.EmptyAnswer("nothing"),
]  # fmt: skip
AS_IT_IS = [
    BadRequest("400"), TooLong("long"), TooBig("big"), errors.TlsFailed("tls"), errors.Redirected("302"),
    errors.AnswerTooLarge("large"),
]  # fmt: skip
FINAL = [
    errors.QuotaExhausted("empty"), AuthFailed("401"), errors.ModelNotFound("404"),
    errors.QuotaWait("an hour"), errors.SetupError("wrong"), errors.NotAnAnswer("a string"),
]  # fmt: skip


def test_the_table_has_every_class_of_error():
    def leaves(kind):
        return set().union(*map(leaves, kind.__subclasses__())) or {kind}

    ours = {kind for kind in leaves(errors.IngatherError) if kind.__module__ == "ingather.errors"}
    listed = {type(error) for error in (*AGAIN, *AS_IT_IS, *FINAL)}
    of_no_part = {errors.RateLimited, MissingFields, errors.StoreUnusable}
    assert ours - listed == of_no_part | {
        errors.Cancelled,
        NotSent,
        errors.BudgetSpent,
        errors.DeadlineExceeded,
    }


def named(failures):
    return pytest.mark.parametrize(
        "error", failures, ids=[type(error).__name__ for error in failures]
    )


@named(AGAIN)
def test_what_may_be_better_next_time_is_asked_again(error):
    provider, result = extraction(founded=says(error, 1990))
    assert result.value == FIRM
    assert by_origin(result)["retry"] == {"founded"}
    assert asked(provider) == [("founded",)]


@named(AS_IT_IS)
def test_a_request_that_can_never_succeed_is_not_sent_again(error):
    provider, result = extraction(("retry",), founded=error)
    assert asked(provider) == []
    assert result.error.__cause__ is error


@named([error for error in AS_IT_IS if not isinstance(error, TooLong | TooBig)])
def test_another_request_for_it_may_be(error):
    provider, result = extraction(founded=says(error, 1990))
    assert by_origin(result)["single"] == {"founded"}
    assert asked(provider) == [("founded",)]


@named([TooLong("long"), TooBig("big")])
def test_what_is_too_large_alone_is_so_among_others(error):
    provider, result = extraction(founded=error)
    assert asked(provider) == []
    assert isinstance(result.error, MissingFields)


@named(FINAL)
def test_where_no_call_can_succeed_none_is_made(error):
    provider, result = extraction(founded=error)
    assert type(result.error) is type(error)
    assert asked(provider) == []
    assert {name for name, part in result.parts.items() if part.success} <= SAID.keys() - {
        "founded"
    }


@named(FINAL)
def test_the_parts_that_are_still_to_be_sent_are_not(error):
    provider = Reader({**SAID, "products": error})
    result = extracted(provider, Firm, split="fields", executor=ParallelLLMExecutor(provider, 1))
    assert type(result.error) is type(error)
    if isinstance(error, errors.PoolFailure):
        assert [call.fields for call in provider.calls] == [("products",)]
        assert result.attempts == 1


def test_the_single_prompt_fails_as_a_part_may():
    provider, result = extraction(founded=says(Raw("?"), Raw("?"), AuthFailed("401")))
    assert isinstance(result.error, AuthFailed)
    assert result.attempts == len(provider.calls) == 6
    assert {name for name, part in result.parts.items() if part.success} == SAID.keys() - {
        "founded"
    }


def test_a_part_that_another_failure_made_pointless_is_not_asked_again():
    """The wrong answer comes when the key has been refused already."""
    provider, result = extraction(seat=AuthFailed("401"), founded=Raw("?"), products=Raw("?"))
    assert isinstance(result.error, AuthFailed)
    assert len(provider.calls) <= 4


# -- beside the retry policy

QUICK = RetryConfig(max_attempts=3, initial_delay=0.001, max_delay=0.001)


def test_what_the_retry_policy_mends_is_no_failure_of_the_part():
    provider, result = extraction(
        retry=QUICK, founded=says(ServerFault("500"), ServerFault("500"), 1990)
    )
    assert by_origin(result) == {"part": set(SAID)}
    assert result.parts["founded"].attempts == 3
    assert result.attempts == len(provider.calls) == 6


def test_what_it_has_tried_often_enough_goes_on_to_the_single_prompt():
    provider, result = extraction(retry=QUICK, founded=says(*[ServerFault("500")] * 3, 1990))
    assert by_origin(result)["single"] == {"founded"}
    assert result.attempts == len(provider.calls) == 7


def test_a_policy_of_the_task_is_that_of_each_part():
    provider = Reader({**SAID, "founded": says(ServerFault("500"), 1990)})
    result = extracted(provider, Firm, split="fields", retry=QUICK, fallback=())
    assert result.value == FIRM
    assert result.attempts == 5


# -- from one prompt


def test_of_a_single_answer_what_is_right_is_kept():
    provider = Reader({**SAID, "founded": says("long ago", 1990)})
    result = extracted(provider, Firm, split="single")
    assert result.value == FIRM
    assert [call.fields for call in provider.calls] == [
        ("products", "seat", "founded", "motto"),
        ("founded",),
    ]
    assert by_origin(result) == {"single": {"products", "seat", "motto"}, "retry": {"founded"}}


def test_what_a_single_answer_leaves_out_is_missing_if_it_must_be_there():
    provider = Reader(
        {**SAID, "founded": says(Raw('{"products": ["boats"], "seat": "Oslo"}'), 1990)}
    )
    result = extracted(provider, Firm, split="single")
    assert [call.fields for call in provider.calls][1:] == [("founded", "motto")]
    assert result.value == FIRM


def test_and_is_as_good_as_null_if_it_need_not():
    provider = Reader({"motto": Raw('{"products": ["boats"], "seat": "Oslo", "founded": 1990}')})
    result = extracted(provider, Firm, split="single")
    assert (result.value.motto, result.missing, result.attempts) == ("none", (), 1)
    assert result.parts["motto"].success


def test_a_single_answer_that_is_none_is_asked_for_once_more_and_no_further():
    provider = Reader({name: Raw("I cannot.") for name in SAID})
    result = extracted(provider, Firm, split="single")
    assert isinstance(result.error, MissingFields)
    assert [call.fields for call in provider.calls] == [tuple(SAID)] * 2
    assert provider.calls[1].is_again


def test_the_single_prompts_answer_may_be_right_in_part_too():
    wrong = Raw("?")
    half = Raw('{"seat": "Oslo", "founded": "long ago"}')
    provider, result = extraction(seat=says(wrong, wrong, half), founded=says(wrong, wrong, half))
    assert result.parts["seat"].value == "Oslo"
    assert result.parts["seat"].origin == "single"
    assert result.error.fields == ("founded",)
    assert len(provider.calls) == 7


@pytest.mark.parametrize(
    "text", ["[1, 2]", "7", "null", '{"other": 1}', "[]", "{}", '{"seat": NaN}', "\ud800"]
)
def test_an_answer_of_another_kind_holds_nothing(text):
    provider = Reader({name: Raw(text) for name in SAID})
    result = extracted(provider, Firm, split="single", fallback=("partial",))
    assert result.error.fields == ("products", "seat", "founded")
    assert result.missing == tuple(SAID)


def test_a_provider_may_answer_with_an_object_of_its_own():
    class Odd:
        async def complete(self, messages, config_overrides=None):
            return LLMResponse("", usage=None) if "seat" in messages[0].content else object()

    result = extracted(Odd(), Firm, split="fields")
    assert isinstance(result.error, MissingFields)
    assert result.usage is None
