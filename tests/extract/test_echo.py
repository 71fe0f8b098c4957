"""With the scripts of `EchoProvider`: answers in the order of the fields, wherever there are slots enough or one."""

import json

import pytest
from pydantic import BaseModel

from ingather import EchoProvider, ExtractTask, ParallelLLMExecutor, run_sync
from ingather.errors import MissingFields, ServerFault
from ingather.providers.echo import Scripted
from ingather.testing import ErrorResponse, text_response


class Product(BaseModel):
    name: str


class Firm(BaseModel):
    products: list[Product]
    seat: str
    founded: int
    people: list[str] = []
    motto: str | None = None
    best: Product | None = None


ANSWERS = [
    '{"items": [{"name": "boats"}]}',
    '{"value": "Oslo"}',
    '{"value": 1990}',
    '{"items": ["Kari", "Ola"]}',
    '{"value": null}',
    '{"name": "boats"}',
]
FIRM = Firm(
    products=[Product(name="boats")],
    seat="Oslo",
    founded=1990,
    people=["Kari", "Ola"],
    motto=None,
    best=Product(name="boats"),
)
BOUNDS = pytest.mark.parametrize("bound", [1, 2, 5, 50, None])


def extracted(provider, bound=5, **options):
    executor = ParallelLLMExecutor(provider, max_concurrency=bound)
    task = ExtractTask("We build boats in Oslo.", Firm, **options)
    return run_sync(executor.execute({"it": task}))["it"]


@BOUNDS
@pytest.mark.parametrize("prime", [False, True])
def test_the_calls_come_in_the_order_of_the_fields(bound, prime):
    provider = EchoProvider(responses=map(text_response, ANSWERS), strict=True)
    result = extracted(provider, bound, prime=prime)
    assert result.value == FIRM
    assert provider.call_count == result.attempts == 6


@BOUNDS
def test_what_fails_is_asked_again_after_them(bound):
    script: list[Scripted] = [ErrorResponse(ServerFault("500")), *ANSWERS[1:], ANSWERS[0]]
    result = extracted(EchoProvider(responses=script, strict=True), bound)
    assert result.value == FIRM
    assert result.parts["products"].origin == "retry"
    assert result.attempts == 7


@BOUNDS
def test_a_question_tells_which_field_it_is_for(bound):
    provider = EchoProvider()
    for name, answer in zip(Firm.model_fields, ANSWERS, strict=True):
        provider.add_pattern_response(rf"^- {name}$|\n- {name}\n", text_response(answer))
    result = extracted(provider, bound)
    assert result.value == FIRM
    assert {part.origin for part in result.parts.values()} == {"part"}


@pytest.mark.parametrize(
    "answers",
    [
        ['[{"name": "boats"}]', '"Oslo"', "1990", '["Kari", "Ola"]', "null", '{"name": "boats"}'],
        [f"```json\n{answer}\n```" for answer in ANSWERS],
        [f"Here it is: {answer}\nThat is all." for answer in ANSWERS],
    ],
    ids=["bare", "fenced", "in prose"],
)
def test_answers_as_models_give_them(answers):
    result = extracted(EchoProvider(responses=answers, strict=True))
    assert result.value == FIRM
    assert result.attempts == 6


def test_one_answer_for_all():
    provider = EchoProvider(responses=[FIRM.model_dump_json()], strict=True)
    result = extracted(provider, split="single")
    assert result.value == FIRM
    assert result.attempts == 1


def test_an_echo_is_no_answer():
    result = extracted(EchoProvider())
    assert isinstance(result.error, MissingFields)
    assert result.error.fields == ("products", "seat", "founded")
    assert result.attempts == 6 + 6 + 1


def test_a_script_that_is_at_its_end_is_a_failure_like_any():
    result = extracted(EchoProvider(responses=ANSWERS[:3], strict=True))
    assert result.value == Firm(products=[Product(name="boats")], seat="Oslo", founded=1990)
    assert result.missing == ("people", "motto", "best")


def test_the_single_prompt_fills_what_two_tries_did_not():
    rest = {"founded": 1990, "best": {"name": "boats"}}
    script = [
        *ANSWERS[:2],
        "in 1990",
        *ANSWERS[3:5],
        "boats",
        "about 1990",
        "the boats",
        json.dumps(rest),
    ]
    provider = EchoProvider(responses=script, strict=True)
    result = extracted(provider)
    assert result.value == FIRM
    assert {name for name, part in result.parts.items() if part.origin == "single"} == {
        "founded",
        "best",
    }
    assert provider.call_count == 9
    assert sum(call.error for call in provider.calls) == 0
