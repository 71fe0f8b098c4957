"""The front door is light: what importing it costs, what it shows, what installing it brings."""

import json
import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ingather


def in_fresh_interpreter(code: str):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_import_leaves_heavy_libraries_alone():
    loaded = in_fresh_interpreter(
        "import ingather, json, sys; print(json.dumps(list(sys.modules)))"
    )
    assert not {"aiohttp", "pydantic", "rich", "typer"} & set(loaded)


def test_all_is_what_one_sees():
    seen = in_fresh_interpreter("import ingather, json; print(json.dumps(dir(ingather)))")
    assert sorted(name for name in seen if not name.startswith("_")) == sorted(ingather.__all__)


def test_every_name_is_there():
    missing = in_fresh_interpreter(
        "import ingather, json; print(json.dumps([n for n in ingather.__all__ if not "
        "hasattr(ingather, n)]))"
    )
    assert missing == []


def test_core_install_is_at_most_16_packages():
    assert len(closure("ingather")) <= 16


def closure(distribution: str) -> set[str]:
    """The distribution and all that it needs here, extras left out unless a requirement names them."""
    found: set[tuple[str, str]] = set()
    todo = [(distribution, "")]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for requirement in map(Requirement, metadata.requires(name) or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                todo += [
                    (canonicalize_name(requirement.name), extra)
                    for extra in ("", *requirement.extras)
                ]
    return {name for name, _ in found}
