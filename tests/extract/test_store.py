"""With a store, what an earlier run had is not paid for again: parts come from it, and only what failed is asked."""

import pytest

from ingather import ParallelLLMExecutor, Store, connect
from ingather.testing import Simulator
from tests.extract.stand_ins import by_origin
from tests.extract.test_over_http import Firm, one


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.db"


async def extracted(sim, path, split):
    provider = connect("openai/m", base_url=sim.base_url)
    async with Store(path) as store, ParallelLLMExecutor(provider, 5, store=store) as executor:
        (result,) = await executor.gather([one(split=split)])
    await provider.aclose()
    return result


@pytest.mark.parametrize("split", ["fields", "single"])
async def test_a_second_run_pays_nothing_and_has_the_same(path, split):
    async with Simulator() as sim:
        first, second = [await extracted(sim, path, split) for _ in range(2)]
        assert second.value == first.value
        assert by_origin(second) == {"cache": set(Firm.model_fields)}
        assert (second.attempts, second.usage.total_tokens) == (0, 0)
        assert first.attempts == len(sim.ledger)


async def test_of_an_extraction_that_failed_only_what_it_lacks_is_asked(path):
    async with Simulator(script={"- founded": ["400", "400"]}) as sim:
        failed = await extracted(sim, path, "fields")
        assert failed.error.fields == ("founded",)
        sent = len(sim.ledger)
        whole = await extracted(sim, path, "fields")
        assert by_origin(whole) == {
            "cache": set(Firm.model_fields) - {"founded"},
            "part": {"founded"},
        }
        assert whole.attempts == len(sim.ledger) - sent == 1
