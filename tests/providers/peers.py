"""The servers that the contract is kept with, in their dialects: llama.cpp's, which we did not write, and ours."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial

from ingather import connect
from ingather.testing import Simulator
from tests.servers.llama import serving

KEY = "sk-the-right-key"
CONTEXT = 2048
OVERFLOW = "overflow " * CONTEXT
ENDLESS = "endless"


@dataclass
class Peer:
    """A server, as the contract needs it."""

    base_url: str
    dialect: str = "openai"
    options: dict = field(default_factory=dict)
    id_prefix: str = "chatcmpl-"
    short: dict = field(
        default_factory=lambda: {"stop": ["]"], "temperature": 0, "max_tokens": 100}
    )
    endless: dict = field(default_factory=lambda: {"logit_bias": [[2, False]], "max_tokens": 1000})
    notices_hang_up = True

    def connect(self, **options):
        server = {"base_url": self.base_url, "api_key": KEY, "timeout": 60}
        return connect(f"{self.dialect}/tiny", **{**server, **self.options, **options})

    async def until(self, condition):
        """Wait until the number of requests that the server works on is as `condition` says."""
        while not condition(await self.in_flight()):  # noqa: ASYNC110 - the server tells only who asks
            await asyncio.sleep(0.01)

    async def in_flight(self):
        raise NotImplementedError


@dataclass(kw_only=True)
class Llama(Peer):
    # where the answer is not streamed: it works on to the end, whoever hangs up
    notices_hang_up = False

    async def in_flight(self):
        slots = urllib.request.Request(
            f"{self.base_url.removesuffix('/v1')}/slots", headers={"Authorization": f"Bearer {KEY}"}
        )
        answer = await asyncio.to_thread(lambda: urllib.request.urlopen(slots).read())
        return sum(slot["is_processing"] for slot in json.loads(answer))


@dataclass(kw_only=True)
class Simulated(Peer):
    simulator: Simulator

    async def in_flight(self):
        return self.simulator.stats()["in_flight"]


@contextmanager
def llama(**peer):
    with serving("--parallel", "4", "--context", str(CONTEXT), "--api-key", KEY) as base_url:
        yield Llama(base_url=base_url, **peer)


@contextmanager
def simulated(path="/v1", **peer):
    script = {OVERFLOW: ["context_length"] * 100, ENDLESS: ["hang"] * 100}
    with Simulator(api_key=KEY, script=script) as simulator:
        yield Simulated(
            base_url=simulator.base_url.removesuffix("/v1") + path, simulator=simulator, **peer
        )


RESPONSES: dict = {
    "options": {"api": "responses"},
    "id_prefix": "resp_",
    # a limit that only llama.cpp knows: it calls that an end
    "short": {"temperature": 0, "n_predict": 100},
    "endless": {"max_tokens": 1000},
}
ANTHROPIC: dict = {"dialect": "anthropic", "id_prefix": "", "endless": {"max_tokens": 1000}}
PEERS: dict[str, Callable[[], AbstractContextManager[Peer]]] = {
    "llama": llama,
    "simulated": simulated,
    "llama, Responses": partial(llama, **RESPONSES),
    "simulated, Responses": partial(simulated, **RESPONSES),
    "simulated, Azure": partial(simulated, path="", dialect="azure"),
    "simulated, Azure's newer surface": partial(simulated, path="/openai/v1", dialect="azure"),
    "llama, Anthropic": partial(llama, **ANTHROPIC),
    "simulated, Anthropic": partial(simulated, **ANTHROPIC),
    "simulated, Anthropic by tools": partial(
        simulated, **ANTHROPIC, options={"schema_mode": "tool"}
    ),
    "simulated, Gemini": partial(
        simulated, dialect="gemini", id_prefix="", endless={"max_tokens": 1000}
    ),
}
