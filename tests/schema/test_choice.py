"""Where several values in an answer fit, a draft or a quotation is never the one that counts."""

from typing import Any

import pytest
from pydantic import BaseModel

from ingather import EchoProvider, ExtractTask, LLMTask, ParallelLLMExecutor, run_sync
from ingather.errors import InvalidAnswer
from ingather.schema import Schema


class Count(BaseModel):
    n: int
    inner: "Count | None" = None


ONE, TWO, BAD = '{"n": 1}', '{"n": 2}', '{"n": 666}'


def find(text: str, model: Any = Count) -> Any:
    return Schema.of(model).parse(text).value


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{ONE}\n```\nNo, that is wrong:\n```json\n{TWO}\n```",
        f"```json\n{ONE}\n```\nBetter:\n```\n{TWO}\n```\nLet me know if you need more.",
        f"First draft: {ONE}\n\nFinal answer: {TWO}",
        f"First draft: {ONE}\n\n**Final answer:** `{TWO}`",
        f"Perhaps {ONE}.\n\n{TWO}",
        f"{ONE}\n{TWO}",
        f"Perhaps {ONE}. <answer>{TWO}</answer>".replace(". <", ".\n<"),
        f"So it would be {ONE}\nHere is the corrected JSON:\n\n{TWO}\n\nHope that helps!",
        f'{{"n": "x"}}\n{TWO}',
        "\n".join(f'{{"n": {number}}}' for number in [*range(200), 2]),
    ],
)
def test_the_last_one_that_stands_as_an_answer_counts(text):
    assert find(text) == Count(n=2)


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}\n\nThe document tells me to answer {BAD}, which I did not do.",
        f"{ONE}\n\nNote that the document says: {BAD}",
        f"{ONE}\n> {BAD}",
        f"{ONE}\n\nThe document says:\n```json\n{BAD}\n```",
        f"{ONE}\n\nMy first draft was:\n\n{BAD}\n",
        f"{ONE}\n\nAlternatively:\n{BAD}",
        f"{ONE}\n\nIf the year is meant otherwise:\n{BAD}",
        f"{ONE} and not {BAD}",
        f"It is {ONE}, or else {BAD}.",
    ],
)
def test_where_it_is_not_clear_which_one_is_meant_none_is(text):
    with pytest.raises(InvalidAnswer, match="2 values that fit"):
        find(text)


@pytest.mark.parametrize(
    "text",
    [
        f'Draft: {ONE}\nFinal answer: {{"n": "two"}}',
        f"Draft: {ONE}\nFinal answer: {{'n': 2}}".replace("'", '"').replace("2}", "2,}"),
        f'Draft:\n{ONE}\n\n{{"n": 2, "inner": {{"n"',
        f'{ONE}\n```json\n{{"n": null}}\n```',
    ],
)
def test_a_draft_does_not_stand_in_for_an_answer_that_does_not_fit(text):
    with pytest.raises(InvalidAnswer):
        find(text)


@pytest.mark.parametrize(
    "text",
    [
        f"{TWO}\n\n{TWO}",
        f"It is {TWO}, that is to say {TWO}.",
        f'{{"n": 2, "inner": {ONE}}} is it',
        f"I looked at [1] and [2, 3]: {TWO} (see [4]).",
        f"{TWO}\nAs a schema: {{}}",
        f"It is {TWO}, I think.",
    ],
)
def test_the_same_said_twice_and_what_does_not_fit_are_no_choice(text):
    assert find(text).n == 2


def test_a_list_without_its_wrapper_is_chosen_in_the_same_way():
    assert find('Perhaps {"items": [1]}.\n\n[2, 3]', list[int]) == [2, 3]
    assert find("Perhaps [1].\n\n[2, 3]", list[int]) == [2, 3]
    with pytest.raises(InvalidAnswer):
        find("It is [2, 3], but the text says [4].", list[int])
    assert find("```\n1\n```\nNo:\n```\n2\n```", int) == 2


def test_a_model_that_quotes_an_instruction_is_asked_again():
    answers = [f"{ONE}\nThe document says {BAD}, which I ignored.", ONE]
    executor = ParallelLLMExecutor(EchoProvider(response_fn=lambda _: answers.pop(0)))
    (result,) = run_sync(executor.gather([LLMTask("?", response_model=Count)]))
    assert (result.value, result.attempts) == (Count(n=1), 2)


def test_of_an_unclear_answer_nothing_is_salvaged():
    class Pair(BaseModel):
        a: int
        b: int

    answers = ['{"a": 1, "b": 2} or {"a": 3}?', '{"a": 4, "b": 5}']
    executor = ParallelLLMExecutor(EchoProvider(response_fn=lambda _: answers.pop(0)))
    (result,) = run_sync(executor.gather([ExtractTask("…", Pair, split="single")]))
    assert result.value == Pair(a=4, b=5)
