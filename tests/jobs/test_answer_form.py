"""Which form answers have, from a file."""

import re
import sys
from pathlib import Path

import pytest

from ingather.errors import SetupError
from ingather.jobs.answer_form import load_form

PEOPLE = """
from __future__ import annotations
from dataclasses import dataclass
from datetime import date
from typing import Literal
from pydantic import BaseModel, Field
from neighbour import LIMIT

class Pet(BaseModel):
    kind: Literal["cat", "dog"]

class Person(BaseModel):
    name: str = Field(alias="fullName")
    born: date
    pets: list[Pet] = []

@dataclass
class Place:
    name: str
    height: float = LIMIT

Names = list[str]
answer = object()
"""


@pytest.fixture
def people(tmp_path: Path) -> str:
    (tmp_path / "neighbour.py").write_text("LIMIT = 1.5\n")
    (tmp_path / "people.py").write_text(PEOPLE)
    return str(tmp_path / "people.py")


def test_a_model_is_loaded_and_its_instances_dumped(people):
    form = load_form(f"{people}:Person")
    value = form.model.model_validate(
        {"fullName": "Ida", "born": "1980-01-02", "pets": [{"kind": "cat"}]}
    )
    assert form.dump(value) == {"fullName": "Ida", "born": "1980-01-02", "pets": [{"kind": "cat"}]}


def test_dataclasses_and_typing_forms_will_do(people):
    place, names = load_form(f"{people}:Place"), load_form(f"{people}:Names")
    assert place.dump(place.model("Fell")) == {"name": "Fell", "height": 1.5}
    assert names.dump(["a"]) == ["a"]


def test_its_folder_does_not_stay_on_the_path(people):
    before = list(sys.path)
    load_form(f"{people}:Person")
    assert sys.path == before


def test_a_json_schema_is_a_form(tmp_path: Path):
    path = tmp_path / "person.json"
    path.write_text(
        '{"title": "Person", "type": "object", "properties": {"name": {"type": '
        '"string"}, "age": {}}}'
    )
    form = load_form(str(path))
    assert form.dump(form.model.model_validate({"name": "Ida"})) == {"name": "Ida"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("people", "FILE.py:Model or FILE.json"),
        ("people.py", "FILE.py:Model or FILE.json"),
        ("people.py:", "FILE.py:Model or FILE.json"),
        ("missing.py:Person", "cannot read the schema file missing.py: No such file"),
        ("missing.json", "cannot read the schema file missing.json: No such file"),
        ("people.py:Persn", "has no 'Persn'; it has: Pet, Person, Place"),
        ("people.py:answer", "is no form for an answer"),
        ("broken.py:Person", "fails as it is imported: ZeroDivisionError: division by zero"),
        ("syntax.py:Person", "fails as it is imported: SyntaxError"),
        ("broken.json", "is not JSON"),
        ("list.json", "it is not an object"),
    ],
)
def test_what_is_no_form_says_why(people, monkeypatch, written, said):
    folder = Path(people).parent
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "syntax.py").write_text("class (\n")
    (folder / "broken.json").write_text("{")
    (folder / "list.json").write_text("[]")
    monkeypatch.chdir(folder)
    with pytest.raises(SetupError, match=re.escape(said)):
        load_form(written)
