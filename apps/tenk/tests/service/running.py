"""The service in a thread of the test's process, on a real socket; and events as a client reads them."""

import asyncio
import json
import threading
import time

import httpx2

from ingather import LLMResponse, Usage
from ingather.extractive import json_answer
from tenk.service.access import HEADER
from tenk.service.server import serve
from tenk.service.settings import Caps, Settings

TOKEN = "a-token-of-tests-0123456789-abcdefghij"
ENDED = ("done", "partial", "failed", "cancelled")


class Gate:
    """A provider that answers as the offline model does, each component when it is let through.

    `shut`: components that wait until `open` is called with their name. `fails`: components that
    fail, with what. `says`: what is answered for a component instead, as JSON.
    """

    schema_mode = "native"
    schema_lengths = True

    def __init__(self, shut=(), fails=None, says=None):
        self.shut = set(shut)
        self.fails = dict(fails or {})
        self.says = says or {}
        self.asked = []
        self.in_flight = 0

    def open(self, *names):
        self.shut.difference_update(names or list(self.shut))

    async def complete(self, messages, config_overrides=None):
        question = messages[0].content.rpartition("\n</document")[2]
        names = [
            line[2:].partition(":")[0] for line in question.splitlines() if line.startswith("- ")
        ]
        self.asked.append(names)
        self.in_flight += 1
        try:
            while self.shut.intersection(names):  # noqa: ASYNC110 - it is opened from another thread
                await asyncio.sleep(0.01)
        finally:
            self.in_flight -= 1
        if found := [self.fails[name] for name in names if name in self.fails]:
            raise found[0]
        if len(names) == 1 and names[0] in self.says:
            return LLMResponse(
                json.dumps(self.says[names[0]]), usage=Usage(1000, 50, 200), cost_usd=0.01
            )
        schema = config_overrides["response_format"]["json_schema"]["schema"]
        text = await asyncio.to_thread(
            json_answer, [(each.role, each.content) for each in messages], schema
        )
        return LLMResponse(text, usage=Usage(1000, 50, 200), cost_usd=0.01)


class Service:
    """A service that runs. `http`: a client with the token; `bare`: one without."""

    def __init__(self, started, thread):
        self.settings = started.settings
        self.stop_it = started.stop
        self.thread = thread
        self.url = f"http://127.0.0.1:{started.settings.port}"
        self.http = httpx2.Client(
            base_url=self.url, headers={HEADER: TOKEN}, timeout=30, trust_env=False
        )
        self.bare = httpx2.Client(base_url=self.url, timeout=30, trust_env=False)

    def begin(self, content=None, **fields):
        """Begin an analysis; gives its id."""
        files = None if content is None else {"file": ("filing.txt", content)}
        data = fields if content is not None or fields else {"sample": "quellmark-2025"}
        answer = self.http.post("/api/analyses", data=data, files=files)
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]

    def state(self, analysis):
        return self.http.get(f"/api/analyses/{analysis}").json()

    def until(self, analysis, test, seconds=60):
        """The state of an analysis as soon as it passes."""
        for _ in range(int(seconds / 0.02)):
            state = self.state(analysis)
            if test(state):
                return state
            time.sleep(0.02)
        raise AssertionError(f"{state['status']}: {state['reason']}")

    def ended(self, analysis, seconds=60):
        return self.until(analysis, lambda state: state["status"] in ENDED, seconds)

    def events(self, analysis, last=None, most=None):
        """Each event until the last: its id, its kind, its data."""
        headers = {} if last is None else {"last-event-id": last}
        found = []
        with self.http.stream("GET", f"/api/analyses/{analysis}/events", headers=headers) as answer:
            assert answer.status_code == 200
            for event in told(answer.iter_lines()):
                found.append(event)
                if event[1] == "end" or len(found) == most:
                    break
        return found

    def stop(self):
        self.http.close()
        self.bare.close()
        self.stop_it()
        self.thread.join(20)
        assert not self.thread.is_alive()


def told(lines):
    """Server-sent events of the lines of an answer."""
    event: dict[str, str] = {}
    for line in lines:
        if line == "":
            if event:
                yield event.get("id"), event.get("event"), json.loads(event["data"])
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


def start(state, models, caps=None, *, port=0, **more):
    """Start a service; gives it once it listens."""
    found = []
    listens = threading.Event()
    settings = Settings(
        state=state, token=TOKEN, models=models, port=port, caps=caps or Caps(), **more
    )

    def started(what):
        found.append(what)
        listens.set()

    thread = threading.Thread(target=serve, args=(settings, started), daemon=True)
    thread.start()
    assert listens.wait(20)
    return Service(found[0], thread)


def cards(state):
    """All cards by ``section.component``."""
    return {
        f"{name}.{key}": card
        for name, section in state["sections"].items()
        for key, card in section["cards"].items()
    }
