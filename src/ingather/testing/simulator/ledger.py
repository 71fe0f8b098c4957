"""What came in and what became of it: a row for each call, and totals. The judge of what clients promise."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import TypedDict

_MINUTE = 60.0


@dataclass(slots=True, eq=False)
class Call:
    """One call. Times in seconds since the ledger began; `ended` and `status` are None while it is in flight.

    `fingerprint`: SHA-256 of the body. `seen`: how often this very body was admitted before.
    `custom_id`: what the client calls it, where the request says so. `charged`: tokens taken from
    the quota, None for a call that was not admitted. `fault`: what was done to it, ``""`` for a
    usual answer. `status` is 0 where no status was sent. `disconnected`: the client went away
    before the answer's end.
    """

    number: int
    fingerprint: bytes
    arrived: float
    custom_id: str | None = None
    model: str = ""
    seen: int = 0
    ended: float | None = None
    status: int | None = None
    fault: str = ""
    disconnected: bool = False
    charged: int | None = None
    admitted: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def row(self) -> dict[str, object]:
        """The call as JSON knows it."""
        row = {name: getattr(self, name) for name in self.__slots__}
        return {**row, "fingerprint": self.fingerprint.hex()}


class Minute(TypedDict):
    """The most that was admitted within any 60 seconds."""

    requests: int
    tokens: int


class Stats(TypedDict):
    """Totals over all calls; `by_status` counts answers, ``"0"`` those that had no status. `seconds`: since the start.

    `answered`: 200s. `rejected`: 429s. `longest_minute` is of the calls that the ledger still holds
    a row of.
    """

    calls: int
    answered: int
    rejected: int
    disconnected: int
    in_flight: int
    peak_in_flight: int
    by_status: dict[str, int]
    by_fault: dict[str, int]
    admitted_requests: int
    admitted_tokens: int
    prompt_tokens: int
    completion_tokens: int
    longest_minute: Minute
    seconds: float
    rows: int
    rows_dropped: int


class Ledger:
    """Calls as they come and go; keeps the newest `size` rows. Times are those of the caller's clock."""

    def __init__(self, now: float, size: int = 100_000) -> None:
        self.began = now
        self.rows = deque[Call](maxlen=size)
        self.calls = self.in_flight = self.peak = self.disconnected = 0
        self.admitted_requests = self.admitted_tokens = self.prompt_tokens = (
            self.completion_tokens
        ) = 0
        self.by_status, self.by_fault = Counter[int](), Counter[str]()

    def open(self, now: float, fingerprint: bytes) -> Call:
        """A call arrived."""
        call = Call(self.calls, fingerprint, now - self.began)
        self.calls += 1
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        self.rows.append(call)
        return call

    def admit(self, call: Call, now: float, tokens: int) -> None:
        """It passed the limits, which took `tokens`."""
        call.admitted, call.charged = now - self.began, tokens
        self.admitted_requests += 1
        self.admitted_tokens += tokens

    def close(self, call: Call, now: float) -> None:
        """It is over, answered or not."""
        call.ended = now - self.began
        call.status = call.status or 0
        self.in_flight -= 1
        self.by_status[call.status] += 1
        self.disconnected += call.disconnected
        if call.fault:
            self.by_fault[call.fault] += 1
        if call.status == 200 and not call.disconnected:
            self.prompt_tokens += call.prompt_tokens
            self.completion_tokens += call.completion_tokens

    def stats(self, now: float) -> Stats:
        return {
            "calls": self.calls,
            "answered": self.by_status[200],
            "rejected": self.by_status[429],
            "disconnected": self.disconnected,
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak,
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "by_fault": dict(sorted(self.by_fault.items())),
            "admitted_requests": self.admitted_requests,
            "admitted_tokens": self.admitted_tokens,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "longest_minute": self.longest_minute(),
            "seconds": now - self.began,
            "rows": len(self.rows),
            "rows_dropped": self.calls - len(self.rows),
        }

    def longest_minute(self) -> Minute:
        """The most requests, and the most tokens, that were admitted within any 60 seconds."""
        window = deque[tuple[float, int]]()
        tokens = requests_most = tokens_most = 0
        for call in list(self.rows):
            if call.admitted is None:
                continue
            window.append((call.admitted, call.charged or 0))
            tokens += call.charged or 0
            while window[0][0] <= call.admitted - _MINUTE:
                tokens -= window.popleft()[1]
            requests_most, tokens_most = max(requests_most, len(window)), max(tokens_most, tokens)
        return {"requests": requests_most, "tokens": tokens_most}

    def __repr__(self) -> str:
        return f"Ledger({self.calls} calls, {self.in_flight} in flight, {dict(self.by_status)})"
