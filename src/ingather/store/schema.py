"""The tables of a store, as the steps that lead from each version of them to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    Step = str | Callable[[sqlite3.Connection], object]

APPLICATION = 0x696E6761  # "inga", which tells our files from all others

_FIRST = """
CREATE TABLE answers (
    turn INTEGER PRIMARY KEY, -- the higher, the more recently used, noted at most daily
    id INTEGER NOT NULL UNIQUE, -- the first 63 bits of the key, which is a SHA-256 of all that decides the answer
    digest BLOB NOT NULL,     -- of the whole key and the answer: a row that does not fit it is no answer
    stored REAL NOT NULL,     -- seconds since 1970, as all times here
    used REAL NOT NULL,
    answer BLOB NOT NULL,     -- JSON
    asked BLOB NOT NULL       -- JSON: what the key was made from, long requests as hashes of their parts
);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, started REAL NOT NULL, ended REAL, total INTEGER, succeeded INTEGER, failed INTEGER,
    what TEXT NOT NULL        -- who was asked, without a key
);
CREATE TABLE attempts (
    run INTEGER NOT NULL, task INTEGER NOT NULL, tag TEXT NOT NULL, attempt INTEGER NOT NULL,
    queued REAL NOT NULL,     -- when it began to wait for its turn
    limited_by TEXT NOT NULL, -- what it waited for longest: "pause" after a 429
    slept REAL NOT NULL,      -- seconds that its task had slept by then, after faults
    sent REAL NOT NULL,
    ended REAL NOT NULL,
    outcome TEXT NOT NULL,    -- "answered", or the class of the error
    status INTEGER, request_id TEXT, input_tokens INTEGER, output_tokens INTEGER, cost_usd REAL
);
CREATE INDEX attempts_by_run ON attempts (run);
CREATE TABLE outputs (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,  -- seen from the store's folder
    since REAL NOT NULL,      -- older answers are not for it
    owner TEXT NOT NULL       -- who wrote it last
);
CREATE TABLE requests (
    output INTEGER NOT NULL, id TEXT NOT NULL, request BLOB NOT NULL, PRIMARY KEY (output, id)
) WITHOUT ROWID;
"""
_TABLES_OF_APPLICATIONS = """
CREATE TABLE applications (
    name TEXT PRIMARY KEY,    -- what the names of its tables begin with
    version INTEGER NOT NULL  -- of those
) WITHOUT ROWID;
"""

STEPS: tuple[Step, ...] = (_FIRST, _TABLES_OF_APPLICATIONS)
"""A step is never changed once it has been released: another one is added."""
VERSION = len(STEPS)
READABLE = 1  # the oldest version that is read as it is, where nothing may be written
