"""The parts are validated together, by the model itself, once; what it blames is asked for again."""

import dataclasses
import datetime as dt
import enum
import warnings
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    computed_field,
    create_model,
    field_validator,
    model_validator,
)
from typing_extensions import TypedDict

from ingather.errors import InvalidAnswer, MissingFields, ServerFault
from tests.extract.stand_ins import Raw, Reader, by_origin, extracted, says

SPLITS = pytest.mark.parametrize("split", ["fields", "single"])
T = TypeVar("T")


def filled(model, said, *, keys=(), **options):
    provider = Reader(said, keys=dict(keys))
    result = extracted(provider, model, **{"split": "fields", **options})
    return provider, result


# -- validators


class Stated(BaseModel):
    """Figures as they are written, with validators that would not survive a second time."""

    revenue: float
    founded: dt.date
    ticker: Annotated[str, AfterValidator(lambda text: f"${text}")]
    tags: list[Annotated[str, AfterValidator(lambda text: f"#{text}")]]
    seat: str = "?"

    @field_validator("revenue", mode="before")
    @classmethod
    def _in_dollars(cls, said):
        return float(said.removesuffix(" million")) * 1e6

    @field_validator("founded", mode="before")
    @classmethod
    def _year(cls, said):
        return f"{said}-01-01"

    @field_validator("seat")
    @classmethod
    def _shout(cls, seat):
        return seat + "!"


STATED = {
    "revenue": "1.5 million",
    "founded": "1990",
    "ticker": "NORD",
    "tags": ["sea"],
    "seat": "Oslo",
}


@SPLITS
def test_a_validator_runs_once_and_on_what_was_said(split):
    _, result = filled(Stated, STATED, split=split)
    assert result.error is None
    assert result.value.model_dump() == {
        "revenue": 1.5e6, "founded": dt.date(1990, 1, 1), "ticker": "$NORD", "tags": ["#sea"], "seat": "Oslo!",
    }  # fmt: skip
    assert {name: part.value for name, part in result.parts.items()} == result.value.model_dump()


@SPLITS
def test_also_after_a_failure(split):
    said = STATED | {"tags": says(7, ["sea"])}
    _, result = filled(Stated, said, split=split)
    assert result.error is None
    assert (result.value.ticker, result.value.tags, result.value.revenue) == (
        "$NORD",
        ["#sea"],
        1.5e6,
    )


@SPLITS
@pytest.mark.parametrize("broken", ["a lot", None, ["1"]])
def test_what_a_fields_own_validator_refuses_is_asked_again_alone(split, broken):
    provider, result = filled(Stated, STATED | {"revenue": says(broken, "2 million")}, split=split)
    assert result.value.revenue == 2e6
    assert provider.calls[-1].fields == ("revenue",)
    assert by_origin(result)["retry"] == {"revenue"}
    assert result.attempts == (2 if split == "single" else 6)


class EveryMode(BaseModel):
    before: int
    after: int
    wrapped: int
    plain: int
    told: int
    typed: list[int]
    all: str

    @field_validator("before", mode="before")
    @classmethod
    def _before(cls, said):
        return len(said)

    @field_validator("after")
    @classmethod
    def _after(cls, value):
        return value + 1

    @field_validator("wrapped", mode="wrap")
    @classmethod
    def _wrapped(cls, said, inner):
        return inner(said["n"]) * 2

    @field_validator("plain", mode="plain")
    @classmethod
    def _plain(cls, said):
        return int(said, 16)

    @field_validator("told", mode="before")
    @classmethod
    def _told(cls, said, info: ValidationInfo):
        return said + info.data["after"]

    @field_validator("typed", mode="before", json_schema_input_type=str)
    @classmethod
    def _typed(cls, said):
        return said.split(",")

    @field_validator("*", mode="before")
    @classmethod
    def _all(cls, said):
        return said + "x" if isinstance(said, str) and said.startswith("all") else said


EVERY_MODE = {
    "before": "abc", "after": 1, "wrapped": {"n": 4}, "plain": "ff", "told": 7, "typed": "1,2", "all": "all",
}  # fmt: skip


@SPLITS
def test_validators_of_every_mode_run_as_in_one_answer(split):
    provider, result = filled(EveryMode, EVERY_MODE, split=split)
    assert result.value == EveryMode.model_validate(EVERY_MODE)
    assert result.attempts == len(provider.calls) == (1 if split == "single" else 7)


class Span(BaseModel):
    first: int
    last: int
    name: str = ""

    @field_validator("last")
    @classmethod
    def _in_order(cls, last, info: ValidationInfo):
        if last < info.data["first"]:
            raise ValueError(f"{last} is before {info.data['first']}")
        return last


@SPLITS
def test_what_looks_at_other_fields_waits_for_them(split):
    _, result = filled(Span, {"first": 1, "last": 2, "name": "x"}, split=split)
    assert result.value == Span(first=1, last=2, name="x")
    assert result.attempts == (1 if split == "single" else 3)


@SPLITS
def test_the_field_that_it_blames_is_asked_again_with_what_was_said(split):
    provider, result = filled(Span, {"first": 5, "last": says(2, 7), "name": "x"}, split=split)
    assert result.value == Span(first=5, last=7, name="x")
    again = provider.calls[-1]
    assert (again.fields, again.messages[1].content) == (("last",), '{"value":2}')
    assert "last: Value error, 2 is before 5" in again.messages[2].content
    assert provider.asked_for("first") == 1
    assert by_origin(result)["retry"] == {"last"}


@SPLITS
def test_a_field_that_stays_to_blame_is_missing(split):
    provider, result = filled(Span, {"first": 5, "last": 2, "name": "x"}, split=split)
    assert isinstance(result.error, MissingFields)
    assert result.missing == ("last",)
    assert "2 is before 5" in str(result.error)
    assert result.parts["first"].value == 5
    assert not result.parts["last"].success
    assert provider.asked_for("first") == 1
    assert provider.asked_for("last") <= 3


def test_with_a_default_it_is_left_out():
    class Loose(Span):
        last: int = 99

    _, result = filled(Loose, {"first": 5, "last": 2, "name": "x"})
    assert result.value == Loose(first=5, name="x")
    assert result.missing == ("last",)


def test_without_rungs_nothing_is_asked():
    provider, result = filled(Span, {"first": 5, "last": 2, "name": "x"}, fallback=())
    assert len(provider.calls) == 3
    assert result.error.fields == ("last",)


class Sum(BaseModel):
    parts: list[int]
    total: int
    name: str = ""

    @model_validator(mode="after")
    def _adds_up(self):
        if sum(self.parts) != self.total:
            raise ValueError(f"{self.parts} do not add up to {self.total}")
        return self


RIGHT = {"parts": [1, 2], "total": 3, "name": "x"}


def test_where_it_is_the_whole_that_is_wrong_one_prompt_asks_for_it_all():
    provider, result = filled(Sum, RIGHT | {"total": says(4, 3)})
    assert result.value == Sum(**RIGHT)
    again = provider.calls[-1]
    assert (len(provider.calls), again.fields) == (4, ("parts", "total", "name"))
    assert again.messages[1].content == '{"parts":[1,2],"total":4,"name":"x"}'
    assert "do not add up to 4" in again.messages[2].content
    assert by_origin(result) == {"single": {"parts", "total", "name"}}


def test_in_a_single_answer_it_is_the_same():
    provider, result = filled(Sum, RIGHT | {"total": says(4, 3)}, split="single")
    assert result.value == Sum(**RIGHT)
    assert len(provider.calls) == 2
    assert provider.calls[1].is_again


@pytest.mark.parametrize("fallback", [("retry",), ("single",)])
def test_which_either_rung_allows(fallback):
    _, result = filled(Sum, RIGHT | {"total": says(4, 3)}, split="single", fallback=fallback)
    assert result.value == Sum(**RIGHT)


@SPLITS
def test_once(split):
    provider, result = filled(Sum, RIGHT | {"total": 4}, split=split)
    assert isinstance(result.error, InvalidAnswer)
    assert "do not add up" in str(result.error)
    assert len(provider.calls) == (2 if split == "single" else 4)
    assert {name: part.value for name, part in result.parts.items()} == RIGHT | {"total": 4}
    assert result.missing == ()


@pytest.mark.parametrize("failure", [ServerFault("500"), Raw("?")])
def test_what_there_was_stays_where_that_fails(failure):
    provider, result = filled(Sum, RIGHT | {"total": says(4, failure)})
    assert isinstance(result.error, InvalidAnswer)
    assert {name: (part.success, part.value) for name, part in result.parts.items()} == {
        "parts": (True, [1, 2]), "total": (True, 4), "name": (True, "x"),
    }  # fmt: skip
    assert result.attempts == len(provider.calls) == 4


def test_not_where_single_is_no_rung():
    provider, result = filled(Sum, RIGHT | {"total": 4}, fallback=("retry", "partial"))
    assert isinstance(result.error, InvalidAnswer)
    assert len(provider.calls) == 3


class Reshaped(BaseModel):
    """A before-validator of the whole meets the keys of the wire, whichever way they came."""

    model_config = ConfigDict(extra="forbid", alias_generator=lambda name: name.upper())
    name: str
    size: int

    @model_validator(mode="before")
    @classmethod
    def _grown(cls, said: Any) -> Any:
        return said | {"SIZE": said["SIZE"] * 2}


@SPLITS
def test_a_before_validator_of_the_whole_runs_once(split):
    _, result = filled(
        Reshaped, {"name": "x", "size": 4}, keys={"name": "NAME", "size": "SIZE"}, split=split
    )
    assert result.value == Reshaped(NAME="x", SIZE=4)
    assert result.value.size == 8


@SPLITS
def test_a_validator_that_stumbles_is_an_invalid_answer(split):
    class Brittle(BaseModel):
        name: str
        size: int

        @model_validator(mode="after")
        def _look(self):
            return vars(self)["missing"]

    _, result = filled(Brittle, {"name": "x", "size": 4}, split=split)
    assert isinstance(result.error, InvalidAnswer)
    assert result.parts["name"].value == "x"


# -- models of all kinds


class Kind(enum.Enum):
    ORG = "org"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str


class Node(BaseModel):
    name: str
    below: list["Node"] = []


class Box(BaseModel, Generic[T]):
    item: T
    others: list[T] = []


@dataclasses.dataclass
class Seat:
    city: str
    floors: list[int] = dataclasses.field(default_factory=list)


class Options(TypedDict, total=False):
    depth: int


class Base(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def _upper(cls, name):
        return name.upper()


class Derived(Base):
    size: int = 0

    @computed_field
    def label(self) -> str:
        return f"{self.name} {self.size}"


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
    day: dt.date
    kind: Kind
    amount: Decimal
    ids: set[int]
    seat: tuple[str, int]
    exact: Annotated[int, Field(strict=True)]
    note: str | None = None


class Aliased(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    first: int = Field(alias="second")
    second: int = Field(alias="first")
    third: int = Field(validation_alias="drei")
    fourth: int = Field(validation_alias=AliasChoices("vier", "quatre"))
    fifth: int = Field(serialization_alias="V")


class Camel(BaseModel):
    model_config = ConfigDict(
        alias_generator=lambda name: name.title().replace("_", ""), extra="forbid"
    )
    head_office: str
    staff_count: int = 0


class Pets(BaseModel):
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    others: list[Annotated[Cat | Dog, Field(discriminator="kind")]] = []
    any: Cat | Dog | None = Field(None, discriminator="kind")


class Mixed(BaseModel):
    seat: Seat
    options: Options
    tree: Node
    box: Box[int]
    made: list[str] = Field(default_factory=lambda: ["made"])
    again: dt.timedelta = dt.timedelta(1)


class Bounded(BaseModel):
    share: float = Field(ge=0, le=1)
    code: str = Field(pattern=r"^[A-Z]{2}$")
    names: list[Annotated[str, Field(max_length=3)]] = Field(min_length=1, max_length=2)
    even: Annotated[int, Field(multiple_of=2)] = 0
    spaced: Annotated[str, BeforeValidator(str.strip)] = ""


TREE = {"name": "a", "below": [{"name": "b", "below": []}]}
MODELS = [
    (Derived, {"name": "x", "size": 3}, {}),
    (Strict, {"day": "2020-01-31", "kind": "org", "amount": "1.10", "ids": [1, 2], "seat": ["a", 1], "exact": 3,
              "note": None}, {}),
    (Aliased, {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5},
     {"first": "second", "second": "first", "third": "drei", "fourth": "vier"}),
    (Camel, {"head_office": "Oslo", "staff_count": 3}, {"head_office": "HeadOffice", "staff_count": "StaffCount"}),
    (Pets, {"pet": {"kind": "cat", "lives": 3}, "others": [{"kind": "dog", "name": "x"}], "any": None}, {}),
    (Mixed, {"seat": {"city": "Oslo", "floors": [1]}, "options": {"depth": 2}, "tree": TREE,
             "box": {"item": 1, "others": [2]}, "made": ["a"], "again": "PT1H"}, {}),
    (Box[Cat], {"item": {"kind": "cat", "lives": 9}, "others": []}, {}),
    (Node, TREE, {}),
    (Bounded, {"share": 0.5, "code": "NO", "names": ["a"], "even": 2, "spaced": " a "}, {}),
]  # fmt: skip


@pytest.mark.parametrize("failing", [0, 1, 2])
@SPLITS
@pytest.mark.parametrize(
    ("model", "said", "keys"), MODELS, ids=[case[0].__name__ for case in MODELS]
)
def test_it_is_what_one_answer_would_have_given(model, said, keys, split, failing):
    """Whether a field comes at once, on the first rung or on the second."""
    whole = model.model_validate_json(Reader(said, keys=keys).whole_text(said))
    for name in said:
        script = said | {name: says(*[Raw("?")] * failing, said[name])}
        _, result = filled(model, script, keys=keys, split=split)
        if split == "single" and failing == 2:
            # the whole prompt was the single one already
            assert isinstance(result.error, MissingFields)
            continue
        assert result.error is None
        assert result.value == whole
        assert type(result.value) is model
        assert result.value.model_fields_set >= {
            each for each, value in said.items() if value is not None
        }


def awkward():
    fields: dict[str, Any] = {
        name: (type(held), ...) for name, held in AWKWARD.items() if name != "items"
    }
    fields |= {"items": (list[str], ...), "copy": (int, 0), "name": (str, "")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydantic's, that `json` and the like are names of its own
        return create_model("Awkward", __config__={"protected_namespaces": ()}, **fields)


AWKWARD = {
    "items": ["a"], "value": 1, "json": "{}", "model_x": 2, "model_dump_x": 3, "schema": "x", "copy": 4,
    "field_items": 5, "self": "me", "name": "n",
}  # fmt: skip


@SPLITS
@pytest.mark.parametrize("failing", [0, 1, 2])
def test_field_names_that_mean_something_elsewhere(split, failing):
    model = awkward()
    whole = model.model_validate(AWKWARD)
    for name, held in AWKWARD.items():
        script = AWKWARD | {name: says(*[Raw("?")] * failing, held)}
        _, result = filled(model, script, split=split)
        assert result.success is not (split == "single" and failing == 2)
        assert result.value in (whole, None)
