"""Providers whose every moment is known: run them in virtual time (`pytest.mark.looptime`)."""

import asyncio

from ingather import LLMResponse


class Sleeper:
    """Its prompts are orders: "3" answers after 3 seconds, "3 fails" raises after 3 seconds. Keeps a ledger."""

    def __init__(self):
        self.begun = []  # (prompt, second)
        self.answered = []
        self.cancelled = []
        self.in_flight = self.peak = 0

    @property
    def prompts(self):
        return [prompt for prompt, _ in self.begun]

    async def complete(self, messages, config_overrides=None):
        prompt = messages[-1].content
        self.begun.append((prompt, asyncio.get_running_loop().time()))
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await asyncio.sleep(float(prompt.split()[0]))
        except asyncio.CancelledError:
            self.cancelled.append(prompt)
            raise
        finally:
            self.in_flight -= 1
        if "fails" in prompt:
            raise RuntimeError(prompt)
        self.answered.append(prompt)
        return LLMResponse(prompt)


class Raising:
    """Raises what it is given, one after another, and then answers."""

    def __init__(self, *errors, answer="done"):
        self.errors = list(errors)
        self.answer = answer
        self.calls = 0

    async def complete(self, messages, config_overrides=None):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return LLMResponse(self.answer)


async def taken_into(delivered, results):
    """Take all `results`; what came before an error stays in `delivered`."""
    async for result in results:
        delivered.append(result)
