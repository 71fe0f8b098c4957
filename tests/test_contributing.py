"""CONTRIBUTING says what is so: the ceilings, the floors, the commands and the places."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.test_structure import FUNCTION, MODULE, MOST_ARGUMENTS, MOST_NAMES

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
COMMANDS = sorted(set(re.findall(r"\bmake(?: PYTHON=\S+)? ([a-z-]+)\b(?=[`\s])", TEXT)) - {"alone"})
PLACES = sorted(set(re.findall(r"`(?:\.\./)?((?:[\w.-]+/)+[\w.-]+\.(?:py|md))`", TEXT)))


def test_the_ceilings_are_those_that_are_tested():
    said = (
        f"half of the modules have at most {MODULE[0]} lines, 19 of 20 at most {MODULE[1]}, none more "
        f"than {MODULE[2]}; half of the functions have at most {FUNCTION[0]} lines, 19 of 20 at most "
        f"{FUNCTION[1]}, none more than {FUNCTION[2]}, docstrings not counted; functions take at most "
        f"{MOST_ARGUMENTS} arguments, keywords counted, but for those listed there with a reason; no "
        f"two modules of the library have one name; {MOST_NAMES} names at the front door"
    )
    assert said in " ".join(TEXT.split())


def test_the_columns_are_those_that_the_linter_allows():
    widest = SETTINGS["ruff"]["lint"]["pycodestyle"]["max-line-length"]
    said = f"{SETTINGS['ruff']['line-length']} columns, where it can break the line; none has more than {widest}"
    assert said in " ".join(TEXT.split())


def test_the_floors_are_those_of_the_contract():
    layers = SETTINGS["importlinter"]["contracts"][0]["layers"]
    known = {room for layer in layers for room in layer.split(" | ")} - {"__main__"}
    rows = re.findall(r"^    ((?:[a-z_…]+ +)+) ", TEXT[TEXT.index("## The floors") :], re.MULTILINE)
    drawn = [name for row in rows for name in row.split() if name != "…"]
    assert set(drawn) <= known
    assert drawn == sorted(drawn, key=lambda name: _layer(layers, name))
    rooms = {name for name in known if (ROOT / "src" / "ingather" / name).is_dir()}
    assert rooms <= {*drawn, "extractive"}


def _layer(layers: list[str], name: str) -> int:
    return next(number for number, layer in enumerate(layers) if name in layer.split(" | "))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_of_the_makefile(command):
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("place", PLACES)
def test_a_file_that_is_named_is_there(place):
    folders = (ROOT, ROOT / "src" / "ingather")
    assert any((folder / place).is_file() for folder in folders)
