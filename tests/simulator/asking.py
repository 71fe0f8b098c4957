"""How these tests ask: plain HTTP, so that no client's cleverness stands between them and the wire."""

import asyncio
from contextlib import asynccontextmanager

import aiohttp

from ingather.testing import Simulator


def body(text="We sell boats. Our office is in Oslo.\n\nWhere is the office?", **more):
    return {"model": "any", "messages": [{"role": "user", "content": text}], **more}


@asynccontextmanager
async def asking(**settings):
    """A simulator, and a function that sends it a request and gives status, headers and the parsed answer."""
    async with Simulator(**settings) as sim, aiohttp.ClientSession() as session:

        async def ask(
            *text, method="POST", path="/v1/chat/completions", data=None, headers=None, **more
        ):
            sent = {"data": data} if data is not None else {"json": body(*text, **more)}
            url = sim.base_url.removesuffix("/v1") + path
            async with session.request(method, url, headers=headers, **sent) as got:
                return got.status, got.headers, await got.json()

        yield sim, ask


def content(answer):
    return answer["choices"][0]["message"]["content"]


async def until(condition):
    """Let the loop turn until `condition()` holds."""
    while not condition():  # noqa: ASYNC110 - what it waits for is in another's hands
        await asyncio.sleep(0.001)
