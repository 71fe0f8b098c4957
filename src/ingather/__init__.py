"""Scatter many LLM calls, gather every answer: as fast as the provider allows, inside its limits, losing nothing."""

from __future__ import annotations

TYPE_CHECKING = False  # the import of typing takes longer than all else that a program does first
if TYPE_CHECKING:
    from ingather.backoff import BackoffStrategy, RetryConfig
    from ingather.bridge import run_sync
    from ingather.budget import Budget
    from ingather.executor import ParallelLLMExecutor
    from ingather.hedge import Hedge
    from ingather.limits import Limits
    from ingather.providers.base import Provider
    from ingather.providers.connect import connect
    from ingather.providers.echo import EchoProvider
    from ingather.result import LLMResponse, TaskResult, Usage
    from ingather.retrying import RetryExecutor
    from ingather.store import Store
    from ingather.task import DeterministicTask, ExtractTask, LLMMessage, LLMTask, Prompt

_HOME = {
    "BackoffStrategy": "backoff",
    "Budget": "budget",
    "DeterministicTask": "task",
    "EchoProvider": "providers.echo",
    "ExtractTask": "task",
    "Hedge": "hedge",
    "LLMMessage": "task",
    "LLMResponse": "result",
    "LLMTask": "task",
    "Limits": "limits",
    "ParallelLLMExecutor": "executor",
    "Prompt": "task",
    "Provider": "providers.base",
    "RetryConfig": "backoff",
    "RetryExecutor": "retrying",
    "Store": "store",
    "TaskResult": "result",
    "Usage": "result",
    "connect": "providers.connect",
    "run_sync": "bridge",
}

__all__ = [  # noqa: RUF022 - in the order in which one meets them
    "ParallelLLMExecutor", "connect", "run_sync",
    "LLMMessage", "LLMTask", "DeterministicTask", "ExtractTask", "Prompt",
    "TaskResult", "LLMResponse", "Usage",
    "RetryConfig", "BackoffStrategy", "RetryExecutor", "Limits", "Budget", "Hedge",
    "Store",
    "Provider", "EchoProvider",
]  # fmt: skip


def __getattr__(name: str) -> object:  # each name is imported when first asked for: `import ingather` costs nothing
    if name not in _HOME:
        raise AttributeError(f"module 'ingather' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"ingather.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
