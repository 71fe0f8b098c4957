"""The map of the house names what is there, and all rooms."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "src" / "ingather"
PAGE = (ROOT / "docs" / "design.md").read_text()
NAMED = sorted(set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+(?:\.py)?)`", PAGE)))
ROOMS = sorted(
    path.name
    for path in HOUSE.iterdir()
    if path.name[0] != "_" and (path.suffix == ".py" or (path / "__init__.py").exists())
)


@pytest.mark.parametrize("name", [name for name in NAMED if name.endswith(".py")])
def test_a_module_that_is_named_is_there(name):
    assert (HOUSE / name).is_file() or (HOUSE / "cli" / name).is_file() or (ROOT / name).is_file()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_on_the_map(room):
    table = PAGE[: PAGE.index("## The way of a call")]
    assert f"`{room}`" in table
