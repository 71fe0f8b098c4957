"""A provider on this machine that behaves like a real one: limits, latency, faults, and a ledger of what came."""

from __future__ import annotations

from ingather.testing.simulator.faults import Fault, Reply, Say
from ingather.testing.simulator.simulator import Simulator

__all__ = ["Fault", "Reply", "Say", "Simulator"]
