"""The queue itself: a lane stands in it once, however its waiters come and go."""

import asyncio
import random

import pytest

from ingather import Limits
from ingather.admission.gate import Gate
from ingather.admission.permit import Permit, Queue, Slots
from ingather.limits.controller import Outcome

pytestmark = pytest.mark.looptime


async def give_up(lease):
    """Its waiter is cancelled."""
    waiter = asyncio.ensure_future(lease.wait())
    await asyncio.sleep(0)
    waiter.cancel()
    await asyncio.wait([waiter])


def places(lane):
    return lane.gate.waiting.count(lane), lane.slots.waiting.count(lane)


async def test_a_lane_whose_waiters_gave_up_stands_there_once_when_it_comes_back():
    """Behind another executor that waits for the quota, so that the queue is not gone through to its end."""
    shared, other = Gate("shared", Limits(requests_per_minute=1)), Gate("other")
    theirs, ours = Slots(5), Slots(1)
    first, lane, beside = Queue(theirs, shared), Queue(ours, shared), Queue(ours, other)
    assert first.ask((1,)).granted
    assert not first.ask((2,)).granted
    busy = beside.ask((3,))
    assert busy.granted
    assert not beside.ask((4,)).granted
    await give_up(lane.ask((5,)))
    assert not lane.ask((6,)).granted
    assert places(lane) == (1, 1)


@pytest.mark.parametrize("seed", range(30))
async def test_whatever_comes_and_goes_each_lane_stands_there_at_most_once_and_only_if_it_waits(
    seed,
):
    dice = random.Random(seed)
    pools = [
        Gate(f"pool {i}", Limits(requests_per_minute=dice.choice([6, 60]), max_concurrency=3))
        for i in range(2)
    ]
    lanes = [Queue(slots, pool) for slots in (Slots(1), Slots(2), Slots(9)) for pool in pools]
    waiting: list[Permit] = []
    held: list[Permit] = []
    for arrival in range(300):
        match dice.randrange(6):
            case 0 | 1:
                waiting.append(dice.choice(lanes).ask((arrival,)))
            case 2 if held:
                held.pop(dice.randrange(len(held))).close(dice.choice(list(Outcome)))
            case 3 if waiting:
                await give_up(waiting.pop(dice.randrange(len(waiting))))
            case _:
                await asyncio.sleep(dice.random() * 3)
        held += [lease for lease in waiting if lease.granted]
        waiting = [lease for lease in waiting if not lease.granted]
        for lane in lanes:
            assert max(places(lane)) <= 1
            assert not [lease for lease in lane.heap if not lease.closed] or places(lane) == (1, 1)
            assert lane.slots.in_use <= lane.slots.capacity
        for slots in {lane.slots for lane in lanes}:
            assert slots.in_use == sum(1 for lease in held if lease.queue.slots is slots)
        for pool in pools:
            assert pool.controller.in_flight == sum(1 for lease in held if lease.queue.gate is pool)
