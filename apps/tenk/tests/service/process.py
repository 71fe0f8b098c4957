"""``tenk serve`` as a process of its own."""

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager

import httpx2

from tenk.service.access import HEADER


class Process:
    """A service that runs. `http`: a client with its token; `said`: its lines so far, `errors`: those of stderr."""

    def __init__(self, process):
        self.process = process
        self.said: list[str] = []
        self.errors: list[str] = []
        address = process.stdout.readline()
        self.said.append(address)
        match = re.search(r"(http://\S+)/\?token=(\S+)", address)
        assert match, f"{address}{process.stderr.read()}"
        self.url, self.token = match[1], match[2]
        self.http = httpx2.Client(
            base_url=self.url, headers={HEADER: self.token}, timeout=60, trust_env=False
        )
        self.threads = [
            threading.Thread(target=into.extend, args=(stream,), daemon=True)
            for into, stream in [(self.said, process.stdout), (self.errors, process.stderr)]
        ]
        for thread in self.threads:
            thread.start()

    def kill(self):
        """With no chance to say anything."""
        self.process.kill()
        self.close()

    def close(self):
        self.http.close()
        self.process.terminate()
        self.process.wait(20)
        for thread in self.threads:
            thread.join(20)
        self.process.stdout.close()
        self.process.stderr.close()


@contextmanager
def serving(state, *options, **environment):
    """Run it until the block ends."""
    command = [
        sys.executable,
        "-m",
        "tenk.cli",
        "serve",
        "--port",
        "0",
        "--state",
        str(state),
        *options,
    ]
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in ("TENK_TOKEN", "OPENAI_API_KEY")
    }
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**own, **environment},
    )
    try:
        running = Process(process)
    except BaseException:
        process.kill()
        process.wait()
        raise
    try:
        yield running
    finally:
        if process.returncode is None:
            running.close()
