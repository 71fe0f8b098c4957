"""``tenk serve``: analyses in the browser, each finding with its proof in the filing beside it."""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingather.cli.fold import say
from ingather.cli.streams import nobody_has_to_read
from tenk.errors import TenkError

if TYPE_CHECKING:
    from ingather import Provider
    from tenk.service.server import Started

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,200}")
_PARTS = ("fastapi", "uvicorn", "python_multipart")

Host = Annotated[
    str,
    typer.Option(
        metavar="HOST", help="Who may reach it: another than this machine gets a warning."
    ),
]
Port = Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0: any that is free.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="MODEL", help="One to choose from; again for more."),
]
State = Annotated[
    Path | None, typer.Option(metavar="FILE.db", help="Where analyses and answers are kept.")
]
Concurrency = Annotated[
    int, typer.Option(metavar="N", min=1, help="Calls in flight to one model, over all analyses.")
]
Rpm = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Requests a minute to one model at most.")
]
Tpm = Annotated[int | None, typer.Option(metavar="N", min=1, help="Tokens a minute at most.")]
MaxUpload = Annotated[int, typer.Option(metavar="MB", min=1, max=256, help="Of one file.")]
MaxTime = Annotated[float, typer.Option(metavar="S", min=1, help="Seconds for one analysis.")]
MaxCost = Annotated[
    float | None,
    typer.Option(
        metavar="USD",
        min=0.000001,
        help="For one analysis, never exceeded; every model needs a price then. Otherwise 5 where "
        "the price is known.",
    ),
]
Price = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODEL=IN:OUT", help="USD for a million tokens in and out, where that is not known."
    ),
]
MaxTokens = Annotated[int, typer.Option(metavar="N", min=1, help="For one analysis, in and out.")]
MaxRunning = Annotated[
    int, typer.Option(metavar="N", min=1, help="Analyses at once; others wait for their turn.")
]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8010,
    model: Models = None,
    state: State = None,
    max_concurrency: Concurrency = 200,
    rpm: Rpm = None,
    tpm: Tpm = None,
    max_upload: MaxUpload = 64,
    max_time: MaxTime = 900,
    max_cost: MaxCost = None,
    price: Price = None,
    max_tokens: MaxTokens = 20_000_000,
    max_running: MaxRunning = 50,
) -> None:
    """Analyse filings in the browser.

    \b
    Without a key or a network, by a baseline that is no language model:
      tenk serve
    With models to choose from, their keys in OPENAI_API_KEY and
    ANTHROPIC_API_KEY:
      tenk serve --model openai/gpt-5-mini --model anthropic/claude-haiku-4-5
    The address that it prints holds a token, made anew each time; TENK_TOKEN
    sets one that stays.
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    _check_parts()
    nobody_has_to_read()
    from ingather import Limits, connect
    from tenk.service.server import serve as served
    from tenk.service.settings import Caps, Settings
    from tenk.spending import parsed_price

    logging.basicConfig(
        level=logging.WARNING, format="tenk: %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("ingather").setLevel(logging.ERROR)  # a call that fails is told on its card
    limits = Limits(max_concurrency=max_concurrency, requests_per_minute=rpm, tokens_per_minute=tpm)
    names = model or ["offline/extractive"]
    providers: dict[str, Provider] = {name: connect(name, limits=limits) for name in names}
    caps = Caps(
        upload=max_upload * 2**20,
        seconds=max_time,
        usd=max_cost,
        tokens=max_tokens,
        running=max_running,
    )
    settings = Settings(
        state=_state(state),
        token=_token(),
        models=providers,
        host=host,
        port=port,
        caps=caps,
        prices=dict(map(parsed_price, price or [])),
    )
    served(settings, _say_where)


def _check_parts() -> None:
    from importlib.util import find_spec

    if missing := [part for part in _PARTS if find_spec(part) is None]:
        raise TenkError(f"the service needs {' and '.join(missing)}: pip install 'tenk[serve]'")


def _state(given: Path | None) -> Path:
    if given is not None:
        return given
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tenk"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TenkError(
            f"cannot make {home}: {error.strerror or error}; --state names a file elsewhere"
        ) from error
    return home / "tenk.db"


def _token() -> str:
    given = os.environ.get("TENK_TOKEN")
    if given is None:
        return secrets.token_urlsafe(32)
    if not _TOKEN.fullmatch(given):
        raise TenkError("TENK_TOKEN is 32 to 200 letters, digits, '-' or '_'")
    return given


def _say_where(started: Started) -> None:
    from tenk.service.access import is_loopback

    settings = started.settings
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    if not is_loopback(settings.host):
        say(
            f"tenk: warning: {settings.host} can be reached from other machines. Whoever has the "
            f"token may read all "
            "and spend your money; on the way there it is not encrypted: use it in a network that "
            "you trust.",
            error=True,
        )
        name = "HOST-OF-THIS-MACHINE" if settings.host in ("0.0.0.0", "::") else name  # noqa: S104 - asked about
    typer.echo(f"tenk: open http://{name}:{settings.port}/?token={settings.token}")
    sys.stdout.flush()
