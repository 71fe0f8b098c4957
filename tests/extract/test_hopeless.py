"""What can only fail again is not sent again, and an extraction that lost all of it is no success."""

from typing import Any

import pytest
from pydantic import BaseModel

from ingather import ExtractTask, LLMResponse, ParallelLLMExecutor, errors, run_sync
from ingather.errors import (
    Filtered,
    InvalidAnswer,
    MissingFields,
    Refused,
    ServerFault,
    TooLong,
    Truncated,
)
from tests.extract.stand_ins import Raw, Reader, by_origin, extracted, says


class Firm(BaseModel):
    products: list[str] = []
    seat: str = ""
    founded: int = 0
    motto: str = "none"


class Strict(BaseModel):
    products: list[str]
    seat: str
    founded: int
    motto: str


SAID = {"products": ["boats"], "seat": "Oslo", "founded": 1990, "motto": "Float."}
COLD = {"temperature": 0}


def extraction(model: Any = Strict, *, bound=10, split="fields", **scripts):
    options = {
        name: scripts.pop(name) for name in ("config_overrides", "fallback") if name in scripts
    }
    provider = Reader({**SAID, **scripts})
    executor = ParallelLLMExecutor(provider, bound)
    return provider, extracted(provider, model, split=split, executor=executor, **options)


def cut(text=""):
    return Truncated("cut", response=LLMResponse(text, finish_reason="length"))


# -- all of it is lost


@pytest.mark.parametrize("split", ["fields", "single", "auto"])
@pytest.mark.parametrize(
    "error", [ServerFault("500"), Refused("no"), Filtered("hm"), cut(), TooLong("long"), Raw("?"),
              errors.BadRequest("400"), RuntimeError("x")]
)  # fmt: skip
def test_where_every_field_is_lost_it_has_failed_also_if_all_have_defaults(split, error):
    _, result = extraction(Firm, split=split, **dict.fromkeys(SAID, error))
    assert (result.success, result.value) == (False, None)
    assert isinstance(result.error, MissingFields)
    assert result.error.fields == tuple(SAID)
    kind = InvalidAnswer if isinstance(error, Raw) else type(error)
    assert isinstance(result.error.__cause__, kind)
    assert result.missing == tuple(SAID)


def test_one_field_that_came_or_of_which_there_is_nothing_is_a_part_of_it():
    lost = dict.fromkeys(("products", "founded", "motto"), ServerFault("500"))
    assert extraction(Firm, **lost)[1].value == Firm(seat="Oslo")
    assert extraction(Firm, seat=None, **lost)[1].value == Firm()


def test_what_a_function_gave_is_a_part_of_it_too():
    provider = Reader(dict.fromkeys(SAID, ServerFault("500")))
    assert extracted(
        provider, Firm, split="fields", functions={"seat": lambda _: "Rome"}
    ).value == Firm(seat="Rome")


# -- cut


def test_at_temperature_0_a_part_that_was_cut_is_not_asked_again_unchanged():
    provider, result = extraction(founded=cut(), config_overrides=COLD)
    assert len(provider.calls) == 4
    assert isinstance(result.error.__cause__, Truncated)


@pytest.mark.parametrize("error", [Refused("no"), Filtered("hm")])
def test_nor_is_one_that_was_refused_or_filtered(error):
    provider, _ = extraction(founded=error, config_overrides=COLD)
    assert len(provider.calls) == 4
    # else it may be better next time
    assert extraction(founded=says(error, 1990))[1].value == Strict(**SAID)


@pytest.mark.parametrize("overrides", [None, COLD])
def test_what_was_cut_is_not_asked_for_with_more_of_it_under_the_same_limit(overrides):
    provider, _ = extraction(products=cut(), motto=cut(), config_overrides=overrides)
    assert all(len(call.fields) == 1 for call in provider.calls)
    assert len(provider.calls) == (6 if overrides is None else 4)


def test_the_prompt_for_what_is_missing_leaves_out_what_was_cut():
    provider, result = extraction(
        products=cut(), motto=says(Raw("?"), Raw("?"), "Float."), config_overrides=COLD
    )
    assert provider.calls[-1].fields == ("motto",)
    assert by_origin(result)["single"] == {"motto"}


@pytest.mark.parametrize(
    "founded", ["19", '"19', '"\\', "[1, [2, ", '{"a": {"b": 2}, "c', "nu", "-", ""]
)
@pytest.mark.parametrize("overrides", [None, COLD])
def test_one_answer_for_all_that_was_cut_keeps_what_is_complete_and_asks_for_the_rest_by_field(
    overrides, founded
):
    text = '{"products": ["boats"], "seat": "Oslo", "founded": ' + founded
    calls = []

    class Provider:
        schema_mode = "native"

        async def complete(self, messages, config_overrides=None):
            asked = messages[0].content.rpartition("document:\n")[2]
            calls.append([line.removeprefix("- ") for line in asked.splitlines()])
            if len(calls) == 1:
                return LLMResponse(text, finish_reason="length")
            return LLMResponse('{"value": 1990}' if "founded" in asked else '{"value": "Float."}')

    result = extracted(Provider(), Strict, split="single", config_overrides=overrides)
    assert result.value == Strict(**SAID)
    assert calls == [list(SAID), ["founded"], ["motto"]]


def test_without_the_rung_it_is_not_asked_again():
    provider, _ = extraction(split="single", products=cut(), fallback=("partial",))
    assert len(provider.calls) == 1


# -- too long


@pytest.mark.parametrize("bound", [1, 3])
def test_a_text_that_is_too_long_is_not_sent_for_each_part(bound):
    provider, result = extraction(bound=bound, **dict.fromkeys(SAID, TooLong("long")))
    assert len(provider.calls) <= bound
    assert {type(part.error) for part in result.parts.values()} == {TooLong}
    assert result.attempts == len(provider.calls)


def test_nor_is_another_one_as_long_by_the_same_executor():
    provider = Reader(dict.fromkeys(SAID, TooLong("long")), latency=0.001)
    executor = ParallelLLMExecutor(provider, 10)
    tasks = [
        ExtractTask("x" * 100, Strict, split="fields"),
        ExtractTask("y" * 200, Strict, split="fields"),
    ]
    run_sync(executor.execute({"it": tasks[0]}))
    before = len(provider.calls)
    run_sync(executor.execute({"it": tasks[1]}))
    assert len(provider.calls) == before + 1
    provider.scripts = SAID
    assert run_sync(executor.execute({"it": tasks[1]}))["it"].value == Strict(**SAID)


def test_where_one_part_was_answered_the_others_are_sent():
    provider, result = extraction(bound=1, seat=TooLong("long"))
    assert len(provider.calls) == 4
    assert result.missing == ("seat",)
