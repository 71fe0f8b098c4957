"""Several event loops in one thread, under one clock that stands still until none of them has anything to do."""

import asyncio
import selectors


class Clock:
    """Turns its loops one after another, each once, and moves on to the next timer of any when all are idle."""

    def __init__(self):
        self.now = 0.0
        self.loops = []

    def loop(self):
        loop = _Loop(self)
        self.loops.append(loop)
        return loop

    def run_until(self, condition, end=100_000.0):
        while not condition():
            for _ in range(2):  # one may give another one something to do
                self.turn()
            if condition() or any(loop._ready for loop in self.loops):
                continue
            timers = [loop._scheduled[0]._when for loop in self.loops if loop._scheduled]
            assert timers, "all loops wait for ever"
            self.now = max(self.now, min(timers))
            assert self.now <= end

    def sleep(self, seconds):
        end = self.now + seconds
        self.loops[-1].call_at(end, lambda: None)
        self.run_until(lambda: self.now >= end)

    def turn(self):
        for loop in self.loops:
            loop.call_soon(loop.stop)
            loop.run_forever()

    def start(self, loop, coroutine):
        """A task of that loop."""
        return loop.create_task(coroutine)

    def kill(self, loop):
        """It ends as a program's loop does that nobody cleans up after: closed, with its tasks as they are."""
        self.loops.remove(loop)
        loop.close()

    def end(self, loop):
        """It ends as with ``asyncio.run``: its tasks are cancelled and awaited."""
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        self.run_until(lambda: all(task.done() for task in tasks))
        self.kill(loop)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock):
        super().__init__(selectors.SelectSelector())
        self.clock = clock

    def time(self):
        return self.clock.now
