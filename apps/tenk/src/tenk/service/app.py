"""The service as one ASGI application: the door, the API, the page; and what is opened and closed with it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from tenk.errors import TenkError
from tenk.service.access import HEADER, Door
from tenk.service.desk import Busy, Conflict, Desk, Unknown
from tenk.service.page import page_files
from tenk.service.records import Records, RecordsClosed
from tenk.service.routes import PROBLEMS, router

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ingather import Store
    from tenk.service.settings import Settings

_STATUS: dict[type[TenkError], int] = {Unknown: 404, Conflict: 409, Busy: 429, RecordsClosed: 503}


def service(settings: Settings, store: Store) -> FastAPI:
    """The application. `store`: that of `settings.state`, open; analyses under way in it go on when this starts."""
    app = FastAPI(
        title="tenk",
        summary="Reads a company's 10-K; every claim with its proof in the filing.",
        version="1",
        lifespan=_life,
        docs_url=None,  # they would load what is not ours
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=PROBLEMS,
    )
    app.state.settings = settings
    app.state.store = store
    app.state.readers = set()
    app.include_router(router)
    app.add_exception_handler(TenkError, _told)
    app.add_exception_handler(RequestValidationError, _refused)
    _add_page(app)
    app.add_middleware(Door, settings=settings)
    return app


@contextlib.asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    records = await asyncio.to_thread(Records, app.state.store)
    app.state.desk = Desk(settings, records, app.state.store)
    await app.state.desk.open()
    yield
    await app.state.desk.close()
    await records.close()


async def _told(_request: Request, error: Exception) -> Response:
    """An error of ours as an answer: its message is fit to be shown."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 422)
    headers = {"retry-after": "5"} if status in (429, 503) else None
    return JSONResponse({"detail": " ".join(str(error).split())}, status, headers)


async def _refused(_request: Request, error: Exception) -> Response:
    """A request of another form than the routes take, said in one line as all problems are."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    told = "; ".join(
        f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in problems[:5]
    )
    return JSONResponse({"detail": told}, 422)


def _add_page(app: FastAPI) -> None:
    files = page_files()

    async def page(request: Request) -> Response:
        file = files.get(request.path_params.get("name", "index.html"))
        if file is None:
            return JSONResponse({"detail": "there is no such page"}, 404)
        headers = {"etag": file.tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    app.add_api_route("/", page, include_in_schema=False)
    app.add_api_route("/page/{name}", page, include_in_schema=False)


__all__ = ["HEADER", "service"]
