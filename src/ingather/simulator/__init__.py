"""A provider on this machine that behaves like a real one: limits, latency, faults, and a ledger of what came."""

from __future__ import annotations

from ingather.simulator.faults import Fault, Reply, Say
from ingather.simulator.simulator import Simulator

__all__ = ["Fault", "Reply", "Say", "Simulator"]
