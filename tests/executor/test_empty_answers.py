"""An answer that is empty is a failure: tried once more, and then told."""

import pytest

from ingather import LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig, Usage
from ingather.errors import EmptyAnswer, Overloaded
from tests.executor.stand_ins import Raising

pytestmark = pytest.mark.looptime


def retry(most, **filters):
    return RetryConfig(most, **{"initial_delay": 1.0, **filters})


def empty():
    return EmptyAnswer(
        "the answer is empty", status=200, response=LLMResponse("", usage=Usage(5, 1))
    )


async def attempts(*errors, policy):
    [result] = await ParallelLLMExecutor(Raising(*errors)).gather([LLMTask("x", retry=policy)])
    return result.success, result.attempts


@pytest.mark.parametrize("most", [2, 3, 9])
async def test_it_is_tried_once_more_and_no_more(most):
    assert await attempts(empty(), policy=retry(most)) == (True, 2)
    assert await attempts(empty(), empty(), empty(), policy=retry(most)) == (False, 2)


async def test_where_one_attempt_is_all_it_is_not():
    assert await attempts(empty(), policy=RetryConfig(1)) == (False, 1)


async def test_other_faults_between_do_not_count_as_empty():
    policy = retry(5)
    assert await attempts(empty(), Overloaded("503"), policy=policy) == (True, 3)
    assert await attempts(
        Overloaded("503"), empty(), Overloaded("503"), empty(), policy=policy
    ) == (False, 4)


@pytest.mark.parametrize(
    ("filters", "sent"),
    [
        ({"retry_on_exceptions": [EmptyAnswer]}, 4),
        ({"retry_on_exceptions": [Overloaded]}, 1),
        ({"retry_on_exception": lambda error: isinstance(error, EmptyAnswer)}, 4),
        ({"retry_on_exception": lambda error: False}, 1),
    ],
)
async def test_the_users_own_filter_holds(filters, sent):
    policy = retry(4, **filters)
    assert await attempts(*[empty() for _ in range(9)], policy=policy) == (False, sent)


async def test_what_each_of_them_took_is_counted():
    [result] = await ParallelLLMExecutor(Raising(empty(), empty())).gather(
        [LLMTask("x", retry=retry(3))]
    )
    assert isinstance(result.error, EmptyAnswer)
    assert result.response is not None
    assert (result.usage, result.response.content) == (Usage(10, 2), "")
