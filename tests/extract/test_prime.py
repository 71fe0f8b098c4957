"""With `prime` the first part goes alone, and the others when it is back, however it went."""

import pytest
from pydantic import BaseModel

from ingather import ExtractTask, ParallelLLMExecutor
from ingather.errors import AuthFailed, ServerFault
from tests.extract.stand_ins import Raw, Reader, says

pytestmark = pytest.mark.looptime


class Firm(BaseModel):
    products: list[str]
    seat: str
    founded: int
    motto: str = ""


SAID = {"products": ["boats"], "seat": "Oslo", "founded": 1990, "motto": "Float."}


async def primed(bound=10, scripts=(), **options):
    provider = Reader({**SAID, **dict(scripts)}, latency=1.0)
    task = ExtractTask("We build boats.", Firm, **{"split": "fields", "prime": True, **options})
    results = await ParallelLLMExecutor(provider, bound).execute({"it": task})
    return provider, results["it"]


def begun(provider):
    """When each call began, in seconds after the first."""
    first = provider.calls[0].began
    return [(call.fields, round(call.began - first, 3)) for call in provider.calls]


async def test_the_first_part_goes_alone_and_then_all_others_at_once():
    provider, result = await primed()
    assert result.value == Firm(**SAID)
    assert begun(provider) == [
        (("products",), 0),
        (("seat",), 1),
        (("founded",), 1),
        (("motto",), 1),
    ]


async def test_without_it_all_go_at_once():
    provider, _ = await primed(prime=False)
    assert {when for _, when in begun(provider)} == {0}


async def test_a_first_part_that_fails_holds_nobody_up_longer():
    provider, result = await primed(scripts={"products": says(Raw("?"), ["boats"])})
    assert result.value == Firm(**SAID)
    assert sorted(begun(provider)) == [
        (("founded",), 1), (("motto",), 1), (("products",), 0), (("products",), 1), (("seat",), 1),
    ]  # fmt: skip


async def test_nor_does_one_that_fails_for_good():
    provider, result = await primed(scripts={"products": ServerFault("500")}, fallback=())
    assert len(provider.calls) == 4
    assert result.error.fields == ("products",)


async def test_where_no_call_can_succeed_the_others_are_not_sent():
    provider, result = await primed(scripts={"products": AuthFailed("401")})
    assert isinstance(result.error, AuthFailed)
    assert (len(provider.calls), result.attempts) == (1, 1)
    assert result.missing == tuple(SAID)
    assert list(result.parts) == ["products"]


async def test_functions_do_not_wait_for_it_nor_it_for_them():
    provider, result = await primed(functions={"products": lambda text: ["x"]})
    assert result.value.products == ["x"]
    assert [when for _, when in begun(provider)] == [0, 1, 1]


@pytest.mark.parametrize("split", ["single", "auto"])
async def test_where_there_is_one_call_it_is_that(split):
    provider, result = await primed(split=split)
    assert result.value == Firm(**SAID)
    assert len(provider.calls) == 1


async def test_at_one_slot_it_changes_nothing():
    provider, result = await primed(bound=1)
    assert result.value == Firm(**SAID)
    assert [when for _, when in begun(provider)] == [0, 1, 2, 3]
