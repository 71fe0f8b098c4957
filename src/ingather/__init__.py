"""Scatter many LLM calls, gather every answer: as fast as the provider allows, inside its limits, losing nothing."""

from __future__ import annotations

TYPE_CHECKING = False  # the import of typing takes longer than all else that a program does first
if TYPE_CHECKING:
    from ingather.admission.quotas import Quotas
    from ingather.engine.executor import ParallelLLMExecutor
    from ingather.engine.retrying import RetryExecutor
    from ingather.engine.sync import run_sync
    from ingather.extract_task import ExtractTask, Prompt
    from ingather.hedge import Hedge
    from ingather.limits import Limits
    from ingather.money.budget import Budget
    from ingather.providers.base import Provider
    from ingather.providers.connect import connect
    from ingather.providers.echo import EchoProvider
    from ingather.response import LLMResponse, Usage
    from ingather.result import TaskResult
    from ingather.retry import BackoffStrategy, RetryConfig
    from ingather.store import Store
    from ingather.task import DeterministicTask, LLMMessage, LLMTask, Task

_HOME = {
    "BackoffStrategy": "retry",
    "Budget": "money.budget",
    "DeterministicTask": "task",
    "EchoProvider": "providers.echo",
    "ExtractTask": "extract_task",
    "Hedge": "hedge",
    "LLMMessage": "task",
    "LLMResponse": "response",
    "LLMTask": "task",
    "Limits": "limits",
    "ParallelLLMExecutor": "engine.executor",
    "Prompt": "extract_task",
    "Provider": "providers.base",
    "Quotas": "admission.quotas",
    "RetryConfig": "retry",
    "RetryExecutor": "engine.retrying",
    "Store": "store",
    "Task": "task",
    "TaskResult": "result",
    "Usage": "response",
    "connect": "providers.connect",
    "run_sync": "engine.sync",
}

__all__ = [  # noqa: RUF022 - in the order in which one meets them
    "ParallelLLMExecutor", "connect", "run_sync",
    "LLMMessage", "Task", "LLMTask", "DeterministicTask", "ExtractTask", "Prompt",
    "TaskResult", "LLMResponse", "Usage",
    "RetryConfig", "BackoffStrategy", "RetryExecutor", "Limits", "Budget", "Hedge", "Quotas",
    "Store",
    "Provider", "EchoProvider",
]  # fmt: skip


# each name is imported when first asked for: `import ingather` costs nothing
def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'ingather' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"ingather.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
