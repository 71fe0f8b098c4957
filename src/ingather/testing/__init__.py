"""What tests of code that calls models need: scripted answers, recorded ones, and a local provider that can fail.

>>> from ingather import EchoProvider
>>> EchoProvider().set_responses([text_response("Paris"), ErrorResponse(TimeoutError("too slow"))])
EchoProvider(0 calls, 2 scripted)
"""

from __future__ import annotations

from ingather.providers.echo import ErrorResponse, ResponseQueueExhaustedError, text_response
from ingather.testing.recorder import NotRecorded, Recorder
from ingather.testing.simulator import Fault, Reply, Say, Simulator

__all__ = [
    "ErrorResponse",
    "Fault",
    "NotRecorded",
    "Recorder",
    "Reply",
    "ResponseQueueExhaustedError",
    "Say",
    "Simulator",
    "text_response",
]
