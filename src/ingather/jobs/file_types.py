"""What the ending of a file's name promises, and what to do where that is neither read nor written here."""

from __future__ import annotations

from pathlib import Path

from ingather.errors import SetupError

_PACKED = {
    ".zst": "zstdcat", ".bz2": "bzcat", ".xz": "xzcat", ".lzma": "xzcat", ".lz4": "lz4cat", ".zip": "unzip -p",
    ".7z": "7z x -so", ".br": "brotli -dc", ".tar": "tar -xO -f", ".tgz": "tar -xzO -f", ".rar": "unrar p -inul",
}  # fmt: skip
_BOOKS = {".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers"}
_TEXT_TABLES = {".csv", ".tsv", ".psv"}
_READERS = {
    ".parquet": "read_parquet", ".pq": "read_parquet", ".feather": "read_feather", ".arrow": "read_feather",
    ".ipc": "read_feather", ".orc": "read_orc", ".pkl": "read_pickle", ".pickle": "read_pickle", ".xml": "read_xml",
    ".dta": "read_stata", ".sav": "read_spss",
}  # fmt: skip
_OTHERS = {
    ".avro", ".db", ".sqlite", ".sqlite3", ".duckdb", ".npy", ".npz", ".h5", ".hdf5", ".mat", ".pdf", ".docx", ".lance",
    ".tfrecord", ".rds", ".msgpack", ".cbor", ".bson",
}  # fmt: skip
_TEXTS = {
    ".json",
    ".geojson",
    ".yaml",
    ".yml",
    ".toml",
    ".html",
    ".htm",
    ".md",
    ".py",
    ".ipynb",
    ".sql",
}


def check_output(path: str) -> None:
    """Raises SetupError for a name whose ending says another format than JSON lines, plain or gzipped.

    >>> check_output("answers.jsonl.gz")
    """
    stem, ending, is_packed = _parts(path)
    if ending in _PACKED:
        for inner in (".jsonl", ".ndjson", ".json"):
            stem = stem.removesuffix(inner)
        raise SetupError(
            f"answers are packed by gzip only: give -o {stem}.jsonl.gz, not {Path(path).name}"
        )
    if ending in {*_BOOKS, *_TEXT_TABLES, *_READERS, *_OTHERS, *_TEXTS}:
        better = f"{stem}.jsonl{'.gz' * is_packed}"
        raise SetupError(
            f"answers are JSON lines, which the name {Path(path).name} does not say: "
            f"give -o {better}"
        )


def check_input(path: str) -> None:
    """Raises SetupError for a name whose ending says a format that is not read, with what makes JSON lines of it.

    >>> check_input("tasks.csv.gz")
    """
    stem, ending, _ = _parts(path)
    name = Path(path).name
    if ending in _PACKED:
        raise SetupError(
            f"of packed files only .gz is read: {_PACKED[ending]} {name} | ingather run - …"
        )
    if ending in _BOOKS:
        raise SetupError(
            f"{name} is a workbook, which is not read: save its sheet as {stem}.csv (CSV UTF-8)"
        )
    if ending in _READERS:
        made = f"pandas.{_READERS[ending]}({name!r}).to_json({f'{stem}.jsonl'!r}, orient='records', lines=True)"
        raise SetupError(f"{name} is not read; JSON lines of it are written by {made}")
    if ending in _OTHERS:
        raise SetupError(
            f"{name} is not read: tasks are JSON lines, .csv or .tsv; --format says "
            f"so for another name"
        )


def _parts(path: str) -> tuple[str, str, bool]:
    """A file's name without its endings, the one that says its format, and whether ``.gz`` follows."""
    name = Path(path).name
    is_packed = name.lower().endswith(".gz")
    inner = name[: -len(".gz")] if is_packed else name
    ending = Path(inner.lower()).suffix
    return inner[: len(inner) - len(ending)], ending, is_packed
