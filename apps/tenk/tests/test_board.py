"""Where an analysis stands, told from its events; and how that looks in a terminal and out of one."""

import io
import re
from itertools import groupby

from rich.console import Console

from apps.tenk.tests.stand_ins import Model, filing
from ingather.errors import BadRequest
from tenk import comprehensive_analysis, open_submission
from tenk.board import Board
from tenk.live import LiveView, in_words, view_of
from tenk.outcome import SECTIONS


async def watched(model, **options):
    seen = []
    view = view_of(open_submission(filing(**options)), SECTIONS)

    def watch(event):
        view.board(event)
        seen.append({name: dict(line.components) for name, line in view.board.lines.items()})

    await comprehensive_analysis(filing(**options), provider=model, on_event=watch)
    return view.board, seen


async def test_components_go_from_waiting_by_running_to_done():
    board, seen = await watched(Model())
    states = [each["business"]["key_products"] for each in seen]
    assert list(dict.fromkeys(states)) == ["waiting", "running", "done"]
    assert all(set(line.components.values()) == {"done"} for line in board.lines.values())
    assert board.calls == 27
    assert board.in_flight == 0


async def test_a_part_that_failed_and_came_by_the_single_prompt_is_done():
    board, seen = await watched(Model({"outlook": BadRequest("no"), "metrics": BadRequest("no")}))
    states = [each["mda"]["outlook"] for each in seen]
    assert [state for state, _ in groupby(states)] == [
        "waiting",
        "running",
        "failed",
        "running",
        "done",
    ]
    assert board.lines["mda"].components["outlook"] == "done"


async def test_a_section_without_a_text_says_why_from_the_start():
    pointer = "Incorporated by reference to the Annual Report to Shareholders, Exhibit 13."
    board, seen = await watched(Model(), mda=pointer)
    assert set(seen[0]["mda"].values()) == {"skipped"}
    assert "another document" in board.lines["mda"].note


async def test_a_terminal_gets_a_line_for_each_section():
    stream = io.StringIO()
    view = LiveView(
        view_of(open_submission(filing()), SECTIONS).board,
        Console(file=stream, force_terminal=True, width=100),
    )
    with view:
        await comprehensive_analysis(filing(), provider=Model(), on_event=view)
    last = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", stream.getvalue()).rpartition("Business")[2]
    assert "●●●●●●●●" in last
    assert "Risk factors" in last
    assert "7/7" in last
    assert "27 calls answered" in last


async def test_no_terminal_gets_a_plain_line_at_each_sections_end():
    stream = io.StringIO()
    view = LiveView(
        view_of(open_submission(filing()), SECTIONS).board, Console(file=stream, width=100)
    )
    with view:
        await comprehensive_analysis(filing(), provider=Model(), on_event=view)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert any(line.startswith("MD&A: 8/8 components in ") for line in lines)


def test_events_of_other_runs_change_nothing():
    board = Board({"business": ["key_products"]})
    board._mark("other.key_products", "running", 0.0)
    assert board.lines["business"].components == {"key_products": "waiting"}


def test_names_are_written_in_words():
    assert [in_words(name) for name in SECTIONS] == [
        "Business",
        "Risk factors",
        "MD&A",
        "Financials",
    ]
