"""Clients and a server in virtual time: seeded, exact, and instant.

The server has token buckets as providers have them, a cap on calls in flight, a knee, changes and
an outage. A client is a queue of calls in front of a `Controller`, drained as the pool drains it.
Clients see only what HTTP tells them.
"""

import heapq
import itertools
import math
import random
from collections import deque
from dataclasses import dataclass

from ingather.limits import Limits
from ingather.limits.controller import Controller, Outcome
from ingather.limits.tokens import TokenEstimator, Tokens
from ingather.response import Allowance, RateLimits, Usage

NETWORK = 0.03  # seconds one way
REFUSAL = 0.06  # seconds that a server takes to say no
MOST_IN_FLIGHT = 1000  # what every client's executor allows


@dataclass
class Scenario:
    """What the server is like, and what is asked of it. Rates per minute; 0: no such limit."""

    name: str
    rpm: float = 3000.0
    tpm: float = 0.0
    burst: float = 60.0  # seconds of the rate that the buckets hold
    headers: bool = True
    hint: str = "ms"  # retry-after: "none", "s" (whole seconds, at least one) or "ms"
    named: bool = True  # whether a 429 says which limit it was
    in_flight: int = 0
    knee: float = 0.0  # calls in flight from which on latency grows
    slots: int = 0  # calls that are served at once; others wait at the server
    fixed: bool = False  # all calls take the same time there
    changes: tuple[tuple[float, float], ...] = ()
    outage: tuple[float, float] = (math.inf, math.inf)
    clients: int = 1
    apart: float = 0.001  # seconds between their starts
    calls: int = 30000
    latency: float = 4.0
    sigma: float = 0.6
    tokens: float = 1500.0
    tokens_sigma: float = 0.8
    estimate_sigma: float = 0.15
    estimate_bias: float = 1.0
    charges_refused: bool = False
    hidden_burst: float = 0.0  # a second, undisclosed bucket
    until: float = 3600.0


@dataclass(slots=True)
class Call:
    """One call of a client. `size` scales its latency."""

    client: int
    number: int
    tokens: float
    estimate: Tokens
    size: float
    sent: object = None

    def __lt__(self, other):
        return self.number < other.number


class Clock:
    """Runs what is due, in its order."""

    def __init__(self):
        self.now = 0.0
        self._due = []
        self._numbers = itertools.count()

    def at(self, moment, act, *what):
        heapq.heappush(self._due, (max(moment, self.now), next(self._numbers), act, what))

    def run(self, until, is_over):
        while self._due and not is_over():
            self.now, _, act, what = heapq.heappop(self._due)
            if self.now > until:
                return
            act(*what)


class Tank:
    """A token bucket of the server's."""

    def __init__(self, rate, depth):
        self.rate, self.depth, self.level, self._at = rate, depth, depth, 0.0

    def fill(self, now):
        self.level = min(self.depth, self.level + (now - self._at) * self.rate)
        self._at = now
        return self.level

    def resize(self, now, rate, depth):
        self.fill(now)
        self.rate, self.depth, self.level = rate, depth, min(self.level, depth)


class Server:
    """Admits or refuses, and answers after a while. `ledger`: (moment, "ok" | "429" | "529", client, tokens)."""

    def __init__(self, clock, scenario, rng):
        self.clock, self.scenario, self._rng = clock, scenario, rng
        self.rates = {
            name: limit / 60
            for name, limit in (("requests", scenario.rpm), ("tokens", scenario.tpm))
            if limit
        }
        self._shown = {name: Tank(rate, rate * scenario.burst) for name, rate in self.rates.items()}
        hidden = scenario.hidden_burst
        self._hidden = (
            {name: Tank(rate, rate * hidden) for name, rate in self.rates.items()} if hidden else {}
        )
        self._tanks = [*self._shown.items(), *self._hidden.items()]
        self._in_flight = 0
        self._busy = 0
        self._queue: deque = deque()
        self.ledger = []
        self.history = [(0.0, 1.0)]
        for moment, factor in scenario.changes:
            clock.at(moment, self._change, factor)

    def submit(self, call, reply):
        now, scenario = self.clock.now, self.scenario
        if scenario.outage[0] <= now < scenario.outage[1]:
            self._enter(call, "529")
            self.clock.at(now + REFUSAL + NETWORK, reply, call, 529, None, None, "")
            return
        short, wait = self._short_of(call, now)
        if short:
            if scenario.charges_refused and short != "concurrency":
                for name, tank in self._tanks:
                    if name == "requests":
                        tank.level = max(0.0, tank.level - 1.0)
            self._enter(call, "429")
            hint = {"s": max(1.0, math.ceil(wait)), "ms": max(0.001, wait) if wait else None}.get(
                scenario.hint
            )
            delay = REFUSAL * self._rng.uniform(0.5, 2) + NETWORK
            self.clock.at(
                now + delay,
                reply,
                call,
                429,
                self._headers(now),
                hint,
                short if scenario.named else "",
            )
            return
        for name, tank in self._tanks:
            tank.level -= 1.0 if name == "requests" else call.tokens
        self._in_flight += 1
        self._enter(call, "ok")
        latency = scenario.latency * math.exp(scenario.sigma * self._rng.gauss(0, 1)) * call.size
        if scenario.fixed:
            latency = scenario.latency
        if scenario.slots:
            self._queue.append((call, latency, reply))
            self._serve()
            return
        if scenario.knee:
            load = self._in_flight / scenario.knee
            latency *= max(1.0, load) * (1.0 + 0.2 * max(0.0, load - 4))
        self.clock.at(now + latency, self._finish, call, self._headers(now), reply)

    def _short_of(self, call, now):
        if self.scenario.in_flight and self._in_flight >= self.scenario.in_flight:
            return "concurrency", 0.0
        short, wait = "", 0.0
        for name, tank in self._tanks:
            need = min(1.0 if name == "requests" else call.tokens, tank.depth)
            if tank.fill(now) < need:
                short, wait = name, max(wait, (need - tank.level) / tank.rate)
        return short, wait

    def _serve(self):
        while self._queue and self._busy < self.scenario.slots:
            call, latency, reply = self._queue.popleft()
            self._busy += 1
            self.clock.at(self.clock.now + latency, self._served, call, reply)

    def _served(self, call, reply):
        self._busy -= 1
        self._finish(call, self._headers(self.clock.now), reply)
        self._serve()

    def _finish(self, call, headers, reply):
        self._in_flight -= 1
        self.clock.at(self.clock.now + NETWORK, reply, call, 200, headers, None, "")

    def _headers(self, now):
        if not self.scenario.headers:
            return None
        levels = {
            name: (tank.rate, tank.depth, tank.fill(now)) for name, tank in self._shown.items()
        }
        return RateLimits(
            **{
                name: Allowance(rate * 60, max(0, math.floor(level)), (depth - level) / rate)
                for name, (rate, depth, level) in levels.items()
            }
        )

    def _change(self, factor):
        now = self.clock.now
        self.history.append((now, factor))
        for tanks, burst in (
            (self._shown, self.scenario.burst),
            (self._hidden, self.scenario.hidden_burst),
        ):
            for name, tank in tanks.items():
                tank.resize(now, self.rates[name] * factor, self.rates[name] * factor * burst)

    def _enter(self, call, what):
        self.ledger.append((self.clock.now, what, call.client, call.tokens))


class Client:
    """A queue in the order of arrival, and a controller that says when its head may go."""

    def __init__(self, clock, server, controller, calls):
        self._clock, self._server, self.controller = clock, server, controller
        self.queue = calls  # sorted, so a heap
        self.left = len(calls)
        self.in_flight = 0
        self._alarm = math.inf
        self._estimator = TokenEstimator(mean_output=0.0)

    def drain(self):
        now = self._clock.now
        while self.queue and self.in_flight < MOST_IN_FLIGHT:
            call = self.queue[0]
            cost = self._estimator.cost(call.estimate)
            delay, _ = self.controller.delay(cost, now)
            if delay == math.inf:
                assert self.in_flight, "it waits for nothing"
                return
            if delay > 1e-9:
                if self._alarm <= now or now + delay < self._alarm - 1e-9:
                    self._alarm = now + delay
                    self._clock.at(now + delay, self.drain)
                return
            heapq.heappop(self.queue)
            self.in_flight += 1
            call.sent = self.controller.sent(cost, now)
            self._clock.at(now + NETWORK, self._server.submit, call, self.reply)

    def reply(self, call, status, headers, hint, limit):
        now = self._clock.now
        self.in_flight -= 1
        if status == 200:
            self.left -= 1
            usage = Usage(int(call.tokens), 0)
            self._estimator.learn(call.estimate, usage)
            self.controller.closed(Outcome.SUCCESS, call.sent, usage, now, headers)
        elif status == 429:
            self.controller.throttled(hint, call.sent, now, headers, limit)
            self.controller.closed(Outcome.IGNORED, call.sent, None, now)
            heapq.heappush(self.queue, call)
        else:
            self.controller.closed(Outcome.UNAVAILABLE, call.sent, None, now)
            heapq.heappush(self.queue, call)
        self.drain()


class Fixed:
    """The best where only calls in flight matter: the right number of them, known from the start."""

    def __init__(self, size):
        self._size, self._in_flight = size, 0

    def delay(self, cost, now):
        return (0.0, "") if self._in_flight < self._size else (math.inf, "concurrency")

    def sent(self, cost, now):
        self._in_flight += 1

    def throttled(self, hint, sent, now, told, limit):
        """Nothing to learn."""

    def closed(self, outcome, sent, usage, now, told=None):
        self._in_flight -= 1


@dataclass
class Figures:
    """What came of a scenario. Shares are of the attempts; `used`: admitted over allowed after the first minute."""

    used: float
    throughput: float
    refused: float
    late_refused: float
    fairness: float
    into_outage: int
    left: int
    took: float

    @property
    def both(self):
        """Utilisation of at least 0.97, and less than 1 % 429s after two minutes."""
        return self.used >= 0.97 and self.late_refused < 0.01


def calls_of(scenario, seed):
    rng = random.Random(seed * 7919 + 13)
    queues: list[list[Call]] = [[] for _ in range(scenario.clients)]
    mu = math.log(scenario.tokens) - scenario.tokens_sigma**2 / 2
    for number in range(scenario.calls):
        tokens = max(50.0, math.exp(rng.gauss(mu, scenario.tokens_sigma)))
        estimate = tokens * scenario.estimate_bias * math.exp(rng.gauss(0, scenario.estimate_sigma))
        client = number % scenario.clients
        size = 0.5 + 0.5 * min(4.0, tokens / scenario.tokens)
        queues[client].append(
            Call(client, number, tokens, Tokens(int(estimate), max_output=0), size)
        )
    return queues


def simulate(scenario, seed=1, control=lambda random: Controller(Limits(), random), watch=None):
    """One run of `scenario`; `control` makes each client's controller. `watch(now, clients)` is called each second."""
    clock = Clock()
    server = Server(clock, scenario, random.Random(seed))
    clients = [
        Client(clock, server, control(random.Random(index).random), queue)
        for index, queue in enumerate(calls_of(scenario, seed))
    ]
    for index, client in enumerate(clients):
        clock.at(scenario.apart * index, client.drain)
    if watch is not None:

        def tick():
            watch(clock.now, clients)
            clock.at(clock.now + 1.0, tick)

        tick()
    clock.run(scenario.until, lambda: all(client.left == 0 for client in clients))
    return _figures(scenario, server, clients, clock.now)


def _figures(scenario, server, clients, end):
    admitted = [entry for entry in server.ledger if entry[1] == "ok"]
    last = [
        max((at for at, _, client, _ in admitted if client == index), default=end)
        for index in range(len(clients))
    ]
    busy_until = min(last)
    busy_from = (
        scenario.outage[1] + 30 if scenario.outage[1] < math.inf else min(60.0, busy_until / 3)
    )
    allowed = dict.fromkeys(server.rates, 0.0)
    for (begin, factor), (until, _) in itertools.pairwise([*server.history, (math.inf, 0.0)]):
        seconds = min(until, busy_until) - max(begin, busy_from)
        for name, rate in server.rates.items():
            allowed[name] += rate * factor * max(0.0, seconds)
    busy = [entry for entry in admitted if busy_from <= entry[0] <= busy_until]
    took = {"requests": float(len(busy)), "tokens": sum(entry[3] for entry in busy)}
    share = deque(sum(1 for entry in busy if entry[2] == index) for index in range(len(clients)))
    late = [entry for entry in server.ledger if entry[0] >= 120.0]
    return Figures(
        used=max((took[name] / most for name, most in allowed.items() if most), default=0.0),
        throughput=len(busy) / max(1e-9, busy_until - busy_from),
        refused=sum(1 for entry in server.ledger if entry[1] == "429") / max(1, len(server.ledger)),
        late_refused=sum(1 for entry in late if entry[1] == "429") / max(1, len(late)),
        fairness=sum(share) ** 2 / (len(share) * sum(n * n for n in share)) if any(share) else 0.0,
        into_outage=sum(1 for entry in server.ledger if entry[1] == "529"),
        left=sum(client.left for client in clients),
        took=end,
    )
