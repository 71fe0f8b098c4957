"""The page's own files, held in memory: there are few, and nothing else is ever served from a disk."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class File(NamedTuple):
    """One file: its bytes, its media type, its entity tag."""

    content: bytes
    media_type: str
    tag: str


def page_files() -> dict[str, File]:
    """All files of the page by name.

    >>> page_files()["index.html"].media_type
    'text/html; charset=utf-8'
    """
    found = dict[str, File]()
    for entry in files("tenk").joinpath("page").iterdir():
        kind = _TYPES.get(entry.name.rpartition(".")[2])
        if kind is not None:
            content = entry.read_bytes()
            found[entry.name] = File(content, kind, f'"{sha256(content).hexdigest()[:16]}"')
    return found
