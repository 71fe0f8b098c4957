"""Events: from the beginning or from where one was, to any number of readers, of which a slow one slows nobody."""

import asyncio
import json
import socket

from apps.tenk.tests.service.running import TOKEN, Gate, cards
from apps.tenk.tests.stand_ins import filing
from ingather.errors import BadRequest
from tenk.service.feed import Feed, _event


def merged(events):
    """The state that a reader has after these events."""
    state = {}
    for _, kind, data in events:
        if kind == "snapshot":
            state = data
        elif kind == "update":
            merge(state, data)
    return state


def merge(state, change):
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(state.get(name), dict) and "calls" not in value:
            merge(state[name], value)
        else:
            state[name] = value


def test_events_from_the_first_to_the_end_make_the_last_state(serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate})
    analysis = service.begin(filing())
    first = service.events(analysis, most=1)
    assert first[0][1] == "snapshot"
    gate.open()
    events = service.events(analysis)
    assert events[-1][1] == "end"
    assert merged(events) == service.state(analysis)


def test_a_reader_goes_on_where_it_was(serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate})
    analysis = service.begin(filing())
    service.until(
        analysis, lambda state: state["ledger"]["in_flight"] == 1 and state["ledger"]["calls"] > 20
    )
    before = service.events(analysis, most=1)
    gate.open()
    after = service.events(analysis, last=before[0][0])
    assert "snapshot" not in [kind for _, kind, _ in after]
    numbers = [int(number.partition("-")[2]) for number, _, _ in after if number]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] == int(before[0][0].partition("-")[2]) + 1
    assert merged([*before, *after]) == service.state(analysis)


def test_a_reader_with_a_place_of_another_time_is_told_all(service, done):
    service.events(done["id"])  # until the last: its state may end before that is told
    for last in ("00000000-5", "nonsense", "-", "9" * 40):
        assert [kind for _, kind, _ in service.events(done["id"], last=last)] == ["snapshot", "end"]


def test_an_analysis_asked_again_has_events_again(serving):
    gate = Gate(fails={"outlook": BadRequest("no", status=400)})
    service = serving({"gate": gate})
    analysis = service.ended(service.begin(filing()))["id"]
    gate.fails.clear()
    service.http.post(f"/api/analyses/{analysis}/retry")
    state = merged(service.events(analysis))
    assert cards(state)["mda.outlook"]["status"] == "ok"


def test_a_slow_reader_slows_nobody(serving):
    gate = Gate(shut=["outlook"])
    service = serving({"gate": gate})
    analysis = service.begin(filing())
    lazy = [socket.create_connection(("127.0.0.1", service.settings.port)) for _ in range(20)]
    asked = f"GET /api/analyses/{analysis}/events HTTP/1.1\r\nhost: 127.0.0.1\r\nx-tenk-token: {TOKEN}\r\n\r\n"
    for reader in lazy:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        reader.sendall(asked.encode())  # and never reads
    gate.open()
    assert service.ended(analysis)["status"] == "done"
    assert merged(service.events(analysis)) == service.state(analysis)
    for reader in lazy:
        reader.close()


async def test_who_falls_behind_is_told_the_whole_state_and_costs_no_memory():
    state = {"count": 0}
    feed = Feed(lambda: dict(state))
    reader = feed.read("")
    assert b'{"count":0}' in await anext(reader)
    for count in range(1, 5001):
        state["count"] = count
        feed.publish({"count": count})
    held = await anext(reader)
    assert (held.count(b"event:"), b'snapshot\ndata: {"count":5000}' in held) == (1, True)
    await reader.aclose()


async def test_all_readers_are_woken_by_one_event():
    feed = Feed(dict)
    readers = [feed.read("") for _ in range(50)]
    for reader in readers:
        await anext(reader)
    waiting = [asyncio.ensure_future(anext(reader)) for reader in readers]
    await asyncio.sleep(0)
    feed.publish({"status": "done"})
    assert {
        json.loads(told.split(b"data: ")[1])["status"] for told in await asyncio.gather(*waiting)
    } == {"done"}
    for reader in readers:
        await reader.aclose()


def test_an_event_is_one_line_whatever_an_answer_holds():
    feed = Feed(dict)
    feed.publish({"reason": "a\n\nevent: end\ndata: {}\r\u2028\x1b[31m"})
    [event] = feed._events
    assert event.count(b"\n") == 4
    assert b"\x1b" not in event


def test_streams_end_when_the_service_stops(serving):
    service = serving({"gate": Gate(shut=["outlook"])})
    analysis = service.begin(filing())
    with service.http.stream("GET", f"/api/analyses/{analysis}/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        service.stop_it()
        assert "event: end" not in list(lines)  # its reader is to come again
    service.stop()


def test_a_number_of_any_length_is_told():
    assert b'{"employees":%d}' % 10**30 in _event("section", {"employees": 10**30})
