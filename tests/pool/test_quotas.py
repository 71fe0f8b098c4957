from typing import Any

import pytest

from ingather import Limits, LLMTask, ParallelLLMExecutor, Quotas
from tests.run.stand_ins import Wire, gate_of, llm_tasks

pytestmark = pytest.mark.looptime


async def test_executors_share_the_quotas_of_the_process():
    executors = [ParallelLLMExecutor(Wire(host="one"), 2) for _ in range(2)]
    for executor in executors:
        await executor.gather(llm_tasks(1))
    assert gate_of(executors[0]) is gate_of(executors[1])


async def test_executors_that_are_given_quotas_share_those_and_no_others():
    ours = Quotas()
    executors = [ParallelLLMExecutor(Wire(host="one"), 2, quotas=ours) for _ in range(2)]
    other = ParallelLLMExecutor(Wire(host="one"), 2, quotas=Quotas())
    for executor in (*executors, other):
        await executor.gather(llm_tasks(1))
    assert gate_of(executors[0]) is gate_of(executors[1])
    assert gate_of(other) is not gate_of(executors[0])


async def test_limits_of_other_quotas_do_not_hold():
    limited = Wire(limits=Limits(requests_per_minute=1), host="one")
    free = ParallelLLMExecutor(Wire(host="one"), 2, quotas=Quotas())
    bound = ParallelLLMExecutor(limited, 2, quotas=Quotas())
    await bound.gather([LLMTask("a")])
    await free.gather(llm_tasks(10))
    assert gate_of(bound).controller.limits.requests_per_minute == 1
    assert gate_of(free).controller.limits == Limits()


def test_what_is_no_quotas_is_a_type_error():
    wrong: Any = {}
    with pytest.raises(TypeError, match="quotas is a Quotas"):
        ParallelLLMExecutor(Wire(), quotas=wrong)
