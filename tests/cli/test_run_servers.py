"""``ingather run`` with servers as they are: headers, certificates, presets, parameters, and advice on failures."""

import json
import shutil
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ingather.providers.presets import DIALECTS, PRESETS
from tests.cli.conftest import answers, asking

CANARY = "canary.7f3a9c/do+not=tell"


class Server:
    """Answers all with one status and body, and keeps what it was asked."""

    def __init__(self, status, body, certificate=None):
        requests = self.requests = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                sent = self.rfile.read(int(self.headers["content-length"]))
                requests.append((self.path, dict(self.headers), json.loads(sent)))
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.base_url = f"http://{self.host}/v1"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.base_url = f"https://localhost:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


OK = json.dumps(
    {
        "choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "model": "m",
    }
).encode()


@pytest.fixture
def tasks():
    def write(*lines):
        Path("tasks.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return "tasks.jsonl"

    return write


def test_headers_are_sent_and_shown_nowhere(ingather, tasks):
    headers = ["--header", "X-Team: search", f"--header=Authorization:Bearer {CANARY}"]
    with Server(200, OK) as server:
        options = ["--model", "openai/m", "--base-url", server.base_url, *headers]
        done = ingather(
            "run",
            tasks({"prompt": "x"}),
            "-o",
            "a.jsonl",
            "--store",
            "run.db",
            "--max-total-tokens",
            "1",
            *options,
        )
        assert done.code == 2
        done = ingather("run", "tasks.jsonl", "-o", "a.jsonl", "--store", "run.db", *options)
    assert done.code == 0, done.err
    ((_, sent, _),) = server.requests
    assert (sent["X-Team"], sent["Authorization"]) == ("search", f"Bearer {CANARY}")
    assert CANARY not in done.out + done.err
    assert [path for path in Path().iterdir() if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_server_with_a_certificate_of_its_own(ingather, tasks):
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    files = ["-addext", "subjectAltName=DNS:localhost", "-out", "both.pem", "-keyout", "both.pem"]
    subprocess.run([*made.split(), *files], check=True, capture_output=True)
    with Server(200, OK, "both.pem") as server:
        command = [
            "run",
            tasks({"prompt": "x"}),
            "-o",
            "a.jsonl",
            "--model",
            "vllm/m",
            "--base-url",
            server.base_url,
        ]
        refused = ingather(*command)
        assert refused.code == 2
        assert "give --ca the file of who signed it" in refused.err
        assert ingather(*command, "--ca", "both.pem").code == 0
    assert len(server.requests) == 1


def test_command_that_goes_on_shows_no_values_of_headers():
    from ingather.cli.conclusion import going_on

    given = [
        "ingather",
        "run",
        "t",
        "--header",
        f"X-A:{CANARY}",
        f"--header=X-B: {CANARY}",
        "--overwrite",
        "--model",
        "a/b=c",
    ]
    assert going_on(given, "") == "ingather run t --header 'X-A:…' '--header=X-B:…' --model a/b=c"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--header", CANARY], "NAME:VALUE"),
        (["--header", f"Host:{CANARY}"], "the header Host belongs to the connection"),
        (["--header", f"X-A:{CANARY}", "--header", f"X-A:{CANARY}"], "twice"),
        (["--ca", "missing.pem"], "'missing.pem' cannot be used"),
        (["--param", "model=x"], "--model says whom to ask"),
        (["--param", "a={x"], "begins as JSON"),
        (
            ["--param", "temprature=0", "--strict-params"],
            "'temprature' is not known: did you mean 'temperature'",
        ),
        (["--model", "openai:gpt-5"], "Did you mean 'openai/gpt-5'"),
    ],
)
def test_bad_option_is_told_once_and_shows_no_secret(ingather, tasks, options, said):
    server = ["--model", "openai/m", "--base-url", "https://localhost:1/v1"]
    done = ingather(
        "run", tasks({"prompt": "x"}, {"prompt": "y"}), "-o", "a.jsonl", *server, *options
    )
    assert done.code == 2
    assert done.err.count(said) == 1
    assert CANARY not in done.err


def test_parameters_reach_the_server_as_they_are_written(ingather, tasks):
    given = {
        "guided_json": {"type": "object"},
        "logprobs": True,
        "seed": 7,
        "extra_body": {"top_k": 5},
    }
    options = ["--param", 'chat_template_kwargs={"enable_thinking": false}', "--param", "min_p=0.1"]
    with Server(200, OK) as server:
        done = ingather(
            "run", tasks({"prompt": "x", "params": given}), "-o", "a.jsonl", "--model", "vllm/m",
            "--base-url", server.base_url, *options,
        )  # fmt: skip
    assert done.code == 0, done.err
    ((_, _, sent),) = server.requests
    assert "warning" not in done.err
    wanted = {
        "chat_template_kwargs": {"enable_thinking": False}, "min_p": 0.1, "guided_json": {"type": "object"},
        "logprobs": True, "seed": 7, "top_k": 5,
    }  # fmt: skip
    assert {name: sent.get(name) for name in wanted} == wanted


def test_likely_slip_is_a_warning_once_and_sent(ingather, tasks):
    lines = [{"id": i, "prompt": "x", "params": {"temprature": 0}} for i in range(3)]
    with Server(200, OK) as server:
        options = ["--model", "openai/m", "--base-url", server.base_url, "--param", "max_tokns=5"]
        done = ingather("run", tasks(*lines), "-o", "a.jsonl", "--quiet", *options)
    assert done.code == 0
    assert done.err.splitlines() == [
        "warning: --param: the parameter 'max_tokns' is sent as it is: did you mean 'max_tokens'?",
        "warning: line 1: the parameter 'temprature' is sent as it is: did you mean 'temperature'?",
    ]
    assert all(sent["temprature"] == 0 and sent["max_tokns"] == 5 for _, _, sent in server.requests)


def test_strictly_it_is_an_error_of_each_line(ingather, simulator, tasks):
    lines = [{"id": i, "prompt": "x", "params": {"temprature": 0}} for i in range(2)]
    done = ingather("run", tasks(*lines), "-o", "a.jsonl", "--strict-params", *asking(simulator()))
    assert done.code == 2
    assert (
        "line 1: the parameter 'temprature' is not known: did you mean 'temperature'?" in done.err
    )
    assert not Path("a.jsonl").exists()


def test_batch_file_with_parameters_of_openais_runs_as_it_is(ingather, tasks):
    body = {
        "model": "m", "messages": [{"role": "user", "content": "x"}], "logprobs": True, "top_logprobs": 2, "n": 1,
        "store": False, "stream": False, "metadata": {"a": "b"}, "modalities": ["text"], "user": "u", "stop": None,
    }  # fmt: skip
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    with Server(200, OK) as server:
        done = ingather(
            "run",
            tasks(line),
            "-o",
            "a.jsonl",
            "--model",
            "openai/*",
            "--base-url",
            server.base_url,
        )
    assert done.code == 0, done.err
    assert answers("a.jsonl")[0]["response"]["status_code"] == 200
    ((_, _, sent),) = server.requests
    assert (sent["logprobs"], sent["top_logprobs"], sent["metadata"]) == (True, 2, {"a": "b"})


def test_batch_file_for_embeddings_is_named_as_not_supported(ingather, tasks):
    line = {
        "custom_id": "a",
        "method": "POST",
        "url": "/v1/embeddings",
        "body": {"model": "m", "input": "x"},
    }
    done = ingather(
        "run",
        tasks(line),
        "-o",
        "a.jsonl",
        "--model",
        "openai/*",
        "--base-url",
        "http://localhost:1/v1",
    )
    assert done.code == 2
    assert (
        "'/v1/embeddings' is not supported: lines for /v1/chat/completions and /v1/responses are"
        in done.err
    )


def test_responses_lines_are_for_presets_too(ingather, tasks):
    said = {"id": "r", "object": "response", "status": "completed", "model": "m", "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi", "annotations": []}]}
    ]}  # fmt: skip
    line = {
        "custom_id": "a",
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": "m", "input": "x"},
    }
    with Server(200, json.dumps(said).encode()) as server:
        done = ingather(
            "run", tasks(line), "-o", "a.jsonl", "--model", "vllm/*", "--base-url", server.base_url
        )
    assert done.code == 0, done.err
    assert server.requests[0][0] == "/v1/responses"


@pytest.mark.parametrize("rows", [2, 5])  # two end as failures, five stop the run
def test_key_that_was_not_sent_is_named_in_the_words_of_the_command_line(
    ingather, tasks, monkeypatch, rows
):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    with Server(401, b'{"error": "Unauthorized"}') as server:
        options = ["--model", "openai/m", "--base-url", server.base_url]
        done = ingather(
            "run",
            tasks(*[{"id": i, "prompt": "x"} for i in range(rows)]),
            "-o",
            "a.jsonl",
            *options,
        )
    assert done.code in (2, 3)
    assert (
        f"no key was sent to {server.host}, since OPENAI_API_KEY goes only to api.openai.com"
        in done.err
    )
    assert "--api-key-env OPENAI_API_KEY" in done.err
    assert "api_key" not in done.err
    assert CANARY not in done.err


def test_help_lists_all_providers_from_the_table(ingather):
    shown = "".join(ingather("run", "--help").out.split())
    assert [name for name in (*DIALECTS, *PRESETS) if name not in shown] == []
