"""`ingather simulate` as a process."""

import json
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest

from tests.simulator.asking import body

COMMAND = [sys.executable, "-m", "ingather.cli", "simulate"]


@contextmanager
def simulating(*options):
    with subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Simulated provider at http://"), line + (
                process.stderr.read() if process.stderr else ""
            )
            yield process, line.split()[-1]
        finally:
            process.kill()


def ask(url):
    with urllib.request.urlopen(
        urllib.request.Request(f"{url}/chat/completions", json.dumps(body()).encode())
    ) as got:
        return json.load(got)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_with_a_summary(stop):
    with simulating("--rpm", "60", "--latency", "0.01") as (process, url):
        assert ask(url)["choices"][0]["message"]["content"] == "Our office is in Oslo."
        process.send_signal(stop)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "1 call in" in out
    assert "answers: 1 × 200" in out


def test_the_options_arrive():
    options = [
        "--model",
        "echo",
        "--error-rate",
        "1",
        "--faults",
        "503",
        "--seed",
        "5",
        "--no-headers",
        "--change",
        "60:0.5",
        "--change",
        "90:2",
    ]
    with simulating(*options) as (_, url), pytest.raises(urllib.error.HTTPError) as failure:
        ask(url)
    with failure.value as error:
        assert error.code == 503
        assert not [name for name in error.headers if "ratelimit" in name.lower()]


def test_another_address_than_loopback_is_warned_of():
    with simulating("--host", "0.0.0.0") as (process, url):
        assert url.startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert "other machines can reach 0.0.0.0" in process.communicate(timeout=20)[1]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--rpm", "0"], ["--latency", "x"], ["--model", "gpt"], ["--slow-tail", "5"], ["--change", "5"],
        ["--faults", "frog"], ["--burst", "5"], ["--frog"],
    ],
)  # fmt: skip
def test_a_bad_value_is_a_clear_error(wrong):
    done = subprocess.run(
        [*COMMAND, *wrong], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert wrong[0].strip("-").replace("-", "_") in done.stderr.replace("-", "_")
