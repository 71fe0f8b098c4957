"""Functions of one's own fill fields, beside the calls to the model and under the same bound."""

import re
import threading
from decimal import Decimal

import pytest
from pydantic import BaseModel, Field, SecretStr
from pydantic.json_schema import SkipJsonSchema

from ingather import ExtractTask, LLMTask, ParallelLLMExecutor, run_sync
from ingather.errors import AttemptTimeout, InvalidAnswer, MissingFields, SetupError
from tests.extract.stand_ins import Raw, Reader, by_origin, extracted, says

TEXT = "We build boats. Revenue was 1,234 in 1990."


class Product(BaseModel):
    name: str


class Firm(BaseModel):
    products: list[str]
    revenue: Decimal
    best: Product | None = None
    founded: int = 0


SAID = {"products": ["boats"], "revenue": "7", "best": {"name": "boats"}, "founded": 1990}


def revenue(text):
    return re.findall(r"[\d,]+(?= in)", text)[0].replace(",", "")


def filled(functions, **scripts):
    provider = Reader(SAID | scripts)
    return provider, extracted(provider, Firm, context=TEXT, split="fields", functions=functions)


def test_a_function_gets_the_text_and_its_value_becomes_the_fields_type():
    provider, result = filled({"revenue": revenue})
    assert result.value.revenue == Decimal(1234)
    assert result.parts["revenue"].value == Decimal(1234)
    assert provider.asked_for("revenue") == 0
    assert by_origin(result) == {"part": {"products", "best", "founded"}, "code": {"revenue"}}


def test_an_async_one_too():
    async def founded(text):
        return int(re.findall(r"\d{4}", text)[0])

    _, result = filled({"founded": founded})
    assert result.value.founded == 1990


def test_it_runs_in_a_thread_of_its_own():
    _, result = filled({"founded": lambda text: threading.get_ident()})
    assert result.value.founded != threading.get_ident()


@pytest.mark.parametrize("given", [{"name": "x"}, Product(name="x")])
def test_it_may_give_a_model_or_what_makes_one(given):
    _, result = filled({"best": lambda text: given})
    assert result.value.best == Product(name="x")


def test_it_may_give_its_values_one_by_one():
    _, result = filled({"products": lambda text: (word for word in ("a", "b"))})
    assert result.value.products == ["a", "b"]


def test_none_is_nothing_where_there_may_be_nothing():
    _, result = filled({"founded": lambda text: None, "best": lambda text: None})
    assert (result.value.founded, result.value.best, result.missing) == (0, None, ())
    assert by_origin(result)["code"] == {"founded", "best"}


def test_functions_can_fill_all_of_it_and_no_call_is_made():
    provider, result = filled(
        {name: lambda text, value=value: value for name, value in SAID.items()}
    )
    assert result.value == Firm(**SAID)
    assert provider.calls == []
    assert result.attempts == 0
    assert result.usage is None


@pytest.mark.parametrize("split", ["single", "auto"])
def test_one_prompt_is_for_the_others(split):
    class Flat(BaseModel):
        name: str
        year: int
        seat: str

    provider = Reader({"name": "Nord", "seat": "Oslo"})
    result = extracted(provider, Flat, split=split, functions={"year": lambda text: 1990})
    assert result.value == Flat(name="Nord", year=1990, seat="Oslo")
    assert [call.fields for call in provider.calls] == [("name", "seat")]


# -- failures


def test_one_that_fails_is_missing_and_no_model_is_asked_instead():
    provider, result = filled({"revenue": lambda text: 1 / 0})
    assert isinstance(result.error, MissingFields)
    assert isinstance(result.error.__cause__, ZeroDivisionError)
    assert provider.asked_for("revenue") == 0
    assert len(provider.calls) == 3
    assert by_origin(result) == {"part": {"products", "best", "founded"}}
    assert result.parts["revenue"].origin == "code"


def test_with_a_default_it_is_only_missing():
    _, result = filled({"founded": lambda text: 1 / 0})
    assert (result.value.founded, result.missing) == (0, ("founded",))


@pytest.mark.parametrize("given", ["a lot", [1], object(), None])
def test_a_value_that_is_none_of_the_fields_is_a_failure(given):
    _, result = filled({"revenue": lambda text: given})
    assert isinstance(result.parts["revenue"].error, InvalidAnswer)
    assert "the function for 'revenue' gave no revenue" in str(result.error)


def test_the_ladder_is_climbed_for_the_others_beside_it():
    provider, result = filled(
        {"revenue": lambda text: 1 / 0}, founded=says(Raw("?"), Raw("?"), 1990)
    )
    assert result.error.fields == ("revenue",)
    assert result.parts["founded"].value == 1990
    assert provider.asked_for("founded") == 3


def test_a_name_that_is_no_field_is_told_before_anything_is_paid():
    provider, result = filled({"revenu": revenue})
    assert isinstance(result.error, SetupError)
    assert "names no field of Firm: revenu" in str(result.error)
    assert provider.calls == []


def test_it_has_the_tasks_timeout():
    provider = Reader(SAID)
    blocked = threading.Event()
    result = extracted(
        provider,
        Firm,
        split="fields",
        timeout=0.05,
        functions={"founded": lambda text: blocked.wait()},
    )
    blocked.set()
    assert isinstance(result.parts["founded"].error, AttemptTimeout)
    assert result.missing == ("founded",)


# -- together


def test_the_whole_is_validated_with_what_functions_gave():
    class Sum(BaseModel):
        parts: list[int]
        total: int

        def model_post_init(self, context):
            if sum(self.parts) != self.total:
                raise ValueError("they do not add up")

    provider = Reader({"parts": says([1, 2], [1, 3])})
    result = extracted(provider, Sum, functions={"total": lambda text: 4}, split="fields")
    assert result.value == Sum(parts=[1, 3], total=4)
    assert [call.fields for call in provider.calls] == [("parts",)] * 2


def test_a_function_may_ask_the_executor_itself_even_at_one():
    provider = Reader(SAID)
    executor = ParallelLLMExecutor(provider, max_concurrency=1)

    def best(text):
        question = f"{text}\n\nExtract from the document:\n- best"
        return run_sync(executor.execute({"q": LLMTask(question, response_model=Product)}))[
            "q"
        ].unwrap()

    async def founded(text):
        question = f"{text}\n\nExtract from the document:\n- founded"
        return (await executor.gather([LLMTask(question, response_model=int)]))[0].unwrap()

    result = extracted(
        provider, Firm, executor=executor, functions={"best": best, "founded": founded}
    )
    assert result.value == Firm(**SAID)
    assert provider.peak == 1
    assert result.attempts == 1  # those of its own: what a function asks for is the function's


def test_what_the_model_cannot_be_told_functions_can():
    class Private(BaseModel):
        name: str
        key: SkipJsonSchema[SecretStr] = SecretStr("")
        notes: SkipJsonSchema[list[str]] = Field(default_factory=list)

    provider = Reader({"name": "Nord"})
    result = extracted(provider, Private, functions={"key": lambda text: "hush"})
    assert result.value.key.get_secret_value() == "hush"
    assert [call.fields for call in provider.calls] == [("name",)]
    assert (result.value.notes, result.missing) == ([], ())


def test_a_bound_of_functions_and_calls_together():
    running, most, lock = 0, 0, threading.Lock()

    def counted(text):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running + provider.in_flight)
        threading.Event().wait(0.01)
        with lock:
            running -= 1
        return 1

    class Wide(BaseModel):
        a: int
        b: int
        c: int
        d: int
        e: int
        f: int

    provider = Reader(dict.fromkeys("def", 1), latency=0.01)
    executor = ParallelLLMExecutor(provider, max_concurrency=2)
    tasks = [
        ExtractTask(TEXT, Wide, split="fields", functions=dict.fromkeys("abc", counted))
        for _ in range(5)
    ]
    assert all(result.success for result in run_sync(executor.gather(tasks)))
    assert most <= 2
