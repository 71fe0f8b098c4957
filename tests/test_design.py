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


@pytest.mark.parametrize("word", ["lane", "lease", "tally", "purse", "books"])
def test_a_word_that_the_glossary_gave_up_names_nothing(word):
    assert f"{word}" in (ROOT / "docs" / "glossary.md").read_text()
    named = re.compile(rf"\b_?{word}s?\b|\b{word.title()}\b")
    code = re.compile(r"#.*|\"\"\".*?\"\"\"|\"[^\"\n]*\"", re.DOTALL)
    found = [
        path.relative_to(HOUSE).as_posix()
        for path in HOUSE.rglob("*.py")
        if named.search(code.sub("", path.read_text()))
    ]
    assert found == []
