"""llama.cpp's HTTP server with a tiny model that is made on the spot: a server that we did not write.

From the command line: ``python tests/servers/llama.py --port 8080 --parallel 4``; it prints its
base URL once it answers, and serves until it is stopped. In tests, `serving` runs it in a process
of its own.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def serving(*options):
    """Run the server; gives its base URL, with ``/v1`` at the end."""
    command = [sys.executable, __file__, *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        said: list[str] = []
        threading.Thread(target=lambda: said.extend(server.stderr or ()), daemon=True).start()
        url = server.stdout.readline().strip() if server.stdout else ""
        try:
            if not url:
                raise RuntimeError(f"llama.cpp did not start: {''.join(said[-20:])}")
            yield url
        finally:
            server.kill()


def start(options):
    """The server, answering already."""
    import xllamacpp
    from tiny_model import write_model  # type: ignore[import-not-found]  # beside this file, which is run as a script

    chosen = xllamacpp.CommonParams()
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = options.port
    chosen.api_keys = options.api_key
    chosen.model_alias = {"tiny"}
    chosen.cpuparams.n_threads = options.threads
    chosen.n_parallel = options.parallel
    # it divides the context between those it serves at once
    chosen.n_ctx = options.context * options.parallel
    chosen.use_jinja = True
    chosen.warmup = False
    chosen.endpoint_metrics = True
    chosen.endpoint_slots = True
    # it reads the file once, and then keeps it in memory
    with tempfile.TemporaryDirectory() as folder:
        chosen.model.path = str(write_model(Path(folder) / "tiny.gguf"))
        return xllamacpp.Server(chosen)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--parallel", type=int, default=4, help="how many requests at once")
    parser.add_argument(
        "--context", type=int, default=8192, help="tokens for each of them, prompt and answer"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        help="of the processor; so small a model gains nothing by more",
    )
    parser.add_argument("--api-key", action="append", default=[], help="ask for this key")
    options = parser.parse_args()
    server = start(options)  # it ends with the last reference to it
    print(f"{server.listening_address}/v1", flush=True)
    with suppress(KeyboardInterrupt):
        threading.Event().wait()


if __name__ == "__main__":
    main()
