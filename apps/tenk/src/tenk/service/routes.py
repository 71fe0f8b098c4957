"""The routes of the API; see ``/api/openapi.json``."""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from os import environ
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import (
    APIRouter,
    File,
    Form,
    Header,
    HTTPException,
    Path,
    Request,
    Response,
    UploadFile,
)
from fastapi.responses import StreamingResponse
from pydantic import Field

from tenk.analysis import ANALYZERS
from tenk.outcome import SECTIONS, SectionName
from tenk.report import markdown
from tenk.samples import SAMPLES
from tenk.service.export import analysis_of
from tenk.service.intake import Upload, order
from tenk.service.state import AnalysisState, Summary, View
from tenk.service.stream import EventStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenk.service.desk import Desk
    from tenk.service.settings import Settings

Id = Annotated[
    str,
    Path(pattern="^[0-9a-f]{16}$", examples=["0123456789abcdef"], description="Of an analysis."),
]

router = APIRouter(prefix="/api")


class SampleChoice(View):
    """A bundled filing."""

    name: str
    title: str


class SetUp(View):
    """What one may choose from. `no_tickers`: why none can be fetched, None where they can as far as one knows.

    `sections`: the components of each. `upload`: bytes of the largest file that is taken.
    """

    models: list[str]
    samples: list[SampleChoice]
    no_tickers: str | None
    sections: dict[SectionName, list[str]]
    upload: int
    seconds: float
    usd: float | None
    tokens: int


class Problem(View):
    """Why not, and what to do."""

    detail: str


class Which(View):
    """The component that is asked again; all that failed, where nothing is named."""

    section: SectionName | None = None
    component: Annotated[str | None, Field(max_length=60, examples=["key_products"])] = None


PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "description": what}
    for status, what in {
        400: "It cannot be read.",
        401: "The token is missing or wrong.",
        403: "It came from another page.",
        413: "It is too large.",
        421: "The host is not this service.",
        422: "It cannot be had, and why.",
    }.items()
}
NOT_FOUND: dict[int | str, dict[str, object]] = {
    404: {"model": Problem, "description": "There is no such analysis."}
}
CONFLICT: dict[int | str, dict[str, object]] = {
    409: {"model": Problem, "description": "Not as it stands now."}
}
STREAM: dict[str, object] = {
    "text/event-stream": {
        "example": 'id: 1f-7\nevent: update\ndata: {"status": "running"}\n\nevent: end\ndata: {}\n\n',
    }
}
FULL: dict[int | str, dict[str, object]] = {
    429: {"model": Problem, "description": "Too many: later."}
}


@router.get("/setup")
async def setup(request: Request) -> SetUp:
    """What one may choose from, and how much of it."""
    settings = _settings(request)
    return SetUp(
        models=list(settings.models),
        samples=[SampleChoice(name=each.name, title=each.title) for each in SAMPLES],
        no_tickers=None if settings.tickers is not None else _why_no_tickers(),
        sections={name: list(ANALYZERS[name].model.model_fields) for name in SECTIONS},
        upload=settings.caps.upload,
        seconds=settings.caps.seconds,
        usd=max((usd for usd in settings.usd.values() if usd is not None), default=None),
        tokens=settings.caps.tokens,
    )


@router.post("/analyses", status_code=202, responses=FULL)
async def begin(
    request: Request,
    response: Response,
    *,
    file: Annotated[
        UploadFile | None, File(description="A 10-K: text, HTML or a submission; gzip too.")
    ] = None,
    sample: Annotated[str | None, Form(max_length=80, examples=["quellmark-2025"])] = None,
    ticker: Annotated[str | None, Form(max_length=12, examples=["AAPL"])] = None,
    model: Annotated[str | None, Form(max_length=200, examples=["offline/extractive"])] = None,
    include_business: Annotated[bool, Form()] = True,
    include_mda: Annotated[bool, Form()] = True,
    include_risk_factors: Annotated[bool, Form()] = True,
    include_financials: Annotated[bool, Form()] = True,
) -> AnalysisState:
    """Begin to analyse a filing: one of `file`, `sample` and `ticker`. It is not waited for: see its events."""
    settings = _settings(request)
    upload = None if file is None else Upload(file.filename or "", await file.read())
    if upload is not None and len(upload.content) > settings.caps.upload:
        raise HTTPException(
            413, f"the file is larger than the {settings.caps.upload:,} bytes that are taken"
        )
    wanted: Mapping[SectionName, bool] = {
        "business": include_business,
        "risk_factors": include_risk_factors,
        "mda": include_mda,
        "financials": include_financials,
    }
    state, content = order(upload, sample, ticker, model, wanted, settings.models)
    state = await _desk(request).submit(state, content)
    response.headers["location"] = f"/api/analyses/{state.id}"
    return state


@router.get("/analyses")
async def recent(request: Request) -> list[Summary]:
    """All analyses, the newest first."""
    return await _desk(request).recent()


@router.get("/analyses/{analysis}", responses=NOT_FOUND)
async def one(request: Request, analysis: Id) -> AnalysisState:
    """An analysis as it stands."""
    return await _desk(request).state(analysis)


@router.delete(
    "/analyses/{analysis}",
    response_model=AnalysisState,
    responses={**NOT_FOUND, 204: {"description": "It is forgotten."}},
)
async def cancel(request: Request, analysis: Id) -> AnalysisState | Response:
    """Cancel an analysis and all its calls at once: what it found stays. One that has ended is forgotten (204)."""
    state = await _desk(request).cancel(analysis)
    return Response(status_code=204) if state is None else state


@router.post("/analyses/{analysis}/retry", status_code=202, responses={**NOT_FOUND, **CONFLICT})
async def retry(request: Request, analysis: Id, which: Which | None = None) -> AnalysisState:
    """Ask again for one component that failed, or for all that did; what is there is not paid again."""
    which = which or Which()
    return await _desk(request).retry(analysis, which.section, which.component)


@router.get(
    "/analyses/{analysis}/events",
    response_class=StreamingResponse,
    responses={
        **NOT_FOUND,
        **FULL,
        200: {
            "description": "Server-sent events: snapshot, update (a part, to be merged), end.",
            "content": STREAM,
        },
    },
)
async def events(
    request: Request, analysis: Id, last_event_id: Annotated[str, Header(max_length=40)] = ""
) -> Response:
    """What happens, as it happens. With ``Last-Event-ID`` it goes on there; else it begins with the whole state."""
    feed = await _desk(request).feed(analysis)
    readers = request.app.state.readers
    if len(readers) >= _settings(request).caps.streams:
        raise HTTPException(429, "too many are watching: close some pages", {"retry-after": "5"})
    seat = object()
    readers.add(seat)
    return EventStream(feed, last_event_id, lambda: readers.discard(seat))


@router.get("/analyses/{analysis}/source", responses={**NOT_FOUND, **CONFLICT})
async def source(
    request: Request, analysis: Id, accept_encoding: Annotated[str, Header()] = ""
) -> Response:
    """The filing as plain text in blocks: ``{"length", "blocks": [[start, kind, text], …]}``, places in characters."""
    shown = await _desk(request).shown(analysis)
    if shown is None:
        raise HTTPException(409, "the filing has not been read")
    if "gzip" in accept_encoding:
        return Response(
            shown,
            media_type="application/json",
            headers={"content-encoding": "gzip", "vary": "accept-encoding"},
        )
    return Response(gzip.decompress(shown), media_type="application/json")


@router.get(
    "/analyses/{analysis}/analysis.json",
    responses={
        **NOT_FOUND,
        200: {"description": "The analysis.", "content": {"application/json": {}}},
    },
)
async def export(request: Request, analysis: Id) -> Response:
    """What has been found so far, as ``tenk analyze -o`` writes it: a `tenk.Analysis` as JSON."""
    found = analysis_of(await _desk(request).state(analysis))
    return Response(found.model_dump_json(indent=2), media_type="application/json")


@router.get(
    "/analyses/{analysis}/report.md",
    responses={**NOT_FOUND, 200: {"description": "The report.", "content": {"text/markdown": {}}}},
)
async def report(request: Request, analysis: Id) -> Response:
    """The same as Markdown, each claim with its quote in a footnote."""
    text = markdown(analysis_of(await _desk(request).state(analysis)))
    return Response(text, media_type="text/markdown; charset=utf-8")


def _why_no_tickers() -> str | None:
    if find_spec("edgar") is None:
        return "Fetching by ticker needs edgartools: pip install 'tenk[edgar]'. A filing's file can be dropped."
    if not environ.get("EDGAR_IDENTITY"):
        return "The SEC asks who downloads: set EDGAR_IDENTITY='Your Name you@your-domain.com' and start again."
    return None


def _desk(request: Request) -> Desk:
    return cast("Desk", request.app.state.desk)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)
