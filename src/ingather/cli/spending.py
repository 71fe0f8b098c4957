"""What a run may spend, as written on the command line, and the check that each task keeps to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingather.admission.permit import Slots
from ingather.admission.quotas import Quotas
from ingather.engine.context import Context
from ingather.errors import SetupError
from ingather.money.budget import Budget
from ingather.task import LLMTask

if TYPE_CHECKING:
    from ingather.engine.prepared import PreparedRequest
    from ingather.jobs import Recipe
    from ingather.providers.base import Provider


@dataclass(frozen=True, slots=True)
class Spending:
    """`max_cost`: USD. `max_tokens`: in and out together. `prices`: ``IN:OUT`` or ``MODEL=IN:OUT``, USD a million."""

    max_cost: float | None = None
    max_tokens: int | None = None
    prices: list[str] = field(default_factory=list)

    def budget(self) -> Budget | None:
        """None where nothing is said. Raises SetupError for what is no price."""
        if self.max_cost is None and self.max_tokens is None and not self.prices:
            return None
        table = dict(map(parsed_price, self.prices))
        try:
            return Budget(max_cost_usd=self.max_cost, max_tokens=self.max_tokens, prices=table)
        except ValueError as error:
            raise SetupError(str(error)) from error


def parsed_price(written: str) -> tuple[str, tuple[float, float]]:
    """A model, ``"*"`` for any, and USD for a million of its tokens in, and out.

    >>> parsed_price("0.15:0.6"), parsed_price("openai/llama=0:0")
    (('*', (0.15, 0.6)), ('openai/llama', (0.0, 0.0)))
    """
    model, _, pair = written.rpartition("=")
    given, _, got = pair.partition(":")
    try:
        return model.strip() or "*", (float(given), float(got))
    except ValueError:
        said = "--price is USD for a million tokens in and out, such as 0.15:0.6, or MODEL=0.15:0.6"
        raise SetupError(f"{said}; not {written!r:.60}") from None


class Appraiser:
    """Makes the request of a task as an executor would, and refuses one that may cost more than anybody can tell.

    Raises SetupError at once where there is a cap on money, and the price of what all tasks ask is
    not known.
    """

    def __init__(self, provider: Provider, recipe: Recipe, budget: Budget | None) -> None:
        self._context = Context(provider, Slots(1), Quotas(), budget=budget)
        if budget is not None and budget.max_cost_usd is not None and not recipe.own_models:
            self._prepare_any(recipe)

    def prepared(self, task: LLMTask) -> PreparedRequest:
        """The task's request. Raises SetupError, in the command line's words."""
        try:
            return self._context.question(task).on(self._context.route)
        except SetupError as error:
            raise SetupError(as_options(str(error))) from error

    def _prepare_any(self, recipe: Recipe) -> None:
        self.prepared(LLMTask("?", {**recipe.params, "max_tokens": 1}))

    def __repr__(self) -> str:
        return f"Appraiser({self._context!r})"


def as_options(message: str) -> str:
    """`message` with the command line's words in place of Python's."""
    message = re.sub(r"\bca=(\S)", r"--ca \1", message)
    message = re.sub(r"\bca=", "--ca", message)
    message = re.sub(r'base_url="([^"]*)"', r"--base-url \1", message)
    message = re.sub(r'api_key=os\.environ\["(\w+)"\]', r"--api-key-env \1", message)
    for python, ours in (
        ('api_key=""', "--api-key-env ''"),
        ("headers=", "--header"),
        ("api_key=", "--api-key-env VAR"),
        (
            "check api_key or its environment variable",
            "check --api-key-env, or the provider's own variable",
        ),
        ("base_url=", "--base-url"),
        ('connect(…, api="chat")', "--api chat"),
        ("api=", "--api"),
        ("base_url", "--base-url"),
        ("give max_tokens", "give it 'max_tokens', or all of them --param max_tokens=N"),
        ("raise max_tokens, or ask", "give a higher --param max_tokens=N, or ask"),
        ("raise the timeout, ask", "raise --timeout, ask"),
        (", or allow a longer wait by Limits(max_wait)", ""),
        ("Limits(max_wait) is", "the longest wait is"),
        ('it in Budget(prices={"MODEL": (IN, OUT)}), USD per', "--price IN:OUT, USD per"),
        (
            "give Budget(max_input=…), the most that such a request may have",
            "leave out --max-cost and --max-total-tokens, or run the tasks with such parts apart",
        ),
    ):
        message = message.replace(python, ours)
    return message
