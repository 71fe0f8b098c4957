"""Requests, keys and answers for a store that is asked directly."""

import asyncio

from ingather import LLMMessage, LLMResponse, Usage, connect
from ingather.providers.base import WireProvider
from ingather.store.key import Key


def request(
    prompt="Hi", *, model="openai/m", base_url="http://127.0.0.1:9/v1", api_key=None, **params
):
    provider = connect(model, base_url=base_url, api_key=api_key)
    assert isinstance(provider, WireProvider)
    return provider.prepare([LLMMessage("user", prompt)], params or None)


def key(prompt="Hi", sample=0, **options):
    return Key(request(prompt, **options), sample)


def answer(text="Hello", **fields):
    return LLMResponse(
        text, "m", usage=Usage(3, 2, 1, 1), metadata={"id": "a"}, created_at=1.0, **fields
    )


def kept(store, *pairs):
    """Store these answers by their keys, in one loop."""

    async def keep():
        await asyncio.gather(*(store.keep(key, answer) for key, answer in pairs))

    asyncio.run(keep())


def found(store, *keys):
    """What the store has for these keys."""

    async def find():
        return [await store.find(key) for key in keys]

    return asyncio.run(find())
